/* test_fs_local.c - fs_local: publishing whole or not at all, never over another when told so; ranges; listings. */
#include "ground/base/str.h"
#include "ground/fs/fs.h"
#include "support/folder.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <stdio.h>

struct world {
    struct sys *sys;
    const struct fs_type *fs;
    struct folder folder;
    struct mem mem;
    struct arena arena;
    struct err err;
    char room[256];
};

static int set_up(void **state)
{
    static struct world w;
    const char *ignored;

    memset(&w, 0, sizeof w);
    w.sys = sys_linux_create_quiet();
    mem_init(&w.mem, "test", 0);
    arena_init(&w.arena, &w.mem, 0);
    folder_make(&w.folder);
    assert_int_equal(fs_find("/x", &w.fs, &ignored, &w.err), S_OK);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    folder_remove(&w->folder);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    sys_linux_free(w->sys);
    return 0;
}

static enum status publish(struct world *w, const char *name, const char *text, bool if_absent, enum fs_outcome *outcome)
{
    return w->fs->publish(w->sys, folder_path(&w->folder, name), str_of(text), if_absent, outcome, &w->err);
}

static void publishes_with_folders(void **state)
{
    struct world *w = *state;
    enum fs_outcome outcome = FS_UNKNOWN;

    assert_int_equal(publish(w, "a/b/one", "the bytes", true, &outcome), S_OK);
    assert_int_equal(outcome, FS_OK);
    assert_string_equal(folder_read(&w->folder, "a/b/one", w->room, sizeof w->room), "the bytes");
    assert_int_equal(folder_count(&w->folder, "a/b"), 1); /* no temporary file is left */
    assert_int_equal(publish(w, "a/b/none", "", true, &outcome), S_OK);
    assert_string_equal(folder_read(&w->folder, "a/b/none", w->room, sizeof w->room), "");
}

static void if_absent_keeps_what_is_there(void **state)
{
    struct world *w = *state;
    enum fs_outcome outcome;

    assert_int_equal(publish(w, "one", "first", true, &outcome), S_OK);
    assert_int_equal(publish(w, "one", "second", true, &outcome), S_OK);
    assert_int_equal(outcome, FS_EXISTS);
    assert_int_equal(w->err.status, S_OK); /* an answer, not an error */
    assert_string_equal(folder_read(&w->folder, "one", w->room, sizeof w->room), "first");
    assert_int_equal(folder_count(&w->folder, "."), 1);
    assert_int_equal(publish(w, "one", "third", false, &outcome), S_OK);
    assert_int_equal(outcome, FS_OK);
    assert_string_equal(folder_read(&w->folder, "one", w->room, sizeof w->room), "third");
}

static void refuses_what_is_no_file(void **state)
{
    struct world *w = *state;
    enum fs_outcome outcome;

    assert_int_equal(publish(w, "folder/", "x", true, &outcome), E_CONFIG);
    assert_non_null(strstr(w->err.text, "is not a file's name"));
    err_clear(&w->err);
    folder_write(&w->folder, "plain", "x");
    assert_int_equal(publish(w, "plain/below", "x", true, &outcome), E_EXISTS);
    assert_non_null(strstr(w->err.text, "/plain': a file has that name"));
    err_clear(&w->err);
    folder_write(&w->folder, "folder/inside", "x");
    assert_int_not_equal(publish(w, "folder", "x", false, &outcome), S_OK);
    assert_int_equal(folder_count(&w->folder, "."), 2); /* a failure leaves nothing behind */
}

static void reads_ranges(void **state)
{
    struct world *w = *state;
    char bytes[8];
    size_t got;

    folder_write(&w->folder, "digits", "0123456789");
    const char *path = folder_path(&w->folder, "digits");
    assert_int_equal(w->fs->read_range(w->sys, path, 3, bytes, 4, &got, &w->err), S_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(bytes, "3456", 4);
    assert_int_equal(w->fs->read_range(w->sys, path, 7, bytes, 8, &got, &w->err), S_OK);
    assert_int_equal(got, 3);
    assert_memory_equal(bytes, "789", 3);
    assert_int_equal(w->fs->read_range(w->sys, path, 99, bytes, 8, &got, &w->err), S_OK);
    assert_int_equal(got, 0);
    assert_int_equal(w->fs->read_range(w->sys, "/no/such", 0, bytes, 8, &got, &w->err), E_NOT_FOUND);
    assert_string_equal(w->err.text, "cannot open '/no/such': no such file");
}

static void lists_and_removes(void **state)
{
    struct world *w = *state;
    struct fs_list list;
    struct fs_entry entry;

    folder_write(&w->folder, "b", "22");
    folder_write(&w->folder, "a/inside", "1");
    folder_write(&w->folder, ".hidden", "");
    assert_int_equal(w->fs->list(w->sys, w->folder.path, &w->arena, &list, &w->err), S_OK);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.entries[0].path, folder_path(&w->folder, ".hidden"));
    assert_string_equal(list.entries[1].path, folder_path(&w->folder, "a"));
    assert_true(list.entries[1].is_directory);
    assert_int_equal(list.entries[2].size, 2);
    assert_int_equal(w->fs->stat(w->sys, list.entries[2].path, &entry, &w->err), S_OK);
    assert_int_equal(entry.size, 2);
    assert_false(entry.is_directory);
    assert_int_equal(w->fs->remove(w->sys, list.entries[2].path, &w->err), S_OK);
    assert_int_equal(w->fs->remove(w->sys, list.entries[2].path, &w->err), S_OK); /* idempotent */
    assert_int_equal(w->fs->stat(w->sys, list.entries[2].path, &entry, &w->err), E_NOT_FOUND);
    err_clear(&w->err);
    assert_int_equal(w->fs->list(w->sys, "/no/such", &w->arena, &list, &w->err), E_NOT_FOUND);
    assert_string_equal(w->err.text, "cannot list '/no/such': no such folder");
}

static void many_entries_are_sorted(void **state)
{
    struct world *w = *state;
    struct fs_list list;
    char name[16];

    for (int i = 199; i >= 0; i--) {
        snprintf(name, sizeof name, "f%03d", i * 7 % 200);
        folder_write(&w->folder, name, "");
    }
    assert_int_equal(w->fs->list(w->sys, w->folder.path, &w->arena, &list, &w->err), S_OK);
    assert_int_equal(list.count, 200);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "f%03d", i);
        assert_string_equal(list.entries[i].path, folder_path(&w->folder, name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(publishes_with_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(if_absent_keeps_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_ranges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_and_removes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_entries_are_sorted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
