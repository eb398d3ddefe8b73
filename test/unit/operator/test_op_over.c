/* test_op_over.c - windows that end at the current row: what waits for the watermark and what does not, rows of one time, far ends by
 * rows and by time, late rows, windows that are forgotten, groups larger than a batch, LAG, state that is pending. */
#include "flow/operator/over.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

#define TEXTS(...)                                                                                                     \
    {                                                                                                                  \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))                             \
    }
#define TYPE "ROW<k INT, t BIGINT, v BIGINT>"

static const struct group_config sum_and_max = {.functions = TEXTS("sum", "max"),
                                                .arguments = TEXTS("v", "v"),
                                                .filters = TEXTS("", ""),
                                                .distinct = TEXTS("false", "false"),
                                                .names = TEXTS("s", "m")};

static struct over_config config(bool rows, int64_t preceding, const char *time)
{
    struct over_config c = {.calls = sum_and_max, .time = time, .rows = rows};

    c.bounded = c.calls.retracts = preceding >= 0;
    c.preceding = preceding >= 0 ? preceding : 0;
    return c;
}

struct feed {
    const char *rows;
    int64_t watermark; /* behind the rows */
};

/* The output must be the same with every backend and every batch size. */
static void expect(struct over_config c, const struct feed *feed, uint32_t count, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("over"),
                                                                      .config = &c,
                                                                      .in = TYPE,
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            for (uint32_t f = 0; f < count; f++) {
                if (feed[f].rows != NULL) op_push(d, 0, feed[f].rows);
                op_push_watermark(d, feed[f].watermark);
            }
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}
#define EXPECT(c, expected, ...)                                                                                       \
    expect(c, (const struct feed[]){__VA_ARGS__}, COUNT_OF(((const struct feed[]){__VA_ARGS__})), expected)

static void rows_of_one_time_have_one_result(void **state)
{
    (void)state;
    EXPECT(config(false, -1, "t"),
           "+I[1, 5, 2, 2, 2]@5\n+I[2, 5, 7, 7, 7]@5\n+I[1, 6, 1, 6, 3]@6\n+I[1, 6, 3, 6, 3]@6\n+I[1, 9, 4, 10, 4]@9\n",
           {"1 | 6 | 1\n2 | 5 | 7\n1 | 5 | 2\n1 | 6 | 3", 6}, {"1 | 9 | 4", 20});
}

static void each_row_has_its_own(void **state)
{
    (void)state;
    EXPECT(config(true, -1, "t"),
           "+I[1, 5, 2, 2, 2]@5\n+I[1, 6, 3, 5, 3]@6\n+I[1, 6, 1, 6, 3]@6\n+I[1, 9, null, 6, 3]@9\n",
           {"1 | 6 | 3\n1 | 5 | 2\n1 | 6 | 1", 6}, {"1 | 9 | null", 20});
}

static void rows_fall_out_by_number(void **state)
{
    (void)state;
    EXPECT(config(true, 1, "t"),
           "+I[1, 5, 9, 9, 9]@5\n+I[1, 6, 3, 12, 9]@6\n+I[1, 6, 1, 4, 3]@6\n+I[1, 9, 4, 5, 4]@9\n",
           {"1 | 6 | 3\n1 | 5 | 9\n1 | 6 | 1", 6}, {"1 | 9 | 4", 20});
    EXPECT(config(true, 0, "t"), "+I[1, 5, 9, 9, 9]@5\n+I[1, 6, 3, 3, 3]@6\n", {"1 | 6 | 3\n1 | 5 | 9", 6});
}

static void rows_fall_out_by_time(void **state)
{
    (void)state;
    EXPECT(config(false, 2, "t"),
           "+I[1, 5, 9, 9, 9]@5\n+I[1, 7, 3, 13, 9]@7\n+I[1, 7, 1, 13, 9]@7\n+I[1, 8, 2, 6, 3]@8\n",
           {"1 | 7 | 3\n1 | 5 | 9\n1 | 7 | 1", 7}, {"1 | 8 | 2", 20});
}

static void late_rows_are_dropped(void **state)
{
    (void)state;
    EXPECT(config(false, -1, "t"), "+I[1, 5, 2, 2, 2]@5\n+I[2, 11, 1, 1, 1]@11\n", {"1 | 5 | 2", 10},
           {"1 | 10 | 1\n2 | 9 | 1\n2 | 11 | 1", 20});
}

/* With a far end a row is late when its key has seen a later one; the first rows, when they are of 1970. */
static void late_is_what_the_key_has_passed(void **state)
{
    const char *expected = "+I[1, 5, 2, 2, 2]@5\n+I[1, 6, 1, 3, 2]@6\n+I[2, 3, 4, 4, 4]@3\n";

    (void)state;
    EXPECT(config(true, 5, "t"), expected, {"1 | 5 | 2\n3 | 0 | 8", 10}, {"1 | 6 | 1\n1 | 4 | 1\n1 | 5 | 9", 20},
           {"2 | 3 | 4", 30});
}

/* Behind one and a half of the window's length nothing is left: an older row is taken as the first. */
static void what_is_not_touched_is_forgotten(void **state)
{
    struct over_config c = config(false, 10, "t");

    (void)state;
    EXPECT(c, "+I[1, 100, 2, 2, 2]@100\n+I[1, 50, 4, 4, 4]@50\n", {"1 | 100 | 2", 110}, {"1 | 99 | 1", 116},
           {"1 | 50 | 4", 200});
    EXPECT(c, "+I[1, 100, 2, 2, 2]@100\n", {"1 | 100 | 2", 115}, {"1 | 50 | 4", 200});
}

static void rows_of_now_do_not_wait(void **state)
{
    (void)state;
    EXPECT(config(true, -1, NULL), "+I[1, 6, 3, 3, 3]\n+I[2, 5, 7, 7, 7]\n+I[1, 5, 2, 5, 3]\n",
           {"1 | 6 | 3\n2 | 5 | 7\n1 | 5 | 2", 6});
    EXPECT(config(true, 1, NULL), "+I[1, 6, 9, 9, 9]\n+I[1, 5, 2, 11, 9]\n+I[2, 1, 8, 8, 8]\n+I[1, 5, 3, 5, 3]\n",
           {"1 | 6 | 9\n1 | 5 | 2\n2 | 1 | 8\n1 | 5 | 3", 6});
}

/* RANGE of processing time: rows of a millisecond go out together, when it is over. */
static void the_clock_lets_rows_go(void **state)
{
    struct over_config c = config(false, 10, NULL);

    (void)state;
    for (uint32_t b = 0; b < COUNT_OF(backends); b++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("over"), .config = &c, .in = TYPE, .keys = "k", .backend = backends[b]});
        op_set_time(d, 1000);
        op_push(d, 0, "1 | 0 | 5\n1 | 0 | 3");
        assert_string_equal(op_output(d), "");
        assert_int_equal(op_next_wake(d), 1001);
        op_set_time(d, 1001);
        assert_string_equal(op_output(d), "+I[1, 0, 5, 8, 5]\n+I[1, 0, 3, 8, 5]\n");
        op_set_time(d, 1010);
        op_push(d, 0, "1 | 0 | 1");
        op_set_time(d, 1012);
        assert_string_equal(op_output(d), "+I[1, 0, 1, 9, 5]\n");
        op_push(d, 0, "1 | 0 | 2");
        op_push_end(d);
        assert_string_equal(op_output(d), "+I[1, 0, 2, 3, 2]\n");
        op_driver_free(d);
    }
}

/* A key that nothing has touched for the time to live begins anew; rows that its window still held are in no window any more. */
static void idle_keys_begin_anew(void **state)
{
    struct over_config c = config(true, 1, NULL);

    (void)state;
    c.calls.ttl_ms = 100;
    for (uint32_t b = 0; b < 2 * COUNT_OF(backends); b++) {
        c.time = b % 2 == 1 ? "t" : NULL;
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = op_find("over"), .config = &c, .in = TYPE, .keys = "k", .backend = backends[b / 2]});
        op_set_time(d, 1000);
        op_push(d, 0, "1 | 5 | 5\n1 | 6 | 1");
        op_push_watermark(d, 6);
        op_set_time(d, 1050);
        op_push(d, 0, "1 | 7 | 2");
        op_push_watermark(d, 7);
        op_set_time(d, 1300);
        op_push(d, 0, "1 | 8 | 3\n1 | 9 | 4\n1 | 10 | 1");
        op_push_watermark(d, 20);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d),
                            c.time == NULL
                                ? "+I[1, 5, 5, 5, 5]\n+I[1, 6, 1, 6, 5]\n+I[1, 7, 2, 3, 2]\n+I[1, 8, 3, 3, 3]\n"
                                  "+I[1, 9, 4, 7, 4]\n+I[1, 10, 1, 5, 4]\n"
                                : "+I[1, 5, 5, 5, 5]@5\n+I[1, 6, 1, 6, 5]@6\n+I[1, 7, 2, 3, 2]@7\n"
                                  "+I[1, 8, 3, 3, 3]@8\n+I[1, 9, 4, 7, 4]@9\n+I[1, 10, 1, 5, 4]@10\n");
        op_driver_free(d);
    }
}

/* More rows of one time than a batch has room for. */
static void large_groups_have_one_result(void **state)
{
    enum { HALF = 1500, ROWS = 2 * HALF };
    char *rows[2] = {test_malloc(HALF * 16), test_malloc(HALF * 16)}, *expected = test_malloc(ROWS * 40), *q = expected;
    int64_t sum = (int64_t)ROWS * (ROWS - 1) / 2;

    (void)state;
    for (int half = 0, i = 0; half < 2; half++) {
        char *p = rows[half];
        for (int n = 0; n < HALF; n++, i++) {
            p += sprintf(p, "%s1 | 7 | %d", n > 0 ? "\n" : "", i);
            q += sprintf(q, "+I[1, 7, %d, %lld, %d]@7\n", i, (long long)sum, ROWS - 1);
        }
    }
    EXPECT(config(false, -1, "t"), expected, {rows[0], 1}, {rows[1], 7});
    EXPECT(config(false, 3, "t"), expected, {rows[0], 1}, {rows[1], 7});
    test_free(rows[0]);
    test_free(rows[1]);
    test_free(expected);
}

static void lag_looks_back(void **state)
{
    struct over_config c = config(true, -1, NULL);

    (void)state;
    c.lag_values = (struct text_list)TEXTS("v", "v");
    c.lag_offsets = (struct text_list)TEXTS("1", "2");
    c.lag_defaults = (struct text_list)TEXTS("", "t");
    c.lag_names = (struct text_list)TEXTS("a", "b");
    EXPECT(c,
           "+I[1, 6, 3, 3, 3, null, 6]\n+I[2, 5, 7, 7, 7, null, 5]\n+I[1, 8, null, 3, 3, 3, 8]\n+I[1, 5, 1, 4, 3, "
           "null, 3]\n",
           {"1 | 6 | 3\n2 | 5 | 7\n1 | 8 | null\n1 | 5 | 1", 6});
}

static void mistakes_are_told(void **state)
{
    struct over_config c = config(true, -1, "x");
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("over"), .config = &c, .in = TYPE, .keys = "k"});

    (void)state;
    assert_non_null(strstr(op_driver_error(d), "field 'x' is not in"));
    op_driver_free(d);
    c.time = "t";
    d = op_driver_create(&(struct op_setup){.type = op_find("over"), .config = &c, .in = TYPE, .keys = "k"});
    op_push(d, 0, "1 | null | 2");
    assert_non_null(strstr(op_driver_error(d), "RowTime field should not be null"));
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_one_time_have_one_result),
        cmocka_unit_test(each_row_has_its_own),
        cmocka_unit_test(rows_fall_out_by_number),
        cmocka_unit_test(rows_fall_out_by_time),
        cmocka_unit_test(late_rows_are_dropped),
        cmocka_unit_test(late_is_what_the_key_has_passed),
        cmocka_unit_test(what_is_not_touched_is_forgotten),
        cmocka_unit_test(rows_of_now_do_not_wait),
        cmocka_unit_test(the_clock_lets_rows_go),
        cmocka_unit_test(large_groups_have_one_result),
        cmocka_unit_test(lag_looks_back),
        cmocka_unit_test(idle_keys_begin_anew),

        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
