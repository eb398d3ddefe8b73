/* test_job_ends.c - how a job comes to its end, and what it says then: of several subtasks that fail the first one's reason
 * counts, in whatever order they fail; a signal ends it in order, a second SIGINT the process at once; the totals of its
 * tasks, while they run and afterwards. */
#include "support/job_run.h"

#include <thalweg/window.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

/* Each subtask gives its own number, once. */
static enum tw_status give_number(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    (void)max;
    ((struct number *)rows)->value = tw_subtask(cx);
    *count = 1;
    *end = true;
    return TW_OK;
}
TW_FUNCTION(gives_own_number) = {.out = &number_row, .source = give_number};

/* --- the first failure wins ------------------------------------------------------------------------------------------------ */
enum { SUBTASKS = 4 };

struct race {
    struct sys *sys;
    int64_t first;                    /* the subtask that fails first; the others when the job is failing already */
    struct sys_mailbox *go[SUBTASKS]; /* of each of the others: it may fail, too */
    uint32_t ended;
};
static struct race *the_race; /* user functions reach it by no other way */

static enum tw_status fail_in_turn(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    int64_t value = ((const struct number *)in)->value;

    (void)kind;
    if (value != the_race->first) assert_non_null(sys_mailbox_take(the_race->sys, the_race->go[value], INT64_MAX));
    return tw_fail(cx, "number %lld is not wanted", (long long)value);
}
TW_FUNCTION(fails_in_turn) = {.in = &number_row, .sink = fail_in_turn, .flags = TW_BLOCKING};

/* The job master says that the job is failing: now the others may fail too. */
static void watch_log(void *arg, enum log_level level, const char *line, size_t size)
{
    struct race *r = arg;
    static const char failing[] = "RUNNING -> FAILING", ended[] = " ended: ";

    (void)level;
    if (memmem(line, size, ended, strlen(ended)) != NULL) r->ended++;
    if (memmem(line, size, failing, strlen(failing)) == NULL) return;
    for (int i = 0; i < SUBTASKS; i++) sys_mailbox_send(r->sys, r->go[i], r);
}

static void build_race(struct tw_env *env, void *arg)
{
    (void)arg;
    tw_sink_function(tw_source_function(env, "number", &gives_own_number), "out", &fails_in_turn);
}

static void the_first_failure_wins(void **state)
{
    (void)state;
    for (int64_t first = 0; first < SUBTASKS; first++) {
        struct race race = {.sys = sys_linux_create_quiet(), .first = first};
        struct log log = {.level = LOG_INFO, .write = watch_log, .arg = &race};
        struct job_run run = {.build = build_race, .parallelism = SUBTASKS, .sys = race.sys, .log = &log};
        char expected[160];

        for (int i = 0; i < SUBTASKS; i++) race.go[i] = sys_mailbox_create(race.sys);
        the_race = &race;
        job_run(&run);
        snprintf(expected, sizeof expected, "operator 'Sink: out' (subtask %d/%d): row +I[%d]: number %d is not wanted",
                 (int)first + 1, SUBTASKS, (int)first, (int)first);
        assert_int_equal(run.status, E_USER);
        assert_int_equal(run.end, JOB_FAILED);
        assert_string_equal(run.err.text, expected);
        assert_int_equal(race.ended, SUBTASKS); /* the others failed as well, or were told to end */
        assert_int_equal(run.totals.tasks_running, 0);
        for (int i = 0; i < SUBTASKS; i++) sys_mailbox_free(race.sys, race.go[i]);
        sys_linux_free(race.sys);
    }
}

/* --- signals ------------------------------------------------------------------------------------------------------------------ */
struct strike {
    int signals[2];
    bool never_returns;
    int rows;
};
static struct strike *the_strike;

/* Rows without end; the signals come in the midst of them. */
static enum tw_status give_for_ever(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    (void)cx, (void)max, (void)end;
    ((struct number *)rows)->value = 1;
    *count = 1;
    return TW_OK;
}
TW_FUNCTION(gives_for_ever) = {.out = &number_row, .source = give_for_ever};

static enum tw_status strike_once(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)cx, (void)in, (void)kind;
    if (the_strike->rows++ != 100) return TW_OK;
    for (int i = 0; i < 2; i++) /* to the process: this thread takes none */
        if (the_strike->signals[i] != 0) kill(getpid(), the_strike->signals[i]);
    while (the_strike->never_returns) kill(getpid(), SIGINT); /* two at once may count as one */
    return TW_OK;
}
TW_FUNCTION(strikes_once) = {.in = &number_row, .sink = strike_once, .flags = TW_BLOCKING};

static void build_strike(struct tw_env *env, void *arg)
{
    (void)arg;
    tw_sink_function(tw_source_function(env, "for ever", &gives_for_ever), "out", &strikes_once);
}

/* In a child, since handlers belong to a process. What it answers: the signal that ended the job, 100 when all is not as it
 * should be; what its process ended with otherwise. */
static int struck(struct strike s)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct sys *sys = sys_linux_create();
        struct job_run run = {.build = build_strike, .parallelism = 1, .sys = sys, .takes_signals = true};
        the_strike = &s;
        job_run(&run);
        bool fine = run.status == E_CANCELED && run.end == JOB_CANCELED && run.totals.tasks_running == 0 && s.rows > 100;
        sys_linux_free(sys);
        _exit(fine ? (int)run.signal : 100);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_signal_ends_the_job_in_order(void **state)
{
    (void)state;
    assert_int_equal(struck((struct strike){.signals = {SIGINT}}), SYS_SIGNAL_INT);
    assert_int_equal(struck((struct strike){.signals = {SIGTERM}}), SYS_SIGNAL_TERM);
    assert_int_equal(struck((struct strike){.signals = {SIGTERM, SIGTERM}}), SYS_SIGNAL_TERM);
}

/* Its callback does not return, so in order it could not end. */
static void a_second_interrupt_ends_the_process_at_once(void **state)
{
    (void)state;
    assert_int_equal(struck((struct strike){.signals = {SIGINT}, .never_returns = true}), 130);
}

/* --- totals -------------------------------------------------------------------------------------------------------------------- */
struct event {
    int64_t key, time;
};
TW_ROW(event, TW_FIELD(event, key, "BIGINT NOT NULL"), TW_FIELD(event, time, "BIGINT NOT NULL"));

static enum tw_status ignore(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)cx, (void)in, (void)kind;
    return TW_OK;
}
TW_FUNCTION(ignores) = {.in = &event_row, .sink = ignore};
TW_FUNCTION(ignores_numbers) = {.in = &number_row, .sink = ignore};

struct sums {
    int64_t n;
};
TW_ROW(sums, TW_FIELD(sums, n, "BIGINT NOT NULL"));
static enum tw_status count_one(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx, (void)in;
    ((struct sums *)acc)->n++;
    return TW_OK;
}
static enum tw_status count_of(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(struct sums *)out = *(const struct sums *)acc;
    return TW_OK;
}
TW_FUNCTION(counts_all) = {.in = &event_row, .acc = &sums_row, .out = &sums_row, .add = count_one, .result = count_of};
static enum tw_status ignore_sum(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)cx, (void)kind;
    return ((const struct sums *)in)->n > 0 ? TW_OK : TW_FAILED;
}
TW_FUNCTION(ignores_sums) = {.in = &sums_row, .sink = ignore_sum};

/* Windows of 10 ms, watermark after each row at its time - 1, lateness 5: the row at 8 comes while its window may fire again,
 * the rows at 3 and 1 too late. */
static void build_late(struct tw_env *env, void *arg)
{
    static const struct event rows[] = {{1, 5}, {1, 12}, {1, 8}, {1, 30}, {1, 3}, {2, 1}, {1, 31}};
    struct tw_stream *s = tw_with_watermarks(tw_from_data(env, &event_row, rows, COUNT_OF(rows)), .kind = TW_WM_MONOTONOUS,
                                             .time_field = "time", .every_rows = 1);

    (void)arg;
    tw_sink_function(s, "rows", &ignores);
    s = tw_window_aggregate(tw_key_by(s, "key"), TW_TUMBLE(10, .allowed_lateness_ms = 5), &counts_all);
    tw_sink_function(s, "windows", &ignores_sums);
}

static void late_rows_are_counted(void **state)
{
    struct job_run run = {.build = build_late, .parallelism = 1};

    (void)state;
    job_run(&run);
    assert_string_equal(run.err.text, "");
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(run.totals.rows_in, 7);
    /* Seven rows; windows [0, 10) with 1 and again with 2, [10, 20), [30, 40). */
    assert_int_equal(run.totals.rows_out, 7 + 4);
    assert_int_equal(run.totals.late_refired, 1);
    assert_int_equal(run.totals.late_dropped, 2);
    assert_int_equal(run.totals.errors_skipped, 0);
    assert_int_equal(run.totals.dead_letters, 0);
    assert_int_equal(run.totals.tasks_running, 0);
    assert_int_equal(run.totals.watermark, INT64_MAX); /* nobody runs who could hold it back */
}

/* --- totals while tasks run: turn by turn on this thread -------------------------------------------------------------------- */
struct turns {
    struct job_totals first, latest;
    uint32_t count, seen_running; /* how many different numbers of running tasks */
};

static void drive(void *arg, struct taskmanager *tm, struct jobmaster *jm)
{
    struct turns *t = arg;
    enum status st = S_OK;
    bool progress;
    int64_t deadline_ms;

    taskmanager_totals(tm, &t->first);
    t->latest = t->first;
    for (; st == S_OK; t->count++) {
        struct job_totals now;
        st = taskmanager_round(tm, NULL, &progress, &deadline_ms);
        taskmanager_totals(tm, &now);
        assert_true(now.rows_in >= t->latest.rows_in && now.rows_out >= t->latest.rows_out);
        assert_true(now.rows_out <= now.rows_in);
        assert_true(now.tasks_running <= t->latest.tasks_running && now.tasks == t->first.tasks);
        assert_true(now.tasks_running == 0 || now.watermark >= t->latest.watermark);
        t->seen_running += now.tasks_running != t->latest.tasks_running;
        t->latest = now;
        jobmaster_pump(jm);
    }
}

static void build_counting(struct tw_env *env, void *arg)
{
    (void)arg;
    tw_sink_function(tw_rebalance(tw_from_sequence(env, 1, 200000)), "out", &ignores_numbers);
}

static void totals_grow_while_tasks_run(void **state)
{
    struct turns turns = {.count = 0};
    struct job_run run = {.build = build_counting, .parallelism = 2, .drive = drive, .drive_arg = &turns};

    (void)state;
    job_run(&run);
    assert_string_equal(run.err.text, "");
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(turns.first.tasks, 4);
    assert_int_equal(turns.first.tasks_running, 4);
    assert_int_equal(turns.first.rows_in, 0);
    assert_int_equal(turns.first.watermark, TIME_MIN);
    assert_true(turns.count > 3 && turns.seen_running >= 2);
    assert_int_equal(run.totals.rows_in, 200000);
    assert_int_equal(run.totals.rows_out, 200000);
    assert_int_equal(run.totals.tasks, 4);
    assert_int_equal(run.totals.tasks_running, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failure_wins),
        cmocka_unit_test(a_signal_ends_the_job_in_order),
        cmocka_unit_test(a_second_interrupt_ends_the_process_at_once),
        cmocka_unit_test(late_rows_are_counted),
        cmocka_unit_test(totals_grow_while_tasks_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
