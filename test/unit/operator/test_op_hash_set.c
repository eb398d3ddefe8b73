/* test_op_hash_set.c - INTERSECT and EXCEPT in batch mode: nothing comes before both inputs have ended; with little memory the same rows
 * come out as with all of it, also of one row that is there more often than a batch holds; files are gone at the end. */
#include "flow/operator/set_config.h"
#include "support/folder.h"
#include "support/lines.h"
#include "support/op_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TYPE "ROW<k INT, s STRING>"

enum { ROWS = 4000, PUSH = 500 };

static struct sys *real; /* the driver's own has no files */

static struct op_driver *open(const struct set_config *c, uint32_t batch_rows, const char *backend)
{
    return op_driver_create(&(struct op_setup){.type = op_find("hash_set"),
                                               .config = c,
                                               .in = TYPE,
                                               .in2 = TYPE,
                                               .keys = "k",
                                               .keys2 = "k",
                                               .batch_rows = batch_rows,
                                               .backend = backend,
                                               .sys = real});
}

/* A quarter of the rows is one row; others are there a few times, a side at a time. */
static void push_some(struct op_driver *d, uint32_t input, uint32_t first)
{
    size_t size = PUSH * 64, n = 0;
    char *text = malloc(size);

    for (uint32_t i = first; i < first + PUSH; i++) {
        uint32_t number = (i * 2654435761u >> 7) % (input == 0 ? 900 : 700);
        if (i % 4 == 0) n += (size_t)snprintf(text + n, size - n, "null | one\n");
        else n += (size_t)snprintf(text + n, size - n, "%u | %s%u\n", number, i % 3 == 0 ? "a text that is longer than a reference " : "t", i % 2);
    }
    op_push(d, input, text);
    free(text);
}

static char *answered(const struct set_config *c, uint32_t batch_rows, const char *backend, const struct folder *f, bool *files)
{
    struct op_driver *d = open(c, batch_rows, backend);

    for (uint32_t i = 0; i < ROWS; i += PUSH) push_some(d, 0, i);
    for (uint32_t i = 0; i < ROWS / 2; i += PUSH) push_some(d, 1, i);
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

static void files_give_what_memory_gives(void **state)
{
    static const int64_t memories[] = {1, 60000, 1000000000};
    struct folder f;
    bool files;

    (void)state;
    folder_make(&f);
    for (uint32_t k = 0; k < 4; k++) {
        struct set_config c = {.is_except = k / 2 == 1, .all = k % 2 == 1};
        char *expected = answered(&c, 0, NULL, &f, &files);
        assert_false(files);
        c.spill = (struct spill_config){.dirs = f.path, .files = 4, .key = "the.key"};
        for (size_t m = 0; m < COUNT_OF(memories); m++)
            for (uint32_t size = 0; size < 100; size += 33) {
                c.spill.memory = memories[m];
                char *got = answered(&c, size, size == 33 ? "pending" : NULL, &f, &files);
                assert_string_equal(got, expected);
                assert_int_equal(files, memories[m] == 1 || (files && memories[m] == 60000));
                free(got);
            }
        free(expected);
    }
    folder_remove(&f);
}

#define RIGHT "1 | a\n1 | a\n2 | null\n2 | null\n3 | c"

static void expect(struct set_config c, const char *expected)
{
    static const int64_t memories[] = {0, 1};
    static const uint32_t sizes[] = {0, 1, 3};
    struct folder f;

    folder_make(&f);
    for (size_t m = 0; m < COUNT_OF(memories); m++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            c.spill = (struct spill_config){.memory = memories[m], .dirs = f.path, .files = 4, .key = "the.key"};
            struct op_driver *d = open(&c, sizes[i], NULL);
            op_push(d, 0, "1 | a\n1 | a");
            op_push(d, 1, RIGHT);
            op_push(d, 0, "1 | a\n1 | b\n2 | null");
            op_push_end(d);
            assert_string_equal(op_driver_error(d), "");
            char *got = lines_sorted(op_output(d));
            assert_string_equal(got, expected);
            free(got);
            op_driver_free(d);
        }
    folder_remove(&f);
}

static void counts_say_how_often(void **state)
{
    (void)state;
    expect((struct set_config){0}, "+I[1, a]\n+I[2, null]\n");
    expect((struct set_config){.all = true}, "+I[1, a]\n+I[1, a]\n+I[2, null]\n");
    expect((struct set_config){.is_except = true}, "+I[1, b]\n");
    expect((struct set_config){.is_except = true, .all = true}, "+I[1, a]\n+I[1, b]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_give_what_memory_gives),
        cmocka_unit_test(counts_say_how_often),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
