/* test_op_hash_aggregate.c - groups in batch mode: with little memory the same rows come out as with all of it, whatever the calls, the
 * keys and the sizes of batches, and so when rows are sorted first; files are there meanwhile and gone at the end, and when it is closed half-way; a folder that is not there. */
#include "flow/operator/hash_aggregate.h"
#include "support/folder.h"
#include "support/full_disk.h"
#include "support/lines.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXTS(...)                                                                                                     \
    {                                                                                                                  \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))                             \
    }
#define TYPE "ROW<k INT, v BIGINT, s STRING, f DOUBLE, ok BOOLEAN, l ARRAY<INT>>"

enum { ROWS = 6000, PUSH = 500 };

/* Words alone: rows of groups that are in memory go on into them. */
static const struct group_config words = {.functions = TEXTS("count", "sum", "sum", "avg", "min", "count"),
                                          .arguments = TEXTS("", "v", "f", "f", "v", "v"),
                                          .filters = TEXTS("", "", "ok", "", "", "ok"),
                                          .distinct = TEXTS("false", "false", "false", "false", "false", "false"),
                                          .names = TEXTS("n", "s", "f", "a", "i", "c")};
/* One column with DISTINCT, and calls that do not care for the order of rows. */
static const struct group_config distinct = {.functions = TEXTS("count", "sum", "count", "max", "count"),
                                             .arguments = TEXTS("v", "v", "v", "s", ""),
                                             .filters = TEXTS("", "ok", "ok", "", ""),
                                             .distinct = TEXTS("true", "true", "true", "false", "false"),
                                             .names = TEXTS("d", "s", "o", "x", "n")};
/* Several, and calls that do. */
static const struct group_config ordered = {
    .functions = TEXTS("count", "count", "listagg", "array_agg", "first_value", "last_value", "sum", "collect"),
    .arguments = TEXTS("v", "s", "s", "v", "s", "s", "f", "v"),
    .filters = TEXTS("", "ok", "", "ok", "", "", "", ""),
    .distinct = TEXTS("true", "true", "false", "false", "false", "false", "false", "false"),
    .names = TEXTS("d", "e", "l", "a", "f", "t", "s", "c")};

static struct sys *real; /* the driver's own has no files */

/* How a run is done. */
struct how {
    const struct group_config *calls;
    const char *keys, *backend;
    int64_t memory;
    uint32_t batch_rows;
    bool sorts;
};

static struct op_driver *open(const struct how *h, const char *dirs, int64_t files)
{
    static struct hash_aggregate_config c; /* of the one driver that is open */

    c = (struct hash_aggregate_config){.calls = *h->calls,
                                       .sorts = h->sorts,
                                       .spill = {.memory = h->memory, .dirs = dirs, .files = files, .packs = h->batch_rows == 66, .key = "the.key"}};
    return op_driver_create(&(struct op_setup){.type = op_find("hash_aggregate"),
                                               .config = &c,
                                               .in = TYPE,
                                               .keys = h->keys,
                                               .batch_rows = h->batch_rows,
                                               .backend = h->backend,
                                               .sys = real});
}

/* Half of the rows are of five keys, the others of hundreds. */
static void push_some(struct op_driver *d, uint32_t first, uint32_t count)
{
    size_t size = (size_t)count * 160, n = 0;
    char *text = malloc(size), key[16];

    for (uint32_t i = first; i < first + count; i++) {
        uint32_t mixed = i * 2654435761u >> 7, number = i % 2 == 0 ? mixed % 5 : mixed % 700;
        snprintf(key, sizeof key, number == 3 ? "null" : "%u", number);
        n += (size_t)snprintf(text + n, size - n, "%s | %u | %s%u | %u.%u | %s | [%u]\n", key, mixed % 900,
                              i % 3 == 0 ? "a text that is longer than a reference " : "t", mixed % 50, i % 77, i % 10,
                              i % 7 == 0   ? "null"
                              : i % 5 == 0 ? "false"
                                           : "true",
                              mixed % 20);
    }
    op_push(d, 0, text);
    free(text);
}

/* What comes out, sorted; to be freed. files: there are some before the end. */
static char *grouped(const struct how *h, const struct folder *f, int64_t open_files, bool *files)
{
    struct op_driver *d = open(h, f->path, open_files);

    for (uint32_t i = 0; i < ROWS; i += PUSH) push_some(d, i, PUSH);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d), "");
    *files = folder_count(f, "") > 0;
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    char *out = lines_sorted(op_output(d));
    op_driver_free(d);
    assert_int_equal(folder_count(f, ""), 0);
    return out;
}

static void files_give_what_memory_gives(const struct group_config *calls, const char *keys)
{
    static const int64_t memories[] = {1, 100000, 300000, 1000000000, 0};
    struct how h = {.calls = calls, .keys = keys};
    struct folder f;
    bool files;

    folder_make(&f);
    char *expected = grouped(&h, &f, 0, &files);
    assert_false(files);
    for (size_t m = 0; m < 2 * COUNT_OF(memories); m++)
        for (uint32_t size = 0; size < 100; size += 3 * 11) {
            struct how with = {.calls = calls,
                               .keys = keys,
                               .backend = size == 33 ? "pending" : NULL,
                               .memory = memories[m / 2],
                               .sorts = m % 2 != 0,
                               .batch_rows = size};
            char *got = grouped(&with, &f, size == 0 ? 100 : 2, &files);
            assert_string_equal(got, expected);
            if (memories[m / 2] == 1) assert_true(files);
            if (memories[m / 2] == 1000000000) assert_false(files);
            free(got);
        }
    free(expected);
    folder_remove(&f);
}

static void sums_of_groups(void **state)
{
    (void)state;
    files_give_what_memory_gives(&words, "k");
}

static void values_that_count_once(void **state)
{
    (void)state;
    files_give_what_memory_gives(&distinct, "k");
}

static void values_in_their_order(void **state)
{
    (void)state;
    files_give_what_memory_gives(&ordered, "k");
}

static void keys_of_texts_and_lists(void **state)
{
    (void)state;
    files_give_what_memory_gives(&words, "s k");
    files_give_what_memory_gives(&ordered, "l s");
}

static void one_group_with_more_values_than_fit(void **state)
{
    (void)state;
    files_give_what_memory_gives(&distinct, NULL);
}

static void without_calls_keys_are_told_apart(void **state)
{
    static const struct group_config none;

    (void)state;
    files_give_what_memory_gives(&none, "k s");
}

static void no_rows_make_one_group_where_there_are_no_keys(void **state)
{
    struct how keyed = {.calls = &words, .keys = "k", .memory = 1}, unkeyed = {.calls = &words, .memory = 1};

    (void)state;
    struct op_driver *d = open(&keyed, "/tmp", 2);
    op_push_end(d);
    assert_string_equal(op_output(d), "");
    op_driver_free(d);
    d = open(&unkeyed, "/tmp", 2);
    op_push_end(d);
    assert_string_equal(op_output(d), "+I[0, null, null, null, null, 0]\n");
    op_driver_free(d);
}

static void files_go_when_it_is_closed_half_way(void **state)
{
    struct how h = {.calls = &ordered, .keys = "k", .memory = 1};
    struct folder f;

    (void)state;
    folder_make(&f);
    struct op_driver *d = open(&h, f.path, 4);
    push_some(d, 0, PUSH);
    push_some(d, PUSH, PUSH);
    assert_true(folder_count(&f, "") > 0);
    op_driver_free(d);
    assert_int_equal(folder_count(&f, ""), 0);
    folder_remove(&f);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct how h = {.calls = &words, .keys = "k", .memory = 1};
    struct op_driver *d = open(&h, "/nowhere/at/all", 4);

    (void)state;
    push_some(d, 0, PUSH);
    push_some(d, PUSH, PUSH);
    assert_non_null(
        strstr(op_driver_error(d), "rows that do not fit 'the.key' go to files in '/nowhere/at/all' (io.tmp.dirs)"));
    op_driver_free(d);
}

/* Whenever the disk fails, the job does, and leaves no file. */
static void a_full_disk_is_told(void **state)
{
    struct how h = {.calls = &ordered, .keys = "k", .memory = 100000};
    struct folder f;
    bool failed = true;

    (void)state;
    folder_make(&f);
    for (uint32_t n = 1; failed; n += 1 + n / 4) {
        full_disk_begin(real, n);
        struct op_driver *d = open(&h, f.path, 4);
        for (uint32_t i = 0; i < ROWS && op_driver_error(d)[0] == '\0'; i += PUSH) push_some(d, i, PUSH);
        if (op_driver_error(d)[0] == '\0') op_push_end(d);
        assert_int_equal(strstr(op_driver_error(d), "no space left on the disk") != NULL, op_driver_error(d)[0] != '\0');
        failed = op_driver_error(d)[0] != '\0';
        op_driver_free(d);
        assert_int_equal(full_disk_end(real), failed);
        assert_int_equal(folder_count(&f, ""), 0);
    }
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_groups),
        cmocka_unit_test(values_that_count_once),
        cmocka_unit_test(values_in_their_order),
        cmocka_unit_test(keys_of_texts_and_lists),
        cmocka_unit_test(one_group_with_more_values_than_fit),
        cmocka_unit_test(without_calls_keys_are_told_apart),
        cmocka_unit_test(no_rows_make_one_group_where_there_are_no_keys),
        cmocka_unit_test(files_go_when_it_is_closed_half_way),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(a_full_disk_is_told),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
