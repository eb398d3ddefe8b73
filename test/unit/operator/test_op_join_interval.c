/* test_op_join_interval.c - SQL's interval join: bounds, what a watermark puts into the past, rows that come alone, rows without a
 * key, late rows, watermarks that wait, the clock; with every batch size and with state that is pending. */
#include "columns/expr/expr.h"
#include "flow/operator/join_interval.h"
#include "ground/base/str.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TEXTS(...)                                                                                                     \
    {                                                                                                                  \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))                             \
    }
#define LEFT "ROW<k INT, t BIGINT, a STRING>"
#define RIGHT "ROW<k INT, t BIGINT, b INT>"
#define NAMES TEXTS("k", "t", "a", "k0", "t0", "b")
#define CONFIG(name, ...)                                                                                              \
    {                                                                                                                  \
        .kind = name, .names = NAMES, __VA_ARGS__                                                                      \
    }
#define TIMED(name, lower, upper)                                                                                      \
    CONFIG(name, .left_time = "t", .right_time = "t", .lower_ms = lower, .upper_ms = upper)

/* Rows for an input; or a watermark, or a time of the clock. And what comes of it. */
struct step {
    const char *what, *rows, *expected;
    int64_t time;
};
#define L(rows, expected)                                                                                              \
    {                                                                                                                  \
        "left", rows, expected, 0                                                                                      \
    }
#define R(rows, expected)                                                                                              \
    {                                                                                                                  \
        "right", rows, expected, 0                                                                                     \
    }
#define W(time, expected)                                                                                              \
    {                                                                                                                  \
        "watermark", NULL, expected, time                                                                              \
    }
#define CLOCK(time, expected)                                                                                          \
    {                                                                                                                  \
        "clock", NULL, expected, time                                                                                  \
    }

static void step_do(struct op_driver *d, const struct step *s)
{
    if (strcmp(s->what, "watermark") == 0)
        op_push_watermark(d, s->time);
    else if (strcmp(s->what, "clock") == 0)
        op_set_time(d, s->time);
    else
        op_push(d, strcmp(s->what, "right") == 0, s->rows);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), s->expected);
}

static void expect(const struct join_interval_config *c, const struct step *steps, uint32_t count)
{
    static const uint32_t sizes[] = {0, 1, 3};
    static const char *const backends[] = {"hashmap", "pending"};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("join_interval"),
                                                                      .config = c,
                                                                      .in = LEFT,
                                                                      .in2 = RIGHT,
                                                                      .keys = "k",
                                                                      .keys2 = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .watermarks = true,
                                                                      .backend = backends[b]});
            for (uint32_t s = 0; s < count; s++) step_do(d, &steps[s]);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}
#define EXPECT(config, ...)                                                                                            \
    expect(config, (const struct step[]){__VA_ARGS__}, COUNT_OF(((const struct step[]){__VA_ARGS__})))

static void bounds_are_inclusive(void **state)
{
    const struct join_interval_config c = TIMED("inner", -5, 3);

    (void)state;
    EXPECT(&c, L("1 | 100 | x", ""),
           R("1 | 96 | 1\n1 | 97 | 2\n1 | 105 | 3\n1 | 106 | 4\n2 | 100 | 5",
             "+I[1, 100, x, 1, 97, 2]\n+I[1, 100, x, 1, 105, 3]\n"),
           L("1 | 101 | y", "+I[1, 101, y, 1, 105, 3]\n+I[1, 101, y, 1, 106, 4]\n"));
}

static void partners_come_by_time(void **state)
{
    const struct join_interval_config c = TIMED("inner", -100, 100);

    (void)state;
    EXPECT(&c, R("1 | 30 | 1\n1 | 10 | 2\n1 | 20 | 3\n1 | 10 | 4", ""),
           L("1 | 15 | x",
             "+I[1, 15, x, 1, 10, 2]\n+I[1, 15, x, 1, 10, 4]\n+I[1, 15, x, 1, 20, 3]\n+I[1, 15, x, 1, 30, 1]\n"));
}

/* A left row at t is past above t + 5, a right one above t + 3; watermarks wait for the longer of both. */
static void outer_rows_come_alone_when_they_are_past(void **state)
{
    const struct join_interval_config c = TIMED("full", -5, 3);

    (void)state;
    EXPECT(&c, L("1 | 100 | x\n1 | 101 | y\n2 | 100 | z", ""),
           R("1 | 104 | 1\n3 | 100 | 9", "+I[1, 100, x, 1, 104, 1]\n+I[1, 101, y, 1, 104, 1]\n"), W(103, "W@97\n"),
           W(104, "+I[null, null, null, 3, 100, 9]\nW@98\n"), W(105, "W@99\n"),
           W(106, "+I[2, 100, z, null, null, null]\nW@100\n"), W(INT64_MAX, "W@max\n"));
}

static void a_row_that_no_partner_can_find_comes_at_once(void **state)
{
    const struct join_interval_config c = TIMED("left", -5, 3);

    (void)state;
    EXPECT(&c, R("1 | 97 | 1", ""), W(99, "W@93\n"),
           L("1 | 94 | x\n1 | 95 | y", "+I[1, 94, x, 1, 97, 1]\n+I[1, 95, y, 1, 97, 1]\n"), W(101, "W@95\n"),
           L("1 | 96 | z", "+I[1, 96, z, null, null, null]\n"), W(200, "W@194\n"));
}

static void null_meets_nothing(void **state)
{
    const struct join_interval_config c = TIMED("full", -5, 3);
    const struct join_interval_config safe = CONFIG("inner", .left_time = "t", .right_time = "t",
                                                    .null_safe = TEXTS("true"));

    (void)state;
    EXPECT(
        &c, L("null | 10 | x", ""), R("null | 10 | 1", ""),
        W(INT64_MAX, "+I[null, 10, x, null, null, null]\n+I[null, null, null, null, 10, 1]\nW@max\n"));
    EXPECT(&safe, L("null | 10 | x", ""), R("null | 10 | 1\nnull | 11 | 2", "+I[null, 10, x, null, 10, 1]\n"));
}

static void bounds_may_lie_on_one_side_or_hold_nothing(void **state)
{
    const struct join_interval_config before = TIMED("left", -20, -10), empty = TIMED("left", 10, -10);

    (void)state;
    EXPECT(&before, L("1 | 100 | x", ""), R("1 | 109 | 1\n1 | 110 | 2", "+I[1, 100, x, 1, 110, 2]\n"),
           W(INT64_MAX, "W@max\n"));
    EXPECT(&empty, L("1 | 100 | x", ""), R("1 | 100 | 1", ""),
           W(INT64_MAX, "+I[1, 100, x, null, null, null]\nW@max\n"));
}

static void the_clock_gives_times(void **state)
{
    const struct join_interval_config c = CONFIG("left", .lower_ms = -10, .upper_ms = 5);

    (void)state;
    EXPECT(&c, CLOCK(1000, ""), L("1 | 0 | x\n2 | 0 | y", ""), CLOCK(1010, ""),
           R("1 | 0 | 1", "+I[1, 0, x, 1, 0, 1]\n"), W(7, "W@7\n"), CLOCK(1011, "+I[2, 0, y, null, null, null]\n"),
           R("2 | 0 | 2", ""), L("2 | 0 | z", "+I[2, 0, z, 2, 0, 2]\n"), CLOCK(1017, ""), L("2 | 0 | w", ""),
           CLOCK(1028, "+I[2, 0, w, null, null, null]\n"));
}

static void a_condition_decides_too(void **state)
{
    struct join_interval_config c = TIMED("left", -5, 3);
    struct mem mem;
    struct arena arena;
    struct buf bytes;
    const struct type *row;
    struct expr *x;

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&bytes, &mem);
    assert_int_equal(type_parse(&arena, STR("ROW<k INT, t BIGINT, a STRING, k0 INT, t0 BIGINT, b INT>"), &row, NULL),
                     S_OK);
    assert_int_equal(expr_parse(&arena, row, STR("b > 5"), &x, NULL), S_OK);
    expr_encode(x, &bytes);
    c.condition = (struct str){bytes.data, bytes.size};
    EXPECT(&c, L("1 | 100 | x\n1 | 100 | y", ""),
           R("1 | 100 | 5\n1 | 100 | 6", "+I[1, 100, x, 1, 100, 6]\n+I[1, 100, y, 1, 100, 6]\n"), W(106, "W@100\n"),
           L("1 | 107 | z", ""), W(113, "+I[1, 107, z, null, null, null]\nW@107\n"));
    buf_release(&bytes);
    arena_release(&arena);
    mem_release(&mem);
}

static void mistakes_are_told(void **state)
{
    const struct join_interval_config semi = TIMED("semi", -5, 3), one = CONFIG("left", .left_time = "t"),
                                      text = CONFIG("left", .left_time = "a", .right_time = "t");
    const struct {
        const struct join_interval_config *config;
        const char *text;
    } cases[] = {{&semi, "an interval join is inner, left, right or full"},
                 {&one, "both times are columns, or none is"},
                 {&text, "'a' is no time: a timestamp of at most 3 digits, or a BIGINT of ms"}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("join_interval"),
                                                                  .config = cases[i].config,
                                                                  .in = LEFT,
                                                                  .in2 = RIGHT,
                                                                  .keys = "k",
                                                                  .keys2 = "k"});
        assert_string_equal(op_driver_error(d), cases[i].text);
        op_driver_free(d);
    }
}

static void a_time_may_not_be_null(void **state)
{
    const struct join_interval_config c = TIMED("left", -5, 3);
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("join_interval"), .config = &c, .in = LEFT, .in2 = RIGHT, .keys = "k", .keys2 = "k"});

    (void)state;
    op_push(d, 0, "1 | null | x");
    assert_string_equal(op_driver_error(d),
                        "RowTime field should not be null, please convert it to a non-null long value. Row: +I[1, null, x] "
                        "(leave such rows out before the watermark is made, or give them a time there, for example with COALESCE)");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_inclusive),
        cmocka_unit_test(partners_come_by_time),
        cmocka_unit_test(outer_rows_come_alone_when_they_are_past),
        cmocka_unit_test(a_row_that_no_partner_can_find_comes_at_once),
        cmocka_unit_test(null_meets_nothing),
        cmocka_unit_test(bounds_may_lie_on_one_side_or_hold_nothing),
        cmocka_unit_test(the_clock_gives_times),
        cmocka_unit_test(a_condition_decides_too),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(a_time_may_not_be_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
