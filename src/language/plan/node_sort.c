/* node_sort.c - Sort: all rows in an order, when the input has ended; only in batch mode. */
#include "flow/operator/sort_rows.h"
#include "language/plan/logical.h"
#include "language/plan/rel_internal.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct sort_body *b = r->body;

    buf_append_text(out, "orderBy=[");
    rank_print_order(b->order, b->order_count, r->row, out);
    buf_append_byte(out, ']');
}

static void derive(struct rel *r, struct arena *a)
{
    const struct rel *in = r->inputs[0];

    r->modifies = in->modifies;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

int sort_distribution(const struct rel *r, uint32_t input, const uint32_t **cols)
{
    (void)r;
    (void)input;
    *cols = NULL;
    return 0; /* one order over all */
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct sort_body *b = r->body;
    struct graph_node *n = graph_add_node(l->graph, op_find("sort_rows"), r->type->name, (struct graph_here){0});
    struct sort_rows_config *c = n->config;

    (void)e;
    lower_order(l, r->row, b->order, b->order_count, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    c->spill = l->spill;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

void sort_logical(const struct rel *r, struct logical *l)
{
    const struct sort_body *b = r->body;

    logical_order(b->order, b->order_count, logical_begin(l, "Sort"));
    logical_end(l);
}

const struct rel_type rel_sort_type = {.name = "Sort",
                                       .doc = "all rows in an order, when the input has ended",
                                       .derive = derive,
                                       .distribution = sort_distribution,
                                       .explain = explain,
                                       .logical = sort_logical, .lower = lower};
