/* test_op_window_rank.c - SQL's Top-N of windows: places, equal rows, the last row by its time, late rows, windows one after the other;
 * with every batch size and with state that is pending. */
#include "flow/operator/rank_config.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define ONE(text)                                                                                                      \
    {                                                                                                                  \
        (const char *const[]){text}, 1                                                                                 \
    }
static const char rows[] =
    "1 | 10 | 5 | a\n1 | 20 | 1 | b\n1 | 10 | 7 | c\n2 | 10 | 1 | d\n1 | 10 | 5 | e\n1 | 10 | 6 | f";

static void expect(const struct window_rank_config *c, const char *expected)
{
    static const uint32_t sizes[] = {0, 1, 3};
    static const char *const backends[] = {"hashmap", "pending"};

    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("window_rank"),
                                                                      .config = c,
                                                                      .in = "ROW<k INT, e BIGINT, v INT, s STRING>",
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, rows);
            op_push_watermark(d, 9);
            op_push(d, 0, "1 | 10 | 9 | x\n1 | 20 | 3 | g\n1 | null | 3 | y");
            op_push_watermark(d, WATERMARK_MAX);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

static void the_first_places_come_when_the_window_ends(void **state)
{
    const struct window_rank_config c = {.order = ONE("v"),
                                         .directions = ONE("desc"),
                                         .nulls = ONE("last"),
                                         .first = 1,
                                         .last = 2,
                                         .number = "n",
                                         .end = "e"};

    (void)state;
    expect(&c, "+I[1, 10, 7, c, 1]@9\n+I[1, 10, 6, f, 2]@9\n+I[2, 10, 1, d, 1]@9\n+I[1, 20, 3, g, 1]@19\n+I[1, 20, 1, "
               "b, 2]@19\n");
}

static void equal_rows_stand_as_they_came(void **state)
{
    const struct window_rank_config c = {
        .order = ONE("v"), .directions = ONE("asc"), .nulls = ONE("first"), .first = 2, .last = 2, .end = "e"};

    (void)state;
    expect(&c, "+I[1, 10, 5, e]@9\n+I[1, 20, 3, g]@19\n");
}

static void of_the_last_rows_the_latest_stays(void **state)
{
    const struct window_rank_config c = {.order = ONE("v"),
                                         .directions = ONE("asc"),
                                         .nulls = ONE("first"),
                                         .first = 1,
                                         .last = 1,
                                         .end = "e",
                                         .from_behind = true};

    (void)state;
    expect(&c, "+I[1, 10, 7, c]@9\n+I[2, 10, 1, d]@9\n+I[1, 20, 3, g]@19\n");
}

static void places_must_make_sense(void **state)
{
    const struct window_rank_config c = {
        .order = ONE("v"), .directions = ONE("asc"), .nulls = ONE("first"), .first = 2, .last = 1, .end = "e"};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("window_rank"), .config = &c, .in = "ROW<k INT, e BIGINT, v INT, s STRING>", .keys = "k"});

    (void)state;
    assert_non_null(strstr(op_driver_error(d), "1 <= first <= last"));
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_places_come_when_the_window_ends),
        cmocka_unit_test(equal_rows_stand_as_they_came),
        cmocka_unit_test(of_the_last_rows_the_latest_stays),
        cmocka_unit_test(places_must_make_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
