/* plain.c - functions for test/sql/functions/user_*.test: overloads, NULLs, errors, every form of value, whole columns. */
#include <thalweg/sql_function.h>

#include <stdio.h>
#include <string.h>

/* --- overloads and NULLs ----------------------------------------------------------------------------------------------------- */
static enum tw_status shout_text(struct tw_call *c, const void *args, void *result)
{
    const struct tw_str *s = args;
    char *out = tw_call_scratch(c, s->size + 1);

    for (size_t i = 0; i < s->size; i++) out[i] = (char)(s->data[i] >= 'a' && s->data[i] <= 'z' ? s->data[i] - 32 : s->data[i]);
    out[s->size] = '!';
    *(struct tw_str *)result = (struct tw_str){out, s->size + 1};
    return TW_OK;
}
struct two_ints {
    int32_t a, b;
};
static enum tw_status shout_sum(struct tw_call *c, const void *args, void *result)
{
    const struct two_ints *i = args;

    (void)c;
    *(int32_t *)result = i->a + i->b;
    return TW_OK;
}
static enum tw_status shout_many(struct tw_call *c, const void *args, void *result)
{
    char *out = tw_call_scratch(c, 32);

    (void)args;
    *(struct tw_str *)result = (struct tw_str){out, (size_t)snprintf(out, 32, "many%u", tw_arg_count(c))};
    return TW_OK;
}
TW_SQL_FUNCTION(shout) = {
    .kind = TW_SQL_SCALAR,
    .overloads = {{"STRING -> STRING", .run_row = shout_text},
                  {"INT, INT NOT NULL -> INT NOT NULL", .run_row = shout_sum},
                  {"STRING, STRING... -> STRING", .run_row = shout_many}},
};

/* Which arguments are NULL, and the last one that is not. */
static enum tw_status which_nulls(struct tw_call *c, const void *args, void *result)
{
    char *out = tw_call_scratch(c, TW_SQL_ARGS_MAX + 32);
    size_t size = 0;
    int32_t last = -1;

    (void)args;
    for (uint32_t i = 0; i < tw_arg_count(c); i++) {
        out[size++] = tw_arg_is_null(c, i) ? '0' : '1';
        if (tw_arg(c, i) != NULL) last = *(const int32_t *)tw_arg(c, i);
    }
    size += (size_t)snprintf(out + size, 32, " %d", last);
    *(struct tw_str *)result = (struct tw_str){out, size};
    return last == 13 ? tw_result_null(c) : TW_OK;
}
TW_SQL_FUNCTION(nulls) = {
    .kind = TW_SQL_SCALAR, .flags = TW_SQL_TAKES_NULLS, .overloads = {{"INT... -> STRING", .run_row = which_nulls}}};

/* --- errors -------------------------------------------------------------------------------------------------------------------- */
static enum tw_status refuse_seven(struct tw_call *c, const void *args, void *result)
{
    int32_t a = *(const int32_t *)args;

    *(int32_t *)result = a;
    if (a == 8) return TW_FAILED;
    if (a == 9) return tw_result_null(c);
    return a == 7 ? tw_call_fail(c, "%d is unlucky", a) : TW_OK;
}
TW_SQL_FUNCTION(lucky) = {
    .kind = TW_SQL_SCALAR, .flags = TW_SQL_NOT_DETERMINISTIC, .overloads = {{"INT -> INT NOT NULL", .run_row = refuse_seven}}};

static enum tw_status never_opens(struct tw_call *c) { return tw_call_fail(c, "the cellar is closed"); }
TW_SQL_FUNCTION(cellar) = {
    .kind = TW_SQL_SCALAR, .open = never_opens, .overloads = {{"INT -> INT", .run_row = refuse_seven}}};

/* --- an instance's memory: the rows that it has seen --------------------------------------------------------------------------- */
static enum tw_status begin_at_100(struct tw_call *c)
{
    *(int64_t *)tw_call_self(c) = 100;
    return TW_OK;
}
static enum tw_status count_up(struct tw_call *c, const void *args, void *result)
{
    (void)args;
    *(int64_t *)result = ++*(int64_t *)tw_call_self(c);
    return TW_OK;
}
TW_SQL_FUNCTION(counted) = {.kind = TW_SQL_SCALAR,
                            .flags = TW_SQL_NOT_DETERMINISTIC,
                            .self_size = sizeof(int64_t),
                            .open = begin_at_100,
                            .overloads = {{"INT -> BIGINT NOT NULL", .run_row = count_up}}};

/* --- every form of value --------------------------------------------------------------------------------------------------------- */
#define SAME(NAME, TYPE)                                                                                               \
    static enum tw_status NAME(struct tw_call *c, const void *args, void *result)                                      \
    {                                                                                                                  \
        (void)c;                                                                                                       \
        memcpy(result, args, sizeof(TYPE));                                                                            \
        return TW_OK;                                                                                                  \
    }
SAME(same_8, int8_t)
SAME(same_16, int16_t)
SAME(same_32, int32_t)
SAME(same_64, int64_t)
SAME(same_str, struct tw_str)
SAME(same_128, struct tw_decimal)
SAME(same_array, struct tw_array)
SAME(same_map, struct tw_map)
struct point {
    double x;
    struct tw_str name;
};
SAME(same_point, struct point)
TW_SQL_FUNCTION(same) = {
    .kind = TW_SQL_SCALAR,
    .overloads = {{"BOOLEAN -> BOOLEAN", .run_row = same_8},
                  {"TINYINT -> TINYINT", .run_row = same_8},
                  {"SMALLINT -> SMALLINT", .run_row = same_16},
                  {"INT -> INT", .run_row = same_32},
                  {"BIGINT -> BIGINT", .run_row = same_64},
                  {"DOUBLE -> DOUBLE", .run_row = same_64},
                  {"DECIMAL(20, 3) -> DECIMAL(20, 3)", .run_row = same_128},
                  {"DATE -> DATE", .run_row = same_32},
                  {"TIMESTAMP(3) -> TIMESTAMP(3)", .run_row = same_64},
                  {"BYTES -> BYTES", .run_row = same_str},
                  {"ARRAY<INT> -> ARRAY<INT>", .run_row = same_array},
                  {"MAP<STRING, INT> -> MAP<STRING, INT>", .run_row = same_map},
                  {"ROW<x DOUBLE, name STRING> -> ROW<x DOUBLE, name STRING>", .run_row = same_point}},
};

struct mixed {
    bool flag;
    int16_t small;
    struct tw_str text;
    bool last;
    int64_t big;
};
static enum tw_status print_mixed(struct tw_call *c, const void *args, void *result)
{
    const struct mixed *m = args;
    char *out = tw_call_scratch(c, 128);

    *(struct tw_str *)result = (struct tw_str){out, (size_t)snprintf(out, 128, "%d %d %.*s %d %lld", m->flag, m->small, (int)m->text.size,
                                                                     m->text.data, m->last, (long long)m->big)};
    return TW_OK;
}
TW_SQL_FUNCTION(mixed) = {
    .kind = TW_SQL_SCALAR, .overloads = {{"BOOLEAN, SMALLINT, STRING, BOOLEAN, BIGINT -> STRING", .run_row = print_mixed}}};

/* --- whole columns ---------------------------------------------------------------------------------------------------------------- */
static enum tw_status add_columns(struct tw_call *c)
{
    struct tw_arg_column a = tw_column_arg(c, 0), b = tw_column_arg(c, 1);
    const int64_t *x = a.values, *y = b.values;
    int64_t *sums = tw_column_result(c);
    uint32_t count;
    const uint16_t *rows = tw_column_rows(c, &count);

    for (uint32_t k = 0; k < count; k++) {
        uint32_t i = rows[k];
        sums[i] = x[a.is_constant ? 0 : i] + y[b.is_constant ? 0 : i];
        if (sums[i] == 13) tw_column_result_null(c, i);
        if (sums[i] == 666) tw_column_fail(c, i, "row sums up to %d", 666);
    }
    return TW_OK;
}
static enum tw_status join_columns(struct tw_call *c)
{
    uint32_t count;
    const uint16_t *rows = tw_column_rows(c, &count);

    for (uint32_t k = 0; k < count; k++) {
        struct tw_str a = tw_column_arg_str(c, 0, rows[k]), b = tw_column_arg_str(c, 1, rows[k]);
        char *text = tw_call_scratch(c, a.size + b.size + 1);
        memcpy(text, a.data, a.size);
        text[a.size] = '+';
        memcpy(text + a.size + 1, b.data, b.size);
        tw_column_result_str(c, rows[k], (struct tw_str){text, a.size + b.size + 1});
    }
    return TW_OK;
}
TW_SQL_FUNCTION(added) = {.kind = TW_SQL_SCALAR,
                          .overloads = {{"BIGINT, BIGINT -> BIGINT", .run_batch = add_columns},
                                        {"STRING, STRING -> STRING", .run_batch = join_columns}}};

/* --- what is asked for and is not there --------------------------------------------------------------------------------------------- */
static enum tw_status third_argument(struct tw_call *c, const void *args, void *result)
{
    (void)args;
    *(int32_t *)result = tw_arg(c, 3) != NULL;
    return TW_OK;
}
TW_SQL_FUNCTION(third) = {.kind = TW_SQL_SCALAR, .overloads = {{"INT -> INT", .run_row = third_argument}}};
static enum tw_status emit_one(struct tw_call *c, const void *args, void *result)
{
    (void)result;
    tw_call_emit(c, args);
    return TW_OK;
}
TW_SQL_FUNCTION(emits) = {.kind = TW_SQL_SCALAR, .overloads = {{"INT -> INT", .run_row = emit_one}}};
