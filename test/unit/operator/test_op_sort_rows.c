/* test_op_sort_rows.c - all rows in an order: in memory and by files the same; equal rows as they came; lists, long texts, NULLs; many
 * runs merged a few at a time; some places of the order; no file is left at the end, nor when the operator is closed half-way; a folder that is not there. */
#include "flow/operator/sort_rows.h"
#include "support/folder.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXTS(...) {(const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))}
#define TYPE "ROW<k INT, v INT, s STRING, l ARRAY<STRING>>"

enum { ROWS = 3000, PUSH = 500 };

static const struct sort_rows_config by_two = {.order = TEXTS("k", "s"), .directions = TEXTS("desc", "asc"), .nulls = TEXTS("last", "first")};

static struct sort_rows_config config_of(int64_t memory, const char *dirs, int64_t files)
{
    struct sort_rows_config c = by_two;

    c.spill = (struct spill_config){.memory = memory, .dirs = dirs, .files = files, .packs = files > 2};
    return c;
}

static struct sys *real; /* the driver's own has no files */

static struct op_driver *open(const struct sort_rows_config *c, uint32_t batch_rows)
{
    return op_driver_create(
        &(struct op_setup){.type = op_find("sort_rows"), .config = c, .in = TYPE, .batch_rows = batch_rows, .sys = real});
}

static void push_some(struct op_driver *d, uint32_t first, uint32_t count)
{
    static const char *const texts[] = {"a", "null", "a text that is longer than a reference", "b"};
    size_t size = (size_t)count * 128, n = 0;
    char *text = malloc(size);

    for (uint32_t i = first; i < first + count; i++) {
        const char *s = texts[i * 7 % COUNT_OF(texts)];
        n += (size_t)snprintf(text + n, size - n, "%s | %u | %s | [%s, x]\n", i % 11 == 0 ? "null" : i % 3 == 0 ? "5" : i % 2 == 0 ? "-7" : "9", i, s,
                              i % 5 == 0 ? "null" : "some text of a list");
    }
    op_push(d, 0, text);
    free(text);
}

/* What comes out; to be freed. */
static char *sorted_by(const struct sort_rows_config *c, uint32_t batch_rows)
{
    struct op_driver *d = open(c, batch_rows);

    for (uint32_t i = 0; i < ROWS; i += PUSH) push_some(d, i, PUSH);
    assert_string_equal(op_output(d), "");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    char *out = strdup(op_output(d));
    op_driver_free(d);
    return out;
}

static char *sorted(int64_t memory, const char *dirs, int64_t files, uint32_t batch_rows)
{
    struct sort_rows_config c = config_of(memory, dirs, files);

    return sorted_by(&c, batch_rows);
}

static void files_give_what_memory_gives(void **state)
{
    static const uint32_t sizes[] = {0, 9, 999}; /* of small batches, hundreds of runs */
    struct folder f;
    char *expected = sorted(0, NULL, 0, 0);

    (void)state;
    folder_make(&f);
    assert_non_null(strstr(expected, ", a text that is longer than a reference, [some text of a list, x]]"));
    for (int64_t memory = 1000; memory < 1000000; memory *= 8)
        for (int64_t files = 2; files <= 100; files *= 5)
            for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
                char *got = sorted(memory, f.path, files, sizes[i]);
                assert_string_equal(got, expected);
                assert_int_equal(folder_count(&f, ""), 0);
                free(got);
            }
    free(expected);
    folder_remove(&f);
}

static const struct sys_ops *real_ops;
static uint64_t written;

static enum status counting_write(struct sys *s, struct sys_file *f, const void *bytes, size_t size, struct err *e)
{
    written += size;
    return real_ops->file_write(s, f, bytes, size, e);
}

static uint64_t written_with(const char *dirs, int64_t files)
{
    struct sort_rows_config c = config_of(1000, dirs, files);

    written = 0;
    c.spill.packs = false; /* packed bytes say little about rows */
    free(sorted_by(&c, 9));
    return written;
}

/* Hundreds of runs, two or four at a time: a row is written as often as there are passes, not as there are merges. */
static void a_row_is_written_once_per_pass(void **state)
{
    struct folder f;
    struct sys_ops counting = *real->ops;

    (void)state;
    folder_make(&f);
    real_ops = real->ops;
    counting.file_write = counting_write;
    real->ops = &counting;
    uint64_t once = written_with(f.path, 1024), twos = written_with(f.path, 2), fours = written_with(f.path, 4);
    real->ops = real_ops;
    assert_true(once > 0 && twos < 10 * once && fours < 6 * once && fours > once);
    folder_remove(&f);
}

/* Lines first..first + count of a text, cut off where it ends; the text is changed. */
static const char *lines_of(char *text, int64_t first, int64_t count)
{
    for (; first > 0 && *text != '\0'; first--) text = strchr(text, '\n') + 1;
    char *end = text;
    for (; count > 0 && *end != '\0'; count--) end = strchr(end, '\n') + 1;
    *end = '\0';
    return text;
}

static void places_of_the_order(void **state)
{
    static const int64_t places[][2] = {{0, 1}, {0, 2999}, {1, 1}, {1023, 2}, {1500, 700}, {2048, 0}, {2999, 0}, {2999, 5}, {3000, 1}, {9000, 0}};
    struct folder f;

    (void)state;
    folder_make(&f);
    for (size_t i = 0; i < COUNT_OF(places); i++)
        for (int64_t memory = 0; memory <= 20000; memory += 20000)
            for (uint32_t size = 0; size < 100; size += 7 * 9) {
                struct sort_rows_config c = config_of(memory, f.path, 4);
                char *all = sorted(0, NULL, 0, 0);
                c.offset = places[i][0];
                c.fetch = places[i][1];
                char *got = sorted_by(&c, size);
                assert_string_equal(got, lines_of(all, c.offset, c.fetch > 0 ? c.fetch : INT64_MAX));
                assert_int_equal(folder_count(&f, ""), 0);
                free(all);
                free(got);
            }
    folder_remove(&f);
}

static void files_go_when_it_is_closed_half_way(void **state)
{
    struct folder f;

    (void)state;
    folder_make(&f);
    struct sort_rows_config c = config_of(2000, f.path, 4);
    struct op_driver *d = open(&c, 0);
    push_some(d, 0, PUSH);
    push_some(d, PUSH, PUSH);
    assert_true(folder_count(&f, "") > 0);
    op_driver_free(d);
    assert_int_equal(folder_count(&f, ""), 0);
    folder_remove(&f);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct sort_rows_config c = config_of(2000, "/nowhere/at/all", 4);
    struct op_driver *d = open(&c, 0);

    (void)state;
    push_some(d, 0, PUSH);
    assert_non_null(strstr(op_driver_error(d), "/nowhere/at/all"));
    assert_non_null(strstr(op_driver_error(d), "rows that do not fit 'table.exec.resource.sort.memory' go to files in '/nowhere/at/all' (io.tmp.dirs)"));
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_give_what_memory_gives),
        cmocka_unit_test(a_row_is_written_once_per_pass),
        cmocka_unit_test(places_of_the_order),
        cmocka_unit_test(files_go_when_it_is_closed_half_way),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
