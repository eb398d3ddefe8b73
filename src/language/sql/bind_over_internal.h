/* bind_over_internal.h - functions OVER windows while a SELECT is bound: what bind_over.c and bind_over_calls.c share. */
#pragma once
#include "language/sql/bind_over.h"

struct over_use {
    const struct ast_expr *x;
    uint32_t window, number; /* of the call in its window; of LAG: among those of LAG */
    bool is_lag;
    const struct over_variance *variance; /* NULL: the call's own result */
    enum status (*above)(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e); /* NULL: the result is it */
};

/* VAR_POP and its like are computed of SUM(x * x), SUM(x) and COUNT(x), in the type of the result, as in Flink: also of whole numbers. */
struct over_variance {
    const struct type *type;
    uint32_t squares, sum, count; /* calls */
    bool is_sample, is_root;
};

/* Calls over one partition and order; of a stream also over one frame. */
struct over_window {
    struct over_frame frame;
    uint32_t partition_count, order_count;
    uint32_t *partition;
    struct rank_order *order;
    struct over_call *calls, *lags; /* of a stream LAG stands behind the others */
    uint32_t call_count, call_capacity, lag_count, lag_capacity;
    uint32_t first_result; /* column */
};

struct windows {
    struct query_binder *b;
    struct binder below; /* what binds all else */
    const struct ast_select *select;
    uint32_t column_count, column_capacity, input_count, result_count, use_count;
    struct expr **columns; /* of the Calc below: those of the input, then more */
    struct over_window *windows; /* one, of a stream */
    uint32_t window_count, now;  /* now: that of the call at hand */
    struct over_bounds frame;    /* of it, in batch mode */
    struct over_use *uses;
    const struct type *row; /* with the results */
    const struct rel *window_rel;
};

enum status over_fail(struct windows *g, struct ast_place place, const char *text) CHECKED;
uint32_t over_column_of(struct windows *g, struct expr *x);
enum status over_column_bind(struct windows *g, const struct ast_expr *x, int *col) CHECKED;
bool over_may_be_empty(const struct windows *g); /* the frame at hand */

/* What a call is, by its name; NULL: it is none of these. */
const char *over_ranking_of(const struct ast_expr *x);
const char *over_lookup_of(const struct ast_expr *x);    /* "LAG", "LEAD" */
const char *over_batch_only(const struct ast_expr *x);   /* functions that Flink has in batch mode only */
/* bind_over_calls.c: binds a call of the window at hand. */
enum status over_call_bind(struct windows *g, const struct ast_expr *x) CHECKED;
enum status over_user_bind(struct windows *g, const struct ast_expr *x, const struct fn_def *def) CHECKED;
uint32_t over_result_column(const struct windows *g, const struct over_use *u);
enum status over_variance_of(struct windows *g, const struct over_use *u, struct expr **out) CHECKED;
