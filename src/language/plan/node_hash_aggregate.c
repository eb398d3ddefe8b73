/* node_hash_aggregate.c - HashAggregate: aggregates of groups in batch mode, which are kept in a hash table; and what SortAggregate has in
 * common with it. */
#include "flow/operator/hash_aggregate.h"
#include "language/plan/aggregate_rel.h"
#include "language/plan/rel_internal.h"

enum status batch_aggregate(struct arena *a, const struct rel *r, struct rel *const *inputs, const struct plan_settings *s,
                            struct rel **out, struct err *e)
{
    bool hash = (s->disabled >> BATCH_HASH_AGGREGATE & 1) == 0, sort = (s->disabled >> BATCH_SORT_AGGREGATE & 1) == 0;
    struct rel like = *r;

    if (!hash && !sort) {
        err_hint(e, "'table.exec.disabled-operators' leaves none of those that could group here: HashAgg, SortAgg");
        return err_set(e, E_UNSUPPORTED, "Cannot generate a valid execution plan for the given query");
    }
    like.type = hash ? &rel_hash_aggregate_type : &rel_sort_aggregate_type;
    *out = rel_over_inputs(a, &like, inputs, true);
    return S_OK;
}

void batch_aggregate_derive(struct rel *r, struct arena *a) { aggregate_derive(r, r->inputs[0], a); }

void batch_aggregate_explain(const struct rel *r, struct buf *out)
{
    buf_append_text(out, "isMerge=[false], ");
    aggregate_explain_groups(r, out);
}

enum status batch_aggregate_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, bool sorts, uint32_t *node)
{
    struct graph_node *n = graph_add_node(l->graph, op_find("hash_aggregate"), r->type->name, (struct graph_here){0});
    struct hash_aggregate_config *c = n->config;

    lower_aggregate_calls(l, r->body, r->inputs[0]->row, &c->calls);
    c->sorts = sorts;
    c->spill = sorts && ((const struct aggregate_body *)r->body)->key_count > 0 ? l->spill : l->spill_groups;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    return batch_aggregate_lower(r, l, inputs, false, node);
}

const struct rel_type rel_hash_aggregate_type = {.name = "HashAggregate",
                                                 .doc = "in batch mode: aggregates of groups, which are kept until all rows have come",
                                                 .derive = batch_aggregate_derive,
                                                 .distribution = aggregate_distribution,
                                                 .explain = batch_aggregate_explain,
                                                 .lower = lower};
