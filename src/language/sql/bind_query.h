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

/* A row has room for some columns more: of windows, ranks, sets. */
enum { QUERY_COLUMNS_MAX = TYPE_FIELDS_MAX - 8, QUERY_KEYS_MAX = 64, QUERY_TABLES_MAX = 4096 };

struct query_binder {
    struct arena *a;
    struct sys *sys; /* to look at files that are tables */
    uint64_t run;    /* makes names of files that a statement stages its own */
    const struct tokens *t;
    const struct catalogs *catalogs;
    const struct system_tables *system; /* NULL: none */
    const struct fn_session *session;
    const struct plan_settings *settings;
    const struct ast_hints *hints; /* of the SELECT that is bound; NULL: none */
    const struct bind_with *with;
    const char *catalog, *database; /* of names without; NULL: the current ones */
    uint32_t *tables; /* read so far, views and WITH queries counted each time; NULL: not counted */
    uint32_t depth; /* of views in views */
    bool is_batch;  /* execution.runtime-mode: rows come to an end */
    bool is_nested; /* in another query: its order alone is nobody's */
    struct bind_outer *outer; /* queries around whose rows may be read; NULL: none */
    /* Before rows of a table are read or written (a file with nothing declared: before it is looked at), so that somebody may wait for
     * who writes them now. replaces: they make room for others. NULL: nobody does. */
    enum status (*touches)(void *arg, const struct table *t, bool replaces);
    void *touches_arg;
    struct expr_places *places; /* of expressions, for errors of rows; NULL: nobody asks */
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
    struct ast_list later;    /* conditions of ON with sub-queries: as if WHERE had them */
};
enum status bind_table(struct query_binder *b, const struct ast_table *t, struct bind_source *out) CHECKED;
void bind_nothing(struct query_binder *b, struct bind_source *out); /* one row, for SELECT without FROM */
/* "<clause> clause must be a condition" when it is none. */
enum status bind_condition(struct query_binder *b, struct binder *x, const struct ast_expr *where, const char *clause,
                           struct expr **out) CHECKED;

/* The columns of a select list while it grows. */
struct bind_columns {
    uint32_t count, capacity;
    struct expr **items;
    const char **names;
};
void bind_column_add(struct query_binder *b, struct bind_columns *c, struct expr *x, const char *name);
/* Binds as x does, but for names of columns of a select list: they stand for these. */
struct alias_binder {
    const struct binder *x;
    const struct bind_columns *columns;
    uint32_t count; /* of them that have names */
};
struct binder alias_binder_init(struct alias_binder *a, const struct binder *x, const struct bind_columns *columns);

/* ORDER BY: columns of the plan; those from `visible` on are there for the order only. */
struct rank_order;
struct bind_order {
    uint32_t count, visible;
    struct rank_order *items;
};
/* The order of a select list that is bound by x; what it does not select is added to c, unless is_distinct. */
enum status bind_order(struct query_binder *b, const struct ast_orders *by, struct binder *x, struct bind_columns *c, bool is_distinct,
                       struct bind_order *out) CHECKED;
/* ORDER BY over the columns of a plan; *r may get more of them. */
enum status bind_order_of(struct query_binder *b, const struct ast_orders *by, struct rel **r, struct bind_order *out) CHECKED;
/* ORDER BY, OFFSET, LIMIT of q on its plan. */
enum status bind_limit(struct query_binder *b, const struct ast_query *q, const struct bind_order *order, struct rel **r) CHECKED;
/* What only orders rows is left out where no LIMIT asks for an order. */
bool bind_is_ordered(const struct query_binder *b, const struct ast_query *q);

enum status bind_select(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by, struct bind_order *order,
                        struct rel **out) CHECKED;
struct rel *bind_distinct(struct query_binder *b, struct rel *r); /* every row once */
/* E_DATA at the place when a row would have too many columns. */
enum status bind_width(struct query_binder *b, struct ast_place place, size_t columns) CHECKED;
enum status bind_keys_fit(struct query_binder *b, struct ast_place place, uint32_t keys) CHECKED; /* by which rows are told apart */
const char *bind_text(struct query_binder *b, struct str s);

/* The plan, what is new in it, was made of that part of the text. */
void bind_said(struct query_binder *b, struct rel *r, struct ast_place place);
/* What `inner` says stands at the place, but where it has one of its own; st: that of inner, S_OK is passed on. */
enum status bind_at(struct query_binder *b, struct ast_place place, enum status st, const struct err *inner) CHECKED;

enum status bind_query(struct query_binder *b, const struct ast_query *q, struct rel **out) CHECKED;
