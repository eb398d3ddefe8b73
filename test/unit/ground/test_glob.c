/* test_glob.c - which files a path, a folder or a pattern stands for. */
#include "ground/base/buf.h"
#include "ground/fs/fs.h"
#include "support/folder.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

struct world {
    struct sys *sys;
    struct folder folder;
    struct mem mem;
    struct arena arena;
    struct buf out;
    struct err err;
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    w.sys = sys_linux_create_quiet();
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    buf_init(&w.out, &w.mem);
    folder_make(&w.folder);
    static const char *const names[] = {"2024/jan/a.csv", "2024/jan/b.csv",  "2024/jan/_SUCCESS", "2024/feb/a.csv", "2024/feb/a.txt",
                                        "2024/.git/a.csv", "2025/jan/ab.csv", "2025/star*.csv",    "2025/starry.csv"};
    for (size_t i = 0; i < COUNT_OF(names); i++) folder_write(&w.folder, names[i], "x");
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    folder_remove(&w->folder);
    buf_release(&w->out);
    arena_release(&w->arena);
    sys_linux_free(w->sys);
    return 0;
}

/* The found names below the test's folder, with a blank between. */
static const char *found(struct world *w, const char *pattern, bool recursive)
{
    struct fs_list list;

    buf_clear(&w->out);
    err_clear(&w->err);
    if (fs_glob(w->sys, folder_path(&w->folder, pattern), recursive, &w->arena, &list, &w->err) != S_OK) return w->err.text;
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0) buf_append_byte(&w->out, ' ');
        buf_append_text(&w->out, list.entries[i].path + strlen(w->folder.path) + 1);
        assert_false(list.entries[i].is_directory);
        assert_int_equal(list.entries[i].size, 1);
    }
    return buf_text(&w->out);
}

static void plain_paths(void **state)
{
    struct world *w = *state;

    assert_string_equal(found(w, "2024/jan/a.csv", false), "2024/jan/a.csv");
    assert_string_equal(found(w, "2024/jan/_SUCCESS", false), "2024/jan/_SUCCESS"); /* spelled out */
    assert_string_equal(found(w, "2024/jan", false), "2024/jan/a.csv 2024/jan/b.csv");
    assert_string_equal(found(w, "2024/jan/", false), "2024/jan/a.csv 2024/jan/b.csv");
    assert_string_equal(found(w, "2024", false), "");
    assert_string_equal(found(w, "2024", true), "2024/feb/a.csv 2024/feb/a.txt 2024/jan/a.csv 2024/jan/b.csv");
}

static void patterns(void **state)
{
    struct world *w = *state;

    assert_string_equal(found(w, "2024/jan/*", false), "2024/jan/a.csv 2024/jan/b.csv");
    assert_string_equal(found(w, "2024/jan/_*", false), "2024/jan/_SUCCESS");
    assert_string_equal(found(w, "2024/*/a.*", false), "2024/feb/a.csv 2024/feb/a.txt 2024/jan/a.csv");
    assert_string_equal(found(w, "*/jan/?.csv", false), "2024/jan/a.csv 2024/jan/b.csv");
    assert_string_equal(found(w, "202?/jan/a*", false), "2024/jan/a.csv 2025/jan/ab.csv");
    assert_string_equal(found(w, "202*/feb/a.csv", false), "2024/feb/a.csv"); /* 2025/feb is not there */
    assert_string_equal(found(w, "2024/j*n", false), "2024/jan/a.csv 2024/jan/b.csv"); /* a folder that matches */
    assert_string_equal(found(w, "*/*", true),
                        "2024/feb/a.csv 2024/feb/a.txt 2024/jan/a.csv 2024/jan/b.csv 2025/jan/ab.csv 2025/star*.csv 2025/starry.csv");
    assert_string_equal(found(w, "2025/star*.csv", false), "2025/star*.csv"); /* it exists by that very name */
    assert_string_equal(found(w, "2025/*r*y*.c*v", false), "2025/starry.csv");
}

static void what_is_missing_is_said(void **state)
{
    struct world *w = *state;

    assert_non_null(strstr(found(w, "2024/march", false), "no such file or folder"));
    assert_int_equal(w->err.status, E_NOT_FOUND);
    assert_non_null(strstr(found(w, "2024/*.parquet", false), "no file matches '"));
    assert_int_equal(w->err.status, E_NOT_FOUND);
    assert_non_null(strstr(found(w, "nowhere/*.csv", false), "no file matches '"));
}

static void a_link_that_leads_back_ends(void **state)
{
    struct world *w = *state;

    assert_int_equal(symlink(w->folder.path, folder_path(&w->folder, "2024/back")), 0);
    const char *text = found(w, "2024", true);
    assert_int_not_equal(w->err.status, S_OK);
    assert_non_null(strstr(text, "back"));
}

static void relative_paths_stay_relative(void **state)
{
    struct world *w = *state;
    struct fs_list list;
    char before[4096];

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder_path(&w->folder, "2024/jan")), 0);
    assert_int_equal(fs_glob(w->sys, "*.csv", false, &w->arena, &list, &w->err), S_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.entries[0].path, "a.csv");
    assert_int_equal(chdir(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(patterns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_that_leads_back_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(relative_paths_stay_relative, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
