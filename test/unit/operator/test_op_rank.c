/* test_op_rank.c - the first rows of partitions: with and without their places, rows taken back, equal sort keys, NULLs, an offset,
 * rows that come in many sizes, state that is pending. */
#include "flow/operator/rank_config.h"
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
#define TYPE "ROW<k INT, v BIGINT, s STRING>"

static const struct rank_config top_two = {
    .order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .first = 1, .last = 2, .emit_before = true};

static struct rank_config numbered(struct rank_config c)
{
    c.number = "n";
    return c;
}

static struct rank_config retracting(struct rank_config c)
{
    c.retracts = true;
    return c;
}

/* The output must be the same with every backend and every batch size. */
static void expect(struct rank_config c, const char *keys, const char *rows, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("rank"),
                                                                      .config = &c,
                                                                      .in = TYPE,
                                                                      .keys = keys,
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, rows);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

#define FOUR "1 | 5 | a\n1 | 7 | b\n1 | 6 | c\n1 | 4 | d\n2 | 1 | e"

static void the_row_that_falls_out_is_deleted(void **state)
{
    const char *expected = "+I[1, 5, a]\n+I[1, 7, b]\n-D[1, 5, a]\n+I[1, 6, c]\n+I[2, 1, e]\n";

    (void)state;
    expect(top_two, "k", FOUR, expected);
    expect(retracting(top_two), "k", FOUR, expected);
}

static void with_numbers_places_are_updated(void **state)
{
    const char *expected = "+I[1, 5, a, 1]\n-U[1, 5, a, 1]\n+U[1, 7, b, 1]\n+I[1, 5, a, 2]\n-U[1, 5, a, 2]\n+U[1, 6, c, 2]\n"
                           "+I[2, 1, e, 1]\n";

    (void)state;
    expect(numbered(top_two), "k", FOUR, expected);
    expect(numbered(retracting(top_two)), "k", FOUR, expected);
}

static void rows_before_are_left_out(void **state)
{
    struct rank_config c = numbered(top_two);

    (void)state;
    c.emit_before = false;
    expect(c, "k", FOUR, "+I[1, 5, a, 1]\n+U[1, 7, b, 1]\n+I[1, 5, a, 2]\n+U[1, 6, c, 2]\n+I[2, 1, e, 1]\n");
}

static void equal_rows_stand_as_they_came(void **state)
{
    const char *rows = "1 | 5 | a\n1 | 5 | b\n1 | 5 | c\n1 | 6 | d";

    (void)state;
    expect(top_two, "k", rows, "+I[1, 5, a]\n+I[1, 5, b]\n-D[1, 5, b]\n+I[1, 6, d]\n");
    expect(retracting(top_two), "k", rows, "+I[1, 5, a]\n+I[1, 5, b]\n-D[1, 5, b]\n+I[1, 6, d]\n");
}

static void what_is_taken_back_makes_room(void **state)
{
    const char *rows = "1 | 5 | a\n1 | 7 | b\n1 | 6 | c\n-D 1 | 7 | b\n-U 1 | 6 | c\n-D 1 | 9 | x\n-D 1 | 5 | b\n-D 1 | 5 | a";

    (void)state;
    expect(retracting(top_two), "k", rows,
           "+I[1, 5, a]\n+I[1, 7, b]\n-D[1, 5, a]\n+I[1, 6, c]\n-D[1, 7, b]\n+I[1, 5, a]\n-D[1, 6, c]\n-D[1, 5, a]\n");
    expect(numbered(retracting(top_two)), "k", rows,
           "+I[1, 5, a, 1]\n-U[1, 5, a, 1]\n+U[1, 7, b, 1]\n+I[1, 5, a, 2]\n-U[1, 5, a, 2]\n+U[1, 6, c, 2]\n"
           "-U[1, 7, b, 1]\n+U[1, 6, c, 1]\n-U[1, 6, c, 2]\n+U[1, 5, a, 2]\n-U[1, 6, c, 1]\n+U[1, 5, a, 1]\n-D[1, 5, a, 2]\n"
           "-D[1, 5, a, 1]\n");
}

static void an_offset_passes_over_the_first(void **state)
{
    struct rank_config c = top_two;

    (void)state;
    c.first = 2;
    expect(c, "k", FOUR, "+I[1, 5, a]\n-U[1, 5, a]\n+U[1, 6, c]\n");
}

static void nulls_stand_where_they_are_told_to(void **state)
{
    struct rank_config c = {.order = TEXTS("v", "s"), .directions = TEXTS("asc", "desc"), .nulls = TEXTS("first", "last"),
                            .first = 1, .last = 1, .emit_before = true};

    (void)state;
    expect(c, "k", "1 | 5 | a\n1 | null | b\n1 | null | null\n1 | null | c\nnull | 1 | null",
           "+I[1, 5, a]\n-U[1, 5, a]\n+U[1, null, b]\n-U[1, null, b]\n+U[1, null, c]\n+I[null, 1, null]\n");
}

static void without_an_order_the_first_to_come_stay(void **state)
{
    struct rank_config c = {.first = 1, .last = 2, .emit_before = true};

    (void)state;
    expect(c, "", FOUR, "+I[1, 5, a]\n+I[1, 7, b]\n");
    expect(retracting(c), "", "1 | 5 | a\n1 | 7 | b\n1 | 6 | c\n-D 1 | 5 | a", "+I[1, 5, a]\n+I[1, 7, b]\n-D[1, 5, a]\n+I[1, 6, c]\n");
}

static struct rank_config replacing(struct rank_config c)
{
    static const char *const by_s[] = {"s"};

    c.unique = (struct text_list){by_s, 1};
    return c;
}

#define RISES "1 | 1 | a\n1 | 1 | b\n1 | 1 | c\n1 | 2 | c\n1 | 2 | a\n1 | 3 | a\n1 | 3 | a"

static void a_row_that_rises_is_replaced(void **state)
{
    (void)state;
    expect(replacing(top_two), "k", RISES,
           "+I[1, 1, a]\n+I[1, 1, b]\n-D[1, 1, b]\n+I[1, 2, c]\n-U[1, 1, a]\n+U[1, 2, a]\n-U[1, 2, a]\n+U[1, 3, a]\n"
           "-U[1, 3, a]\n+U[1, 3, a]\n");
}

static void with_numbers_it_leaves_its_place_before_it_takes_the_new_one(void **state)
{
    (void)state;
    expect(numbered(replacing(top_two)), "k", RISES,
           "+I[1, 1, a, 1]\n+I[1, 1, b, 2]\n-U[1, 1, a, 1]\n+U[1, 2, c, 1]\n-U[1, 1, b, 2]\n+U[1, 1, a, 2]\n"
           "-U[1, 1, a, 2]\n+U[1, 2, a, 2]\n-U[1, 2, c, 1]\n-U[1, 2, a, 2]\n+U[1, 3, a, 1]\n+U[1, 2, c, 2]\n"
           "-U[1, 3, a, 1]\n+U[1, 3, a, 1]\n");
}

/* Counts that were forgotten begin anew. */
static void a_row_that_falls_back_is_told_too(void **state)
{
    (void)state;
    expect(numbered(replacing(top_two)), "k", "1 | 5 | a\n1 | 3 | b\n1 | 1 | a",
           "+I[1, 5, a, 1]\n+I[1, 3, b, 2]\n-U[1, 5, a, 1]\n+U[1, 3, b, 1]\n-U[1, 3, b, 2]\n+U[1, 1, a, 2]\n");
    expect(replacing(top_two), "k", "1 | 5 | a\n1 | 3 | b\n1 | 1 | a",
           "+I[1, 5, a]\n+I[1, 3, b]\n-U[1, 5, a]\n+U[1, 1, a]\n");
}

/* --- changes of a batch are netted ------------------------------------------------------------------------------ */
static struct rank_config netting(struct rank_config c)
{
    c.nets = true;
    return c;
}

/* Two batches, of at most `batch_rows` rows. */
static void expect_netted(struct rank_config c, const char *keys, const char *first, const char *second, uint32_t batch_rows,
                          const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++) {
        struct rank_config nets = netting(c);
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("rank"),
                                                                  .config = &nets,
                                                                  .in = TYPE,
                                                                  .keys = keys,
                                                                  .batch_rows = batch_rows,
                                                                  .backend = backends[b]});
        op_push(d, 0, first);
        op_push(d, 0, second);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), expected);
        if (b == 1) assert_true(op_pending_count(d) > 0);
        op_driver_free(d);
    }
}

#define LONG "a string that does not fit into the reference"
#define RISING "1 | 1 | a\n1 | 2 | " LONG "\n2 | 1 | e"
#define HIGHER "1 | 4 | d\n1 | 3 | c\n1 | 2 | x"

static void a_place_is_told_once_per_batch(void **state)
{
    const char *expected = "+I[1, 2, " LONG ", 1]\n+I[1, 1, a, 2]\n+I[2, 1, e, 1]\n"
                           "-U[1, 2, " LONG ", 1]\n+U[1, 4, d, 1]\n-U[1, 1, a, 2]\n+U[1, 3, c, 2]\n";

    (void)state;
    expect_netted(numbered(top_two), "k", RISING, HIGHER, 0, expected);
    expect_netted(numbered(top_two), "k", RISING, HIGHER, 3, expected); /* the output is full in the middle */
}

static void without_numbers_what_left_is_deleted_before_what_came(void **state)
{
    (void)state;
    expect_netted(top_two, "k", RISING, HIGHER, 0,
                  "+I[1, 2, " LONG "]\n+I[1, 1, a]\n+I[2, 1, e]\n-D[1, 2, " LONG "]\n-D[1, 1, a]\n+I[1, 4, d]\n+I[1, 3, c]\n");
    expect_netted(top_two, "k", RISING, "1 | 2 | x", 0, "+I[1, 2, " LONG "]\n+I[1, 1, a]\n+I[2, 1, e]\n-D[1, 1, a]\n+I[1, 2, x]\n");
}

static void row_by_row_netting_changes_nothing(void **state)
{
    struct rank_config first = top_two, second = top_two, none = {.first = 1, .last = 2, .emit_before = true};

    (void)state;
    first.last = 1;
    second.first = 2;
    expect_netted(numbered(top_two), "k", FOUR, "2 | 3 | f", 1,
                  "+I[1, 5, a, 1]\n-U[1, 5, a, 1]\n+U[1, 7, b, 1]\n+I[1, 5, a, 2]\n-U[1, 5, a, 2]\n+U[1, 6, c, 2]\n"
                  "+I[2, 1, e, 1]\n-U[2, 1, e, 1]\n+U[2, 3, f, 1]\n+I[2, 1, e, 2]\n");
    expect_netted(top_two, "k", FOUR, "2 | 3 | f", 1,
                  "+I[1, 5, a]\n+I[1, 7, b]\n-D[1, 5, a]\n+I[1, 6, c]\n+I[2, 1, e]\n+I[2, 3, f]\n");
    expect_netted(first, "k", FOUR, "2 | 1 | f", 1, "+I[1, 5, a]\n-U[1, 5, a]\n+U[1, 7, b]\n+I[2, 1, e]\n");
    expect_netted(second, "k", FOUR, "2 | 3 | f", 1, "+I[1, 5, a]\n-U[1, 5, a]\n+U[1, 6, c]\n+I[2, 1, e]\n");
    expect_netted(none, "", FOUR, "2 | 3 | f", 1, "+I[1, 5, a]\n+I[1, 7, b]\n");
}

static void netted_places_keep_the_order_of_several_columns(void **state)
{
    struct rank_config c = {.order = TEXTS("v", "s"), .directions = TEXTS("asc", "desc"), .nulls = TEXTS("first", "last"),
                            .first = 1, .last = 1};
    const char *rows = "1 | 5 | a\n1 | null | b\n1 | null | null\n1 | null | c\nnull | 1 | null";

    (void)state;
    expect_netted(c, "k", rows, "1 | null | c\n1 | null | b\n1 | null | " LONG "\n1 | null | d", 0,
                  "+I[1, null, c]\n+I[null, 1, null]\n+U[1, null, d]\n");
    expect_netted(c, "k", "1 | 5 | a\n1 | 4 | " LONG, "1 | 4 | a\n1 | 4 | b\n1 | 6 | z", 0, "+I[1, 4, " LONG "]\n+U[1, 4, b]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_row_that_falls_out_is_deleted), cmocka_unit_test(with_numbers_places_are_updated),
        cmocka_unit_test(rows_before_are_left_out),          cmocka_unit_test(equal_rows_stand_as_they_came),
        cmocka_unit_test(what_is_taken_back_makes_room),     cmocka_unit_test(an_offset_passes_over_the_first),
        cmocka_unit_test(nulls_stand_where_they_are_told_to), cmocka_unit_test(without_an_order_the_first_to_come_stay),
        cmocka_unit_test(a_row_that_rises_is_replaced),
        cmocka_unit_test(with_numbers_it_leaves_its_place_before_it_takes_the_new_one),
        cmocka_unit_test(a_row_that_falls_back_is_told_too),
        cmocka_unit_test(a_place_is_told_once_per_batch),
        cmocka_unit_test(without_numbers_what_left_is_deleted_before_what_came),
        cmocka_unit_test(row_by_row_netting_changes_nothing),
        cmocka_unit_test(netted_places_keep_the_order_of_several_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
