/* node_sort_limit.c - SortLimit: the first rows in an order, over all rows. In batch mode those of a few places are kept up to date all
 * the same, as nearly all rows are refused at once; else all rows are sorted and the ones before the offset are skipped. */
#include "flow/operator/rank_config.h"
#include "flow/operator/sort_rows.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct rank_body *b = r->body;

    buf_append_text(out, "orderBy=[");
    rank_print_order(b->order, b->order_count, r->inputs[0]->row, out);
    buf_printf(out, "], offset=[%lld], fetch=[", (long long)b->first - 1);
    if (b->last == RANK_UNBOUNDED) buf_append_text(out, "unlimited], ");
    else buf_printf(out, "%lld], ", (long long)(b->last - b->first + 1));
    if (r->at_end) {
        buf_append_text(out, "global=[true]");
        return;
    }
    buf_append_text(out, "strategy=[");
    rank_print_strategy(r, out);
    buf_append_byte(out, ']');
}

void limit_rel_logical(const struct rel *r, struct logical *l)
{
    const struct rank_body *b = r->body;
    struct buf *out = logical_begin(l, "Sort");

    logical_order(b->order, b->order_count, out);
    if (b->first > 1) buf_printf(out, "%soffset=[%lld]", b->order_count > 0 ? ", " : "", (long long)b->first - 1);
    if (b->last != RANK_UNBOUNDED)
        buf_printf(out, "%sfetch=[%lld]", b->order_count > 0 || b->first > 1 ? ", " : "", (long long)(b->last - b->first + 1));
    logical_end(l);
}

bool sort_limit_ends(const struct rank_body *b) { return b->last > RANK_NET_LAST_MAX; }

static void derive(struct rel *r, struct arena *a)
{
    const struct rank_body *b = r->body;
    const struct rel *in = r->inputs[0];

    if (!r->at_end) {
        rank_rel_derive(r, a);
        return;
    }
    r->is_empty = in->is_empty || b->last < b->first;
    for (uint32_t k = 0; k < in->key_count; k++) rel_add_key(r, a, in->keys[k].cols, in->keys[k].count);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct rank_body *b = r->body;

    if (!r->at_end) return rank_rel_lower(r, l, inputs, node, e);
    struct graph_node *n = graph_add_node(l->graph, op_find("sort_rows"), r->type->name, (struct graph_here){0});
    struct sort_rows_config *c = n->config;

    lower_order(l, r->inputs[0]->row, b->order, b->order_count, (struct text_list *const[]){&c->order, &c->directions, &c->nulls});
    c->offset = b->first - 1;
    c->fetch = b->last == RANK_UNBOUNDED ? 0 : b->last - b->first + 1;
    c->spill = l->spill;
    *node = l->graph->node_count - 1;
    lower_edge(l, r, inputs[0], *node, 0);
    return S_OK;
}

const struct rel_type rel_sort_limit_type = {.name = "SortLimit",
                                             .doc = "the first rows in an order",
                                             .ends = true,
                                             .derive = derive,
                                             .wants_before = rank_rel_wants_before,
                                             .distribution = rank_rel_distribution,
                                             .advise = rank_rel_advise,
                                             .narrow = rank_rel_narrow,
                                             .explain = explain,
                                             .logical = limit_rel_logical,
                                             .lower = lower};
