/* bind_aggregate_parts.h - aggregate calls whose arguments in SQL are not what the aggregate is given, for those who bind
 * aggregates: GROUP BY and OVER. */
#pragma once
#include "columns/function/agg.h"
#include "language/sql/bind_query.h"

/* What such a call becomes. */
struct aggregate_parts {
    const struct agg_type *type;
    struct expr *argument; /* over the columns below */
    struct expr *filter;   /* beside the call's own; NULL: none */
    const char *parameter; /* NULL: none */
    bool distinct;
    /* What is made of the result; NULL: it stays as it is. */
    enum status (*above)(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e);
};

/* Is it one of them: JSON_ARRAYAGG, JSON_OBJECTAGG, PERCENTILE, APPROX_COUNT_DISTINCT, $SUM0? */
bool bind_has_parts(const struct ast_expr *x);
/* `below` binds the arguments. over: the call stands OVER a window. */
enum status bind_aggregate_parts(const struct query_binder *b, struct binder *below, const struct ast_expr *x,
                                 bool over, struct aggregate_parts *out) CHECKED;
