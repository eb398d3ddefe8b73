/* graph_copy.c - a part of a graph once more: an operator with all that it reads, in another graph. So a program may ask what rows a
 * stream has, or have a part of what it built run by itself, while the graph that it builds stays as it is. */
#include "control/graph/graph_internal.h"

#include "ground/base/str.h"

#include <string.h>

static void mark(const struct graph *g, uint32_t node, bool *wanted)
{
    wanted[node] = true;
    for (uint32_t n = node + 1; n-- > 0;) /* edges lead from lower to higher numbers: one walk down finds all */
        for (uint32_t i = 0; wanted[n] && i < g->edge_count; i++)
            if (g->edges[i]->to == n) wanted[g->edges[i]->from] = true;
}

static void copy_node(const struct graph_node *from, struct graph *to)
{
    struct graph_node *copy = graph_add_node(to, from->type, from->name, from->here);
    void *config = copy->config;

    *copy = *from;
    copy->config = config;
    if (config != NULL) memcpy(config, from->config, from->type->config_size);
}

static void copy_edge(const struct graph_edge *from, struct graph *to, const uint32_t *copies)
{
    struct graph_edge *copy = graph_add_edge(to, copies[from->from] - 1, copies[from->to] - 1, from->input, from->here);

    copy->side = from->side;
    copy->has_partitioner = from->has_partitioner;
    copy->partitioner = from->partitioner;
    copy->keys = from->keys;
    copy->function = from->function;
}

uint32_t graph_copy(const struct graph *from, uint32_t node, struct graph *to, uint32_t *copies)
{
    bool wanted[GRAPH_NODES_MAX] = {0}, added[GRAPH_NODES_MAX] = {0};

    mark(from, node, wanted);
    for (uint32_t n = 0; n <= node; n++) {
        if (!wanted[n] || copies[n] != 0) continue;
        copy_node(from->nodes[n], to);
        copies[n] = to->node_count;
        added[n] = true;
    }
    for (uint32_t i = 0; i < from->edge_count; i++)
        if (from->edges[i]->to <= node && added[from->edges[i]->to]) copy_edge(from->edges[i], to, copies);
    return copies[node] - 1;
}

enum status graph_output_type(const struct graph *from, uint32_t node, const char *side, uint32_t parallelism,
                              struct arena *a, const struct type **out, struct err *e)
{
    uint32_t *copies = ARENA_ARRAY(a, uint32_t, from->node_count);
    struct graph g;

    graph_init(&g, a);
    g.default_parallelism = parallelism;
    g.users = from->users;
    uint32_t at = graph_copy(from, node, &g, copies);
    const struct graph_node *n = g.nodes[at];
    TRY(graph_derive(&g, e));
    for (uint32_t p = 0; p < n->plan.output_count; p++) {
        bool is_it = side == NULL ? p == 0 : p > 0 && strcmp(n->plan.port_names[p], side) == 0;
        if (is_it) *out = n->plan.outputs[p];
        if (is_it) return S_OK;
    }
    if (side == NULL) return err_set(e, E_GRAPH, "'%s' has no output", n->name);
    return err_set(e, E_GRAPH, "operator '%s' has no side output '%s'", n->name, side);
}
