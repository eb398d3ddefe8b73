/* test_op_fold.c - a changelog folded: what is there at the end comes as often as it is there, in the order of first arrival; what is
 * taken back before it comes; state that is pending; with little memory the same rows come out as with all of it. */
#include "flow/operator/fold_config.h"
#include "support/folder.h"
#include "support/lines.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

static void expect(const char *rows, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("fold"),
                                                                      .config = &(const struct fold_config){{0}},
                                                                      .in = "ROW<k INT, s STRING>",
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, rows);
            assert_string_equal(op_output(d), "");
            op_push_end(d);
            assert_string_equal(op_output(d), expected);
            op_driver_free(d);
        }
}

static void what_is_left_comes_once_for_each_time(void **state)
{
    (void)state;
    expect("1 | a\n2 | b\n-U 1 | a\n+U 1 | c\n2 | b\n3 | a longer text than twelve\n-D 3 | a longer text than twelve\n2 | b\nnull | null",
           "+I[2, b]\n+I[2, b]\n+I[2, b]\n+I[1, c]\n+I[null, null]\n");
}

static void rows_may_be_taken_back_before_they_come(void **state)
{
    (void)state;
    expect("-D 1 | a\n1 | a\n-D 2 | b\n2 | b\n2 | b", "+I[2, b]\n");
}

static void nothing_gives_nothing(void **state)
{
    (void)state;
    expect("", "");
}

/* --- beyond memory ----------------------------------------------------------------------------------------------- */
enum { ROWS = 6000, PUSH = 500 };

static struct sys *real; /* the driver's own has no files */

/* A quarter of the changes are of one row; others come some times, go again, some before they came. */
static void push_some(struct op_driver *d, uint32_t first)
{
    size_t size = PUSH * 64, n = 0;
    char *text = malloc(size);

    for (uint32_t i = first; i < first + PUSH; i++) {
        uint32_t number = (i * 2654435761u >> 7) % 900;
        const char *kind = i * 2246822519u >> 30 == 0 ? "-D " : "";
        if (i % 4 == 0) n += (size_t)snprintf(text + n, size - n, "%snull | one\n", kind);
        else n += (size_t)snprintf(text + n, size - n, "%s%u | %s%u\n", kind, number, i % 3 == 0 ? "a text that is longer than a reference " : "t", i % 2);
    }
    op_push(d, 0, text);
    free(text);
}

static char *answered(const struct fold_config *c, uint32_t batch_rows, const char *backend, const struct folder *f, bool *files)
{
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("fold"),
                                                              .config = c,
                                                              .in = "ROW<k INT, s STRING>",
                                                              .keys = "k",
                                                              .batch_rows = batch_rows,
                                                              .backend = backend,
                                                              .sys = real});

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
    struct fold_config c = {{0}};
    struct folder f;
    bool files;

    (void)state;
    folder_make(&f);
    char *expected = answered(&c, 0, NULL, &f, &files);
    assert_false(files);
    assert_true(strlen(expected) > 10000);
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
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_comes_once_for_each_time),
        cmocka_unit_test(rows_may_be_taken_back_before_they_come),
        cmocka_unit_test(nothing_gives_nothing),
        cmocka_unit_test(files_give_what_memory_gives),
    };

    real = sys_linux_create_quiet();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sys_linux_free(real);
    return failed;
}
