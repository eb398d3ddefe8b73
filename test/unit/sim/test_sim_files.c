/* test_sim_files.c - one conformance test of files and folders, run in both worlds: what Linux does in a temporary folder,
 * the simulated disk does too, down to the sentences. It looks at the disk through the world itself; test_sys_file.c looks at
 * the Linux world from outside. */
#include "ground/sys/sys.h"
#include "sim/world.h"
#include "support/folder.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct world {
    struct sys *sys;
    struct sim_world *simulated; /* NULL: Linux */
    struct folder folder;
    struct err err;
    char room[512], expected[700];
};

static struct world the_world;

static int linux_up(void **state)
{
    the_world = (struct world){.sys = sys_linux_create_quiet()};
    folder_make(&the_world.folder);
    *state = &the_world;
    return 0;
}

static int linux_down(void **state)
{
    struct world *w = *state;

    folder_remove(&w->folder);
    sys_linux_free(w->sys);
    return 0;
}

static int simulated_up(void **state)
{
    struct sim_world *s = sim_world_create(1, false);

    the_world = (struct world){.sys = &s->sys, .simulated = s, .folder = {"/a/folder"}};
    *state = &the_world;
    return sys_dir_make(&s->sys, "/a/folder", &the_world.err) == S_OK ? 0 : -1;
}

static int simulated_down(void **state)
{
    struct world *w = *state;

    sim_world_free(w->simulated);
    return 0;
}

static const char *path(struct world *w, const char *name) { return folder_path(&w->folder, name); }

static struct sys_file *opened(struct world *w, const char *name, int flags)
{
    struct sys_file *f = NULL;

    if (sys_file_open(w->sys, path(w, name), flags, &f, &w->err) != S_OK) fail_msg("%s", w->err.text);
    return f;
}

static void put(struct world *w, const char *name, int flags, const char *text)
{
    struct sys_file *f = opened(w, name, SYS_WRITE | flags);

    assert_int_equal(sys_file_write(w->sys, f, text, strlen(text), &w->err), S_OK);
    sys_file_close(w->sys, f);
}

/* From the file's present place to its end; a read may fall short, so it is asked until nothing comes. */
static const char *rest(struct world *w, struct sys_file *f)
{
    size_t size = 0, got = 1;

    while (got > 0) {
        assert_int_equal(sys_file_read(w->sys, f, w->room + size, sizeof w->room - 1 - size, &got, &w->err), S_OK);
        size += got;
    }
    w->room[size] = '\0';
    return w->room;
}

static const char *text_of(struct world *w, const char *name)
{
    struct sys_file *f = opened(w, name, SYS_READ);
    const char *text = rest(w, f);

    sys_file_close(w->sys, f);
    return text;
}

/* The status and "cannot <verb> '<folder>/<name>': <reason>". */
static void fails(struct world *w, enum status got, enum status status, const char *verb, const char *name,
                  const char *reason)
{
    snprintf(w->expected, sizeof w->expected, "cannot %s '%s': %s", verb, path(w, name), reason);
    assert_string_equal(w->err.text, w->expected);
    assert_int_equal(got, status);
    err_clear(&w->err);
}

static void writes_and_reads(void **state)
{
    struct world *w = *state;

    put(w, "f", SYS_CREATE, "0123456789");
    put(w, "f", SYS_APPEND, "ab");
    put(w, "f", 0, "__");
    assert_string_equal(text_of(w, "f"), "__23456789ab");
    struct sys_file *f = opened(w, "f", SYS_READ);
    assert_int_equal(sys_file_seek(w->sys, f, 8, &w->err), S_OK);
    assert_string_equal(rest(w, f), "89ab");
    assert_int_equal(sys_file_seek(w->sys, f, 100, &w->err), S_OK);
    assert_string_equal(rest(w, f), "");
    sys_file_close(w->sys, f);
    put(w, "f", SYS_CREATE | SYS_TRUNCATE, "new");
    assert_string_equal(text_of(w, "f"), "new");
    put(w, "fresh", SYS_CREATE | SYS_EXCLUSIVE, "");
    assert_string_equal(text_of(w, "fresh"), "");
}

static void holes_are_zeros(void **state)
{
    struct world *w = *state;
    struct sys_file *f = opened(w, "hole", SYS_WRITE | SYS_CREATE);
    struct sys_stat st;

    assert_int_equal(sys_file_write(w->sys, f, "ab", 2, &w->err), S_OK);
    assert_int_equal(sys_file_seek(w->sys, f, 4, &w->err), S_OK);
    assert_int_equal(sys_file_write(w->sys, f, "cd", 2, &w->err), S_OK);
    assert_int_equal(sys_file_seek(w->sys, f, 1, &w->err), S_OK);
    assert_int_equal(sys_file_write(w->sys, f, "B", 1, &w->err), S_OK);
    assert_int_equal(sys_file_sync(w->sys, f, &w->err), S_OK);
    sys_file_close(w->sys, f);
    assert_int_equal(sys_file_stat(w->sys, path(w, "hole"), &st, &w->err), S_OK);
    assert_int_equal(st.size, 6);
    text_of(w, "hole");
    assert_memory_equal(w->room, "aB\0\0cd", 6);
}

static void opening_fails(void **state)
{
    struct world *w = *state;
    struct sys_file *f = NULL;
    struct sys_stat st;

    fails(w, sys_file_open(w->sys, path(w, "x.csv"), SYS_READ, &f, &w->err), E_NOT_FOUND, "open", "x.csv",
          "no such file");
    fails(w, sys_file_open(w->sys, path(w, "x.csv"), SYS_WRITE, &f, &w->err), E_NOT_FOUND, "open", "x.csv",
          "no such file");
    fails(w, sys_file_open(w->sys, path(w, "no/x"), SYS_WRITE | SYS_CREATE, &f, &w->err), E_NOT_FOUND, "create", "no/x",
          "no such folder");
    put(w, "there", SYS_CREATE, "kept");
    fails(w, sys_file_open(w->sys, path(w, "there"), SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &f, &w->err), E_EXISTS,
          "create", "there", "it exists already");
    assert_string_equal(text_of(w, "there"), "kept");
    fails(w, sys_file_open(w->sys, path(w, "there/x"), SYS_READ, &f, &w->err), E_IO, "open", "there/x",
          "a part of the path is not a folder");
    fails(w, sys_file_open(w->sys, path(w, "there/x"), SYS_WRITE | SYS_CREATE, &f, &w->err), E_IO, "create", "there/x",
          "a part of the path is not a folder");
    fails(w, sys_file_stat(w->sys, path(w, "there/x/y"), &st, &w->err), E_IO, "read", "there/x/y",
          "a part of the path is not a folder");
    fails(w, sys_file_open(w->sys, path(w, ""), SYS_WRITE, &f, &w->err), E_IO, "open", "", "it is a folder");
    assert_null(f);
}

static void a_deleted_file_lives_for_its_readers(void **state)
{
    struct world *w = *state;

    put(w, "f", SYS_CREATE, "old");
    put(w, "g", SYS_CREATE, "new");
    struct sys_file *first = opened(w, "f", SYS_READ);
    assert_int_equal(sys_file_rename_over(w->sys, path(w, "g"), path(w, "f"), &w->err), S_OK);
    struct sys_file *second = opened(w, "f", SYS_READ);
    assert_int_equal(sys_file_delete(w->sys, path(w, "f"), &w->err), S_OK);
    assert_string_equal(rest(w, first), "old");
    assert_string_equal(rest(w, second), "new");
    sys_file_close(w->sys, first);
    sys_file_close(w->sys, second);
}

static void renames_and_deletes(void **state)
{
    struct world *w = *state;
    struct sys_stat st;

    put(w, "a", SYS_CREATE, "A");
    put(w, "b", SYS_CREATE, "B");
    fails(w, sys_file_rename_new(w->sys, path(w, "a"), path(w, "b"), &w->err), E_EXISTS, "create", "b",
          "it exists already");
    assert_string_equal(text_of(w, "b"), "B");
    assert_int_equal(sys_file_rename_new(w->sys, path(w, "a"), path(w, "c"), &w->err), S_OK);
    assert_string_equal(text_of(w, "c"), "A");
    fails(w, sys_file_stat(w->sys, path(w, "a"), &st, &w->err), E_NOT_FOUND, "read", "a", "no such file or folder");
    assert_int_equal(sys_file_rename_over(w->sys, path(w, "c"), path(w, "b"), &w->err), S_OK);
    assert_string_equal(text_of(w, "b"), "A");
    assert_int_equal(sys_file_delete(w->sys, path(w, "b"), &w->err), S_OK);
    assert_int_equal(sys_file_delete(w->sys, path(w, "b"), &w->err), S_OK);
    fails(w, sys_file_rename_new(w->sys, path(w, "b"), path(w, "d"), &w->err), E_NOT_FOUND, "create", "d",
          "no such file or folder");
}

static void modes(void **state)
{
    struct world *w = *state;
    struct sys_stat st;
    char real[SYS_PATH_MAX], again[SYS_PATH_MAX];

    put(w, "mode", SYS_CREATE, "1");
    assert_int_equal(sys_file_set_mode(w->sys, path(w, "mode"), 0640, &w->err), S_OK);
    assert_int_equal(sys_file_stat(w->sys, path(w, "mode"), &st, &w->err), S_OK);
    assert_int_equal(st.mode, 0640);
    assert_int_equal(sys_file_real(w->sys, path(w, "mode"), real, sizeof real, &w->err), S_OK);
    assert_int_equal(sys_file_real(w->sys, real, again, sizeof again, &w->err), S_OK);
    assert_string_equal(again, real);
    fails(w, sys_file_set_mode(w->sys, path(w, "no"), 0600, &w->err), E_NOT_FOUND, "change the mode of", "no",
          "no such file or folder");
    fails(w, sys_file_real(w->sys, path(w, "no"), real, sizeof real, &w->err), E_NOT_FOUND, "read", "no",
          "no such file or folder");
}

static void collect(void *arg, const char *name, const struct sys_stat *st)
{
    char *out = arg;

    sprintf(out + strlen(out), "%s:%s%lld ", name,
            st->is_directory ? "d"
            : st->is_regular ? ""
                             : "?",
            st->is_directory ? 0 : (long long)st->size);
}

static void folders(void **state)
{
    struct world *w = *state;
    struct sys_stat st;
    char listed[200] = "";

    assert_int_equal(sys_dir_make(w->sys, path(w, "x/y/z"), &w->err), S_OK);
    assert_int_equal(sys_dir_make(w->sys, path(w, "x//y/z/"), &w->err), S_OK);
    put(w, "x/b", SYS_CREATE, "22");
    put(w, "x/a", SYS_CREATE, "1");
    put(w, "x/B", SYS_CREATE, "");
    put(w, "xx", SYS_CREATE, "beside it");
    assert_int_equal(sys_dir_list(w->sys, path(w, "x"), collect, listed, &w->err), S_OK);
    assert_string_equal(listed, "B:0 a:1 b:2 y:d0 ");
    assert_int_equal(sys_file_stat(w->sys, path(w, "x/y/"), &st, &w->err), S_OK);
    assert_true(st.is_directory && !st.is_regular);
    assert_int_equal(sys_file_stat(w->sys, path(w, "x/b"), &st, &w->err), S_OK);
    assert_true(st.is_regular && st.size == 2);
    assert_in_range(st.modified_ms, INT64_C(1000000000000), sys_wall_ms(w->sys));
    assert_int_equal(sys_dir_sync(w->sys, path(w, "x"), &w->err), S_OK);
    fails(w, sys_dir_list(w->sys, path(w, "no"), collect, listed, &w->err), E_NOT_FOUND, "list", "no",
          "no such folder");
    fails(w, sys_dir_list(w->sys, path(w, "xx"), collect, listed, &w->err), E_IO, "list", "xx",
          "a part of the path is not a folder");
    fails(w, sys_dir_make(w->sys, path(w, "x/a"), &w->err), E_EXISTS, "create folder", "x/a", "a file has that name");
    assert_int_equal(sys_dir_make(w->sys, "", &w->err), E_CONFIG);
}

static void folders_go(void **state)
{
    struct world *w = *state;
    struct sys_stat st;

    assert_int_equal(sys_dir_make(w->sys, path(w, "gone/in"), &w->err), S_OK);
    put(w, "gone.beside", SYS_CREATE, "1");
    fails(w, sys_dir_delete(w->sys, path(w, "gone"), &w->err), E_IO, "delete", "gone", "the folder is not empty");
    assert_int_equal(sys_dir_delete(w->sys, path(w, "gone/in"), &w->err), S_OK);
    assert_int_equal(sys_dir_delete(w->sys, path(w, "gone"), &w->err), S_OK);
    assert_int_equal(sys_dir_delete(w->sys, path(w, "gone"), &w->err), S_OK); /* it is not there any more */
    assert_int_equal(sys_file_stat(w->sys, path(w, "gone"), &st, NULL), E_NOT_FOUND);
    fails(w, sys_dir_delete(w->sys, path(w, "gone.beside"), &w->err), E_IO, "delete", "gone.beside",
          "a part of the path is not a folder");
}

#define IN_BOTH(test)                                                                                                  \
    {"linux: " #test, test, linux_up, linux_down, NULL},                                                               \
    {                                                                                                                  \
        "simulated: " #test, test, simulated_up, simulated_down, NULL                                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(writes_and_reads),    IN_BOTH(holes_are_zeros),
        IN_BOTH(opening_fails),       IN_BOTH(a_deleted_file_lives_for_its_readers),
        IN_BOTH(renames_and_deletes), IN_BOTH(folders),
        IN_BOTH(folders_go),          IN_BOTH(modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
