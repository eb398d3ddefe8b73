/* test_attributes.c - attributes of operators where they show: identities in the graph, how long rows wait on their way to
 * another task, which subtask gets them, and that a mistake is that of the attribute's own line. */
#include "surface/api/api_internal.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

/* What sources and sinks of a test know of each other. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t polls_max; /* the source ends after so many, 0 = when a row has arrived */
    int64_t polls, arrived_before_end, counts[2];
    bool has_ended;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void seen_reset(int64_t polls_max)
{
    seen.polls_max = polls_max;
    seen.polls = seen.arrived_before_end = seen.counts[0] = seen.counts[1] = 0;
    seen.has_ended = false;
}

/* One row; then nothing for a while. */
static enum tw_status one_row(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    (void)cx;
    (void)max;
    pthread_mutex_lock(&seen.lock);
    *count = seen.polls == 0 ? 1 : 0;
    ((struct number *)rows)->value = 7;
    seen.polls++;
    *end = seen.polls_max > 0 ? seen.polls == seen.polls_max : seen.arrived_before_end > 0;
    seen.has_ended = *end;
    pthread_mutex_unlock(&seen.lock);
    return TW_OK;
}
TW_FUNCTION(one_row_source) = {.out = &number_row, .source = one_row};

static enum tw_status note(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)cx;
    (void)kind;
    assert_int_equal(((const struct number *)in)->value, 7);
    pthread_mutex_lock(&seen.lock);
    if (!seen.has_ended) seen.arrived_before_end++;
    seen.counts[0]++;
    pthread_mutex_unlock(&seen.lock);
    return TW_OK;
}
TW_FUNCTION(note_sink) = {.in = &number_row, .sink = note};

/* The row goes to another task; with polls_max 0 the job ends only when it arrives while the source goes on. */
static void run_one_row(const char *key, const char *value, int64_t timeout_ms, int64_t polls_max)
{
    struct tw_env *env = tw_env_create();

    seen_reset(polls_max);
    if (key != NULL) tw_set(env, key, value);
    struct tw_stream *rows = tw_buffer_timeout(tw_source_function(env, "one", &one_row_source), timeout_ms);
    tw_sink_function(tw_rebalance(rows), "note", &note_sink);
    assert_int_equal(tw_execute(env, "timeouts"), 0);
    assert_int_equal(seen.counts[0], 1);
    assert_int_equal(seen.arrived_before_end, polls_max > 0 ? 0 : 1);
    tw_env_free(env);
}

static void rows_wait_as_long_as_they_may(void **state)
{
    (void)state;
    run_one_row(NULL, NULL, -1, 0);
    run_one_row(NULL, NULL, 0, 0);
    run_one_row(NULL, NULL, 30, 0); /* nobody but the clock wakes the task */
    run_one_row("execution.buffer-timeout.interval", "20 ms", -1, 0);
    run_one_row("execution.buffer-timeout.interval", "0 ms", -1, 0);
    run_one_row("execution.buffer-timeout.enabled", "false", -1, 20);
    run_one_row("execution.buffer-timeout.interval", "1 d", -1, 20);
    run_one_row(NULL, NULL, 86400000, 20);
    run_one_row("execution.buffer-timeout.enabled", "false", 0, 0); /* the operator's own wins */
}

/* Subtask 0 holds on to its first row until subtask 1 has had 60: whoever deals in turn waits for ever. */
static enum tw_status count_rows(struct tw_context *cx, const void *in, void *out)
{
    uint32_t me = tw_subtask(cx);

    *(struct number *)out = *(const struct number *)in;
    pthread_mutex_lock(&seen.lock);
    seen.counts[me]++;
    pthread_cond_broadcast(&seen.changed);
    while (me == 0 && seen.counts[1] < 60) pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
    return TW_OK;
}
TW_FUNCTION(count_map) = {.in = &number_row, .out = &number_row, .map = count_rows, .flags = TW_BLOCKING};

static void run_adaptive(const char *how)
{
    struct tw_env *env = tw_env_create();

    seen_reset(0);
    tw_set(env, "thalweg.exec.batch-rows", "1");
    tw_set(env, "taskmanager.network.adaptive-partitioner.enabled", "true");
    struct tw_stream *rows = tw_partition_at(tw_parallelism(tw_from_sequence(env, 1, 100), 1), how, TW_HERE);
    struct tw_stream *counted = tw_parallelism(tw_map(rows, &count_map), 2);
    tw_parallelism(tw_sink(counted, "out", "blackhole", TW_NO_OPTIONS), 2);
    assert_int_equal(tw_execute(env, "adaptive"), 0);
    assert_int_equal(tw_job_result(env)->rows_out, 100);
    assert_int_equal(seen.counts[0] + seen.counts[1], 100);
    assert_true(seen.counts[1] >= 60);
    tw_env_free(env);
}

static void adaptive_partitioning_passes_the_slow_by(void **state)
{
    (void)state;
    run_adaptive("rebalance");
    run_adaptive("rescale");
}

static void a_uid_hash_is_the_identity(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_stream *numbers = tw_uid(tw_from_sequence(env, 1, 3), "numbers");
    tw_uid_hash(numbers, "0123456789ABCDEF0123456789abcdef");
    tw_print(numbers);
    assert_non_null(tw_plan(env));
    assert_string_equal(env->graph.nodes[0]->id, "0123456789abcdef0123456789abcdef");
    assert_string_equal(env->graph.nodes[0]->uid, "numbers");
    tw_env_free(env);
}

static void expect_at(struct tw_env *env, int line, const char *text)
{
    char expected[512];

    tw_quiet(env, true);
    assert_int_equal(tw_execute(env, "wrong"), 1);
    snprintf(expected, sizeof expected, "%s:%d: %s", __FILE__, line, text);
    assert_string_equal(tw_error(env), expected);
    tw_env_free(env);
}

static void the_attribute_is_to_blame_not_the_operator(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_stream *sink = tw_print(tw_from_sequence(env, 1, 3));
    tw_name(sink, "");
    expect_at(env, __LINE__ - 1, "tw_name needs a text of 1 to 1024 bytes");

    env = tw_env_create();
    struct tw_stream *numbers = tw_from_sequence(env, 1, 3);
    sink = tw_print(numbers);
    tw_uid(numbers, "one");
    tw_uid(sink, "one");
    expect_at(env, __LINE__ - 1,
              "uid 'one' of 'Sink: print' is that of 'Source: sequence' already; uids are unique in a job");

    env = tw_env_create();
    sink = tw_print(tw_from_sequence(env, 1, 3));
    tw_parallelism(sink, 3);
    tw_max_parallelism(sink, 2);
    expect_at(env, __LINE__ - 1, "parallelism 3 of 'Sink: print' is more than its max parallelism 2");

    env = tw_env_create();
    sink = tw_print(tw_from_sequence(env, 1, 3));
    tw_with_config(sink, "x", 1);
    expect_at(env, __LINE__ - 1, "tw_with_config: operator 'Sink: print' has no function");

    env = tw_env_create();
    tw_print(tw_from_sequence(env, 1, 3));
    tw_set(env, "execution.runtime-mode", "BATCH");
    expect_at(env, __LINE__ - 1,
              "option 'execution.runtime-mode' of configuration is 'BATCH', but must be one of STREAMING");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_wait_as_long_as_they_may),
        cmocka_unit_test(adaptive_partitioning_passes_the_slow_by),
        cmocka_unit_test(a_uid_hash_is_the_identity),
        cmocka_unit_test(the_attribute_is_to_blame_not_the_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
