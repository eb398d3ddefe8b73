/* node_limit.c - Limit: the rows that came first, without an order. */
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rank_rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct rank_body *b = r->body;

    buf_printf(out, "offset=[%lld], fetch=[%lld]", (long long)b->first - 1, (long long)(b->last - b->first + 1));
}

const struct rel_type rel_limit_type = {.name = "Limit",
                                        .doc = "rows that came first",
                                        .derive = rank_rel_derive,
                                        .wants_before = rank_rel_wants_before,
                                        .distribution = rank_rel_distribution,
                                        .narrow = rank_rel_narrow,
                                        .explain = explain,
                                        .logical = limit_rel_logical,
                                        .lower = rank_rel_lower};
