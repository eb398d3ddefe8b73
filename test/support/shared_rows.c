/* shared_rows.c - the other file of two that use one row type. */
#include "support/shared_rows.h"

const struct tw_row shared_sum_elsewhere = {"shared_sum", sizeof(struct shared_sum),
                                            sizeof shared_sum_fields / sizeof shared_sum_fields[0], shared_sum_fields};

static enum tw_status sum_two(struct tw_context *cx, const void *left, const void *right, void *out)
{
    const struct shared_sum *a = left, *b = right;

    (void)cx;
    *(struct shared_sum *)out = (struct shared_sum){b->key, a->total + b->total, b->at};
    return TW_OK;
}
TW_FUNCTION(shared_reduce) = {.in = &shared_sum_row, .out = &shared_sum_row, .reduce = sum_two};

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    struct shared_sum *sum = acc;
    const struct shared_sum *row = in;

    (void)cx;
    *sum = (struct shared_sum){row->key, sum->total + row->total, row->at};
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(struct shared_sum *)out = *(const struct shared_sum *)acc;
    return TW_OK;
}
TW_FUNCTION(shared_aggregate) = {
    .in = &shared_sum_row, .acc = &shared_sum_row, .out = &shared_sum_row, .add = add, .result = result};

const struct tw_function *shared_sums(void) { return &shared_reduce; }
const struct tw_function *shared_fold(void) { return &shared_aggregate; }
