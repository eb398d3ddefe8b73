/* expr.h - expressions over the columns of a batch: a tree of columns, literals and calls, bound to types once and then
 * evaluated a batch at a time by chains of kernels. Nothing of a user's text is ever compiled to code. */
#pragma once
#include "columns/function/fn.h"
#include "ground/base/err.h"

enum { EXPR_DEPTH_MAX = 64, EXPR_TEXT_MAX = 64 * 1024 };
enum expr_kind { EXPR_COLUMN, EXPR_LITERAL, EXPR_CALL, EXPR_WIDEN };

/* Immutable after binding. */
struct expr {
    enum expr_kind kind;
    const struct type *type;
    uint32_t col;              /* COLUMN */
    struct str text;           /* where it stands in the source text; of a LITERAL: its text */
    int64_t integer;           /* LITERAL, by type */
    double real;
    const struct fn_def *fn;   /* CALL */
    const struct fn_overload *overload;
    struct expr *args[FN_ARGS_MAX];
    uint32_t arg_count;
};

/* Parses and binds: column names, whole numbers, decimals, 'text', TRUE, FALSE, + - * / %, comparisons, parentheses. Errors
 * give the position. */
enum status expr_parse(struct arena *a, const struct type *row, struct str text, struct expr **out, struct err *e) CHECKED;
/* A literal of the given type from its text ("2001-01-01" for a DATE). */
enum status expr_literal(struct arena *a, const struct type *type, struct str text, struct expr **out, struct err *e) CHECKED;
enum status expr_call(struct arena *a, struct str name, struct expr *const *args, uint32_t count, struct expr **out, struct err *e) CHECKED;
void expr_columns(const struct expr *x, uint64_t *needed); /* sets the bits of the columns that it reads */

/* Evaluation state of one expression: a vector per inner node, made once. */
struct expr_run;
struct expr_run *expr_run_create(const struct expr *x, uint32_t capacity, struct mem *mem);
void expr_run_free(struct expr_run *r); /* NULL is a no-op */
/* Values for all rows 0..in->count of the batch (unselected rows hold anything): FLAT or CONST, valid until the next call.
 * E_DATA: a kernel failed on a selected row. */
enum status expr_eval(struct expr_run *r, const struct batch *in, const struct vector **out, struct err *e) CHECKED;
