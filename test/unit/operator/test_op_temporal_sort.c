/* test_op_temporal_sort.c - rows in the order of their times: by watermarks, by the clock, further columns with NULLs, rows that come
 * late, rows that agree in all columns of the order; batches of one row and of many, state that is pending. */
#include "flow/operator/temporal_sort.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}

static const struct temporal_sort_config by_time = {.time = "t"};
static const struct temporal_sort_config by_more = {
    .time = "t", .order = TEXTS("v", "s"), .directions = TEXTS("desc", "asc"), .nulls = TEXTS("last", "first")};
static const struct temporal_sort_config by_clock = {.order = TEXTS("v"), .directions = TEXTS("asc"), .nulls = TEXTS("last")};

static struct op_driver *open(const struct temporal_sort_config *c, uint32_t size, const char *backend)
{
    return op_driver_create(&(struct op_setup){.type = op_find("temporal_sort"),
                                               .config = c,
                                               .in = "ROW<t BIGINT, v INT, s STRING>",
                                               .batch_rows = size,
                                               .backend = backend,
                                               .watermarks = true});
}

#define EACH_WAY(b, i)                                                                                                 \
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)                                                                  \
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++)

static void rows_go_out_when_the_watermark_has_passed(void **state)
{
    (void)state;
    EACH_WAY(b, i)
    {
        struct op_driver *d = open(&by_time, sizes[i], backends[b]);
        op_push(d, 0, "30 | 1 | a\n10 | 2 | a text longer than twelve\n20 | 3 | null\n10 | 1 | first came the other");
        assert_string_equal(op_output(d), "");
        op_push_watermark(d, 20);
        assert_string_equal(op_output(d), "+I[10, 2, a text longer than twelve]@10\n+I[10, 1, first came the other]@10\n"
                                          "+I[20, 3, null]@20\nW@20\n");
        op_push(d, 0, "25 | 5 | x");
        op_push_end(d);
        assert_string_equal(op_output(d), "+I[25, 5, x]@25\n+I[30, 1, a]@30\nW@max\n");
        if (b == 1) assert_true(op_pending_count(d) > 0);
        op_driver_free(d);
    }
}

static void rows_of_one_time_go_by_more_columns(void **state)
{
    (void)state;
    EACH_WAY(b, i)
    {
        struct op_driver *d = open(&by_more, sizes[i], backends[b]);
        op_push(d, 0, "1 | null | z\n1 | 4 | b\n1 | 4 | null\n2 | 9 | y\n1 | 7 | a\n1 | 4 | a\n1 | 4 | a");
        op_push_watermark(d, 5);
        assert_string_equal(op_output(d), "+I[1, 7, a]@1\n+I[1, 4, null]@1\n+I[1, 4, a]@1\n+I[1, 4, a]@1\n+I[1, 4, b]@1\n"
                                          "+I[1, null, z]@1\n+I[2, 9, y]@2\nW@5\n");
        op_driver_free(d);
    }
}

/* A row is late when a row of its time has gone out; before, the watermark may have passed it. */
static void late_rows_are_dropped(void **state)
{
    (void)state;
    EACH_WAY(b, i)
    {
        struct op_driver *d = open(&by_time, sizes[i], backends[b]);
        op_push(d, 0, "-5 | 1 | before all");
        op_push_watermark(d, 10);
        op_push(d, 0, "-5 | 2 | late\n-6 | 3 | late\n8 | 4 | not yet\n12 | 5 | in time");
        op_push_watermark(d, 11);
        op_push(d, 0, "8 | 6 | late\n9 | 7 | not yet");
        op_push_end(d);
        assert_string_equal(op_output(d), "+I[-5, 1, before all]@-5\nW@10\n+I[8, 4, not yet]@8\nW@11\n+I[9, 7, not yet]@9\n"
                                          "+I[12, 5, in time]@12\nW@max\n");
        op_driver_free(d);
    }
}

static void the_clock_sorts_rows_of_a_millisecond(void **state)
{
    (void)state;
    EACH_WAY(b, i)
    {
        struct op_driver *d = open(&by_clock, sizes[i], backends[b]);
        op_set_time(d, 1000);
        op_push(d, 0, "1 | 3 | a\n2 | null | b\n3 | 1 | c\n4 | 3 | d");
        assert_string_equal(op_output(d), "");
        assert_int_equal(op_next_wake(d), 1001);
        op_set_time(d, 1001);
        assert_string_equal(op_output(d), "+I[3, 1, c]\n+I[1, 3, a]\n+I[4, 3, d]\n+I[2, null, b]\n");
        op_push(d, 0, "5 | 2 | e\n6 | 1 | f");
        op_push_end(d);
        assert_string_equal(op_output(d), "W@max\n+I[6, 1, f]\n+I[5, 2, e]\n");
        op_driver_free(d);
    }
}

static void a_row_without_a_time_fails(void **state)
{
    struct op_driver *d = open(&by_time, 0, NULL);

    (void)state;
    op_push(d, 0, "1 | 1 | a\nnull | 2 | b");
    assert_string_equal(op_driver_error(d), "RowTime field should not be null, please convert it to a non-null long value. Row: +I[null, 2, b] "
                        "(leave such rows out before the watermark is made, or give them a time there, for example with COALESCE)");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_out_when_the_watermark_has_passed),
        cmocka_unit_test(rows_of_one_time_go_by_more_columns),
        cmocka_unit_test(late_rows_are_dropped),
        cmocka_unit_test(the_clock_sorts_rows_of_a_millisecond),
        cmocka_unit_test(a_row_without_a_time_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
