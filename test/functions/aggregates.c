/* aggregates.c - aggregate functions for test/sql/aggregates/user_*.test: with and without retract and merge, of no, one and two
 * arguments, with values that are kept, with errors. */
#include <thalweg/sql_function.h>

#include <string.h>

/* --- a weighted mean: Flink's example, with everything -------------------------------------------------------------------------- */
struct mean {
    int64_t sum;
    int32_t weight;
};
struct mean_args {
    int64_t value;
    int32_t weight;
};
static enum tw_status mean_change(void *acc, const void *args, int32_t by)
{
    struct mean *m = acc;
    const struct mean_args *a = args;

    m->sum += by * a->value * a->weight;
    m->weight += by * a->weight;
    return TW_OK;
}
static enum tw_status mean_add(struct tw_call *c, void *acc, const void *args)
{
    if (((const struct mean_args *)args)->weight == 7) return tw_call_fail(c, "%d is no weight", 7);
    return mean_change(acc, args, 1);
}
static enum tw_status mean_retract(struct tw_call *c, void *acc, const void *args)
{
    (void)c;
    return mean_change(acc, args, -1);
}
static enum tw_status mean_merge(struct tw_call *c, void *acc, const void *other)
{
    (void)c;
    ((struct mean *)acc)->sum += ((const struct mean *)other)->sum;
    ((struct mean *)acc)->weight += ((const struct mean *)other)->weight;
    return TW_OK;
}
static enum tw_status mean_value(struct tw_call *c, const void *acc, void *result)
{
    const struct mean *m = acc;

    if (m->weight == 0) return tw_result_null(c);
    *(int64_t *)result = m->sum / m->weight;
    return TW_OK;
}
#define MEAN "BIGINT, INT -> BIGINT", .accumulator = "BIGINT, INT", .accumulate = mean_add, .value = mean_value
TW_SQL_FUNCTION(wavg) = {.kind = TW_SQL_AGGREGATE, .overloads = {{MEAN, .retract = mean_retract, .merge = mean_merge}}};
TW_SQL_FUNCTION(wavg_only) = {.kind = TW_SQL_AGGREGATE, .overloads = {{MEAN}}};

/* --- overloads: the longest text's size, the greatest number; begins at -1; of no argument: rows ------------------------------------ */
static enum tw_status begin(struct tw_call *c, void *acc)
{
    (void)c;
    *(int64_t *)acc = -1;
    return TW_OK;
}
static enum tw_status longest(struct tw_call *c, void *acc, const void *args)
{
    int64_t size = (int64_t)((const struct tw_str *)args)->size;

    (void)c;
    if (size > *(int64_t *)acc) *(int64_t *)acc = size;
    return TW_OK;
}
static enum tw_status greatest(struct tw_call *c, void *acc, const void *args)
{
    int64_t value = *(const int64_t *)args;

    (void)c;
    if (value > *(int64_t *)acc) *(int64_t *)acc = value;
    return TW_OK;
}
static enum tw_status one_more(struct tw_call *c, void *acc, const void *args)
{
    (void)c, (void)args;
    ++*(int64_t *)acc;
    return TW_OK;
}
static enum tw_status answer(struct tw_call *c, const void *acc, void *result)
{
    (void)c;
    memcpy(result, acc, sizeof(int64_t));
    return TW_OK;
}
#define AS_IT_IS .accumulator = "BIGINT", .create = begin, .value = answer
TW_SQL_FUNCTION(most) = {.kind = TW_SQL_AGGREGATE,
                         .overloads = {{"STRING -> BIGINT NOT NULL", .accumulate = longest, AS_IT_IS},
                                       {"BIGINT -> BIGINT NOT NULL", .accumulate = greatest, AS_IT_IS},
                                       {"-> BIGINT NOT NULL", .accumulate = one_more, AS_IT_IS}}};

/* NULLs are counted. */
static enum tw_status count_null(struct tw_call *c, void *acc, const void *args)
{
    (void)args;
    *(int64_t *)acc += tw_arg_is_null(c, 0);
    return TW_OK;
}
TW_SQL_FUNCTION(count_nulls) = {
    .kind = TW_SQL_AGGREGATE,
    .flags = TW_SQL_TAKES_NULLS,
    .overloads = {{"INT -> BIGINT NOT NULL", .accumulator = "BIGINT", .accumulate = count_null, .value = answer}}};

/* --- values that are kept: the texts put together backwards ---------------------------------------------------------------------------- */
struct backwards {
    struct tw_str all;
};
static enum tw_status put_before(struct tw_call *c, void *acc, const void *args)
{
    struct tw_str *all = &((struct backwards *)acc)->all;
    const struct tw_str *one = args;
    char *more = tw_call_scratch(c, all->size + one->size + 1);

    memcpy(more, one->data, one->size);
    if (all->size > 0) memcpy(more + one->size, all->data, all->size);
    *all = (struct tw_str){more, all->size + one->size};
    return TW_OK;
}
static enum tw_status all_of_it(struct tw_call *c, const void *acc, void *result)
{
    const struct backwards *b = acc;

    if (b->all.size == 0) return tw_result_null(c);
    *(struct tw_str *)result = b->all;
    return TW_OK;
}
TW_SQL_FUNCTION(backwards) = {
    .kind = TW_SQL_AGGREGATE,
    .flags = TW_SQL_KEEPS_VALUES,
    .overloads = {{"STRING -> STRING", .accumulator_size = sizeof(struct backwards), .accumulate = put_before, .value = all_of_it}}};
