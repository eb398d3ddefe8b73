/* bind_query.h - queries of the syntax tree as plans. */
#pragma once
#include "language/plan/rel.h"
#include "language/sql/bind.h"
#include "language/sql/statement.h"

/* A WITH query that is visible by name. */
struct bind_with {
    const struct bind_with *outer;
    const struct ast_cte *cte;
};

struct query_binder {
    struct arena *a;
    struct sys *sys; /* to look at files that are tables */
    const struct tokens *t;
    const struct catalogs *catalogs;
    const struct fn_session *session;
    const struct bind_with *with;
    const char *catalog, *database; /* of names without; NULL: the current ones */
    uint32_t depth; /* of views in views */
    struct err *e;
};

/* Names of at most three parts; the missing ones are the current ones. */
enum status bind_name(struct query_binder *b, const struct ast_name *n, struct object_name *out) CHECKED;
enum status bind_find_table(struct query_binder *b, const struct ast_name *n, const struct table **out) CHECKED;
struct bind_scope bind_scope_of(struct query_binder *b, const struct type *row, struct str table); /* its columns, in order */
struct binder bind_expr_binder(struct query_binder *b, const struct bind_scope *scope);
/* The rows with columns of other types and names. E_DATA where there is no such implicit cast. */
enum status bind_cast_columns(struct query_binder *b, struct rel **r, const struct type *to) CHECKED;

/* A plan with the names by which its columns are known. */
struct bind_source {
    struct rel *rel;          /* NULL: a join that is not made yet, so that WHERE goes into it */
    struct join_tree *join;
    struct bind_scope scope;
};
enum status bind_table(struct query_binder *b, const struct ast_table *t, struct bind_source *out) CHECKED;
void bind_nothing(struct query_binder *b, struct bind_source *out); /* one row, for SELECT without FROM */
enum status bind_select(struct query_binder *b, const struct ast_select *s, struct rel **out) CHECKED;
/* "<clause> clause must be a condition" when it is none. */
enum status bind_condition(struct query_binder *b, struct binder *x, const struct ast_expr *where, const char *clause,
                           struct expr **out) CHECKED;
enum status bind_not_yet(struct query_binder *b, struct ast_place place, const char *what); /* fails: "<what> is not supported yet" */
const char *bind_text(struct query_binder *b, struct str s);

enum status bind_query(struct query_binder *b, const struct ast_query *q, struct rel **out) CHECKED;
