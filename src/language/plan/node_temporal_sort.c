/* node_temporal_sort.c - TemporalSort: rows of a stream in the order of their times; those of one time by further columns. */
#include "flow/operator/temporal_sort.h"
#include "language/plan/logical.h"
#include "language/plan/rel_internal.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct sort_body *b = r->body;

    buf_append_text(out, "orderBy=[");
    rank_print_order(b->order, b->order_count, r->row, out);
    buf_append_byte(out, ']');
}

static bool is_rowtime(const struct rel *r)
{
    const struct sort_body *b = r->body;

    return r->row->children[b->order[0].col]->time_kind == TIME_ROWTIME;
}

static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];

    r->window = in->window;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

static enum status check(const struct rel *r, struct err *e)
{
    return rel_check_appends(r, "StreamPhysicalTemporalSort", "rows that change cannot wait for their turn: add LIMIT n, and the first n are kept up to date", e);
}

/* By processing time alone rows are in order as they come. */
static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct sort_body *b = r->body;

    (void)e;
    *node = inputs[0];
    if (!is_rowtime(r) && b->order_count == 1) return S_OK;
    struct graph_node *n = graph_add_node(l->graph, op_find("temporal_sort"), r->type->name, (struct graph_here){0});
    struct temporal_sort_config *c = n->config;
    if (is_rowtime(r)) c->time = r->row->names[b->order[0].col];
    lower_order(l, r->row, b->order + 1, b->order_count - 1, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_temporal_sort_type = {.name = "TemporalSort",
                                                .doc = "rows of a stream in the order of their times",
                                                .derive = derive,
                                                .distribution = sort_distribution,
                                                .check = check,
                                                .explain = explain,
                                                .logical = sort_logical,
                                                .lower = lower};
