/* graph_memory.c - how much memory operators have that go to files beyond it, where nobody said: they share half of what the process may
 * use, task by task, so that files are written when they are needed and not before. The other half is for everything else.
 *
 * Such an operator's configuration has MEMORY_SHARE, or half of it, where the number of bytes would stand: the graph is the same on
 * every machine, and the number is found where it runs. */
#include "control/graph/graph.h"

#include <string.h>

enum { LEAST = 32 << 20 }; /* bytes of a whole share */

static bool is_memory(const struct config_field *f)
{
    size_t n = strlen(f->name), tail = strlen("memory");

    return f->kind == CONF_INT && n >= tail && strcmp(f->name + n - tail, "memory") == 0;
}

/* Each field that asks for a share: the sum of the shares, or, where there are bytes for a whole one, these are put there. */
static double each_share(struct graph *g, int64_t bytes)
{
    double shares = 0;

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[i];
        for (const struct config_field *f = n->type->config_fields; f != NULL && f->name != NULL; f++) {
            int64_t *value = (int64_t *)((char *)n->config + f->offset);
            if (!is_memory(f) || *value >= 0) continue;
            ASSERT(*value == MEMORY_SHARE || *value == MEMORY_HALF_SHARE);
            int64_t part = *value == MEMORY_SHARE ? 1 : 2;
            shares += (double)n->parallelism / (double)part;
            if (bytes > 0) *value = bytes / part;
        }
    }
    return shares;
}

void graph_memory_share(struct graph *g, int64_t process, int64_t state)
{
    double shares = each_share(g, 0);

    if (shares == 0) return;
    int64_t bytes = MAX((int64_t)((double)(process / 2) / shares), (int64_t)LEAST);
    each_share(g, state > 0 ? MIN(bytes, MAX(state / 2, 2)) : bytes); /* files come before state is refused */
}
