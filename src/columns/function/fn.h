/* fn.h - scalar functions. One file fn_<family>.c ends in `const struct fn_type fn_<family>[]`-like families: here a family
 * is one descriptor with a table of functions, each with overloads by physical type.
 *
 * Kernels are loops over all rows 0..n of their arguments (FLAT or CONST), whatever the selection; they never fail the
 * batch but record (row, code), and the evaluator raises the first error on a selected row. NULL handling is STRICT:
 * the evaluator makes the result NULL where an argument is, and kernels compute whatever lies there. */
#pragma once
#include "columns/column/batch.h"

enum { FN_ARGS_MAX = 8 };
enum fn_error { FN_DIVISION_BY_ZERO = 1, FN_OVERFLOW };

struct row_errors {
    uint32_t row;        /* the first one on a selected row */
    enum fn_error code;  /* 0 = none */
    const struct batch *batch; /* tells which rows are selected */
};
void row_error(struct row_errors *e, uint32_t row, enum fn_error code);
const char *fn_error_text(enum fn_error code);
const char *fn_error_hint(enum fn_error code);

typedef void (*fn_kernel)(const struct vector *const *args, uint32_t n, struct vector *out, struct row_errors *errors);

struct fn_overload {
    uint8_t arg_count;
    uint8_t args[FN_ARGS_MAX]; /* enum phys of the (coerced) arguments */
    uint8_t result;            /* enum type_kind */
    fn_kernel run;
};

struct fn_def {
    const char *name;
    const char *doc, *example;
    const struct fn_overload *overloads;
    uint32_t overload_count;
};

struct fn_type {
    const char *name, *doc, *example; /* of the family */
    const struct fn_def *functions;   /* ends with name == NULL */
};

extern const struct fn_type *const fn_types[]; /* sorted by name, ends with NULL */
const struct fn_def *fn_find(struct str name);  /* NULL when unknown; case is ignored */
