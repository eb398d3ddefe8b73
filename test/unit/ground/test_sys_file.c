/* test_sys_file.c - files and folders of the Linux world, and the sentence and status of each way to fail. */
#include "ground/sys/sys.h"
#include "support/folder.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    struct sys *sys;
    struct folder folder;
    struct err err;
    char room[512], expected[600];
};

static int set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    w.sys = sys_linux_create_quiet();
    folder_make(&w.folder);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    folder_remove(&w->folder);
    sys_linux_free(w->sys);
    return 0;
}

static struct sys_file *opened(struct world *w, const char *name, int flags)
{
    struct sys_file *f = NULL;

    if (sys_file_open(w->sys, folder_path(&w->folder, name), flags, &f, &w->err) != S_OK) fail_msg("%s", w->err.text);
    return f;
}

static void put(struct world *w, struct sys_file *f, const char *text)
{
    assert_int_equal(sys_file_write(w->sys, f, text, strlen(text), &w->err), S_OK);
    sys_file_close(w->sys, f);
}

/* The status and "cannot <verb> '<folder>/<name>': <reason>". */
static void fails(struct world *w, enum status got, enum status status, const char *verb, const char *name, const char *reason)
{
    assert_int_equal(got, status);
    snprintf(w->expected, sizeof w->expected, "cannot %s '%s': %s", verb, folder_path(&w->folder, name), reason);
    assert_string_equal(w->err.text, w->expected);
    err_clear(&w->err);
}

static void writes_and_reads(void **state)
{
    struct world *w = *state;
    char bytes[16];
    size_t got;

    put(w, opened(w, "f", SYS_WRITE | SYS_CREATE), "0123456789");
    assert_string_equal(folder_read(&w->folder, "f", w->room, sizeof w->room), "0123456789");
    put(w, opened(w, "f", SYS_WRITE | SYS_APPEND), "ab");
    put(w, opened(w, "f", SYS_WRITE), "__");
    assert_string_equal(folder_read(&w->folder, "f", w->room, sizeof w->room), "__23456789ab");
    struct sys_file *f = opened(w, "f", SYS_READ);
    assert_int_equal(sys_file_seek(w->sys, f, 8, &w->err), S_OK);
    assert_int_equal(sys_file_read(w->sys, f, bytes, 2, &got, &w->err), S_OK);
    assert_int_equal(got, 2);
    assert_memory_equal(bytes, "89", 2);
    assert_int_equal(sys_file_read(w->sys, f, bytes, sizeof bytes, &got, &w->err), S_OK);
    assert_int_equal(got, 2);
    assert_int_equal(sys_file_read(w->sys, f, bytes, sizeof bytes, &got, &w->err), S_OK);
    assert_int_equal(got, 0);
    assert_int_equal(sys_file_sync(w->sys, f, &w->err), S_OK);
    sys_file_close(w->sys, f);
    put(w, opened(w, "f", SYS_WRITE | SYS_CREATE | SYS_TRUNCATE), "new");
    assert_string_equal(folder_read(&w->folder, "f", w->room, sizeof w->room), "new");
    sys_file_close(w->sys, NULL);
}

static void opening_fails(void **state)
{
    struct world *w = *state;
    struct sys_file *f = NULL;

    fails(w, sys_file_open(w->sys, folder_path(&w->folder, "x.csv"), SYS_READ, &f, &w->err), E_NOT_FOUND, "open", "x.csv", "no such file");
    fails(w, sys_file_open(w->sys, folder_path(&w->folder, "no/x"), SYS_WRITE | SYS_CREATE, &f, &w->err), E_NOT_FOUND, "create", "no/x",
          "no such folder");
    folder_write(&w->folder, "there", "kept");
    fails(w, sys_file_open(w->sys, folder_path(&w->folder, "there"), SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &f, &w->err), E_EXISTS,
          "create", "there", "it exists already");
    assert_string_equal(folder_read(&w->folder, "there", w->room, sizeof w->room), "kept");
    fails(w, sys_file_open(w->sys, folder_path(&w->folder, "there/x"), SYS_READ, &f, &w->err), E_IO, "open", "there/x",
          "a part of the path is not a folder");
    fails(w, sys_file_open(w->sys, folder_path(&w->folder, ""), SYS_WRITE, &f, &w->err), E_IO, "open", "", "it is a folder");
    assert_null(f);
}

static void permission_is_told(void **state)
{
    struct world *w = *state;
    struct sys_file *f = NULL;
    bool is_root = geteuid() == 0;

    folder_write(&w->folder, "secret", "x");
    assert_int_equal(chmod(folder_path(&w->folder, "secret"), 0), 0);
    assert_int_equal(chmod(w->folder.path, 0755), 0);
    if (is_root) assert_int_equal(seteuid(65534), 0); /* to root nothing is forbidden */
    enum status st = sys_file_open(w->sys, folder_path(&w->folder, "secret"), SYS_READ, &f, &w->err);
    if (is_root) assert_int_equal(seteuid(0), 0);
    fails(w, st, E_PERMISSION, "open", "secret", "permission denied");
}

static void full_disk_and_broken_pipe(void **state)
{
    struct world *w = *state;
    struct sys_file *f = NULL;

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(sys_file_open(w->sys, "/dev/full", SYS_WRITE, &f, &w->err), S_OK);
    assert_int_equal(sys_file_write(w->sys, f, "x", 1, &w->err), E_FULL_DISK);
    assert_string_equal(w->err.text, "cannot write '/dev/full': no space left on device");
    err_clear(&w->err);
    sys_file_close(w->sys, f);
    assert_int_equal(mkfifo(folder_path(&w->folder, "pipe"), 0600), 0);
    int reader = open(folder_path(&w->folder, "pipe"), O_RDONLY | O_NONBLOCK);
    f = opened(w, "pipe", SYS_WRITE);
    close(reader);
    fails(w, sys_file_write(w->sys, f, "x", 1, &w->err), E_PIPE, "write", "pipe", "the reader went away");
    sys_file_close(w->sys, f);
}

static void renames_and_deletes(void **state)
{
    struct world *w = *state;
    struct sys_stat st;

    folder_write(&w->folder, "a", "A");
    folder_write(&w->folder, "b", "B");
    const char *a = folder_path(&w->folder, "a"), *b = folder_path(&w->folder, "b"), *c = folder_path(&w->folder, "c");
    assert_int_equal(sys_file_rename_new(w->sys, a, b, &w->err), E_EXISTS);
    err_clear(&w->err);
    assert_string_equal(folder_read(&w->folder, "b", w->room, sizeof w->room), "B");
    assert_int_equal(sys_file_rename_new(w->sys, a, c, &w->err), S_OK);
    assert_string_equal(folder_read(&w->folder, "c", w->room, sizeof w->room), "A");
    assert_int_equal(sys_file_stat(w->sys, a, &st, &w->err), E_NOT_FOUND);
    err_clear(&w->err);
    assert_int_equal(sys_file_rename_over(w->sys, c, b, &w->err), S_OK);
    assert_string_equal(folder_read(&w->folder, "b", w->room, sizeof w->room), "A");
    assert_int_equal(sys_file_delete(w->sys, b, &w->err), S_OK);
    assert_int_equal(sys_file_delete(w->sys, b, &w->err), S_OK);
    assert_int_equal(folder_count(&w->folder, "."), 0);
}

static void collect(void *arg, const char *name, const struct sys_stat *st)
{
    char *out = arg;

    const char *kind = st->is_directory ? "d" : st->is_regular ? "" : "?";
    sprintf(out + strlen(out), "%s:%s%lld ", name, kind, st->is_directory ? 0 : (long long)st->size);
}

static void folders(void **state)
{
    struct world *w = *state;
    struct sys_stat st;
    char listed[200] = "";

    assert_int_equal(sys_dir_make(w->sys, folder_path(&w->folder, "x/y/z"), &w->err), S_OK);
    assert_int_equal(sys_dir_make(w->sys, folder_path(&w->folder, "x//y/z/"), &w->err), S_OK);
    folder_write(&w->folder, "x/b", "22");
    folder_write(&w->folder, "x/a", "1");
    folder_write(&w->folder, "x/B", "");
    assert_int_equal(symlink("nowhere", folder_path(&w->folder, "x/dangling")), 0);
    assert_int_equal(sys_dir_list(w->sys, folder_path(&w->folder, "x"), collect, listed, &w->err), S_OK);
    assert_string_equal(listed, "B:0 a:1 b:2 y:d0 "); /* by bytes; a link to nothing is nothing */
    assert_int_equal(sys_file_stat(w->sys, folder_path(&w->folder, "x/y"), &st, &w->err), S_OK);
    assert_true(st.is_directory && !st.is_regular);
    assert_int_equal(sys_file_stat(w->sys, folder_path(&w->folder, "x/b"), &st, &w->err), S_OK);
    assert_true(st.is_regular && st.size == 2);
    assert_true(st.modified_ms > INT64_C(1600000000000) && st.modified_ms <= sys_wall_ms(w->sys));
    assert_int_equal(sys_dir_sync(w->sys, folder_path(&w->folder, "x"), &w->err), S_OK);
    fails(w, sys_dir_list(w->sys, folder_path(&w->folder, "no"), collect, listed, &w->err), E_NOT_FOUND, "list", "no", "no such folder");
    assert_int_equal(sys_dir_make(w->sys, folder_path(&w->folder, "x/a"), &w->err), E_EXISTS);
    err_clear(&w->err);
    assert_int_equal(sys_dir_make(w->sys, "", &w->err), E_CONFIG);
}

static void links_and_modes(void **state)
{
    struct world *w = *state;
    char real[SYS_PATH_MAX], expected[SYS_PATH_MAX];
    struct sys_stat st;

    assert_int_equal(sys_dir_make(w->sys, folder_path(&w->folder, "far"), &w->err), S_OK);
    folder_write(&w->folder, "far/file", "1");
    assert_int_equal(symlink("far/file", folder_path(&w->folder, "link")), 0);
    assert_int_equal(sys_file_real(w->sys, folder_path(&w->folder, "far/file"), expected, sizeof expected, &w->err), S_OK);
    assert_int_equal(sys_file_real(w->sys, folder_path(&w->folder, "link"), real, sizeof real, &w->err), S_OK);
    assert_string_equal(real, expected);
    assert_int_equal(sys_file_set_mode(w->sys, folder_path(&w->folder, "link"), 0640, &w->err), S_OK);
    assert_int_equal(sys_file_stat(w->sys, folder_path(&w->folder, "far/file"), &st, &w->err), S_OK);
    assert_int_equal(st.mode, 0640);
    fails(w, sys_file_real(w->sys, folder_path(&w->folder, "no"), real, sizeof real, &w->err), E_NOT_FOUND, "read", "no",
          "no such file or folder");
    fails(w, sys_file_set_mode(w->sys, folder_path(&w->folder, "no"), 0600, &w->err), E_NOT_FOUND, "change the mode of", "no",
          "no such file or folder");
}

static void standard_files(void **state)
{
    struct world *w = *state;
    struct sys_file *f = NULL;

    assert_int_equal(sys_file_standard(w->sys, 1, &f, &w->err), S_OK);
    sys_file_close(w->sys, f);
    assert_int_equal(sys_file_standard(w->sys, 1, &f, &w->err), S_OK);
    assert_int_equal(sys_file_write(w->sys, f, "", 0, &w->err), S_OK);
    sys_file_close(w->sys, f);
    assert_true(fcntl(1, F_GETFD) >= 0); /* released, not closed */
    int fd = open("/dev/null", O_RDONLY);
    assert_false(sys_is_terminal(w->sys, fd));
    assert_int_equal(sys_terminal_columns(w->sys, fd), 80);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_and_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(permission_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_disk_and_broken_pipe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(renames_and_deletes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_and_modes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(standard_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
