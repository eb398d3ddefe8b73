/* test_op_rank_sift.c - rows that can have no place among the first of their partition go no further: what stays of one batch, and, beside a
 * model, that the first rows of every partition always stay. */
#include "flow/operator/rank_config.h"
#include "ground/base/prng.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}
#define TYPE "ROW<k INT, v BIGINT, s STRING>"

static const struct rank_sift_config two_greatest = {
    .partition = TEXTS("k"), .order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last"), .last = 2};

static struct op_driver *driver(const struct rank_sift_config *c, uint32_t batch_rows)
{
    return op_driver_create(&(struct op_setup){.type = op_find("rank_sift"), .config = c, .in = TYPE, .batch_rows = batch_rows});
}

static void expect(const struct rank_sift_config *c, const char *rows, const char *expected)
{
    struct op_driver *d = driver(c, 0);

    op_push(d, 0, rows);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), expected);
    op_driver_free(d);
}

#define ROWS "1 | 5 | a\n2 | 1 | b\n1 | 7 | c\n1 | 6 | d\n1 | 6 | e\n1 | null | f\n2 | 2 | g"

static void what_others_of_its_batch_stand_before_goes(void **state)
{
    (void)state;
    expect(&two_greatest, ROWS, "+I[2, 1, b]\n+I[1, 7, c]\n+I[1, 6, d]\n+I[1, 6, e]\n+I[2, 2, g]\n");
}

static void without_partitions_all_rows_are_one(void **state)
{
    struct rank_sift_config c = two_greatest;

    (void)state;
    c.partition = (struct text_list){NULL, 0};
    expect(&c, ROWS, "+I[1, 7, c]\n+I[1, 6, d]\n+I[1, 6, e]\n");
}

static void the_least_and_null_first(void **state)
{
    struct rank_sift_config c = two_greatest;

    (void)state;
    c.directions = (struct text_list)TEXTS("asc");
    c.nulls = (struct text_list)TEXTS("first");
    expect(&c, ROWS, "+I[1, 5, a]\n+I[2, 1, b]\n+I[1, null, f]\n+I[2, 2, g]\n");
}

static void what_a_batch_does_not_tell_stays(void **state)
{
    struct op_driver *d = driver(&two_greatest, 2);

    (void)state;
    op_push(d, 0, "1 | 5 | a\n1 | 4 | b\n1 | 3 | c\n1 | 2 | d");
    assert_string_equal(op_output(d), "+I[1, 5, a]\n+I[1, 4, b]\n+I[1, 3, c]\n+I[1, 2, d]\n");
    op_driver_free(d);
}

/* --- beside a model ------------------------------------------------------------------------------------------------ */
enum { ROWS_IN = 2048, BATCHES = 200, KEYS = 300 };

static uint32_t lines_of(const char *text)
{
    uint32_t n = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++) n++;
    return n;
}

/* How many of the first `last` rows of each key of the input are missing from the output. */
static uint32_t missing(const int64_t (*rows)[2], uint32_t n, int64_t last, const char *out)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++) {
        char line[64];
        int64_t before = 0;
        for (uint32_t k = 0; k < n; k++) before += rows[k][0] == rows[i][0] && (rows[k][1] > rows[i][1] || (rows[k][1] == rows[i][1] && k < i));
        if (before >= last) continue;
        snprintf(line, sizeof line, "+I[%lld, %lld, %u]\n", (long long)rows[i][0], (long long)rows[i][1], i);
        count += strstr(out, line) == NULL;
    }
    return count;
}

static void the_first_rows_always_stay(void **state)
{
    static int64_t rows[ROWS_IN][2];
    struct prng r;

    (void)state;
    prng_init(&r, 7);
    for (uint32_t turn = 0; turn < 12; turn++) {
        uint32_t n = 1 + (uint32_t)prng_below(&r, 500), keys = 1 + (uint32_t)prng_below(&r, 8), values = turn % 2 ? 20 : 100000;
        struct rank_sift_config c = two_greatest;
        char *text = malloc(64 * n), *at = text;
        c.last = 1 + (int64_t)prng_below(&r, 12);
        for (uint32_t i = 0; i < n; i++) {
            rows[i][0] = (int64_t)prng_below(&r, keys);
            rows[i][1] = (int64_t)prng_below(&r, values);
            at += sprintf(at, "%s%lld | %lld | %u", i > 0 ? "\n" : "", (long long)rows[i][0], (long long)rows[i][1], i);
        }
        struct op_driver *d = driver(&c, 0);
        op_push(d, 0, text);
        const char *out = op_output(d);
        assert_int_equal(missing((const int64_t(*)[2])rows, n, c.last, out), 0);
        if (values > 20) assert_true(lines_of(out) <= (uint32_t)c.last * keys + n / 50); /* the others went */
        op_driver_free(d);
        free(text);
    }
}

/* Batches whose keys have few rows each: most of them pass unseen, and those with one crowded key are seen again. */
static void where_it_does_not_pay_batches_pass(void **state)
{
    struct op_driver *d = driver(&two_greatest, 0);
    uint32_t crowded = 0;

    (void)state;
    for (uint32_t b = 0; b < BATCHES; b++) {
        char text[16 * KEYS], *at = text;
        bool is_late = b >= BATCHES / 2;
        for (uint32_t i = 0; i < KEYS; i++) at += sprintf(at, "%s%u | %u | x", i > 0 ? "\n" : "", is_late ? 1 : i, i);
        op_push(d, 0, text);
        uint32_t n = lines_of(op_output(d));
        if (!is_late) assert_int_equal(n, KEYS);
        crowded += n == 2;
    }
    assert_true(crowded > 0 && crowded < BATCHES / 2);
    op_driver_free(d);
}

static void configuration_is_checked(void **state)
{
    struct rank_sift_config c = two_greatest;

    (void)state;
    c.last = 129;
    struct op_driver *d = driver(&c, 0);
    assert_non_null(strstr(op_driver_error(d), "there are 128 places at most, not 129"));
    op_driver_free(d);
    c = two_greatest;
    c.partition = (struct text_list)TEXTS("nope");
    d = driver(&c, 0);
    assert_non_null(strstr(op_driver_error(d), "nope"));
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_of_its_batch_stand_before_goes),
        cmocka_unit_test(without_partitions_all_rows_are_one),
        cmocka_unit_test(the_least_and_null_first),
        cmocka_unit_test(what_a_batch_does_not_tell_stays),
        cmocka_unit_test(the_first_rows_always_stay),
        cmocka_unit_test(where_it_does_not_pay_batches_pass),
        cmocka_unit_test(configuration_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
