/* node_drop_before.c - DropUpdateBefore: right on a source whose updates are two rows, where nobody needs the one before. rel_plan takes
 * it out where somebody does. No condition goes below it: the row before must be there when the row after is dropped. */
#include "ground/base/str.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];

    r->modifies = in->modifies;
    r->deletes_by_key = in->deletes_by_key;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

static bool takes_keys(const struct rel *r, uint32_t input)
{
    (void)input;
    return !r->wants_rows;
}

static struct rel *narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    uint64_t *kept = narrow_none(n, r->row);
    uint32_t *now;

    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(needed, i)) bit_set(kept, i);
    struct rel *input = narrow_below(n, r->inputs[0], kept, &now);
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (bit_get(kept, i)) at[i] = now[i];
    return input == r->inputs[0] ? (struct rel *)r : rel_drop_before(n->a, input);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    graph_add_node(l->graph, op_find("drop_update_before"), r->type->name, (struct graph_here){0});
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_drop_before_type = {.name = "DropUpdateBefore",
                                              .doc = "changes without the rows before updates",
                                              .derive = derive,
                                              .takes_keys = takes_keys,
                                              .narrow = narrow,
                                              .lower = lower};
