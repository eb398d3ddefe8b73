/* expr.h - expressions over the columns of a batch: a tree of columns, constants and bound calls, evaluated a batch at a time
 * by chains of kernels. Nothing of a user's text is ever compiled to code.
 *
 * CASE, COALESCE, AND and OR evaluate their branches on selections of rows, so that a row that was not selected cannot fail. */
#pragma once
#include "columns/function/fn.h"
#include "ground/base/err.h"

enum { EXPR_DEPTH_MAX = 5000, EXPR_TEXT_MAX = 64 * 1024 };
enum expr_kind {
    EXPR_COLUMN,
    EXPR_CONSTANT,
    EXPR_CALL,
    EXPR_CASE,
    EXPR_COALESCE,
    EXPR_AND,
    EXPR_OR,
    EXPR_OUTER, /* column of the row of a query around; only while a statement is bound, never evaluated or encoded */
};

/* Immutable once made. */
struct expr {
    uint8_t kind;   /* enum expr_kind */
    uint8_t det;    /* enum fn_det: the least fixed of its parts */
    bool may_fail;  /* it, or a part of it */
    uint32_t col;   /* COLUMN, OUTER */
    uint32_t scope; /* OUTER: of which query */
    uint32_t count; /* of args. CASE: condition, value, ..., and the value of ELSE, always there */
    const struct type *type;
    const struct vector *constant; /* CONSTANT: one row */
    struct fn_call *call;          /* CALL */
    struct expr **args;
    struct str text;               /* where it stands in a source text, for messages; may be empty */
};

enum { EXPR_SHOWN_MAX = 300 }; /* bytes of an expression in an error of a row */

/* Where nodes are made. */
struct expr_maker {
    struct arena *a;
    const struct fn_session *session; /* NULL = UTC, no clock */
};

/* For literals, which are constants whatever else is not (fn_session's `plain`). */
struct expr_maker expr_maker_folding(const struct expr_maker *m);
struct expr *expr_column(const struct expr_maker *m, const struct type *row, uint32_t col);
struct expr *expr_null(const struct expr_maker *m, const struct type *type);
/* A constant from its text: numbers, 'text', dates. E_GRAPH when the type has no such value. */
enum status expr_constant(const struct expr_maker *m, const struct type *type, struct str text, struct expr **out, struct err *e) CHECKED;
/* Row `row` of v, which is not nested. */
struct expr *expr_constant_of(const struct expr_maker *m, const struct vector *v, uint32_t row);
/* Binds a call, casting arguments as the function asks; constants are folded unless that would fail. */
enum status expr_call(const struct expr_maker *m, struct str name, struct expr *const *args, uint32_t count, struct expr **out,
                      struct err *e) CHECKED;
enum status expr_call_of(const struct expr_maker *m, const struct fn_def *def, struct expr *const *args, uint32_t count,
                         struct expr **out, struct err *e) CHECKED;
/* CAST, or TRY_CAST; the same node when there is nothing to do. E_GRAPH when there is no such cast. */
enum status expr_cast(const struct expr_maker *m, struct expr *x, const struct type *to, bool try_mode, struct expr **out,
                      struct err *e) CHECKED;
/* A time attribute as the plain time that it is: a CAST, which nothing takes for the attribute. */
enum status expr_materialize(const struct expr_maker *m, struct expr *x, struct expr **out, struct err *e) CHECKED;
/* An implicit cast: E_GRAPH unless type_casts_implicitly. */
enum status expr_coerce(const struct expr_maker *m, struct expr *x, const struct type *to, struct expr **out, struct err *e) CHECKED;
/* kind CASE, COALESCE, AND, OR; branches are coerced to their common type, conditions must be BOOLEAN. */
enum status expr_branch(const struct expr_maker *m, enum expr_kind kind, struct expr *const *args, uint32_t count, struct expr **out,
                        struct err *e) CHECKED;

/* Reads and binds column names, numbers, 'text', TRUE, FALSE, + - * / %, comparisons, parentheses. Errors give the position. */
enum status expr_parse(struct arena *a, const struct type *row, struct str text, struct expr **out, struct err *e) CHECKED;

void expr_columns(const struct expr *x, uint64_t *needed); /* sets the bits of the columns that it reads */
bool expr_is_async(const struct expr *x); /* holds a call that waits for something outside; of NULL: no */
void expr_uses(const struct expr *x, uint32_t *uses); /* counts the places where each column is read */
/* x with columns[i] in the place of column i. */
struct expr *expr_substitute(struct arena *a, const struct expr *x, struct expr *const *columns);
/* x with what `leaf` answers in the place of nodes without arguments; NULL: the node stays. */
struct expr *expr_replace(struct arena *a, const struct expr *x, struct expr *(*leaf)(void *arg, const struct expr *x), void *arg);
/* x as a query within sees it: its columns are OUTER ones of the scope. */
struct expr *expr_outer(struct arena *a, const struct expr *x, uint32_t scope);
bool expr_has_outer(const struct expr *x, uint32_t scope); /* x may be NULL */
void expr_print(const struct expr *x, const struct type *row, struct buf *out); /* as EXPLAIN shows it */
void expr_print_digest(const struct expr *x, struct buf *out); /* as its abstract syntax trees do: "+($0, 1)" */
bool expr_equal(const struct expr *a, const struct expr *b);
/* Bytes without pointers: calls by name, bound again when they are read. */
void expr_encode(const struct expr *x, struct buf *out);
enum status expr_decode(const struct expr_maker *m, const struct type *row, const uint8_t **at, const uint8_t *end, struct expr **out,
                        struct err *e) CHECKED;

/* Evaluator of one expression: vectors are made once and used for every batch. */
struct expr_run;
struct expr_run *expr_run_create(const struct expr *x, const struct fn_session *session, uint32_t capacity, struct mem *mem);
/* From now on its functions see that watermark, which lives as long as the evaluator. */
void expr_run_watch(struct expr_run *r, const int64_t *watermark);
void expr_run_free(struct expr_run *r); /* NULL is a no-op */
/* Values for the selected rows of the batch (others hold anything): FLAT or CONST, valid until the next call. E_DATA: a kernel
 * failed on a selected row; the error names expression and row. */
enum status expr_eval(struct expr_run *r, const struct batch *in, int64_t now_ms, const struct vector **out, struct err *e) CHECKED;
/* The selected rows for which a BOOLEAN expression is true, ascending: rows has room for in->count. AND narrows step by step. */
enum status expr_select(struct expr_run *r, const struct batch *in, int64_t now_ms, uint16_t *rows, uint32_t *count, struct err *e) CHECKED;
