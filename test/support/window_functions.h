/* window_functions.h - the functions that most tests of windows use: rows of a key and a number, their count and sum, and the
 * difference of two. */
#pragma once
#include <thalweg/thalweg.h>

#include <string.h>

struct row {
    struct tw_str k;
    int64_t v;
};
TW_ROW(row, TW_FIELD(row, k, "STRING NOT NULL"), TW_FIELD(row, v, "BIGINT NOT NULL"));
struct sum {
    int64_t n, total;
};
TW_ROW(sum, TW_FIELD(sum, n, "BIGINT NOT NULL"), TW_FIELD(sum, total, "BIGINT NOT NULL"));

static inline enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    ((struct sum *)acc)->n++;
    ((struct sum *)acc)->total += ((const struct row *)in)->v;
    return TW_OK;
}

static inline enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    (void)cx;
    ((struct sum *)acc)->n += ((const struct sum *)other)->n;
    ((struct sum *)acc)->total += ((const struct sum *)other)->total;
    return TW_OK;
}

static inline enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    memcpy(out, acc, sizeof(struct sum));
    return TW_OK;
}

static inline enum tw_status difference(struct tw_context *cx, const void *a, const void *b, double *out)
{
    (void)cx;
    *out = (double)(((const struct row *)b)->v - ((const struct row *)a)->v);
    return TW_OK;
}

/* An aggregate, with merge and without; v of the new row less that of the old one. */
static const struct tw_function sums = {
    .in = &row_row, .acc = &sum_row, .out = &sum_row, .add = add, .merge = merge, .result = result};
static const struct tw_function unmerged = {.in = &row_row, .acc = &sum_row, .out = &sum_row, .add = add, .result = result};
static const struct tw_function delta = {.in = &row_row, .delta = difference};
