/* bind_user_aggregate.h - calls of users' aggregate functions, for those who bind aggregates: GROUP BY and OVER. */
#pragma once
#include "language/sql/bind_query.h"

/* Of a user's aggregate by that name, where the catalog says so; NULL: none. Not of calls with OVER, unless `over`. */
const struct fn_def *bind_user_aggregate_named(const struct query_binder *b, const struct ast_expr *x, bool over);
/* The arguments, cast as the overload has them: *argument is the one, or a ROW of several; NULL: there is none. Sets function,
 * label and result of the call; argument and filter become -1. `below` binds the arguments. */
enum status bind_user_aggregate_call(const struct query_binder *b, struct binder *below, const struct ast_expr *x, const struct fn_def *def,
                                     struct aggregate_call *c, struct expr **argument) CHECKED;
