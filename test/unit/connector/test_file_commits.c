/* test_file_commits.c - parts of a job that takes checkpoints: when they appear, what a failure leaves, what recovery does and removes. */
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
#include <unistd.h>
#include <cmocka.h>

extern const struct op_type op_sink;

static struct folder folder;
static struct sys *sys;
static char room[1 << 16], visible[1 << 16], hidden_name[512];
static uint32_t parts, hidden;

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
static char path[FOLDER_PATH_MAX];

static struct op_driver *start(const char *where, const char *key, const char *value)
{
    strcpy(path, folder_path(&folder, where));
    items[0] = (struct option){"path", path};
    items[1] = (struct option){"format", "csv"};
    items[2] = (struct option){key, value};
    config = (struct sink_config){.connector = "filesystem", .options = {items, key != NULL ? 3 : 2}};
    return op_driver_create(&(struct op_setup){
        .type = &op_sink, .config = &config, .in = "ROW<a INT, b STRING>", .sys = sys, .checkpoints = true});
}

/* Rows of the visible parts in the folder, sorted as the parts are listed; counts of both kinds of files. */
static const char *look(const char *name)
{
    DIR *dir = opendir(folder_path(&folder, name));
    char relative[600];

    parts = hidden = 0;
    visible[0] = '\0';
    if (dir == NULL) return visible;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        snprintf(relative, sizeof relative, "%s/%s", name, e->d_name);
        if (e->d_name[0] == '.') {
            hidden++;
            strcpy(hidden_name, relative);
            continue;
        }
        parts++;
        strcat(visible, folder_read(&folder, relative, room, sizeof room));
    }
    closedir(dir);
    return visible;
}

static void parts_appear_when_a_checkpoint_is_complete(void **state)
{
    (void)state;
    struct op_driver *d = start("out/", NULL, NULL);
    op_push(d, 0, "1 | one\n");
    op_checkpoint(d, 1);
    assert_string_equal(look("out"), "");
    assert_int_equal(hidden, 1);
    op_push(d, 0, "2 | two\n");
    op_complete(d, 1);
    assert_string_equal(look("out"), "1,one\n"); /* the second row came behind the barrier */
    op_checkpoint(d, 2);
    op_checkpoint(d, 3); /* says of the row of 2, too, which was never complete */
    op_complete(d, 3);
    look("out");
    assert_int_equal(parts, 2);
    assert_int_equal(hidden, 0);
    op_push(d, 0, "3 | three\n");
    op_push_end(d);
    look("out");
    assert_int_equal(parts, 2); /* the end publishes nothing by itself */
    assert_true(op_driver_cx(d)->ends_committed);
    op_checkpoint(d, 4);
    op_complete(d, 4);
    look("out");
    assert_int_equal(parts, 3);
    assert_int_equal(hidden, 0);
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
}

static void a_part_that_rolls_waits_too(void **state)
{
    (void)state;
    struct op_driver *d = start("out/", "sink.rolling-policy.file-size", "1");
    op_push(d, 0, "1 | one\n");
    op_push(d, 0, "2 | two\n");
    op_push(d, 0, "3 | three\n");
    assert_string_equal(look("out"), "");
    assert_int_equal(hidden, 3);
    op_checkpoint(d, 1);
    op_complete(d, 1);
    look("out");
    assert_int_equal(parts, 3);
    op_driver_free(d);
}

static void what_was_prepared_is_published_after_a_failure(void **state)
{
    (void)state;
    struct op_driver *d = start("out/", NULL, NULL);
    op_push(d, 0, "1 | one\n");
    op_checkpoint(d, 1);
    op_push(d, 0, "2 | two\n"); /* of no checkpoint: the source gives it again */
    op_fail_over(d);
    assert_string_equal(look("out"), "1,one\n");
    assert_int_equal(hidden, 0);
    op_fail_over(d); /* the same checkpoint once more */
    assert_string_equal(look("out"), "1,one\n");
    op_push(d, 0, "2 | two\n");
    op_checkpoint(d, 2);
    op_complete(d, 2);
    look("out");
    assert_int_equal(parts, 2);
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
}

/* A checkpoint that is not complete is not gone back to: what it prepared is removed by the next attempt, and nothing else is. */
static void leftovers_go(void **state)
{
    static const char *const others[] = {
        "out/.part-0123456789abcdef-0-0.csv.0123456789abcdef.inprogress", /* of another job */
        "out/.part-0123456789abcdef-0-0.csv.inprogress", "out/part-0123456789abcdef-0-0.csv", "out/.hidden"};

    (void)state;
    struct op_driver *d = start("out/", NULL, NULL);
    op_push(d, 0, "1 | one\n");
    op_checkpoint(d, 1);
    op_driver_free(d); /* as a process that is killed: nothing names the part any more */
    look("out");
    assert_int_equal(hidden, 1);
    for (uint32_t i = 0; i < 4; i++) folder_write(&folder, others[i], "");
    d = start("out/", NULL, NULL);
    op_checkpoint(d, 1);
    look("out");
    assert_int_equal(hidden, 3);
    assert_int_equal(parts, 1);
    for (uint32_t i = 0; i < 4; i++) assert_int_equal(access(folder_path(&folder, others[i]), F_OK), 0);
    op_driver_free(d);
}

static void what_is_lost_is_named(void **state)
{
    char expected[2048], name[256];

    (void)state;
    struct op_driver *d = start("out/", NULL, NULL);
    op_push(d, 0, "1 | one\n");
    op_checkpoint(d, 1);
    look("out");
    assert_int_equal(hidden, 1);
    assert_int_equal(unlink(folder_path(&folder, hidden_name)), 0);
    op_fail_over(d);
    /* out/.part-x-0-0.csv.<owner>.inprogress: the final name is without the first dot and the last two endings */
    snprintf(name, sizeof name, "%.*s", (int)(strstr(hidden_name, ".csv") + 4 - (hidden_name + 5)), hidden_name + 5);
    snprintf(expected, sizeof expected, "is gone before it was published: there is no '%s%s' either (", path, name);
    assert_non_null(strstr(op_driver_error(d), expected));
    assert_non_null(strstr(op_driver_error(d), hidden_name + 4));
    assert_non_null(strstr(op_driver_error(d), "or begin the job anew (--fresh))"));
    op_driver_free(d);
}

static void one_file_and_partition_commits_are_refused(void **state)
{
    (void)state;
    struct op_driver *d = start("x.csv", NULL, NULL);
    assert_non_null(strstr(op_driver_error(d),
                           "x.csv' is one file, but with checkpoints rows appear part by part (end the path in '/'"));
    assert_string_equal(
        op_sink.takes_no_checkpoints(&config),
        "its path is one file, which appears when the input ends; a path that ends in '/' is a folder of parts");
    op_driver_free(d);
    d = start("x.d/", "sink.partition-commit.policy.kind", "success-file");
    assert_null(op_sink.takes_no_checkpoints(&config));
    op_driver_free(d);
    const char *column = "b";
    config.partitions = (struct text_list){&column, 1};
    assert_string_equal(op_sink.takes_no_checkpoints(&config),
                        "it says of partitions that they are complete "
                        "(sink.partition-commit.policy.kind) only when the input ends");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_appear_when_a_checkpoint_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_rolls_waits_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_prepared_is_published_after_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_lost_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_file_and_partition_commits_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
