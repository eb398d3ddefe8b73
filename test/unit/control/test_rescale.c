/* test_rescale.c - a job that runs goes on with another parallelism: every number is counted once and comes out once, though its sink commits
 * nothing; a process that is killed afterwards is gone on with as it ran; what cannot be is refused, and the job goes on as it was.
 *
 * The source gives the first half of its numbers and waits at a gate; the second half comes when the test opens it. */
#include "support/folder.h"

#include <thalweg/source.h>
#include <thalweg/thalweg.h>

#include "ground/sys/sys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { NUMBERS = 3000, HALF = 1500, KEYS = 50, SPLITS = 2, COUNT = SPLITS * NUMBERS / KEYS };

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
    struct sys *sys;
    struct sys_parker *waiting;    /* of the test, for the first half */
    struct sys_atomic_u64 is_open; /* the gate */
    struct sys_atomic_u64 given, out, counts[KEYS];
    uint64_t first;                /* rows in front of the gate: a subtask alone does not come to the second split */
    bool has_checkpoints;
} w;

/* --- the job ---------------------------------------------------------------------------------------------------------------- */
static enum tw_status next_split(struct tw_context *cx, void *enumerator, uint32_t subtask, struct tw_split *split, bool *end)
{
    static const char *const ids[SPLITS] = {"0", "1"};
    int64_t *handed_out = enumerator;

    (void)cx, (void)subtask;
    *end = *handed_out == SPLITS;
    if (!*end) *split = (struct tw_split){.id = ids[(*handed_out)++]};
    return TW_OK;
}

static enum tw_status open_split(struct tw_context *cx, void *split, const struct tw_split *what)
{
    (void)cx;
    if (what->position.size == sizeof(int64_t)) memcpy(split, what->position.data, sizeof(int64_t));
    return TW_OK;
}

static enum tw_status read_split(struct tw_context *cx, void *split, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    int64_t *next = split, last = sys_atomic_load(&w.is_open) != 0 ? NUMBERS : HALF;
    struct number *out = rows;

    (void)cx;
    for (; *count < max && *count < 7 && *next < last; (*next)++) out[(*count)++] = (struct number){*next % KEYS, *next};
    if (sys_atomic_add(&w.given, *count) + *count == w.first && *count > 0) sys_unpark(w.sys, w.waiting);
    *end = *next == NUMBERS;
    return TW_OK;
}

static void say_position(struct tw_context *cx, void *split, struct tw_str *position)
{
    (void)cx;
    *position = (struct tw_str){split, sizeof(int64_t)};
}

static const struct tw_splits halves = {.enumerator_size = sizeof(int64_t),
                                        .next = next_split,
                                        .split_size = sizeof(int64_t),
                                        .open = open_split,
                                        .read = read_split,
                                        .position = say_position};
TW_FUNCTION(rescale_gives) = {.out = &number_row, .splits = &halves};

static const struct tw_state so_far = {.name = "count", .kind = TW_VALUE, .value = "BIGINT"};

static enum tw_status count_one(struct tw_context *cx, const void *in)
{
    int64_t count = tw_value_long(cx, &so_far, 0) + 1;

    tw_value_set_long(cx, &so_far, count);
    tw_collect(cx, &(struct count){((const struct number *)in)->key, count});
    return TW_OK;
}
TW_FUNCTION(rescale_counts) = {.in = &number_row, .out = &count_row, .states = {&so_far}, .process = count_one};

/* Rows of a key come in order: each is one more than the one before. */
static enum tw_status take_count(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    const struct count *c = in;

    (void)kind;
    if ((int64_t)sys_atomic_load(&w.counts[c->key]) + 1 != c->count)
        return tw_fail(cx, "key %lld: %lld behind %lld", (long long)c->key, (long long)c->count,
                       (long long)sys_atomic_load(&w.counts[c->key]));
    sys_atomic_store(&w.counts[c->key], (uint64_t)c->count);
    sys_atomic_add(&w.out, 1);
    return TW_OK;
}
TW_FUNCTION(rescale_takes) = {.in = &count_row, .sink = take_count};

static struct tw_env *make_job(uint32_t parallelism)
{
    struct tw_env *env = tw_env_create();

    w.first = parallelism > 1 ? SPLITS * HALF : HALF;
    tw_set(env, "pipeline.name", "numbers");
    tw_set(env, "thalweg.exec.workers", "2");
    tw_set(env, "restart-strategy.type", "none"); /* nothing is done twice */
    if (w.has_checkpoints) tw_set(env, "execution.checkpointing.interval", "2 ms");
    tw_set(env, "execution.checkpointing.dir", w.folder.path);
    tw_set_parallelism(env, parallelism);
    struct tw_stream *numbers = tw_uid(tw_source_function(env, "numbers", &rescale_gives), "numbers");
    struct tw_stream *counts = tw_uid(tw_process(tw_key_by(numbers, "key"), &rescale_counts), "counts");
    tw_parallelism(tw_sink_function(tw_name(counts, "counts"), "out", &rescale_takes), 1);
    return env;
}

/* --- running it --------------------------------------------------------------------------------------------------------------- */
static int set_up(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    folder_make(&w.folder);
    w.sys = sys_linux_create_quiet();
    w.waiting = sys_parker_create(w.sys);
    w.has_checkpoints = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sys_parker_free(w.sys, w.waiting);
    sys_linux_free(w.sys);
    folder_remove(&w.folder);
    return 0;
}

static void start(struct tw_env *env)
{
    assert_int_equal(tw_execute_async(env, NULL), 0);
    while (sys_atomic_load(&w.given) < w.first) sys_park(w.sys, w.waiting, INT64_MAX);
}

static void finish(struct tw_env *env)
{
    sys_atomic_store(&w.is_open, 1);
    if (tw_wait(env) != 0) fail_msg("%s", tw_error(env));
    for (int i = 0; i < KEYS; i++) assert_int_equal(sys_atomic_load(&w.counts[i]), COUNT);
    assert_int_equal(sys_atomic_load(&w.out), SPLITS * NUMBERS);
    tw_env_free(env);
}

static uint32_t tasks_of(struct tw_env *env, const char *vertex)
{
    struct tw_task t;
    uint32_t count = 0;

    for (uint32_t i = 0; tw_job_task(env, i, &t); i++) count += strstr(t.name, vertex) != NULL;
    return count;
}

static const char *rescale(struct tw_env *env, uint32_t parallelism, const char *vertex, int expected)
{
    static char text[2048];

    int answer = tw_rescale_job(env, parallelism, vertex, text, sizeof text);
    if (answer != expected) fail_msg("to %u: %s", parallelism, text);
    return text;
}

static void it_goes_on_with_another_parallelism(void **state)
{
    static const uint32_t pairs[][2] = {{1, 2}, {2, 1}, {2, 4}, {4, 2}, {3, 7}, {7, 2}, {1, 20}};

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        tear_down(state);
        set_up(state);
        struct tw_env *env = make_job(pairs[i][0]);
        start(env);
        assert_int_equal(tasks_of(env, "counts"), pairs[i][0]);
        assert_memory_equal(rescale(env, pairs[i][1], NULL, 0), "paused for ", 11);
        assert_int_equal(tasks_of(env, "counts"), pairs[i][1]);
        if (pairs[i][0] > 1) assert_int_equal(tasks_of(env, "out"), 1); /* it has one of its own */
        assert_string_equal(rescale(env, pairs[i][1], NULL, 0), "it runs with that parallelism already");
        finish(env);
    }
}

static void again_and_again(void **state)
{
    (void)state;
    struct tw_env *env = make_job(2);
    start(env);
    for (uint32_t i = 0; i < 8; i++) rescale(env, i % 2 == 0 ? 3 + i : 2, NULL, 0);
    assert_int_equal(tasks_of(env, "counts"), 2);
    finish(env);
}

static void one_vertex_alone(void **state)
{
    (void)state;
    struct tw_env *env = make_job(2);
    start(env);
    rescale(env, 5, "counts", 0);
    assert_int_equal(tasks_of(env, "numbers"), 2);
    assert_int_equal(tasks_of(env, "counts"), 5);
    finish(env);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct tw_env *env = make_job(2);
    start(env);
    assert_non_null(strstr(rescale(env, 129, NULL, 1), "is more than its max parallelism 128"));
    assert_non_null(strstr(rescale(env, 3, "count", 1), "no vertex 'count'; it has 'counts'"));
    assert_non_null(strstr(rescale(env, 0, NULL, 1), "at least 1"));
    assert_int_equal(tasks_of(env, "counts"), 2);
    finish(env);
    tear_down(state);
    set_up(state);
    w.has_checkpoints = false;
    env = make_job(2);
    start(env);
    assert_non_null(strstr(rescale(env, 3, NULL, 1), "takes no checkpoints"));
    finish(env);
    char text[200];
    env = make_job(2);
    assert_int_equal(tw_rescale_job(env, 3, NULL, text, sizeof text), 1);
    assert_string_equal(text, "no job runs");
    tw_env_free(env);
}

/* Killed as soon as it is rescaled. */
static void die_rescaled(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct tw_env *env = make_job(2);
        start(env);
        rescale(env, 5, NULL, 0);
        _exit(9);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 9);
}

/* Sources begin behind the first half, which was counted. */
static void go_on(uint32_t parallelism, uint32_t expected)
{
    struct tw_env *env = make_job(parallelism);

    for (int i = 0; i < KEYS; i++) w.counts[i].value = COUNT / 2;
    w.out.value = SPLITS * HALF;
    assert_int_equal(tw_execute_async(env, NULL), 0);
    char text[600];
    if (tw_checkpoint(env, text, sizeof text) != 0) fail_msg("%s", text); /* it runs */
    assert_int_equal(tasks_of(env, "counts"), expected);
    finish(env);
}

static void a_process_that_was_killed_is_gone_on_with_as_it_ran(void **state)
{
    (void)state;
    die_rescaled();
    go_on(2, 5);
}

static void another_job_runs_as_it_says(void **state)
{
    (void)state;
    die_rescaled();
    go_on(3, 3); /* another graph: whoever changes the parallelism means that */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_goes_on_with_another_parallelism, set_up, tear_down),
        cmocka_unit_test_setup_teardown(again_and_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_vertex_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_was_killed_is_gone_on_with_as_it_ran, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_job_runs_as_it_says, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
