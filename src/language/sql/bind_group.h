/* bind_group.h - GROUP BY and aggregate calls of a SELECT. */
#pragma once
#include "language/sql/bind_query.h"

struct grouping;
/* Does it group, or call an aggregate? `by`: its ORDER BY. */
bool grouping_is(const struct query_binder *b, const struct ast_select *s, const struct ast_orders *by);
/* The first call of an aggregate; NULL: there is none. */
const struct ast_expr *aggregate_call_in(const struct query_binder *b, const struct ast_expr *x);
/* Puts the aggregation on from->rel, behind `condition` (NULL: none), and makes *x bind what stands above it: aggregate calls and
 * grouped expressions are columns, other columns are refused. */
enum status grouping_bind(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by, struct bind_source *from,
                          struct expr *condition, struct binder *x, struct grouping **out) CHECKED;

struct agg;
/* Over values that are not NULL a group has a result that is not: it has a row, unless it may be empty or has a FILTER. Sets the
 * call's result. */
void aggregate_result(struct arena *arena, const struct agg *a, struct aggregate_call *c, bool may_be_empty);
