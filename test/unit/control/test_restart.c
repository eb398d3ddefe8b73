/* test_restart.c - a job that fails in the middle goes on from its checkpoint, and so does one whose process was killed: counts per key
 * are exact, and nothing in front of the checkpoint is read again.
 *
 * The source gives the first half of its numbers and then waits at a gate, which opens when a checkpoint is complete that has
 * that half in it: the second of two after the last number of the half has arrived, since the next begins when one is over. */
#include "support/folder.h"
#include "support/job_run.h"

#include "control/snapshot/snapshot_read.h"

#include <thalweg/source.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { NUMBERS = 1000, HALF = 500, KEYS = 5, SPLITS = 2, COUNT = SPLITS * NUMBERS / KEYS };

struct number {
    int64_t key, value;
};
TW_ROW(number, TW_FIELD(number, key, "BIGINT NOT NULL"), TW_FIELD(number, value, "BIGINT NOT NULL"));

struct count {
    int64_t key, count;
};
TW_ROW(count, TW_FIELD(count, key, "BIGINT NOT NULL"), TW_FIELD(count, count, "BIGINT NOT NULL"));

/* User functions reach it by no other way. */
static struct {
    struct folder folder;
    struct sys_atomic_u64 is_open;      /* the gate */
    struct sys_atomic_u64 arrived;      /* rows of the first half, in the first attempt */
    struct sys_atomic_u64 lowest;       /* number that arrived behind the gate's opening */
    struct sys_atomic_u64 failures;     /* that are still to come */
    struct sys_atomic_u64 counts[KEYS]; /* the highest that came out */
    int completed;                      /* checkpoints since all of the first half arrived */
    struct sys_atomic_u64 broken;
    bool meets;         /* two tasks fail together */
    bool breaks_folder; /* at the first failure */
    bool dies, first_ends; /* the first split has the first half alone */
    struct sys *sys;
    struct sys_parker *waiting; /* for the first half; NULL: nobody does */
    int tells;                  /* not 0: writes a byte there instead */
    const char *uid;            /* of the operator that counts */
    char said[4096], lines[4096];
    const char *settings[16]; /* key, value, ..., NULL */
    uint32_t parallelism;
} w;

/* --- the job ---------------------------------------------------------------------------------------------------------------- */
struct handed_out {
    int64_t splits;
};

static enum tw_status next_split(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split,
                                 bool *end)
{
    static const char *const ids[SPLITS] = {"0", "1"};
    struct handed_out *h = enumerator;

    (void)cx, (void)subtask;
    *end = h->splits == SPLITS;
    if (!*end) *split = (struct tw_split){.id = ids[h->splits++]};
    return TW_OK;
}

struct part {
    int64_t next, end;
};

static enum tw_status open_split(struct tw_context *cx, void *split, const struct tw_split *what)
{
    struct part *p = split;

    (void)cx;
    p->end = w.first_ends && strcmp(what->id, "0") == 0 ? HALF : NUMBERS;
    if (what->position.size == sizeof p->next) memcpy(&p->next, what->position.data, sizeof p->next);
    return TW_OK;
}

static enum tw_status read_split(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count,
                                 bool *end)
{
    int64_t last = sys_atomic_load(&w.is_open) != 0 ? NUMBERS : HALF;
    struct part *p = split;
    struct number *out = rows;

    (void)cx;
    for (; *count < max && *count < 7 && p->next < last && p->next < p->end; p->next++)
        out[(*count)++] = (struct number){.key = p->next % KEYS, .value = p->next};
    *end = p->next == p->end;
    return TW_OK;
}

static void say_position(struct tw_context *cx, void *split, struct tw_str *position)
{
    (void)cx;
    *position = (struct tw_str){(const char *)&((struct part *)split)->next, sizeof(int64_t)};
}

static const struct tw_splits halves = {.enumerator_size = sizeof(struct handed_out),
                                        .next = next_split,
                                        .split_size = sizeof(struct part),
                                        .open = open_split,
                                        .read = read_split,
                                        .position = say_position};
TW_FUNCTION(gives_numbers) = {.out = &number_row, .splits = &halves};

static const struct tw_state so_far = {.name = "count", .kind = TW_VALUE, .value = "BIGINT"};

/* Where checkpoints lay there is a file. */
static void break_folder(void)
{
    char other[700];

    if (sys_atomic_add(&w.broken, 1) > 0) return;
    snprintf(other, sizeof other, "%s.away", w.folder.path);
    assert_int_equal(rename(w.folder.path, other), 0);
    FILE *f = fopen(w.folder.path, "w");
    assert_non_null(f);
    fclose(f);
}

static enum tw_status count_one(struct tw_context *cx, const void *in)
{
    const struct number *n = in;
    int64_t count = 0;

    if (sys_atomic_load(&w.is_open) == 0) {
        if (sys_atomic_add(&w.arrived, 1) + 1 == SPLITS * HALF && w.waiting != NULL) sys_unpark(w.sys, w.waiting);
    } else {
        if ((uint64_t)n->value < sys_atomic_load(&w.lowest)) sys_atomic_store(&w.lowest, (uint64_t)n->value);
        if (sys_atomic_load(&w.failures) > 0) {
            sys_atomic_add(&w.failures, (uint64_t)-1);
            if (w.breaks_folder) break_folder();
            while (w.meets && sys_atomic_load(&w.failures) > 0) {} /* the other one is on its way, on a thread of its own */
            return tw_fail(cx, "the middle is reached");
        }
    }
    tw_value_get(cx, &so_far, &count);
    count++;
    tw_value_set(cx, &so_far, &count);
    tw_collect(cx, &(struct count){n->key, count});
    return TW_OK;
}
TW_FUNCTION(counts_numbers) = {.in = &number_row, .out = &count_row, .states = {&so_far}, .process = count_one};

static enum tw_status take_count(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    const struct count *c = in;
    struct sys_atomic_u64 *highest = &w.counts[c->key];

    (void)cx, (void)kind;
    if ((uint64_t)c->count > sys_atomic_load(highest)) sys_atomic_store(highest, (uint64_t)c->count);
    return TW_OK;
}
TW_FUNCTION(takes_counts) = {.in = &count_row, .sink = take_count};

static void build(struct tw_env *env, void *arg)
{
    (void)arg;
    tw_set(env, "pipeline.name", "numbers");
    tw_set(env, "execution.checkpointing.interval", "2 ms");
    tw_set(env, "execution.checkpointing.dir", w.folder.path);
    tw_set(env, "restart-strategy.type", "fixed-delay");
    tw_set(env, "restart-strategy.fixed-delay.delay", "1 ms");
    for (int i = 0; w.settings[i] != NULL; i += 2) tw_set(env, w.settings[i], w.settings[i + 1]);
    struct tw_stream *numbers = tw_uid(tw_source_function(env, "numbers", &gives_numbers), "numbers");
    struct tw_stream *counts = tw_uid(tw_process(tw_key_by(numbers, "key"), &counts_numbers), w.uid);
    tw_parallelism(tw_sink_function(counts, "out", &takes_counts), 1); /* one thread compares the counts */
}

/* --- running it ------------------------------------------------------------------------------------------------------------------ */
static void watch_log(void *arg, enum log_level level, const char *line, size_t size)
{
    (void)arg;
    if (level >= LOG_WARN && strlen(w.lines) + size + 2 < sizeof w.lines) {
        strncat(w.lines, line, size);
        strcat(w.lines, "\n");
    }
    if (memmem(line, size, " completed (", 12) == NULL || sys_atomic_load(&w.arrived) < SPLITS * HALF) return;
    if (++w.completed < 2) return;
    if (w.dies) _exit(9);
    if (w.tells == 0)
        sys_atomic_store(&w.is_open, 1);
    else if (w.completed == 2)
        assert_int_equal(write(w.tells, "x", 1), 1);
}

static void keep_said(void *arg, const char *line)
{
    (void)arg;
    snprintf(w.said + strlen(w.said), sizeof w.said - strlen(w.said), "%s\n", line);
}

static struct job_run run_job(void)
{
    struct log log = {.level = LOG_INFO, .write = watch_log};
    struct job_run run = {.build = build, .parallelism = w.parallelism, .log = &log, .say = keep_said};

    job_run(&run);
    return run;
}

static int set_up(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    folder_make(&w.folder);
    w.lowest.value = UINT64_MAX;
    w.parallelism = 2;
    w.uid = "counts";
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(&w.folder);
    return 0;
}

static void expect_counts(void)
{
    for (int i = 0; i < KEYS; i++) assert_int_equal(sys_atomic_load(&w.counts[i]), COUNT);
}

/* The process of a run is killed when a checkpoint with the first half is complete. */
static void run_and_die(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        w.dies = true;
        struct job_run run = run_job();
        _exit(run.status == S_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 9);
}

static void a_job_that_fails_goes_on_from_its_checkpoint(void **state)
{
    (void)state;
    w.failures.value = 1;
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(run.status, S_OK);
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(sys_atomic_load(&w.failures), 0);
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
    assert_non_null(strstr(w.lines, "job 'numbers' failed and is started anew in 1 ms (attempt 2): operator "));
    assert_non_null(strstr(w.said, "job 'numbers' goes on from checkpoint "));
    const char *report = strstr(w.said, "job 'numbers' runs again (attempt 2), ");
    assert_non_null(report);
    assert_non_null(strstr(report, " ms after it failed\n  cause: operator "));
    assert_non_null(strstr(report, "the middle is reached\n  begins with: checkpoint "));
    const char *phases = strstr(report, "\n  phases: tasks ended ");
    assert_non_null(phases);
    assert_non_null(strstr(phases, " ms, record "));
    assert_non_null(strstr(phases, " ms, pause "));
    assert_non_null(strstr(phases, " ms, state read "));
    assert_non_null(strstr(phases, " ms, deployed "));
    assert_non_null(strstr(phases, " ms, opened "));
    assert_int_equal(run.failure_count, 1);
    assert_false(run.failures[0].is_final);
    assert_int_equal(run.failures[0].attempt, 0);
    assert_non_null(strstr(run.failures[0].text, "the middle is reached"));
    assert_non_null(strstr(run.failures[0].task, "/2) - execution #0"));
    assert_int_equal(run.failures[0].concurrent_count, 0);
    assert_true(run.last_checkpoint.id >= 2 && run.last_checkpoint.tasks == 5); /* source, counts, sink: 2 + 2 + 1 */
}

static void more_failures_than_are_allowed_fail_it(void **state)
{
    (void)state;
    w.failures.value = 100;
    w.settings[0] = "restart-strategy.fixed-delay.attempts";
    w.settings[1] = "3";
    struct job_run run = run_job();
    assert_int_equal(run.status, E_USER);
    assert_int_equal(run.end, JOB_FAILED);
    assert_in_range(sys_atomic_load(&w.failures), 100 - 4 * 2, 100 - 4); /* both subtasks may fail in one attempt */
    assert_non_null(strstr(run.err.text, "the middle is reached"));
    assert_non_null(strstr(w.lines, "(attempt 4)"));
    assert_null(strstr(w.lines, "(attempt 5)"));
    assert_int_equal(run.failure_count, 4);
    assert_true(run.failures[0].is_final && run.failures[0].attempt == 3);
    assert_true(!run.failures[3].is_final && run.failures[3].attempt == 0);
}

/* Two tasks meet at the middle and fail at one time: one of them is the cause, and the other is told with it. */
static void failures_at_one_time_are_one(void **state)
{
    (void)state;
    w.failures.value = 2;
    w.meets = true;
    struct job_run run = run_job();
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(run.failure_count, 1);
    assert_int_equal(run.failures[0].concurrent_count, 1);
    assert_string_not_equal(run.failures[0].task, run.failures[0].concurrent[0].task);
    assert_non_null(strstr(run.failures[0].concurrent[0].task, "/2) - execution #0"));
    assert_non_null(strstr(run.failures[0].concurrent[0].text, "the middle is reached"));
    expect_counts();
}

static void storage_that_is_away_is_a_failure_like_others(void **state)
{
    char other[700];

    (void)state;
    w.failures.value = 1;
    w.breaks_folder = true;
    w.settings[0] = "restart-strategy.fixed-delay.attempts";
    w.settings[1] = "3";
    struct job_run run = run_job();
    snprintf(other, sizeof other, "%s.away", w.folder.path);
    assert_int_equal(unlink(w.folder.path), 0);
    assert_int_equal(rename(other, w.folder.path), 0);
    assert_int_equal(run.end, JOB_FAILED);
    if (run.failure_count != 4) fail_msg("%u failures, at last: %s", run.failure_count, run.failures[0].text);
    for (int i = 0; i < 3; i++) assert_non_null(strstr(run.failures[i].text, "the job could not be started anew: "));
    assert_true(run.failures[0].is_final);
    assert_false(run.failures[1].is_final);
    assert_non_null(strstr(run.err.hint, "it had failed because of: "));
    w.breaks_folder = false; /* the folder is back, and nothing was lost */
    w.failures.value = 0;
    w.lowest.value = UINT64_MAX;
    run = run_job();
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
}

static void a_job_whose_process_was_killed_is_gone_on_with(void **state)
{
    (void)state;
    run_and_die();
    w.is_open.value = 1;
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
    assert_int_equal(strncmp(w.said, "job 'numbers' resumed from checkpoint ", 38), 0);
}

static void with_another_parallelism_too(void **state)
{
    (void)state;
    for (uint32_t parallelism = 1; parallelism <= 5; parallelism += 2) {
        tear_down(state);
        set_up(state);
        run_and_die();
        w.is_open.value = 1;
        w.parallelism = parallelism;
        struct job_run run = run_job();
        assert_string_equal(run.err.text, "");
        assert_int_equal(run.end, JOB_FINISHED);
        assert_int_equal(sys_atomic_load(&w.lowest), HALF);
        expect_counts();
    }
}

/* The task that read it is finished: nothing of it runs again, and nobody else reads it. */
static void what_was_read_to_its_end_is_not_read_again(void **state)
{
    for (uint32_t parallelism = 1; parallelism <= 3; parallelism++) {
        tear_down(state);
        set_up(state);
        w.first_ends = true;
        run_and_die();
        w.is_open.value = 1;
        w.parallelism = parallelism;
        struct job_run run = run_job();
        assert_string_equal(run.err.text, "");
        assert_int_equal(run.end, JOB_FINISHED);
        assert_int_equal(sys_atomic_load(&w.lowest), HALF);
        for (int i = 0; i < KEYS; i++) assert_int_equal(sys_atomic_load(&w.counts[i]), (HALF + NUMBERS) / KEYS);
    }
}

static void a_job_that_has_finished_begins_anew(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        w.is_open.value = 1;
        w.lowest.value = UINT64_MAX;
        struct job_run run = run_job();
        assert_int_equal(run.end, JOB_FINISHED);
        assert_int_equal(sys_atomic_load(&w.lowest), 0);
        expect_counts();
        assert_string_equal(w.said, "");
    }
}

static void a_job_that_is_to_be_fresh_begins_anew(void **state)
{
    (void)state;
    run_and_die();
    w.is_open.value = 1;
    w.settings[0] = "thalweg.checkpoint.fresh";
    w.settings[1] = "true";
    struct job_run run = run_job();
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(sys_atomic_load(&w.lowest), 0);
    expect_counts();
}

/* The folder of the checkpoint that the job said it begins with. */
static const char *said_folder(void)
{
    static char folder[512];
    const char *at = strstr(w.said, ") in ");

    assert_non_null(at);
    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(at + 5, "\n"), at + 5);
    return folder;
}

static bool is_there(const char *folder)
{
    char path[1100];

    snprintf(path, sizeof path, "%s/_metadata", folder);
    return access(path, F_OK) == 0;
}

/* A killed run, and the folder of its checkpoint. */
static const char *leave_checkpoint(void)
{
    static char folder[600];
    char command[700];
    FILE *f;

    run_and_die();
    snprintf(command, sizeof command, "ls -d %s/*/chk-*/", w.folder.path);
    assert_non_null(f = popen(command, "r"));
    assert_non_null(fgets(folder, sizeof folder, f));
    pclose(f);
    folder[strcspn(folder, "\n") - 1] = '\0';
    return folder;
}

static void a_checkpoint_that_is_named_is_begun_with_and_stays(void **state)
{
    (void)state;
    const char *folder = leave_checkpoint();
    w.is_open.value = 1;
    w.settings[0] = "execution.state-recovery.path";
    w.settings[1] = folder;
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
    assert_int_equal(strncmp(w.said, "job 'numbers' begins from checkpoint ", 37), 0);
    assert_string_equal(said_folder(), folder);
    assert_true(is_there(folder));
}

static void one_that_is_claimed_goes_when_it_is_not_needed(void **state)
{
    (void)state;
    const char *folder = leave_checkpoint();
    w.is_open.value = 1;
    w.settings[0] = "execution.state-recovery.path";
    w.settings[1] = folder;
    w.settings[2] = "execution.state-recovery.claim-mode";
    w.settings[3] = "CLAIM";
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    expect_counts();
    assert_false(is_there(folder));
}

static void state_without_an_operator_is_refused_unless_it_may_go(void **state)
{
    (void)state;
    run_and_die();
    w.is_open.value = 1;
    w.uid = "other";
    struct job_run run = run_job();
    assert_int_equal(run.status, E_GRAPH);
    assert_string_equal(strstr(run.err.text, "has state of"),
                        "has state of the operator 'KeyedProcess' (id e1df572b8e673e707c9e45d2a68de9e3), but the job "
                        "has no operator with "
                        "that id");
    assert_non_null(strstr(run.err.hint, "--allowNonRestoredState (-n) drops that state"));
    w.settings[0] = "execution.state-recovery.ignore-unclaimed-state";
    w.settings[1] = "true";
    run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(sys_atomic_load(&w.counts[i]), COUNT / 2); /* of the second half alone */
}

static void a_lower_max_parallelism_is_refused(void **state)
{
    (void)state;
    run_and_die();
    w.is_open.value = 1;
    w.settings[0] = "pipeline.max-parallelism";
    w.settings[1] = "64";
    struct job_run run = run_job();
    assert_int_equal(run.status, E_GRAPH);
    assert_non_null(strstr(run.err.text, " has a max parallelism of 64, its state in the snapshot one of 128"));
    w.settings[0] = NULL; /* nothing happened: it goes on as if nobody had tried */
    run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
}

static void damage_is_told_and_never_loaded(void **state)
{
    char path[700], byte;

    (void)state;
    const char *folder = leave_checkpoint();
    snprintf(path, sizeof path, "%s/_metadata", folder);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, 200, SEEK_SET);
    byte = (char)(fgetc(f) ^ 4);
    fseek(f, 200, SEEK_SET);
    fputc(byte, f);
    fclose(f);
    w.is_open.value = 1;
    struct job_run run = run_job();
    assert_int_equal(run.status, E_DATA);
    assert_non_null(strstr(run.err.text, "job 'numbers' cannot go on from checkpoint "));
    assert_non_null(strstr(run.err.text, "bytes are damaged (checksum)"));
    assert_non_null(strstr(run.err.hint, "--fresh begins the job anew"));
    assert_int_equal(sys_atomic_load(&w.lowest), UINT64_MAX); /* not a row was read */
}

static void without_a_folder_there_are_none(void **state)
{
    (void)state;
    w.settings[0] = "execution.checkpointing.dir";
    w.settings[1] = "";
    struct job_run run = run_job();
    assert_int_equal(run.status, E_CONFIG);
    assert_string_equal(run.err.text,
                        "checkpoints are wanted (execution.checkpointing.interval), but there is no folder for them");
}

static void who_is_overtaken_by_another_process_fails(void **state)
{
    int ends[2], status;
    char byte;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        w.tells = ends[1];
        struct job_run run = run_job(); /* its gate never opens */
        _exit(run.end == JOB_FAILED && strstr(run.err.text, "another process runs this job (record version ") != NULL
                  ? 7
                  : 1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    w.is_open.value = 1;
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    close(ends[0]);
    close(ends[1]);
}

/* All on one thread, as in the simulation. */
static void drive(void *arg, struct taskmanager *tm, struct jobmaster *jm)
{
    int64_t deadline_ms;
    bool progress;

    (void)arg;
    while (taskmanager_round(tm, NULL, &progress, &deadline_ms) == S_OK) jobmaster_pump(jm);
}

static void without_threads_it_is_the_same(void **state)
{
    struct log log = {.level = LOG_INFO, .write = watch_log};
    struct job_run run = {.build = build, .parallelism = 2, .log = &log, .say = keep_said, .drive = drive};

    (void)state;
    w.failures.value = 1;
    job_run(&run);
    assert_string_equal(run.err.text, "");
    assert_int_equal(run.end, JOB_FINISHED);
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
}

static void a_savepoint_is_taken_while_the_job_runs_and_begun_with(void **state)
{
    char path[1024], text[1024];

    (void)state;
    w.sys = sys_linux_create_quiet();
    w.waiting = sys_parker_create(w.sys);
    struct tw_env *env = tw_env_create();
    tw_quiet(env, true);
    tw_set_parallelism(env, 2);
    build(env, NULL);
    assert_int_equal(tw_execute_async(env, "numbers"), 0);
    while (sys_atomic_load(&w.arrived) < SPLITS * HALF) sys_park(w.sys, w.waiting, INT64_MAX);
    assert_int_equal(tw_savepoint(env, NULL, text, sizeof text), 1);
    assert_string_equal(text,
                        "there is no folder for the savepoint; name one, or set execution.checkpointing.savepoint-dir");
    assert_int_equal(tw_savepoint(env, folder_path(&w.folder, "savepoints/"), path, sizeof path), 0);
    tw_cancel(env);
    assert_int_equal(tw_wait(env), 1);
    assert_string_equal(tw_job_status(env), "CANCELED");
    assert_int_equal(tw_savepoint(env, w.folder.path, text, sizeof text), 1);
    assert_string_equal(text, "the job takes no savepoint: it is over, or has no execution.checkpointing.interval");
    tw_env_free(env);
    sys_parker_free(w.sys, w.waiting);
    sys_linux_free(w.sys);
    w.waiting = NULL;
    w.is_open.value = 1;
    w.settings[0] = "execution.state-recovery.path";
    w.settings[1] = path;
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(strncmp(w.said, "job 'numbers' begins from savepoint ", 36), 0);
    assert_string_equal(said_folder(), path);
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
    assert_true(is_there(path));
}

/* --- stopping ---------------------------------------------------------------------------------------------------------------- */
static void stop_at_the_middle(bool drains, char *path)
{
    char text[1024];
    struct snapshot_reader *r;

    w.sys = sys_linux_create_quiet();
    w.waiting = sys_parker_create(w.sys);
    struct tw_env *env = tw_env_create();
    tw_quiet(env, true);
    tw_set_parallelism(env, 2);
    build(env, NULL);
    assert_int_equal(tw_execute_async(env, "numbers"), 0);
    while (sys_atomic_load(&w.arrived) < SPLITS * HALF) sys_park(w.sys, w.waiting, INT64_MAX);
    assert_int_equal(tw_stop_with_savepoint(env, folder_path(&w.folder, "savepoints"), drains, path, 1024), 0);
    assert_int_equal(tw_wait(env), 0);
    assert_string_equal(tw_job_status(env), "FINISHED");
    assert_int_equal(tw_stop_with_savepoint(env, w.folder.path, drains, text, sizeof text), 1);
    tw_env_free(env);
    for (int i = 0; i < KEYS; i++) assert_int_equal(sys_atomic_load(&w.counts[i]), SPLITS * HALF / KEYS);
    assert_int_equal(snapshot_reader_open(w.sys, path, &r, NULL), S_OK);
    assert_true(r->is_committed);
    assert_int_equal(r->metadata.kind, SNAPSHOT_SAVEPOINT);
    snapshot_reader_close(r);
    sys_parker_free(w.sys, w.waiting);
    sys_linux_free(w.sys);
    w.waiting = NULL;
    w.is_open.value = 1;
}

/* With and without its end: the source waits for the second half in both cases, and goes on with it. */
static void a_job_stops_with_a_savepoint_and_is_gone_on_with(void **state)
{
    char path[1024];

    for (int drains = 0; drains < 2; drains++) {
        stop_at_the_middle(drains, path);
        w.said[0] = '\0';
        w.settings[0] = "execution.state-recovery.path";
        w.settings[1] = path;
        struct job_run run = run_job();
        assert_string_equal(run.err.text, "");
        assert_int_equal(strncmp(w.said, "job 'numbers' begins from savepoint ", 36), 0);
        assert_int_equal(sys_atomic_load(&w.lowest), HALF);
        expect_counts();
        tear_down(state);
        set_up(state);
    }
}

static void a_savepoint_asked_for_at_once_waits_for_the_job(void **state)
{
    char path[1024], text[1024];

    (void)state;
    struct tw_env *env = tw_env_create();
    tw_quiet(env, true);
    tw_set_parallelism(env, 2);
    build(env, NULL);
    assert_int_equal(tw_savepoint(env, w.folder.path, text, sizeof text), 1);
    assert_string_equal(text, "no job runs");
    assert_int_equal(tw_execute_async(env, "numbers"), 0);
    assert_int_equal(tw_savepoint(env, folder_path(&w.folder, "savepoints"), path, sizeof path), 0);
    assert_int_equal(tw_checkpoint(env, text, sizeof text), 0);
    assert_int_equal(strncmp(text, w.folder.path, strlen(w.folder.path)), 0);
    assert_non_null(strstr(text, "/chk-"));
    tw_cancel(env);
    assert_int_equal(tw_wait(env), 1);
    tw_env_free(env);
}

/* --- what stays when a job ends ---------------------------------------------------------------------------------------------- */
/* Folders of checkpoints below that of the job. */
static int checkpoints_left(void)
{
    char command[700], line[700];
    int count = 0;
    FILE *f;

    snprintf(command, sizeof command, "ls -d %s/*/chk-* 2>/dev/null", w.folder.path);
    assert_non_null(f = popen(command, "r"));
    while (fgets(line, sizeof line, f) != NULL) count++;
    pclose(f);
    return count;
}

static void run_and_cancel(void)
{
    w.sys = sys_linux_create_quiet();
    w.waiting = sys_parker_create(w.sys);
    struct tw_env *env = tw_env_create();
    char path[1024];
    tw_quiet(env, true);
    tw_set_parallelism(env, 2);
    build(env, NULL);
    assert_int_equal(tw_execute_async(env, "numbers"), 0);
    while (sys_atomic_load(&w.arrived) < SPLITS * HALF) sys_park(w.sys, w.waiting, INT64_MAX);
    do { /* until there is a checkpoint */
        assert_int_equal(tw_savepoint(env, folder_path(&w.folder, "savepoints"), path, sizeof path), 0);
    } while (checkpoints_left() == 0);
    tw_cancel(env);
    assert_int_equal(tw_wait(env), 1);
    tw_env_free(env);
    sys_parker_free(w.sys, w.waiting);
    sys_linux_free(w.sys);
    w.waiting = NULL;
}

static void what_stays_is_a_setting(void **state)
{
    static const struct {
        const char *how;
        int left;
    } canceled[] = {{"DELETE_ON_CANCELLATION", 0}, {"NO_EXTERNALIZED_CHECKPOINTS", 0}, {"RETAIN_ON_CANCELLATION", 1}};
    static const struct {
        const char *how;
        bool stays;
    } failed[] = {{"DELETE_ON_CANCELLATION", true}, {"NO_EXTERNALIZED_CHECKPOINTS", false}};

    w.settings[0] = "execution.checkpointing.externalized-checkpoint-retention";
    for (size_t i = 0; i < COUNT_OF(canceled); i++) {
        w.settings[1] = canceled[i].how;
        w.arrived.value = 0;
        run_and_cancel();
        assert_int_equal(checkpoints_left(), canceled[i].left);
    }
    for (size_t i = 0; i < COUNT_OF(failed); i++) {
        tear_down(state);
        set_up(state);
        w.settings[0] = "execution.checkpointing.externalized-checkpoint-retention";
        w.settings[1] = failed[i].how;
        w.failures.value = 1000;
        assert_int_equal(run_job().end, JOB_FAILED);
        assert_int_equal(checkpoints_left(), failed[i].stays);
        w.failures.value = 0; /* what stayed is gone on with */
        w.lowest.value = UINT64_MAX;
        struct job_run run = run_job();
        assert_int_equal(run.end, JOB_FINISHED);
        assert_int_equal(sys_atomic_load(&w.lowest), failed[i].stays ? HALF : 0);
        assert_int_equal(checkpoints_left(), 0);
    }
}

static void a_higher_max_parallelism_splits_key_groups(void **state)
{
    (void)state;
    run_and_die();
    w.is_open.value = 1;
    w.settings[0] = "pipeline.max-parallelism";
    w.settings[1] = "300";
    struct job_run run = run_job();
    assert_string_equal(run.err.text, "");
    assert_int_equal(sys_atomic_load(&w.lowest), HALF);
    expect_counts();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_job_that_fails_goes_on_from_its_checkpoint),
        T(failures_at_one_time_are_one),
        T(more_failures_than_are_allowed_fail_it),
        T(storage_that_is_away_is_a_failure_like_others),
        T(a_job_whose_process_was_killed_is_gone_on_with),
        T(with_another_parallelism_too),
        T(what_was_read_to_its_end_is_not_read_again),
        T(a_job_that_has_finished_begins_anew),
        T(a_job_that_is_to_be_fresh_begins_anew),
        T(a_checkpoint_that_is_named_is_begun_with_and_stays),
        T(one_that_is_claimed_goes_when_it_is_not_needed),
        T(state_without_an_operator_is_refused_unless_it_may_go),
        T(a_lower_max_parallelism_is_refused),
        T(a_higher_max_parallelism_splits_key_groups),
        T(damage_is_told_and_never_loaded),
        T(without_a_folder_there_are_none),
        T(who_is_overtaken_by_another_process_fails),
        T(without_threads_it_is_the_same),
        T(a_savepoint_is_taken_while_the_job_runs_and_begun_with),
        T(a_job_stops_with_a_savepoint_and_is_gone_on_with),
        T(a_savepoint_asked_for_at_once_waits_for_the_job),
        T(what_stays_is_a_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
