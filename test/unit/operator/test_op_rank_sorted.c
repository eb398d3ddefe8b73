/* test_op_rank_sorted.c - the first rows of partitions when the input has ended: places by each function, partitions that are cut by
 * batches, rows that are sorted by files, outputs of any size, places nobody reads. */
#include "flow/operator/rank_config.h"
#include "support/folder.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}
#define TYPE "ROW<k INT, v BIGINT, s STRING>"

static struct sys *real; /* the driver's own has no files */

static const struct rank_sorted_config by_v = {.order = TEXTS("v"), .directions = TEXTS("desc"), .nulls = TEXTS("last")};

static struct rank_sorted_config ranks(const char *function, int64_t first, int64_t last, const char *number)
{
    struct rank_sorted_config c = by_v;

    c.function = function;
    c.first = first;
    c.last = last;
    c.number = number;
    return c;
}

static struct op_driver *open(const struct rank_sorted_config *c, uint32_t batch_rows)
{
    return op_driver_create(&(struct op_setup){.type = op_find("rank_sorted"), .config = c, .in = TYPE, .keys = "k", .batch_rows = batch_rows,
                                               .sys = real});
}

static void expect(struct rank_sorted_config c, const char *rows, const char *expected)
{
    static const uint32_t sizes[] = {0, 1, 3};

    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = open(&c, sizes[i]);
        op_push(d, 0, rows);
        assert_string_equal(op_output(d), "");
        op_push_end(d);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), expected);
        op_driver_free(d);
    }
}

#define SOME "2 | 1 | x\n1 | 7 | a\n1 | null | n\n1 | 9 | b\n2 | 1 | y\n1 | 7 | c\n1 | 3 | d\n2 | 0 | z\n2 | 1 | w"

static void rows_are_counted(void **state)
{
    (void)state;
    expect(ranks("row_number", 1, 3, "n"), SOME,
           "+I[1, 9, b, 1]\n+I[1, 7, a, 2]\n+I[1, 7, c, 3]\n+I[2, 1, x, 1]\n+I[2, 1, y, 2]\n+I[2, 1, w, 3]\n");
    expect(ranks("row_number", 4, 9, NULL), SOME, "+I[1, 3, d]\n+I[1, null, n]\n+I[2, 0, z]\n");
}

static void rows_that_are_alike_share_a_place(void **state)
{
    (void)state;
    expect(ranks("rank", 2, 4, "n"), SOME, "+I[1, 7, a, 2]\n+I[1, 7, c, 2]\n+I[1, 3, d, 4]\n+I[2, 0, z, 4]\n");
    expect(ranks("dense_rank", 2, 3, "n"), SOME, "+I[1, 7, a, 2]\n+I[1, 7, c, 2]\n+I[1, 3, d, 3]\n+I[2, 0, z, 2]\n");
    expect(ranks("rank", 1, 1, NULL), SOME, "+I[1, 9, b]\n+I[2, 1, x]\n+I[2, 1, y]\n+I[2, 1, w]\n");
}

static void no_row_has_no_place(void **state)
{
    struct rank_sorted_config c = ranks("row_number", 1, 3, "n");
    struct op_driver *d = open(&c, 0);

    (void)state;
    op_push_end(d);
    assert_string_equal(op_output(d), "");
    op_driver_free(d);
}

/* 6,000 rows of two partitions, by files of few rows. */
static char *many(int64_t memory, const char *dirs, uint32_t batch_rows)
{
    struct rank_sorted_config c = ranks("row_number", 100, 1500, "n");
    char *text = malloc(500 * 64);

    c.spill = (struct spill_config){.memory = memory, .dirs = dirs, .files = 3};
    struct op_driver *d = open(&c, batch_rows);
    for (uint32_t i = 0; i < 6000; i += 500) {
        size_t n = 0;
        for (uint32_t k = i; k < i + 500; k++) n += (size_t)sprintf(text + n, "%u | %u | t%u\n", k % 2, k * 7919 % 1009, k);
        op_push(d, 0, text);
    }
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    char *out = strdup(op_output(d));
    op_driver_free(d);
    free(text);
    return out;
}

static void files_give_what_memory_gives(void **state)
{
    struct folder f;
    char *expected = many(0, NULL, 0), *got = NULL;
    uint32_t lines = 0;

    (void)state;
    folder_make(&f);
    for (const char *at = expected; (at = strchr(at, '\n')) != NULL; at++) lines++;
    assert_int_equal(lines, 2 * 1401);
    for (uint32_t size = 0; size < 1000; size += 499) {
        got = many(4000, f.path, size);
        assert_string_equal(got, expected);
        free(got);
    }
    free(expected);
    assert_int_equal(folder_count(&f, ""), 0);
    folder_remove(&f);
}

static void what_cannot_be_is_said(void **state)
{
    struct rank_sorted_config backwards = ranks("rank", 3, 2, NULL), unknown = ranks("place", 1, 2, NULL);
    struct op_driver *d = open(&backwards, 0);

    (void)state;
    assert_string_equal(op_driver_error(d), "the places of a rank must be 1 <= first <= last, not 3 and 2");
    op_driver_free(d);
    d = open(&unknown, 0);
    assert_string_equal(op_driver_error(d), "places are by row_number, rank or dense_rank, not by 'place'");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_counted),    cmocka_unit_test(rows_that_are_alike_share_a_place),
                                       cmocka_unit_test(no_row_has_no_place), cmocka_unit_test(files_give_what_memory_gives),
                                       cmocka_unit_test(what_cannot_be_is_said)};

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
