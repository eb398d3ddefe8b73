/* bind_join.h - joins of a FROM clause. */
#pragma once
#include "language/sql/bind_query.h"

/* The names of both sides; the plan follows in bind_join_finish. */
enum status bind_join(struct query_binder *b, const struct ast_table *t, struct bind_source *out) CHECKED;
/* Makes the plan of a join that is not made yet. Parts of *condition, over its columns, go into the join where that is allowed;
 * what is left is in *condition, which may be NULL before and after. Other sources stay as they are. */
enum status bind_join_finish(struct query_binder *b, struct bind_source *from, struct expr **condition) CHECKED;
