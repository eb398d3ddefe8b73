/* test_op_join_temporal.c - SQL's temporal join: which version a row meets, rows that wait for the watermark, versions that are deleted
 * or forgotten, late rows, kinds, a condition; with every batch size and with state that is pending. */
#include "columns/expr/expr.h"
#include "flow/operator/join_temporal.h"
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
#define CONFIG(name, ...)                                                                                              \
    {                                                                                                                  \
        .kind = name, .names = TEXTS("k", "t", "a", "k0", "t0", "b"), .left_time = "t", .right_time = "t", __VA_ARGS__ \
    }

/* Rows for an input, or a watermark; and what comes of it. */
struct step {
    const char *rows, *expected;
    int input; /* 0, 1; -1: watermark */
    int64_t time;
};
#define L(rows, expected)                                                                                              \
    {                                                                                                                  \
        rows, expected, 0, 0                                                                                           \
    }
#define R(rows, expected)                                                                                              \
    {                                                                                                                  \
        rows, expected, 1, 0                                                                                           \
    }
#define W(time, expected)                                                                                              \
    {                                                                                                                  \
        NULL, expected, -1, time                                                                                       \
    }

static void expect(const struct join_temporal_config *c, const struct step *steps, uint32_t count)
{
    static const uint32_t sizes[] = {0, 1, 3};
    static const char *const backends[] = {"hashmap", "pending"};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("join_temporal"),
                                                                      .config = c,
                                                                      .in = LEFT,
                                                                      .in2 = RIGHT,
                                                                      .keys = "k",
                                                                      .keys2 = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .watermarks = true,
                                                                      .backend = backends[b]});
            for (uint32_t s = 0; s < count; s++) {
                if (steps[s].input < 0)
                    op_push_watermark(d, steps[s].time);
                else
                    op_push(d, (uint32_t)steps[s].input, steps[s].rows);
                assert_string_equal(op_driver_error(d), "");
                assert_string_equal(op_output(d), steps[s].expected);
            }
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}
#define EXPECT(config, ...)                                                                                            \
    expect(config, (const struct step[]){__VA_ARGS__}, COUNT_OF(((const struct step[]){__VA_ARGS__})))

static void a_row_meets_the_latest_version_at_its_time(void **state)
{
    const struct join_temporal_config c = CONFIG("inner");

    (void)state;
    EXPECT(&c, L("1 | 20 | x\n1 | 10 | y\n1 | 9 | z\n2 | 15 | w", ""), R("1 | 30 | 3\n1 | 10 | 1\n1 | 20 | 2", ""),
           W(9, "W@9\n"), W(15, "+I[1, 10, y, 1, 10, 1]\nW@15\n"), W(25, "+I[1, 20, x, 1, 20, 2]\nW@25\n"));
}

static void rows_of_a_left_join_come_alone(void **state)
{
    const struct join_temporal_config c = CONFIG("left");

    (void)state;
    EXPECT(&c, L("1 | 10 | x\nnull | 11 | n", ""), R("1 | 11 | 1\nnull | 1 | 2", ""),
           W(20, "+I[1, 10, x, null, null, null]\n+I[null, 11, n, null, null, null]\nW@20\n"));
}

static void a_version_of_the_same_time_takes_the_place(void **state)
{
    const struct join_temporal_config c = CONFIG("inner");

    (void)state;
    EXPECT(&c, R("1 | 10 | 1\n1 | 10 | 2", ""), L("1 | 10 | x", ""), R("+U 1 | 10 | 3", ""),
           W(10, "+I[1, 10, x, 1, 10, 3]\nW@10\n"));
}

static void deleted_rows_are_met_by_nobody(void **state)
{
    const struct join_temporal_config c = CONFIG("left");

    (void)state;
    EXPECT(&c, R("1 | 10 | 1\n-D 1 | 20 | 1\n1 | 30 | 2", ""), L("1 | 15 | x\n1 | 25 | y\n1 | 35 | z", ""),
           W(40, "+I[1, 15, x, 1, 10, 1]\n+I[1, 25, y, null, null, null]\n+I[1, 35, z, 1, 30, 2]\nW@40\n"));
}

static void what_was_before_an_update_says_nothing(void **state)
{
    const struct join_temporal_config c = CONFIG("inner");

    (void)state;
    EXPECT(&c, R("1 | 10 | 1\n-U 1 | 10 | 1\n+U 1 | 20 | 2", ""), L("1 | 15 | x", ""),
           W(40, "+I[1, 15, x, 1, 10, 1]\nW@40\n"));
}

static void kinds_are_those_of_the_left_row(void **state)
{
    const struct join_temporal_config c = CONFIG("left");

    (void)state;
    EXPECT(&c, R("1 | 10 | 1", ""), L("1 | 11 | x", ""), W(11, "+I[1, 11, x, 1, 10, 1]\nW@11\n"),
           L("-U 1 | 11 | x\n+U 1 | 12 | y", ""), W(12, "-U[1, 11, x, 1, 10, 1]\n+U[1, 12, y, 1, 10, 1]\nW@12\n"));
}

/* At the watermark 20 the version of 10 can no longer be asked for, but by a row that comes late. */
static void old_versions_are_forgotten(void **state)
{
    const struct join_temporal_config c = CONFIG("left");

    (void)state;
    EXPECT(&c, R("1 | 10 | 1\n1 | 20 | 2\n1 | 30 | 3", ""), L("1 | 12 | x", ""),
           W(19, "+I[1, 12, x, 1, 10, 1]\nW@19\n"), L("1 | 13 | late", ""), W(20, "+I[1, 13, late, 1, 10, 1]\nW@20\n"),
           L("1 | 14 | later\n1 | 21 | y", ""),
           W(30, "+I[1, 14, later, null, null, null]\n+I[1, 21, y, 1, 20, 2]\nW@30\n"));
}

static void a_condition_decides_too(void **state)
{
    struct join_temporal_config c = CONFIG("left");
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
    EXPECT(&c, R("1 | 10 | 5\n2 | 10 | 6", ""), L("1 | 11 | x\n2 | 12 | y\n3 | 13 | z", ""),
           W(13, "+I[1, 11, x, null, null, null]\n+I[2, 12, y, 2, 10, 6]\n+I[3, 13, z, null, null, null]\nW@13\n"));
    buf_release(&bytes);
    arena_release(&arena);
    mem_release(&mem);
}

static void mistakes_are_told(void **state)
{
    const struct join_temporal_config full = CONFIG("full"), c = CONFIG("left");
    struct op_setup setup = {
        .type = op_find("join_temporal"), .config = &full, .in = LEFT, .in2 = RIGHT, .keys = "k", .keys2 = "k"};
    struct op_driver *d = op_driver_create(&setup);

    (void)state;
    assert_string_equal(op_driver_error(d), "a temporal join is inner or left");
    op_driver_free(d);
    setup.config = &c;
    d = op_driver_create(&setup);
    op_push(d, 1, "1 | null | 5");
    assert_string_equal(op_driver_error(d),
                        "RowTime field should not be null, please convert it to a non-null long value. Row: +I[1, null, 5] "
                        "(leave such rows out before the watermark is made, or give them a time there, for example with COALESCE)");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_meets_the_latest_version_at_its_time),
        cmocka_unit_test(rows_of_a_left_join_come_alone),
        cmocka_unit_test(a_version_of_the_same_time_takes_the_place),
        cmocka_unit_test(deleted_rows_are_met_by_nobody),
        cmocka_unit_test(what_was_before_an_update_says_nothing),
        cmocka_unit_test(kinds_are_those_of_the_left_row),
        cmocka_unit_test(old_versions_are_forgotten),
        cmocka_unit_test(a_condition_decides_too),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
