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

static struct option items[12];
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

static void one_file_is_refused(void **state)
{
    (void)state;
    struct op_driver *d = start("x.csv", NULL, NULL);
    assert_non_null(strstr(op_driver_error(d),
                           "x.csv' is one file, but with checkpoints rows appear part by part (end the path in '/'"));
    assert_string_equal(
        op_sink.takes_no_checkpoints(&config),
        "its path is one file, which appears when the input ends; a path that ends in '/' is a folder of parts");
    op_driver_free(d);
}

/* --- partitions that are complete ------------------------------------------------------------------------------------- */
enum { HOUR = 3600 * 1000 };

/* One subtask of a sink partitioned by b; options as pairs behind these. */
static struct op_driver *partitioned(uint32_t subtask, uint32_t parallelism, const char *const *more)
{
    static const char *column = "b";
    uint32_t n = 4;

    strcpy(path, folder_path(&folder, "out/"));
    items[0] = (struct option){"path", path};
    items[1] = (struct option){"format", "csv"};
    items[2] = (struct option){"sink.partition-commit.policy.kind", "success-file"};
    items[3] = (struct option){"sink.partition-commit.delay", "1 h"};
    for (; *more != NULL; more += 2) items[n++] = (struct option){more[0], more[1]};
    config = (struct sink_config){.connector = "filesystem", .options = {items, n}, .partitions = {&column, 1}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = &op_sink,
                                                              .config = &config,
                                                              .in = "ROW<a INT, b STRING>",
                                                              .sys = sys,
                                                              .checkpoints = true,
                                                              .subtask = subtask,
                                                              .parallelism = parallelism});
    assert_string_equal(op_driver_error(d), "");
    return d;
}

static bool is_there(const char *relative) { return access(folder_path(&folder, relative), F_OK) == 0; }
static bool is_said(const char *partition)
{
    char name[200];

    snprintf(name, sizeof name, "out/b=%s/_SUCCESS", partition);
    return is_there(name);
}

static void step(struct op_driver *d, int64_t checkpoint)
{
    op_checkpoint(d, checkpoint);
    op_complete(d, checkpoint);
    assert_string_equal(op_driver_error(d), "");
}

static const char *const by_event_time[] = {"sink.partition-commit.trigger", "partition-time", NULL};

static void complete_when_the_watermark_has_passed(void **state)
{
    (void)state;
    struct op_driver *d = partitioned(0, 1, by_event_time);
    op_push(d, 0, "1 | 1970-01-02\n2 | 1970-01-01 05:00:00\n");
    op_push_watermark(d, 6 * HOUR);
    step(d, 1);
    assert_false(is_said("1970-01-01 05%3A00%3A00")); /* not beyond its hour, but at it */
    op_push_watermark(d, 6 * HOUR + 1);
    assert_false(is_said("1970-01-01 05%3A00%3A00"));
    step(d, 2);
    assert_true(is_said("1970-01-01 05%3A00%3A00"));
    assert_false(is_said("1970-01-02"));
    op_push_end(d);
    step(d, 3);
    assert_true(is_said("1970-01-02"));
    look("out");
    assert_int_equal(hidden, 0);
    op_driver_free(d);
}

/* What is said of a checkpoint that is not complete is said by nobody; a job that goes on knows what was open. */
static void open_partitions_outlive_failures(void **state)
{
    (void)state;
    struct op_driver *d = partitioned(0, 1, by_event_time);
    op_push(d, 0, "1 | 1970-01-01\n");
    step(d, 1); /* published, and open */
    op_push(d, 0, "1 | 1970-01-03\n");
    op_checkpoint(d, 2); /* in a checkpoint, and published by the recovery */
    op_push(d, 0, "1 | 1970-01-05\n");
    op_fail_over(d);
    assert_true(is_there("out/b=1970-01-03"));
    op_push_watermark(d, 60 * HOUR);
    step(d, 3);
    assert_true(is_said("1970-01-01"));
    assert_true(is_said("1970-01-03"));
    assert_false(is_said("1970-01-05"));
    op_push_end(d);
    step(d, 4);
    assert_false(is_said("1970-01-05")); /* its rows belong to no checkpoint */
    op_driver_free(d);
}

static void all_subtasks_must_have_passed(void **state)
{
    (void)state;
    struct op_driver *a = partitioned(0, 2, by_event_time), *b = partitioned(1, 2, by_event_time);
    op_push(a, 0, "1 | 1970-01-01\n");
    op_push(b, 0, "2 | 1970-01-01\n");
    op_push_watermark(a, 100 * HOUR);
    step(a, 1);
    assert_false(is_said("1970-01-01")); /* nothing is known of the other */
    step(b, 1);
    step(a, 2);
    assert_false(is_said("1970-01-01"));
    op_push_watermark(b, 100 * HOUR);
    step(b, 2);
    assert_true(is_said("1970-01-01"));
    op_driver_free(a);
    op_driver_free(b);
}

/* The one that ends first leaves its partitions to the other. */
static void who_ends_last_says_it(void **state)
{
    (void)state;
    struct op_driver *a = partitioned(0, 2, by_event_time), *b = partitioned(1, 2, by_event_time);
    op_push(a, 0, "1 | 1970-01-01\n2 | 1970-01-02\n");
    op_push_end(a);
    step(a, 1);
    op_push_watermark(b, 2 * HOUR);
    step(b, 1);
    assert_true(is_said("1970-01-01"));
    assert_false(is_said("1970-01-02"));
    op_push_end(b);
    step(b, 2);
    assert_true(is_said("1970-01-02"));
    look("out");
    assert_int_equal(hidden, 0);
    op_driver_free(a);
    op_driver_free(b);
}

/* A run before this one has come to its end, but left its progress: it counts for nothing. */
static void an_earlier_run_counts_for_nothing(void **state)
{
    (void)state;
    struct op_driver *a = partitioned(0, 2, by_event_time), *b = partitioned(1, 2, by_event_time);
    op_push_end(b);
    step(b, 1);
    op_driver_free(b);
    b = partitioned(1, 2, by_event_time);
    op_push(a, 0, "1 | 1970-01-01\n");
    op_push_watermark(a, 100 * HOUR);
    op_checkpoint(b, 1); /* all have passed the barrier before it is complete */
    step(a, 1);
    assert_false(is_said("1970-01-01"));
    op_driver_free(a);
    op_driver_free(b);
}

static void by_the_clock(void **state)
{
    static const char *const nothing[] = {NULL};

    (void)state;
    struct op_driver *d = partitioned(0, 1, nothing);
    op_push(d, 0, "1 | x\n");
    step(d, 1);
    step(d, 2);
    assert_false(is_said("x")); /* in an hour */
    op_push_end(d);
    step(d, 3);
    assert_true(is_said("x"));
    op_driver_free(d);
}

static void times_made_of_values(void **state)
{
    static const char *const zoned[] = {"sink.partition-commit.trigger", "partition-time", "sink.partition-commit.watermark-time-zone",
                                        "Asia/Tokyo", "partition.time-extractor.timestamp-pattern", "$b 05:00",
                                        "partition.time-extractor.timestamp-formatter", "yyyyMMdd HH:mm", NULL};

    (void)state;
    struct op_driver *d = partitioned(0, 1, zoned);
    op_push(d, 0, "1 | 19700102\n"); /* 05:00 there is 20:00 of the day before in UTC */
    op_push_watermark(d, 21 * HOUR);
    step(d, 1);
    assert_false(is_said("19700102"));
    op_push_watermark(d, 21 * HOUR + 1);
    step(d, 2);
    assert_true(is_said("19700102"));
    op_push(d, 0, "1 | today\n");
    assert_non_null(strstr(op_driver_error(d), "b=today' has no time: 'today 05:00' is none (partition.time-extractor.timestamp-pattern says "
                                               "how a time is made of its values"));
    op_driver_free(d);
}

static void damaged_progress_is_named(void **state)
{
    (void)state;
    struct op_driver *d = partitioned(0, 1, by_event_time);
    op_push(d, 0, "1 | 1970-01-01\n");
    step(d, 1);
    op_driver_free(d);
    look("out");
    assert_int_equal(hidden, 1);
    folder_write(&folder, hidden_name, "\1");
    d = partitioned(0, 1, by_event_time);
    op_push(d, 0, "1 | 1970-01-01\n");
    assert_non_null(strstr(op_driver_error(d), "which says how far subtask 0 has published, is damaged (remove the file"));
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_appear_when_a_checkpoint_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_rolls_waits_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_prepared_is_published_after_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_lost_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(complete_when_the_watermark_has_passed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(open_partitions_outlive_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_subtasks_must_have_passed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_ends_last_says_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_earlier_run_counts_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_the_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(times_made_of_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_progress_is_named, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
