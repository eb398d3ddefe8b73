/* bind_unnest.h - UNNEST and table functions behind FROM. */
#pragma once
#include "language/sql/bind_query.h"

bool bind_is_table_function(const struct query_binder *b, const struct ast_table *t); /* of a user's */
/* UNNEST, or a table function of a user's, beside a table with the names `left`: *list gets its expression over them, *out the names of its elements' columns. */
enum status bind_unnest(struct query_binder *b, const struct ast_table *t, const struct bind_scope *left,
                        struct correlate_body *list, struct bind_scope *out) CHECKED;
/* Without a table beside it. */
enum status bind_unnest_alone(struct query_binder *b, const struct ast_table *t, struct bind_source *out) CHECKED;
/* A call behind FROM of something that is no table function: fails in Flink's words. */
enum status bind_no_function(struct query_binder *b, const struct ast_table *t);
