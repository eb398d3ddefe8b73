/* test_file_sink.c - files as a sink: one file, folders of parts, rolling, publishing, what a failure leaves, full disks. */
#include "ground/base/str.h"
#include "support/folder.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include "flow/connector/connector.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_sink;

static struct folder folder;
static struct sys *sys;
static char room[1 << 16];

static int set_up(void **state)
{
    (void)state;
    folder_make(&folder);
    sys = sys_linux_create_quiet();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sys_linux_free(sys);
    folder_remove(&folder);
    return 0;
}

static struct option items[8];
static struct sink_config config;

static struct op_driver *start(const char *path, const char *format, const char *key, const char *value)
{
    items[0] = (struct option){"path", path};
    items[1] = (struct option){"format", format};
    items[2] = (struct option){key, value};
    config = (struct sink_config){.connector = "filesystem", .options = {items, key != NULL ? 3 : 2}};
    return op_driver_create(
        &(struct op_setup){.type = &op_sink, .config = &config, .in = "ROW<a INT, b STRING>", .sys = sys});
}

static void test_one_file_appears_at_the_end(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    strcpy(path, folder_path(&folder, "deep/x.csv"));
    struct op_driver *d = start(path, "csv", NULL, NULL);
    op_push(d, 0, "1 | one\n2 | \"a,b\"\n");
    op_idle(d);
    assert_int_equal(folder_count(&folder, "deep"), 1); /* under a hidden name */
    assert_int_equal(sys_file_stat(sys, path, &(struct sys_stat){0}, NULL), E_NOT_FOUND);
    op_push(d, 0, "3 | null\n");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(folder_read(&folder, "deep/x.csv", room, sizeof room), "1,one\n2,\"a,b\"\n3,\n");
    assert_int_equal(folder_count(&folder, "deep"), 1);
    op_driver_free(d);
    /* and does not disappear: a second run does not overwrite it */
    d = start(path, "csv", NULL, NULL);
    assert_non_null(
        strstr(op_driver_error(d),
               "deep/x.csv' is there already (remove it, or end the path in '/' to add files to a folder)"));
    op_driver_free(d);
}

static void test_no_rows(void **state)
{
    (void)state;
    struct op_driver *d = start(folder_path(&folder, "x.json"), "json", NULL, NULL);
    op_push_end(d);
    assert_string_equal(folder_read(&folder, "x.json", room, sizeof room), "");
    op_driver_free(d);
    d = start(folder_path(&folder, "out/"), "json", NULL, NULL);
    op_push_end(d);
    assert_int_equal(folder_count(&folder, "out"), 0);
    op_driver_free(d);
}

static uint32_t parts_read(const char *name, char *all)
{
    DIR *dir = opendir(folder_path(&folder, name));
    uint32_t count = 0;
    char relative[600];

    all[0] = '\0';
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        assert_true(str_starts(str_of(e->d_name), STR("part-")) && str_ends(str_of(e->d_name), STR(".csv")));
        snprintf(relative, sizeof relative, "%s/%s", name, e->d_name);
        strcat(all, folder_read(&folder, relative, room, sizeof room));
        count++;
    }
    closedir(dir);
    return count;
}

static void test_parts_roll(void **state)
{
    char all[4096];

    (void)state;
    struct op_driver *d = start(folder_path(&folder, "out"), "csv", "sink.rolling-policy.file-size", "10");
    op_push(d, 0, "1 | one\n");
    op_push(d, 0, "2 | two\n"); /* 6 bytes were not enough: the same part */
    op_push(d, 0, "3 | three\n");
    assert_int_equal(parts_read("out", all), 1); /* a complete part is there at once, the other one not yet */
    assert_string_equal(all, "1,one\n2,two\n");
    op_push_end(d);
    assert_int_equal(parts_read("out", all), 2);
    assert_non_null(strstr(all, "1,one\n2,two\n"));
    assert_non_null(strstr(all, "3,three\n"));
    assert_int_equal(folder_count(&folder, "out"), 2);
    op_driver_free(d);
    /* another run adds to the folder */
    d = start(folder_path(&folder, "out"), "csv", NULL, NULL);
    op_push(d, 0, "4 | four\n");
    op_push_end(d);
    assert_int_equal(parts_read("out", all), 3);
    op_driver_free(d);
}

static int64_t hand_ms;
static int64_t hand_wall_ms(struct sys *s)
{
    (void)s;
    return hand_ms;
}

/* Three rows, 1000 and then 999 ms apart: how many parts hold them? */
static uint32_t parts_by_time(const char *folder_name, const char *key)
{
    const struct sys_ops *real = sys->ops;
    struct sys_ops by_hand = *real;
    char all[4096];

    by_hand.wall_ms = hand_wall_ms;
    sys->ops = &by_hand;
    hand_ms = 5000;
    struct op_driver *d = start(folder_path(&folder, folder_name), "csv", key, "1 s");
    op_push(d, 0, "1 | a\n");
    hand_ms += 1000;
    op_push(d, 0, "2 | b\n");
    hand_ms += 999;
    op_push(d, 0, "3 | c\n");
    hand_ms += 999;
    op_push(d, 0, "4 | d\n");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
    sys->ops = real;
    uint32_t count = parts_read(folder_name, all);
    assert_int_equal(strlen(all), strlen("1,a\n2,b\n3,c\n4,d\n"));
    return count;
}

static void test_parts_roll_by_time(void **state)
{
    (void)state;
    assert_int_equal(parts_by_time("quiet/", "sink.rolling-policy.inactivity-interval"), 2); /* 1, 2 3 4 */
    assert_int_equal(parts_by_time("old/", "sink.rolling-policy.rollover-interval"), 3);     /* 1, 2 3, 4 */
}

/* Without further rows: the check interval looks. 1 s of quiet, looked at every 300 ms: at 1200 ms. */
static void test_a_quiet_part_appears(void **state)
{
    const struct sys_ops *real = sys->ops;
    struct sys_ops by_hand = *real;
    char all[4096];

    (void)state;
    by_hand.wall_ms = hand_wall_ms;
    sys->ops = &by_hand;
    items[0] = (struct option){"path", folder_path(&folder, "out/")};
    items[1] = (struct option){"format", "csv"};
    items[2] = (struct option){"sink.rolling-policy.inactivity-interval", "1 s"};
    items[3] = (struct option){"sink.rolling-policy.check-interval", "300 ms"};
    config = (struct sink_config){.connector = "filesystem", .options = {items, 4}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = &op_sink, .config = &config, .in = "ROW<a INT, b STRING>", .sys = sys});
    hand_ms = 5000;
    op_push(d, 0, "1 | a\n");
    for (; hand_ms < 6200; hand_ms++) {
        op_set_time(d, hand_ms);
        assert_int_equal(parts_read("out", all), 0);
    }
    op_set_time(d, hand_ms);
    assert_int_equal(parts_read("out", all), 1);
    assert_string_equal(all, "1,a\n");
    assert_int_equal(folder_count(&folder, "out"), 1);
    op_push(d, 0, "2 | b\n");
    op_push_end(d);
    assert_int_equal(parts_read("out", all), 2);
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
    sys->ops = real;
}

static void test_a_failure_leaves_complete_parts(void **state)
{
    char all[4096];

    (void)state;
    struct op_driver *d = start(folder_path(&folder, "out/"), "csv", "sink.rolling-policy.file-size", "1");
    op_push(d, 0, "1 | one\n");
    op_push(d, 0, "2 | two\n");
    op_push(d, 0, "-D 3 | three\n");
    op_driver_free(d);
    assert_int_equal(folder_count(&folder, "out"), 1);
    assert_int_equal(parts_read("out", all), 1);
    assert_string_equal(all, "1,one\n");
}

static void test_a_failure_leaves_nothing(void **state)
{
    (void)state;
    struct op_driver *d = start(folder_path(&folder, "out/"), "csv", NULL, NULL);
    op_push(d, 0, "1 | one\n");
    assert_int_equal(folder_count(&folder, "out"), 1);
    op_push(d, 0, "-D 3 | three\n");
    assert_string_equal(op_driver_error(d),
                        "connector 'filesystem' takes inserts only, but a row is an update or a deletion");
    op_driver_free(d);
    assert_int_equal(folder_count(&folder, "out"), 0);
}

/* Two-phase: what was prepared survives the task and is published by anybody, once. */
static void test_prepare_and_commit(void **state)
{
    const struct conn_type *conn = NULL;
    struct mem mem;
    struct arena arena;
    struct err err = {0};
    struct op_cx op = {.name = "sink", .err = &err};
    struct buf committable;
    enum commit_result result = COMMIT_LOST;
    char all[4096];

    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&committable, &mem);
    items[0] = (struct option){"path", folder_path(&folder, "out/")};
    items[1] = (struct option){"format", "csv"};
    items[2] = (struct option){"sink.rolling-policy.file-size", "1"};
    struct options o = {items, 3};
    assert_int_equal(conn_find("filesystem", &conn, &err), S_OK);
    struct sink_cx cx = {.op = &op,
                         .schema = rows_type(&arena, "ROW<a INT, b STRING>"),
                         .options = &o,
                         .option_defs = conn->options,
                         .sys = sys,
                         .mem = &mem,
                         .parallelism = 2,
                         .subtask = 1,
                         .is_committed = true,
                         .err = &err};
    void *writer = mem_zalloc(&mem, conn->sink->writer_size);
    assert_int_equal(conn->sink->open(&cx, writer), S_OK);
    struct batch *b = rows_batch(cx.schema, &mem, "1 | one\n");
    assert_int_equal(conn->sink->write(&cx, writer, b), S_OK);
    assert_int_equal(conn->sink->write(&cx, writer, b), S_OK);
    assert_int_equal(parts_read("out", all), 0); /* rolled, and waits for its commit */
    assert_int_equal(conn->sink->prepare(&cx, writer, 1, &committable), S_OK);
    assert_int_equal(conn->sink->write(&cx, writer, b), S_OK); /* of the next checkpoint */
    conn->sink->close(&cx, writer, true);
    assert_int_equal(parts_read("out", all), 0);
    assert_int_equal(folder_count(&folder, "out"), 2);
    struct str bytes = {committable.data, committable.size};
    assert_int_equal(conn->sink->commit(&cx, bytes, true, &result), S_OK);
    assert_int_equal(result, COMMIT_DONE);
    assert_int_equal(parts_read("out", all), 2);
    assert_string_equal(all, "1,one\n1,one\n");
    assert_int_equal(conn->sink->commit(&cx, bytes, true, &result), S_OK);
    assert_int_equal(result, COMMIT_ALREADY);
    assert_int_equal(conn->sink->commit(&cx, STR("\x07"), true, &result), E_DATA);
    mem_release(&mem);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct op_driver *d = start("/dev/full", "csv", NULL, NULL);
    op_push(d, 0, "1 | one\n");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "cannot write '/dev/full': no space left on device (make room there, then run again)");
    op_driver_free(d);
}

static void test_mistakes(void **state)
{
    (void)state;
    struct op_driver *d = start("s3://bucket/x", "csv", NULL, NULL);
    assert_non_null(strstr(op_driver_error(d), "there is no file system 's3'"));
    op_driver_free(d);
    d = start("x.csv", "csv", "csv.field-delimiter", "ab");
    assert_true(op_driver_error(d)[0] != '\0');
    op_driver_free(d);
    d = start("x.csv", "csv", "paht", "y");
    assert_string_equal(op_driver_error(d), "connector 'filesystem' has no option 'paht' (did you mean 'path'?)");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_file_appears_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parts_roll, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parts_roll_by_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_quiet_part_appears, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_failure_leaves_complete_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_failure_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prepare_and_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
