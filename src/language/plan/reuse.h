/* reuse.h - which parts of plans are there once. Equal operators of the job graph are one (control/graph/graph_share.c); EXPLAIN says so
 * of the parts of the plan that became them: the first is "(reuse_id=[1])", the others are "Reused(reference_id=[1])". */
#pragma once
#include "language/plan/rel.h"

struct reuse_map {
    uint32_t count, capacity;
    struct reuse_node {
        const struct rel *r;
        uint32_t node;
    } *items;
};
void reuse_map_add(struct reuse_map *m, struct arena *a, const struct rel *r, uint32_t node);

/* What EXPLAIN finds of several plans. */
struct rel_reuse;
/* map: as the plans were lowered; now: where graph_share has put the nodes. */
struct rel_reuse *rel_reuse_find(struct arena *a, const struct reuse_map *map, const uint32_t *now, struct rel *const *plans, uint32_t count);
/* The operator of the job graph that gives the part's rows; -1: it is none of the plans'. */
int rel_reuse_node(const struct rel_reuse *u, const struct rel *r);
/* While plans are printed, from the top. NULL reuse: nothing is there twice. Answers what stands for the part: 0: it is there
 * once; else its number, and *again: it was printed before. exchange: with what moves its rows to `by`'s input. */
uint32_t rel_reuse_visit(struct rel_reuse *u, const struct rel *r, const struct rel *by, uint32_t input, bool exchange, bool *again);
