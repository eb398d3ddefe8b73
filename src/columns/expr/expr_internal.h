/* expr_internal.h - what the evaluator's two files share. */
#pragma once
#include "columns/expr/expr.h"

/* The rows of one evaluation: 0..count lie in the vectors, those in sel count. */
struct rows {
    uint32_t count;
    const uint16_t *sel; /* NULL = all */
    uint32_t sel_count;
};

struct evaluation {
    const struct batch *in;
    int64_t now_ms;
    struct row_errors *errors;
    const struct expr **failed; /* the call that recorded the error */
};

struct expr_run {
    const struct expr *x;
    struct mem *mem;
    bool has_own;
    struct vector own;     /* result of a call or branch */
    struct vector view;    /* of a call that borrows: NULLs of its own, values of an argument */
    struct text_heap heap; /* its long strings */
    void *state;           /* of the function */
    const int64_t *watermark; /* NULL: there is none */
    uint64_t chance;       /* what the function is seeded with: no two calls share it */
    struct expr_run **args;
    const struct vector **values; /* of the arguments */
    uint16_t *sel[2];      /* branches: rows still undecided, rows of this branch */
};

enum status expr_run_eval(struct expr_run *r, const struct evaluation *ev, const struct rows *rows, const struct vector **out) CHECKED;
void branch_init(struct expr_run *r, uint32_t capacity);
void branch_release(struct expr_run *r);
enum status eval_case(struct expr_run *r, const struct evaluation *ev, const struct rows *rows) CHECKED;
enum status eval_coalesce(struct expr_run *r, const struct evaluation *ev, const struct rows *rows) CHECKED;
enum status eval_logic(struct expr_run *r, const struct evaluation *ev, const struct rows *rows) CHECKED;
