/* test_window_extremes.c - rows at the ends of time: windows that still fit fire, all others are refused; by slices, in the
 * general engine, in sessions and in window joins. What is not refused ends. Then keys that are NULL,
 * and windows that have no bounds. */
#include <thalweg/thalweg.h>

#include "support/op_driver.h"
#include "support/window_steps.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

extern const struct op_type op_window, op_window_columns, op_window_join;

#define SCHEMA "ROW<k BIGINT NOT NULL, v BIGINT NOT NULL>"

struct row {
    int64_t k, v;
};
TW_ROW(row, TW_FIELD(row, k, "BIGINT NOT NULL"), TW_FIELD(row, v, "BIGINT NOT NULL"));

static enum tw_status larger(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(struct row *)out = ((const struct row *)a)->v >= ((const struct row *)b)->v ? *(const struct row *)a
                                                                                  : *(const struct row *)b;
    return TW_OK;
}
static const struct tw_function largest = {.in = &row_row, .reduce = larger};

static enum tw_status pair(struct tw_context *cx, const void *left, const void *right)
{
    (void)right;
    tw_collect(cx, left);
    return TW_OK;
}
static const struct tw_function pairs = {.in = &row_row, .in2 = &row_row, .out = &row_row, .join = pair};

static const char *const counted[] = {"count(*) AS n"};

/* One row with this time into the operator. */
static void expect_error(const struct op_type *type, const struct window_config *c, int64_t time, const char *expected)
{
    struct op_setup setup = {.type = type, .config = c, .in = SCHEMA, .keys = "k"};
    char line[64], text[400];

    if (type == &op_window_join) setup.in2 = SCHEMA, setup.keys2 = "k";
    snprintf(line, sizeof line, "@%lld 1 | 2", (long long)time);
    struct op_driver *d = op_driver_create(&setup);
    assert_string_equal(op_driver_error(d), "");
    op_push(d, 0, line);
    op_push_end(d);
    snprintf(text, sizeof text,
             "%s (event times are milliseconds since 1970; correct such rows or remove them before the window)", expected);
    assert_string_equal(op_driver_error(d), text);
    op_driver_free(d);
}

/* The same for windows of 100 ms however they are made. */
static void expect_refused(const struct op_type *type, const struct window_config *c, bool session)
{
    char text[200];
    static const int64_t times[] = {INT64_MIN + 1, INT64_MAX - 1, INT64_MAX};

    for (uint32_t i = session ? 1 : 0; i < 3; i++) {
        snprintf(text, sizeof text,
                 "event time %lld is out of range: a window of 100 ms around it would reach beyond the %s time",
                 (long long)times[i], i == 0 ? "first" : "last");
        expect_error(type, c, times[i], text);
    }
}

static struct window_config windows(enum tw_assigner assigner)
{
    return (struct window_config){.function = {.name = "largest", .fn = &largest},
                                  .aggregates = {.items = counted, .count = 1},
                                  .assigner = assigner,
                                  .size_ms = assigner == TW_SESSION ? 0 : 100,
                                  .slide_ms = assigner == TW_SLIDING ? 50 : 0,
                                  .gap_ms = assigner == TW_SESSION ? 100 : 0};
}

static void times_out_of_range_are_refused(void **state)
{
    static const enum tw_assigner assigners[] = {TW_TUMBLING, TW_SLIDING, TW_SESSION};

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct window_config c = windows(assigners[i]), early = c, join = c;
        expect_refused(&op_window, &c, i == 2);
        expect_refused(&op_window_columns, &c, i == 2);
        early.trigger = TW_TRIGGER_COUNT; /* not by slices */
        early.trigger_count = 1000;
        expect_refused(&op_window, &early, i == 2);
        join.function = (struct function_ref){.name = "pairs", .fn = &pairs};
        expect_refused(&op_window_join, &join, i == 2);
    }
}

/* 9223372036854775800 is the last multiple of 100 there is, ..600 the last start but one: [.., 600, 700), [700, 800). */
static void the_last_windows_fire(void **state)
{
    struct window_config c = windows(TW_TUMBLING), late = c, offset = c, sliding = windows(TW_SLIDING);

    (void)state;
    late.lateness_ms = 1000;
    offset.offset_ms = -99;
    steps_expect(&op_window, &c, SCHEMA, STEPS({.rows = "@9223372036854775700 1 | 7"}),
                 "+I[1, 7]@9223372036854775799\n");
    steps_expect(&op_window, &late, SCHEMA, STEPS({.rows = "@9223372036854775799 1 | 7"}),
                 "+I[1, 7]@9223372036854775799\n");
    steps_expect(&op_window, &offset, SCHEMA, STEPS({.rows = "@9223372036854775699 1 | 7"}),
                 "+I[1, 7]@9223372036854775700\n");
    steps_expect(&op_window, &sliding, SCHEMA, STEPS({.rows = "@9223372036854775749 1 | 7"}),
                 "+I[1, 7]@9223372036854775749\n+I[1, 7]@9223372036854775799\n");
    expect_error(&op_window, &c, INT64_C(9223372036854775800),
                 "event time 9223372036854775800 is out of range: a window of 100 ms around it would reach beyond the "
                 "last time");
}

static void the_first_windows_fire(void **state)
{
    struct window_config c = windows(TW_TUMBLING), sliding = windows(TW_SLIDING), session = windows(TW_SESSION);

    (void)state;
    steps_expect(&op_window, &c, SCHEMA, STEPS({.rows = "@-9223372036854775800 1 | 7\n@5 1 | 8"}),
                 "+I[1, 7]@-9223372036854775701\n+I[1, 8]@99\n");
    steps_expect(&op_window, &sliding, SCHEMA, STEPS({.rows = "@-9223372036854775750 1 | 7\n@5 1 | 8"}),
                 "+I[1, 7]@-9223372036854775701\n+I[1, 7]@-9223372036854775651\n+I[1, 8]@49\n+I[1, 8]@99\n");
    steps_expect(&op_window, &session, SCHEMA, STEPS({.rows = "@-9223372036854775807 1 | 7\n@5 1 | 8"}),
                 "+I[1, 7]@-9223372036854775708\n+I[1, 8]@104\n");
    expect_error(&op_window, &sliding, INT64_C(-9223372036854775751),
                 "event time -9223372036854775751 is out of range: a window of 100 ms around it would reach beyond the "
                 "first time");
}

/* Functions with a key take no NULL for it; built-in aggregates group NULLs as SQL does. */
static void null_keys(void **state)
{
    static const enum tw_assigner assigners[] = {TW_TUMBLING, TW_SESSION};
    static const char rows[] = "@1 1 | 2\n@2 null | 3\n@3 null | 4";

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct window_config c = windows(assigners[i]);
        struct op_setup setup = {.type = &op_window, .config = &c, .in = "ROW<k BIGINT, v BIGINT NOT NULL>", .keys = "k"};
        struct op_driver *d = op_driver_create(&setup);
        op_push(d, 0, rows);
        assert_string_equal(op_driver_error(d), "a row has NULL in the key column 'k'; keys must not be NULL "
                                                "(remove such rows before it, for example with tw_filter)");
        op_driver_free(d);
    }
    struct window_config c = windows(TW_TUMBLING);
    struct op_setup setup = {
        .type = &op_window_columns, .config = &c, .in = "ROW<k BIGINT, v BIGINT NOT NULL>", .keys = "k"};
    struct op_driver *d = op_driver_create(&setup);
    op_push(d, 0, rows);
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "+I[1, 1970-01-01T00:00, 1970-01-01T00:00:00.100, 1]@99\n"
                                      "+I[null, 1970-01-01T00:00, 1970-01-01T00:00:00.100, 2]@99\n");
    op_driver_free(d);
}

struct bounded {
    int64_t v, window_start, window_end;
    uint64_t nulls;
};
TW_ROW(bounded, TW_NULLS(bounded, nulls), TW_FIELD(bounded, v, "BIGINT NOT NULL"),
       TW_FIELD(bounded, window_start, "TIMESTAMP(3)"), TW_FIELD(bounded, window_end, "BIGINT"));
struct strict {
    int64_t v, window_end;
};
TW_ROW(strict, TW_FIELD(strict, v, "BIGINT NOT NULL"), TW_FIELD(strict, window_end, "BIGINT NOT NULL"));

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    ((struct row *)acc)->v += ((const struct row *)in)->v;
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(int64_t *)out = ((const struct row *)acc)->v; /* v is the first of both */
    return TW_OK;
}
static const struct tw_function sums = {
    .in = &row_row, .acc = &row_row, .out = &bounded_row, .add = add, .result = result};
static const struct tw_function strict_sums = {
    .in = &row_row, .acc = &row_row, .out = &strict_row, .add = add, .result = result};

static void windows_without_bounds(void **state)
{
    struct window_config count = {.assigner = TW_COUNT, .count = 2, .trigger_count = 2}, tumbling = windows(TW_TUMBLING);
    struct window_config global = {.assigner = TW_GLOBAL, .trigger = TW_TRIGGER_COUNT, .trigger_count = 2};
    static const char *const errors[] = {"count", "global"};
    char text[300];

    (void)state;
    count.function = global.function = tumbling.function = (struct function_ref){.name = "sums", .fn = &sums};
    count.aggregates = global.aggregates = tumbling.aggregates;
    const struct window_config *both[] = {&count, &global};
    for (uint32_t i = 0; i < 2; i++) {
        steps_expect(&op_window, both[i], SCHEMA, STEPS({.rows = "@1 1 | 2\n@2 1 | 3\n"}),
                     "+I[5, null, null]@9223372036854775807\n");
        steps_expect(&op_window_columns, both[i], SCHEMA, STEPS({.rows = "@1 1 | 2\n@2 1 | 3\n"}),
                     "+I[1, null, null, 2]@9223372036854775807\n");
        struct window_config c = *both[i];
        c.function = (struct function_ref){.name = "strict_sums", .fn = &strict_sums};
        struct op_setup setup = {.type = &op_window, .config = &c, .in = SCHEMA, .keys = "k"};
        struct op_driver *d = op_driver_create(&setup);
        snprintf(text, sizeof text,
                 "column 'window_end' of row type 'strict' cannot be NULL, but %s windows have no start and no end "
                 "(make the column nullable with TW_NULLS in the struct, or leave it out)",
                 errors[i]);
        assert_string_equal(op_driver_error(d), text);
        op_driver_free(d);
    }
    steps_expect(&op_window, &tumbling, SCHEMA, STEPS({.rows = "@1 1 | 2\n@2 1 | 3\n"}),
                 "+I[5, 1970-01-01T00:00, 100]@99\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_out_of_range_are_refused),
                                       cmocka_unit_test(the_last_windows_fire),
                                       cmocka_unit_test(the_first_windows_fire),
                                       cmocka_unit_test(null_keys), cmocka_unit_test(windows_without_bounds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
