/* test_op_hash_deduplicate.c - one row per key in batch mode, the first and the last, as they come and by time: with little memory the
 * same rows come out as with all of it, files are there meanwhile and gone at the end. */
#include "flow/operator/dedup_config.h"
#include "support/folder.h"
#include "support/lines.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TYPE "ROW<k INT, t BIGINT, s STRING>"

enum { ROWS = 6000, PUSH = 500 };

static struct sys *real; /* the driver's own has no files */

static struct op_driver *open(const struct hash_dedup_config *c, const char *keys, uint32_t batch_rows, const char *backend)
{
    return op_driver_create(&(struct op_setup){
        .type = op_find("hash_deduplicate"), .config = c, .in = TYPE, .keys = keys, .batch_rows = batch_rows, .backend = backend, .sys = real});
}

static void expect_of(struct hash_dedup_config c, const char *keys, const char *rows, const char *expected)
{
    static const int64_t memories[] = {0, 1};
    static const uint32_t sizes[] = {0, 1, 3};
    struct folder f;

    folder_make(&f);
    for (size_t m = 0; m < COUNT_OF(memories); m++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            c.spill = (struct spill_config){.memory = memories[m], .dirs = f.path, .files = 4, .key = "the.key"};
            struct op_driver *d = open(&c, keys, sizes[i], i == 1 ? "pending" : NULL);
            op_push(d, 0, "7 | 1 | first");
            op_push(d, 0, rows);
            assert_string_equal(op_output(d), "");
            op_push_end(d);
            assert_string_equal(op_driver_error(d), "");
            char *got = lines_sorted(op_output(d));
            assert_string_equal(got, expected);
            free(got);
            op_driver_free(d);
        }
    folder_remove(&f);
}

#define SOME "1 | 5 | a long text of its own\n2 | 7 | b\n1 | 4 | c\n1 | 4 | d\n1 | 9 | e\nnull | 3 | x\n1 | 9 | f\nnull | 2 | null"

static void one_row_per_key(void **state)
{
    (void)state;
    expect_of((struct hash_dedup_config){0}, "k", SOME, "+I[1, 5, a long text of its own]\n+I[2, 7, b]\n+I[7, 1, first]\n+I[null, 3, x]\n");
    expect_of((struct hash_dedup_config){.keep_last = true}, "k", SOME, "+I[1, 9, f]\n+I[2, 7, b]\n+I[7, 1, first]\n+I[null, 2, null]\n");
    expect_of((struct hash_dedup_config){.time = "t"}, "k", SOME, "+I[1, 4, c]\n+I[2, 7, b]\n+I[7, 1, first]\n+I[null, 2, null]\n");
    expect_of((struct hash_dedup_config){.time = "t", .keep_last = true}, "k", SOME,
              "+I[1, 9, f]\n+I[2, 7, b]\n+I[7, 1, first]\n+I[null, 3, x]\n");
}

static void without_keys_there_is_one_row(void **state)
{
    (void)state;
    expect_of((struct hash_dedup_config){.time = "t"}, NULL, SOME, "+I[7, 1, first]\n");
    expect_of((struct hash_dedup_config){.time = "t", .keep_last = true}, NULL, SOME, "+I[1, 9, f]\n");
}

static void no_rows_give_none(void **state)
{
    struct op_driver *d = open(&(const struct hash_dedup_config){0}, NULL, 0, NULL);

    (void)state;
    op_push_end(d);
    assert_string_equal(op_output(d), "");
    op_driver_free(d);
}

static void a_row_without_time_fails(void **state)
{
    struct hash_dedup_config c = {.time = "t"};
    struct op_driver *d = open(&c, "k", 0, NULL);

    (void)state;
    op_push(d, 0, "1 | null | x");
    assert_non_null(strstr(op_driver_error(d), "RowTime"));
    op_driver_free(d);
}

/* --- beyond memory ----------------------------------------------------------------------------------------------- */
/* Half of the rows are of five keys, the others of hundreds. */
static void push_some(struct op_driver *d, uint32_t first)
{
    size_t size = PUSH * 80, n = 0;
    char *text = malloc(size);

    for (uint32_t i = first; i < first + PUSH; i++) {
        uint32_t mixed = i * 2654435761u >> 7, number = i % 2 == 0 ? mixed % 5 : mixed % 900;
        n += (size_t)snprintf(text + n, size - n, "%u | %u | %s%u\n", number, mixed % 300,
                              i % 3 == 0 ? "a text that is longer than a reference " : "t", i);
    }
    op_push(d, 0, text);
    free(text);
}

static char *answered(const struct hash_dedup_config *c, uint32_t batch_rows, const char *backend, const struct folder *f, bool *files)
{
    struct op_driver *d = open(c, "k", batch_rows, backend);

    for (uint32_t i = 0; i < ROWS; i += PUSH) push_some(d, i);
    assert_string_equal(op_output(d), "");
    *files = folder_count(f, "") > 0;
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    char *out = lines_sorted(op_output(d));
    op_driver_free(d);
    assert_int_equal(folder_count(f, ""), 0);
    return out;
}

static void files_give_what_memory_gives(void **state)
{
    static const int64_t memories[] = {1, 60000, 1000000000};
    struct folder f;
    bool files;

    (void)state;
    folder_make(&f);
    for (uint32_t k = 0; k < 4; k++) {
        struct hash_dedup_config c = {.time = k / 2 == 1 ? "t" : NULL, .keep_last = k % 2 == 1};
        char *expected = answered(&c, 0, NULL, &f, &files);
        assert_false(files);
        c.spill = (struct spill_config){.dirs = f.path, .files = 4, .key = "the.key"};
        for (size_t m = 0; m < COUNT_OF(memories); m++)
            for (uint32_t size = 0; size < 100; size += 33) {
                c.spill.memory = memories[m];
                char *got = answered(&c, size, size == 33 ? "pending" : NULL, &f, &files);
                assert_string_equal(got, expected);
                assert_int_equal(files, memories[m] < 1000000000);
                free(got);
            }
        free(expected);
    }
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_per_key),
        cmocka_unit_test(without_keys_there_is_one_row),
        cmocka_unit_test(no_rows_give_none),
        cmocka_unit_test(a_row_without_time_fails),
        cmocka_unit_test(files_give_what_memory_gives),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
