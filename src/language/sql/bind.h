/* bind.h - giving meaning to expressions of the syntax tree: names become columns, literals constants, calls bound functions. */
#pragma once
#include "columns/expr/expr.h"
#include "language/sql/ast.h"
#include "language/sql/expr_places.h"

/* One column that a name may mean. */
struct bind_column {
    struct str table; /* alias of its table; empty: none */
    struct str name;
    uint32_t col;     /* in the row */
    bool is_qualified; /* only table.name and table.* mean it: a column that USING has merged into another */
    struct expr *x;    /* what it stands for instead of the column; NULL: the column */
};

/* The names that are visible. */
struct bind_scope {
    const struct type *row;
    uint32_t count;
    const struct bind_column *columns;
};

struct binder;

/* A query around the one that is bound: names that nobody here knows may be its columns. */
struct bind_outer {
    struct bind_outer *around; /* NULL: none */
    struct binder *binder;           /* of its expressions where the query within stands */
    uint32_t scope;                  /* of EXPR_OUTER */
    uint32_t uses;                   /* names that were found there */
};

struct binder {
    struct expr_maker m;
    const struct tokens *t; /* for the places in errors */
    const struct bind_scope *scope;
    const struct type *row; /* over which expressions stand once groups or windows are computed; NULL: that of the scope */
    struct err *e;
    /* May bind a node in its own way, above anything else: aggregates and what is grouped. *done says whether it did. NULL: none. */
    enum status (*special)(struct binder *b, const struct ast_expr *x, struct expr **out, bool *done);
    void *arg; /* of special */
    struct bind_outer *outer; /* NULL: no query around */
    /* Binds a node that is, or holds, a query: its value. NULL: none may stand here. */
    enum status (*query)(struct binder *b, const struct ast_expr *x, struct expr **out);
    void *query_arg;
    struct expr_places *places; /* of what is bound, for errors of rows; NULL: nobody asks */
};

/* Errors stand at the part of the text that is wrong. */
enum status bind_expr(struct binder *b, const struct ast_expr *x, struct expr **out) CHECKED;
/* A call of a user's table function: the ARRAY of its rows; *out NULL: it is none. */
enum status bind_table_call(struct binder *b, const struct ast_expr *x, struct expr **out) CHECKED;
/* -x of a number that is written out: one constant, so that -2147483648 is an INT. */
enum status bind_negative(struct binder *b, const struct ast_expr *x, struct expr **out) CHECKED;
enum status bind_literal(struct binder *b, const struct ast_expr *x, struct expr **out) CHECKED;
/* A type's name: errors stand at it. */
enum status bind_type(struct binder *b, const struct ast_type *t, const struct type **out) CHECKED;
/* Fails at a node: what `inner` says, in the place of the node. */
enum status bind_fail(struct binder *b, struct ast_place place, const struct err *inner);
