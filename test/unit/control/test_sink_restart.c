/* test_sink_restart.c - a sink of the user in two phases under checkpoints: what it commits is each row once, though the job fails in
 * the middle and is started anew; while the job runs, not at its end alone; and writer state comes back.
 *
 * A writer makes a transaction of rows when it has LEAST of them in front of a barrier; fewer stay in its state. The ledger counts a
 * transaction once. The source waits in the middle until a checkpoint with the first half is complete, as in test_restart.c. */
#include "support/folder.h"
#include "support/job_run.h"

#include <thalweg/sink.h>
#include <thalweg/source.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { NUMBERS = 1000, HALF = 500, LEAST = 7, NAMES_MAX = 4096, SUBTASKS_MAX = 4 };

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));
struct transaction {
    int64_t subtask, serial, rows, sum;
};
TW_ROW(transaction, TW_FIELD(transaction, subtask, "BIGINT NOT NULL"), TW_FIELD(transaction, serial, "BIGINT NOT NULL"),
       TW_FIELD(transaction, rows, "BIGINT NOT NULL"), TW_FIELD(transaction, sum, "BIGINT NOT NULL"));

/* Functions of the user reach it by no other way. */
static struct {
    struct folder folder;
    atomic_bool is_open; /* the gate */
    atomic_int arrived, completed, failures, restored;
    atomic_int early; /* transactions that were committed before the gate opened */
    atomic_llong rows, sum, before;
    atomic_bool is_wrong;                          /* what was committed is aborted */
    atomic_bool is_known[SUBTASKS_MAX][NAMES_MAX]; /* by subtask that began it, and serial number */
    atomic_int retries;
    bool commits_by_one; /* writing and committing are two operators */
    bool fails_in_commit;
    char lines[4096];
} w;

/* --- the job ---------------------------------------------------------------------------------------------------------------- */
static enum tw_status next_split(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split,
                                 bool *end)
{
    int64_t *given = enumerator;

    (void)cx, (void)subtask;
    *end = *given == 1;
    if (!*end) *split = (struct tw_split){.id = "all"};
    *given = 1;
    return TW_OK;
}

static enum tw_status open_split(struct tw_context *cx, void *split, const struct tw_split *what)
{
    (void)cx;
    if (what->position.size == sizeof(int64_t)) memcpy(split, what->position.data, sizeof(int64_t));
    return TW_OK;
}

static enum tw_status read_split(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count,
                                 bool *end)
{
    int64_t *next = split, last = w.is_open ? NUMBERS : HALF;
    struct number *out = rows;

    (void)cx;
    while (*count < max && *count < 7 && *next < last) out[(*count)++].value = (*next)++;
    *end = *next == NUMBERS;
    return TW_OK;
}

static void say_position(struct tw_context *cx, void *split, struct tw_str *position)
{
    (void)cx;
    *position = (struct tw_str){split, sizeof(int64_t)};
}

static const struct tw_splits all_numbers = {.enumerator_size = sizeof(int64_t),
                                             .next = next_split,
                                             .split_size = sizeof(int64_t),
                                             .open = open_split,
                                             .read = read_split,
                                             .position = say_position};
TW_FUNCTION(gives_numbers) = {.out = &number_row, .splits = &all_numbers};

struct writer {
    struct transaction open;
};

static enum tw_status write_row(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct writer *self = tw_self(cx);

    (void)kind;
    if (!w.is_open) w.arrived++;
    if (w.is_open && !w.fails_in_commit && w.failures > 0) {
        w.failures--;
        return tw_fail(cx, "the middle is reached");
    }
    self->open.rows++;
    self->open.sum += ((const struct number *)in)->value;
    return TW_OK;
}

static enum tw_status prepare(struct tw_context *cx)
{
    struct writer *self = tw_self(cx);

    if (self->open.rows == 0 || (self->open.rows < LEAST && !tw_input_ended(cx))) return TW_OK;
    self->open.subtask = tw_subtask(cx);
    tw_committable(cx, &self->open);
    self->open = (struct transaction){.serial = self->open.serial + 1};
    return TW_OK;
}

static enum tw_status commit(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    const struct transaction *t = committable;

    assert_true(t->serial < NAMES_MAX && t->subtask < SUBTASKS_MAX);
    if (w.is_open && w.fails_in_commit && w.failures > 0) {
        w.failures--;
        return tw_fail(cx, "no answer");
    }
    if (c->retries == 0 && t->serial % 3 == 0) {
        w.retries++;
        c->answer = TW_RETRY_LATER;
        return TW_OK;
    }
    c->answer = atomic_exchange(&w.is_known[t->subtask][t->serial], true) ? TW_COMMITTED_BEFORE : TW_COMMITTED;
    if (c->answer == TW_COMMITTED_BEFORE) {
        w.before++;
        return TW_OK;
    }
    w.early += !w.is_open;
    w.rows += t->rows;
    w.sum += t->sum;
    return TW_OK;
}

static void abort_one(struct tw_context *cx, const void *committable)
{
    const struct transaction *t = committable;

    (void)cx; /* prepared at the end, while another subtask failed: it is in no checkpoint */
    if (w.is_known[t->subtask][t->serial]) w.is_wrong = true;
}

static enum tw_status snapshot(struct tw_context *cx, int64_t checkpoint)
{
    (void)checkpoint;
    tw_writer_state(cx, &((struct writer *)tw_self(cx))->open);
    return TW_OK;
}

static enum tw_status restore(struct tw_context *cx, const void *state)
{
    ((struct writer *)tw_self(cx))->open = *(const struct transaction *)state;
    w.restored++;
    return TW_OK;
}

TW_FUNCTION(ledger) = {.in = &number_row,
                       .self_size = sizeof(struct writer),
                       .committable = &transaction_row,
                       .writer_state = &transaction_row,
                       .sink = write_row,
                       .prepare_commit = prepare,
                       .commit = commit,
                       .abort_commit = abort_one,
                       .snapshot = snapshot,
                       .restore = restore};

/* The same with a committer of its own: one subtask of it gets all transactions. */
static struct tw_stream *by_one(struct tw_stream *written, struct tw_str config)
{
    (void)config;
    return tw_global(written);
}
static const struct tw_sink_topology commits_by_one = {.pre_commit = by_one};
TW_FUNCTION(ledger_by_one) = {.in = &number_row,
                              .self_size = sizeof(struct writer),
                              .committable = &transaction_row,
                              .writer_state = &transaction_row,
                              .sink = write_row,
                              .prepare_commit = prepare,
                              .commit = commit,
                              .abort_commit = abort_one,
                              .snapshot = snapshot,
                              .restore = restore,
                              .topology = &commits_by_one};

static void build(struct tw_env *env, void *arg)
{
    (void)arg;
    tw_set(env, "pipeline.name", "ledger");
    tw_set(env, "execution.checkpointing.interval", "2 ms");
    tw_set(env, "execution.checkpointing.dir", w.folder.path);
    tw_set(env, "restart-strategy.type", "fixed-delay");
    tw_set(env, "restart-strategy.fixed-delay.delay", "1 ms");
    tw_set(env, "restart-strategy.fixed-delay.attempts", "5");
    struct tw_stream *numbers = tw_rebalance(tw_source_function(env, "numbers", &gives_numbers));
    tw_sink_function(numbers, "out", w.commits_by_one ? &ledger_by_one : &ledger);
}

/* --- running it -------------------------------------------------------------------------------------------------------------- */
static void watch_log(void *arg, enum log_level level, const char *line, size_t size)
{
    (void)arg;
    if (level >= LOG_WARN && strlen(w.lines) + size + 2 < sizeof w.lines) strcat(strncat(w.lines, line, size), "\n");
    if (memmem(line, size, " completed (", 12) == NULL || w.arrived < HALF) return;
    if (++w.completed == 3) w.is_open = true;
}

static struct job_run run_job(void)
{
    struct log log = {.level = LOG_INFO, .write = watch_log};
    struct job_run run = {.build = build, .parallelism = 2, .log = &log};

    job_run(&run);
    return run;
}

static int set_up(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    folder_make(&w.folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(&w.folder);
    return 0;
}

static void expect_each_row_once(int failures)
{
    w.failures = failures;
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(w.failures, 0);
    assert_int_equal(w.rows, NUMBERS);
    assert_int_equal(w.sum, (int64_t)NUMBERS * (NUMBERS - 1) / 2);
    assert_false(w.is_wrong);
    assert_true(w.early > 0);
    assert_true(w.retries > 0);
}

static void it_commits_while_the_job_runs(void **state)
{
    (void)state;
    expect_each_row_once(0);
    assert_int_equal(w.restored, 0);
}

static void each_row_once_though_the_job_fails(void **state)
{
    (void)state;
    expect_each_row_once(2);
    assert_true(w.restored >= 2);
    assert_non_null(strstr(w.lines, "the middle is reached"));
}

static void and_though_commits_fail(void **state)
{
    (void)state;
    w.fails_in_commit = true;
    expect_each_row_once(2);
    assert_non_null(strstr(w.lines, "no answer"));
}

static void so_does_a_committer_of_its_own(void **state)
{
    for (int how = 0; how < 3; how++) {
        w.commits_by_one = true;
        w.fails_in_commit = how == 2;
        expect_each_row_once(how == 0 ? 0 : 2);
        if (how == 1) assert_true(w.restored >= 2); /* when commits fail the writers may be through */
        tear_down(state);
        set_up(state);
    }
}

/* --- what cannot go back ------------------------------------------------------------------------------------------------------ */
static enum tw_status give_once(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    (void)cx, (void)max;
    ((struct number *)rows)->value = 1;
    *count = 1;
    *end = true;
    return TW_OK;
}
TW_FUNCTION(gives_once) = {.out = &number_row, .source = give_once};

static void build_once(struct tw_env *env, void *arg)
{
    (void)arg;
    tw_set(env, "execution.checkpointing.interval", "1 h");
    tw_set(env, "execution.checkpointing.dir", w.folder.path);
    tw_sink_function(tw_source_function(env, "once", &gives_once), "out", &ledger);
}

static void a_source_that_cannot_go_back_says_so_once(void **state)
{
    struct log log = {.level = LOG_WARN, .write = watch_log};
    struct job_run run = {.build = build_once, .parallelism = 2, .log = &log};

    (void)state;
    job_run(&run);
    assert_string_equal(run.err.text, "");
    const char *said = strstr(w.lines, "source 'Source: once' cannot go back: after a failure, ");
    assert_non_null(said);
    assert_null(strstr(said + 1, "source 'Source: once'"));
    assert_int_equal(w.rows, 2); /* of both subtasks, with the checkpoint at the end */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(it_commits_while_the_job_runs),
        T(each_row_once_though_the_job_fails),
        T(and_though_commits_fail),
        T(so_does_a_committer_of_its_own),
        T(a_source_that_cannot_go_back_says_so_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
