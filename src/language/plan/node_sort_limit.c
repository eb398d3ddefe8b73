/* node_sort_limit.c - SortLimit: the first rows in an order, over all rows. */
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct rank_body *b = r->body;

    buf_append_text(out, "orderBy=[");
    rank_print_order(b->order, b->order_count, r->inputs[0]->row, out);
    buf_printf(out, "], offset=[%lld], fetch=[%lld], strategy=[", (long long)b->first - 1, (long long)(b->last - b->first + 1));
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

const struct rel_type rel_sort_limit_type = {.name = "SortLimit",
                                             .doc = "the first rows in an order",
                                             .derive = rank_rel_derive,
                                             .wants_before = rank_rel_wants_before,
                                             .distribution = rank_rel_distribution,
                                             .narrow = rank_rel_narrow,
                                             .explain = explain,
                                             .logical = limit_rel_logical,
                                             .lower = rank_rel_lower};
