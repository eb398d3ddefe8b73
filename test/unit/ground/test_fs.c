/* test_fs.c - which file system and path a URI names, and what is said when it names none. */
#include "ground/fs/fs.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void finds(const char *uri, const char *expected)
{
    const struct fs_type *type = NULL;
    const char *path = NULL;
    struct err e = {0};

    assert_int_equal(fs_find(uri, &type, &path, &e), S_OK);
    assert_string_equal(type->scheme, "file");
    assert_string_equal(path, expected);
}

static void refuses(const char *uri, const char *text, const char *hint)
{
    const struct fs_type *type = NULL;
    const char *path = NULL;
    struct err e = {0};

    assert_int_equal(fs_find(uri, &type, &path, &e), E_CONFIG);
    assert_string_equal(e.text, text);
    assert_string_equal(e.hint, hint);
    assert_null(type);
}

static void local_paths(void **state)
{
    (void)state;
    finds("/a/b", "/a/b");
    finds("a/b.csv", "a/b.csv");
    finds("a:b.csv", "a:b.csv"); /* a colon alone makes no scheme */
    finds("file:///a/b", "/a/b");
    finds("FILE:///a/b", "/a/b");
    finds("file:/a/b", "/a/b");
    finds("file://localhost/a", "/a");
}

static void mistakes(void **state)
{
    (void)state;
    refuses("", "the path is empty", "");
    refuses("hdfs://node/a", "'hdfs://node/a': there is no file system 'hdfs'", "known are file:// and plain paths");
    refuses("file://data/x.csv", "'file://data/x.csv' names the host 'data', but local files have none",
            "write 'file:///folder/name', or the plain path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(local_paths), cmocka_unit_test(mistakes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
