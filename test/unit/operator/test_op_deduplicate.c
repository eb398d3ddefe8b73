/* test_op_deduplicate.c - one row per key: the first and the last, as they come and by event time, with and without the row before. */
#include "flow/operator/dedup_config.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

#define TYPE "ROW<k INT, t BIGINT, s STRING>"

/* The rows, the watermark, then later rows. The output must be the same with every backend and every batch size. */
static void expect(struct dedup_config c, const char *rows, int64_t watermark, const char *later, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("deduplicate"),
                                                                      .config = &c,
                                                                      .in = TYPE,
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, rows);
            op_push_watermark(d, watermark);
            op_push(d, 0, later);
            op_push_end(d);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

#define ROWS "1 | 5 | a long text of its own\n2 | 7 | b\n1 | 4 | c\n1 | 5 | d\n1 | 9 | e"

static void the_first_passes(void **state)
{
    (void)state;
    expect((struct dedup_config){0}, ROWS, 10, "3 | 1 | x\n1 | 2 | y",
           "+I[1, 5, a long text of its own]\n+I[2, 7, b]\n+I[3, 1, x]\n");
}

/* It waits: an earlier one may come. What is behind the watermark is late, also of a key that is new. */
static void the_first_by_time_waits(void **state)
{
    struct dedup_config c = {.time = "t"};

    (void)state;
    expect(c, ROWS, 6, "1 | 6 | late for 1\n2 | 6 | before b\n3 | 5 | late\n4 | 8 | x\n4 | 8 | y",
           "+I[1, 4, c]@4\n+I[2, 6, before b]@6\n+I[4, 8, x]@8\n");
}

static void the_last_updates(void **state)
{
    struct dedup_config c = {.keep_last = true};

    (void)state;
    expect(c, ROWS, 6, "2 | 1 | z",
           "+I[1, 5, a long text of its own]\n+I[2, 7, b]\n+U[1, 4, c]\n+U[1, 5, d]\n+U[1, 9, e]\n+U[2, 1, z]\n");
    c.emit_before = true;
    expect(c, "1 | 5 | a long text of its own\n2 | 7 | b\n1 | 4 | c", 6, "2 | 1 | z",
           "+I[1, 5, a long text of its own]\n+I[2, 7, b]\n-U[1, 5, a long text of its own]\n+U[1, 4, c]\n-U[2, 7, "
           "b]\n+U[2, 1, z]\n");
}

/* An equal time counts as later. */
static void the_last_by_time_is_not_older(void **state)
{
    struct dedup_config c = {.keep_last = true, .time = "t"};

    (void)state;
    expect(c, ROWS, 6, "2 | 7 | z\n2 | 6 | old",
           "+I[1, 5, a long text of its own]\n+I[2, 7, b]\n+U[1, 5, d]\n+U[1, 9, e]\n+U[2, 7, z]\n");
    c.emit_before = true;
    expect(c, "1 | 5 | a\n1 | 4 | b\n1 | 5 | c", 6, "1 | 7 | null",
           "+I[1, 5, a]\n-U[1, 5, a]\n+U[1, 5, c]\n-U[1, 5, c]\n+U[1, 7, null]\n");
}

static void a_row_without_time_fails(void **state)
{
    struct dedup_config c = {.time = "t"};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("deduplicate"), .config = &c, .in = TYPE, .keys = "k"});

    (void)state;
    op_push(d, 0, "1 | null | x");
    assert_non_null(strstr(op_driver_error(d), "RowTime field should not be null"));
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_passes),         cmocka_unit_test(the_first_by_time_waits),
        cmocka_unit_test(the_last_updates),         cmocka_unit_test(the_last_by_time_is_not_older),
        cmocka_unit_test(a_row_without_time_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
