/* bind_hint.h - hints of a SELECT: what they say of its tables, by the names that these have in FROM. */
#pragma once
#include "language/sql/bind_query.h"

/* Is there such a hint? E_DATA in Flink's words. */
enum status bind_hint_known(struct query_binder *b, const struct ast_hint *h) CHECKED;
/* The hints of a SELECT, checked against its FROM; good for bind_hint_ttl and bind_hint_join. */
enum status bind_select_hints(struct query_binder *b, const struct ast_select *s) CHECKED;
struct rel_ttl bind_hint_ttl(const struct query_binder *b, const struct ast_table *t); /* of what is kept of the table's rows */
/* What is said of a join of these two. */
struct join_hints bind_hint_join(struct query_binder *b, const struct ast_table *left, const struct ast_table *right);
/* Of the first LOOKUP that names the table; what it does not say is as the session says. */
struct rel_lookup_hint bind_hint_lookup(const struct query_binder *b, const struct ast_table *t);

/* One hint LOOKUP (bind_lookup_hint.c): its options are good; *table is what says which table it is of. */
enum status bind_lookup_hint_check(struct query_binder *b, const struct ast_hint *h, const struct ast_expr **table) CHECKED;
void bind_lookup_hint_read(struct arena *a, const struct ast_hint *h, struct rel_lookup_hint *out); /* of a good one: what it says */
