/* reuse.c - see reuse.h. A part of a plan is known by the operator that gives its rows, and, with the exchange above it, by how that moves
 * them. Nodes that become the same operator as their input (a WatermarkAssigner that its source does) are one part, the upper one. */
#include "language/plan/reuse.h"

#include "language/plan/rel_internal.h"

#include <string.h>

struct part {
    uint32_t node, id;      /* id 0: not printed yet */
    int by;                 /* columns of the exchange above, or its enum distribution; DISTRIBUTION_ANY: none */
    const uint32_t *cols;
    uint32_t times;
};

struct rel_reuse {
    struct arena *a;
    struct reuse_map map;
    const uint32_t *now;
    uint32_t count, capacity, ids;
    struct part *parts;
};

void reuse_map_add(struct reuse_map *m, struct arena *a, const struct rel *r, uint32_t node)
{
    if (m->count == m->capacity) {
        uint32_t more = MAX(m->capacity * 2, 16u);
        struct reuse_node *items = ARENA_ARRAY(a, struct reuse_node, more);
        if (m->count > 0) memcpy(items, m->items, sizeof *items * m->count);
        m->items = items;
        m->capacity = more;
    }
    m->items[m->count++] = (struct reuse_node){r, node};
}

int rel_reuse_node(const struct rel_reuse *u, const struct rel *r)
{
    for (uint32_t i = 0; i < u->map.count; i++)
        if (u->map.items[i].r == r) return (int)u->now[u->map.items[i].node];
    return -1;
}

static bool is_part(const struct part *p, uint32_t node, int by, const uint32_t *cols)
{
    return p->node == node && p->by == by && (by <= 0 || memcmp(p->cols, cols, sizeof *cols * (uint32_t)by) == 0);
}

static struct part *part_of(struct rel_reuse *u, uint32_t node, int by, const uint32_t *cols)
{
    for (uint32_t i = 0; i < u->count; i++)
        if (is_part(&u->parts[i], node, by, cols)) return &u->parts[i];
    if (u->count == u->capacity) {
        uint32_t more = MAX(u->capacity * 2, 16u);
        struct part *parts = ARENA_ARRAY(u->a, struct part, more);
        if (u->count > 0) memcpy(parts, u->parts, sizeof *parts * u->count);
        u->parts = parts;
        u->capacity = more;
    }
    u->parts[u->count] = (struct part){.node = node, .by = by, .cols = cols};
    return &u->parts[u->count++];
}

/* Counts how often each part is met from above; what was met is not gone through again. above: the operator above, or -1. */
static void count(struct rel_reuse *u, const struct rel *r, int above)
{
    int node = rel_reuse_node(u, r);

    if (node < 0) return;
    if (node != above && part_of(u, (uint32_t)node, DISTRIBUTION_ANY, NULL)->times++ > 0) return;
    for (uint32_t i = 0; i < r->input_count; i++) {
        const uint32_t *cols = NULL;
        int by = rel_distribution(r, i, &cols), input = rel_reuse_node(u, r->inputs[i]);
        if (input >= 0 && by != DISTRIBUTION_ANY && part_of(u, (uint32_t)input, by, cols)->times++ > 0) continue;
        count(u, r->inputs[i], node);
    }
}

struct rel_reuse *rel_reuse_find(struct arena *a, const struct reuse_map *map, const uint32_t *now, struct rel *const *plans, uint32_t plan_count)
{
    struct rel_reuse *u = ARENA_NEW(a, struct rel_reuse);

    *u = (struct rel_reuse){.a = a, .map = *map, .now = now};
    for (uint32_t i = 0; i < plan_count; i++) count(u, plans[i], -1);
    return u;
}

uint32_t rel_reuse_visit(struct rel_reuse *u, const struct rel *r, const struct rel *by, uint32_t input, bool exchange, bool *again)
{
    const uint32_t *cols = NULL;
    int node = u != NULL ? rel_reuse_node(u, r) : -1, columns = exchange ? rel_distribution(by, input, &cols) : DISTRIBUTION_ANY;

    *again = false;
    if (node < 0 || (!exchange && by != NULL && rel_reuse_node(u, by) == node)) return 0;
    struct part *p = part_of(u, (uint32_t)node, columns, cols);
    if (p->times < 2) return 0;
    *again = p->id > 0;
    if (!*again) p->id = ++u->ids;
    return p->id;
}
