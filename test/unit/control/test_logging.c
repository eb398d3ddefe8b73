/* test_logging.c - where log lines go: standard error beside a status line, a file, the files put aside, a file that fails. */
#include "control/logging.h"

#include "control/config.h"
#include "support/fake_terminal.h"
#include "support/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TIME "1970-01-01 00:00:00.000 "
enum { ROOM = 4096 };

struct world {
    struct sys *sys;
    struct folder folder;
    struct logging l;
    struct err e;
    char room[ROOM];
};

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){.sys = sys_linux_create_quiet()};
    folder_make(&w.folder);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    logging_close(&w->l);
    folder_remove(&w->folder);
    sys_linux_free(w->sys);
    return 0;
}

static enum status open_at(struct world *w, struct sys *sys, const char *path, const char *level, const char *files)
{
    struct option items[] = {{"thalweg.log.level", level},
                             {"thalweg.log.files", files},
                             {"thalweg.log.max-bytes", "1024"},
                             {"thalweg.log.file", path}};
    struct options o = {items, path != NULL ? 4 : 3};

    assert_int_equal(config_check(&o, &w->e), S_OK);
    enum status st = logging_open(&w->l, sys, &o, &w->e);
    w->l.log.now_ms = NULL;
    return st;
}

/* Lines of 400 bytes: two of them fit into a file of 1024. */
static void write_long(struct world *w, int number)
{
    char text[400 - sizeof TIME - sizeof "WARN  t - " + 2];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    text[0] = (char)('0' + number);
    log_write(&w->l.log, LOG_WARN, "t", "%s", text);
}

static char first_digit(const char *line) { return line[strlen(TIME "WARN  t - ")]; }

static void standard_error_beside_a_status_line(void **state)
{
    struct world *w = *state;
    struct fake_terminal t;

    fake_terminal_init(&t);
    assert_int_equal(open_at(w, &t.sys, NULL, "warn", "4"), S_OK);
    log_write(&w->l.log, LOG_INFO, "t", "not of interest");
    log_write(&w->l.log, LOG_WARN, "t", "hot\nfeet");
    assert_string_equal(fake_terminal_take(&t, 2), TIME "WARN  t - hot feet\n");
    t.is_terminal[2] = true;
    log_write(&w->l.log, LOG_ERROR, "t", "no line stands there");
    assert_string_equal(fake_terminal_take(&t, 2), TIME "ERROR t - no line stands there\n");
    sys_line_live(&t.sys, true);
    log_write(&w->l.log, LOG_ERROR, "t", "one does");
    assert_string_equal(fake_terminal_take(&t, 2), "\r\033[K" TIME "ERROR t - one does\n");
    t.is_terminal[2] = false;
    log_write(&w->l.log, LOG_ERROR, "t", "not on this file");
    assert_string_equal(fake_terminal_take(&t, 2), TIME "ERROR t - not on this file\n");
    assert_string_equal(fake_terminal_take(&t, 1), "");
    logging_close(&w->l);
    assert_int_equal(open_at(w, &t.sys, NULL, "off", "4"), S_OK);
    log_write(&w->l.log, LOG_ERROR, "t", "nobody hears");
    assert_string_equal(fake_terminal_take(&t, 2), "");
    logging_close(&w->l);
    fake_terminal_release(&t);
}

static void a_file_is_appended_to(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_at(w, w->sys, folder_path(&w->folder, "a.log"), "debug", "4"), S_OK);
        log_write(&w->l.log, LOG_DEBUG, "t", "run %d", i);
        logging_close(&w->l);
    }
    assert_string_equal(folder_read(&w->folder, "a.log", w->room, ROOM),
                        TIME "DEBUG t - run 0\n" TIME "DEBUG t - run 1\n");
}

static void full_files_are_put_aside(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_at(w, w->sys, folder_path(&w->folder, "a.log"), "warn", "2"), S_OK);
    for (int i = 0; i < 9; i++) write_long(w, i);
    logging_close(&w->l);
    assert_int_equal(strlen(folder_read(&w->folder, "a.log", w->room, ROOM)), 400);
    assert_int_equal(first_digit(w->room), '8');
    assert_int_equal(strlen(folder_read(&w->folder, "a.log.1", w->room, ROOM)), 800);
    assert_int_equal(first_digit(w->room), '6');
    assert_int_equal(first_digit(w->room + 400), '7');
    assert_int_equal(strlen(folder_read(&w->folder, "a.log.2", w->room, ROOM)), 800);
    assert_int_equal(first_digit(w->room), '4');
    assert_int_equal(folder_count(&w->folder, ""), 3);
}

static void what_a_run_before_left_counts(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_at(w, w->sys, folder_path(&w->folder, "a.log"), "warn", "1"), S_OK);
        write_long(w, i);
        logging_close(&w->l);
    }
    assert_int_equal(strlen(folder_read(&w->folder, "a.log", w->room, ROOM)), 400);
    assert_int_equal(first_digit(w->room), '2');
    assert_int_equal(strlen(folder_read(&w->folder, "a.log.1", w->room, ROOM)), 800);
}

static void nothing_is_kept_when_asked(void **state)
{
    struct world *w = *state;

    assert_int_equal(open_at(w, w->sys, folder_path(&w->folder, "a.log"), "warn", "0"), S_OK);
    for (int i = 0; i < 3; i++) write_long(w, i);
    logging_close(&w->l);
    assert_int_equal(strlen(folder_read(&w->folder, "a.log", w->room, ROOM)), 400);
    assert_int_equal(first_digit(w->room), '2');
    assert_int_equal(folder_count(&w->folder, ""), 1);
}

static void a_file_that_cannot_be_made(void **state)
{
    struct world *w = *state;
    char expected[FOLDER_PATH_MAX + 100];
    const char *path = folder_path(&w->folder, "none/a.log");

    snprintf(expected, sizeof expected, "thalweg.log.file: cannot create '%s': no such folder", path);
    assert_int_equal(open_at(w, w->sys, path, "warn", "1"), E_NOT_FOUND);
    assert_string_equal(w->e.text, expected);
    assert_string_equal(
        w->e.hint, "name a file in a folder that is there and may be written, or leave the key out for standard error");
}

/* The disk is full: the log says so once, and goes on elsewhere. */
static void a_file_that_fails_later(void **state)
{
    struct world *w = *state;
    int pipe_ends[2], kept = dup(2);

    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(open_at(w, w->sys, "/dev/full", "warn", "1"), S_OK);
    dup2(pipe_ends[1], 2);
    log_write(&w->l.log, LOG_WARN, "t", "one");
    log_write(&w->l.log, LOG_WARN, "t", "two");
    dup2(kept, 2);
    close(kept);
    ssize_t got = read(pipe_ends[0], w->room, ROOM - 1);
    assert_true(got > 0);
    w->room[got] = '\0';
    assert_string_equal(w->room, "thalweg.log.file: cannot write '/dev/full': no space left on device; log lines go to "
                                 "standard error from here on\n" TIME "WARN  t - one\n" TIME "WARN  t - two\n");
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(standard_error_beside_a_status_line),
        TEST(a_file_is_appended_to),
        TEST(full_files_are_put_aside),
        TEST(what_a_run_before_left_counts),
        TEST(nothing_is_kept_when_asked),
        TEST(a_file_that_cannot_be_made),
        TEST(a_file_that_fails_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
