/* node_sort_merge_join.c - SortMergeJoin: a join of batch mode that sorts both sides by their keys. */
#include "flow/operator/sort_merge_join.h"
#include "language/plan/batch_join_rel.h"

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct join_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("sort_merge_join"), r->type->name, (struct graph_here){0});
    struct sort_merge_join_config *c = n->config;

    (void)e;
    c->kind = join_operator_name((enum rel_join_kind)b->kind);
    c->names = (struct text_list){b->names, r->inputs[0]->row->child_count + r->inputs[1]->row->child_count};
    c->null_safe = join_null_safe(l, b);
    if (b->condition != NULL) c->condition = lower_exprs(l, &b->condition, 1);
    c->zone = lower_zone(l);
    c->spill = l->spill;
    *node = l->graph->node_count - 1;
    for (uint32_t i = 0; i < 2; i++) batch_join_edge(l, r, inputs[i], *node, i, true);
    return S_OK;
}

const struct rel_type rel_sort_merge_join_type = {.name = "SortMergeJoin",
                                                  .doc = "in batch mode: pairs of rows of two inputs, both of which are sorted",
                                                  .derive = batch_join_derive,
                                                  .distribution = batch_join_distribution,
                                                  .lies_by = join_lies_by,
                                                  .explain = join_explain_rows,
                                                  .lower = lower};
