/* test_file_records.c - how many records files hold at a glance: one file, several, those of a pattern; the last line without an end;
 * nothing to look at: no file, empty ones, packed ones, a pipe, a path that is none. */
#include "flow/connector/filesystem/file_records.h"
#include "support/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static double guess(const char *uri, const char *pattern)
{
    struct sys *sys = sys_linux_create_quiet();
    struct mem mem;

    mem_init(&mem, "test", 0);
    double out = file_records_guess(sys, &mem, uri, pattern);
    mem_release(&mem);
    sys_linux_free(sys);
    return out;
}

static void lines_of_one_length_are_counted(void **state)
{
    struct folder f;

    (void)state;
    folder_make(&f);
    folder_write(&f, "a.csv", "1,one\n2,two\n3,six\n");
    assert_int_equal((int)guess(folder_path(&f, "a.csv"), NULL), 3);
    assert_int_equal((int)guess(f.path, NULL), 3);
    folder_write(&f, "b.csv", "4,ten\n5,one\n");
    folder_write(&f, "_hidden.csv", "4,ten\n5,one\n");
    assert_int_equal((int)guess(f.path, NULL), 5);
    assert_int_equal((int)guess(f.path, ".*/b[.]csv"), 2);
    folder_remove(&f);
}

static void the_first_lines_stand_for_all(void **state)
{
    struct folder f;
    static char text[200000];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 4000; i++) n += (size_t)sprintf(text + n, "ten bytes\n");
    for (int i = 0; i < 1000; i++) n += (size_t)sprintf(text + n, "these are twenty b.\n");
    folder_make(&f);
    folder_write(&f, "a.csv", text);
    assert_int_equal((int)guess(folder_path(&f, "a.csv"), NULL), 6000);
    folder_write(&f, "a.csv", "no line ends here");
    assert_int_equal((int)guess(folder_path(&f, "a.csv"), NULL), 1);
    folder_write(&f, "a.csv", "ten bytes\nfive!");
    assert_int_equal((int)(guess(folder_path(&f, "a.csv"), NULL) * 10), 15);
    folder_remove(&f);
}

static void what_cannot_be_told(void **state)
{
    struct folder f;

    (void)state;
    folder_make(&f);
    assert_true(guess(f.path, NULL) < 0);
    assert_true(guess(folder_path(&f, "nothing.csv"), NULL) < 0);
    folder_write(&f, "a.csv", "");
    assert_true(guess(folder_path(&f, "a.csv"), NULL) < 0);
    folder_write(&f, "b.csv", "1\n");
    assert_int_equal((int)guess(f.path, NULL), 1);
    folder_write(&f, "c.csv.gz", "packed");
    assert_true(guess(f.path, NULL) < 0);
    assert_true(guess("nowhere://a", NULL) < 0);
    assert_true(guess("/dev/stdin", NULL) < 0);
    assert_true(guess(f.path, "(") < 0);
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_one_length_are_counted),
        cmocka_unit_test(the_first_lines_stand_for_all),
        cmocka_unit_test(what_cannot_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
