/* test_execute_async.c - jobs in the background: status, waiting, cancelling, errors, and environments that are used again or
 * freed meanwhile. A gate that the test opens stands for time: nothing sleeps. */
#include <thalweg/thalweg.h>

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

struct taken {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count;
    bool is_open;
};

static void taken_init(struct taken *t, bool is_open)
{
    *t = (struct taken){.is_open = is_open};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
}

/* Each row waits until the gate is open. */
static void take(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct taken *t = arg;

    (void)kind;
    (void)row;
    (void)time_ms;
    pthread_mutex_lock(&t->lock);
    t->count++;
    pthread_cond_broadcast(&t->changed);
    while (!t->is_open) pthread_cond_wait(&t->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void gate_open(struct taken *t)
{
    pthread_mutex_lock(&t->lock);
    t->is_open = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static void await_row(struct taken *t)
{
    pthread_mutex_lock(&t->lock);
    while (t->count == 0) pthread_cond_wait(&t->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void start(struct tw_env *env, struct taken *t, int64_t to)
{
    tw_quiet(env, true);
    tw_collect_to(tw_from_sequence(env, 1, to), &number_row, take, t);
    assert_int_equal(tw_execute_async(env, "background"), 0);
}

static void a_job_runs_while_the_program_goes_on(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;

    (void)state;
    taken_init(&t, false);
    assert_string_equal(tw_job_status(env), "");
    assert_int_equal(tw_wait(env), 1);
    start(env, &t, 10);
    await_row(&t);
    assert_string_equal(tw_job_status(env), "RUNNING");
    gate_open(&t);
    assert_int_equal(tw_wait(env), 0);
    assert_int_equal(t.count, 10);
    assert_string_equal(tw_job_status(env), "FINISHED");
    assert_string_equal(tw_job_result(env)->job_name, "background");
    assert_int_equal(tw_wait(env), 0);

    start(env, &t, 5); /* the environment again */
    assert_int_equal(tw_wait(env), 0);
    assert_int_equal(t.count, 15);
    tw_collect_to(tw_from_sequence(env, 1, 3), &number_row, take, &t);
    assert_int_equal(tw_execute(env, "here"), 0);
    assert_int_equal(t.count, 18);
    tw_env_free(env);
}

static void a_job_is_cancelled(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;

    (void)state;
    taken_init(&t, false);
    start(env, &t, 1000000000000);
    await_row(&t);
    tw_cancel(env);
    gate_open(&t);
    assert_int_equal(tw_wait(env), 1);
    assert_string_equal(tw_job_status(env), "CANCELED");
    assert_string_equal(tw_error(env), "job 'background' was canceled");

    start(env, &t, 1000000000000); /* freeing cancels and waits */
    tw_env_free(env);
}

/* --- looking at a job that runs ----------------------------------------------------------------------------------------- */
static enum tw_status count(struct tw_context *cx, const void *in, void *out)
{
    const struct number *n = in;

    tw_counter_add(cx, "seen", 1);
    tw_min_add(cx, "least", -n->value);
    tw_double_add(cx, "half", 0.5);
    tw_histogram_add(cx, "parity", (int32_t)(n->value % 2));
    tw_metric_add(cx, tw_metric_counter(cx, NULL, "looked"), 1);
    *(struct number *)out = *n;
    return TW_OK;
}
TW_FUNCTION(counting) = {.in = &number_row, .out = &number_row, .map = count};

static struct taken held; /* TW_FUNCTION has no argument: what the callback and the test share */

/* Counts what arrives; the fifth row waits until the gate is open. */
static enum tw_status hold(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct number *)out = *(const struct number *)in;
    if (((const struct number *)in)->value == 5) take(&held, TW_INSERT, in, 0);
    return TW_OK;
}
TW_FUNCTION(holding) = {.in = &number_row, .out = &number_row, .map = hold};

static void expect_counts(struct tw_env *env, int64_t rows)
{
    struct tw_metric_value metric;
    int64_t value = -1, often = -1;
    int32_t parity = -1;
    double half = -1;

    assert_true(tw_accumulator_long(env, "seen", &value));
    assert_int_equal(value, rows);
    assert_true(tw_accumulator_long(env, "least", &value));
    assert_int_equal(value, -rows);
    assert_true(tw_accumulator_double(env, "half", &half));
    assert_true(half == (double)rows / 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(tw_accumulator_histogram(env, "parity", i, &parity, &often));
        assert_int_equal(parity, i);
        assert_int_equal(often, rows / 2);
    }
    assert_false(tw_accumulator_histogram(env, "parity", 2, &parity, &often));
    assert_false(tw_accumulator_long(env, "unseen", &value));
    assert_true(tw_find_metric(env, "count", 0, "looked", &metric));
    assert_int_equal(metric.count, rows);
}

static struct tw_stream *counted(struct tw_env *env, int64_t to)
{
    tw_quiet(env, true);
    tw_set_parallelism(env, 1);
    return tw_name(tw_map(tw_from_sequence(env, 1, to), &counting), "count");
}

/* Batches of four: the second one is counted and on its way while its first row is held. */
static void accumulators_of_a_running_job(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;
    int64_t value;

    (void)state;
    taken_init(&held, false);
    taken_init(&t, true);
    assert_false(tw_accumulator_long(env, "seen", &value));
    tw_set(env, "thalweg.exec.batch-rows", "4");
    tw_collect_to(tw_map(counted(env, 20), &holding), &number_row, take, &t);
    assert_int_equal(tw_execute_async(env, "counted"), 0);
    await_row(&held);
    expect_counts(env, 8);
    gate_open(&held);
    assert_int_equal(tw_wait(env), 0);
    expect_counts(env, 20);
    tw_env_free(env);
}

/* What functions that fail had counted stays, with the row that failed. */
static enum tw_status count_and_fail(struct tw_context *cx, const void *in, void *out)
{
    *(struct number *)out = *(const struct number *)in;
    tw_counter_add(cx, "gone", 1);
    if (((const struct number *)in)->value < 5) return TW_OK;
    take(&held, TW_INSERT, in, 0);
    return tw_fail(cx, "five");
}
TW_FUNCTION(counts_and_fails) = {.in = &number_row, .out = &number_row, .map = count_and_fail};

static void accumulators_of_a_job_that_fails(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;
    int64_t value = 0;

    (void)state;
    taken_init(&held, false);
    taken_init(&t, true);
    tw_set(env, "thalweg.exec.batch-rows", "4");
    tw_collect_to(tw_map(counted(env, 20), &counts_and_fails), &number_row, take, &t);
    assert_int_equal(tw_execute_async(env, "counted"), 0);
    await_row(&held);
    assert_true(tw_accumulator_long(env, "gone", &value));
    assert_int_equal(value, 4); /* after the latest batch that is through */
    assert_true(tw_accumulator_long(env, "seen", &value));
    assert_int_equal(value, 8);
    gate_open(&held);
    assert_int_equal(tw_wait(env), 1);
    assert_true(tw_accumulator_long(env, "gone", &value));
    assert_int_equal(value, 5);
    tw_env_free(env);
}

/* From a thread of its own, all the time: never fewer than before. */
struct looker {
    struct tw_env *env;
    pthread_mutex_t lock;
    bool is_over;
    uint64_t fell, looks;
};

static bool looker_is_over(struct looker *l)
{
    pthread_mutex_lock(&l->lock);
    bool is_over = l->is_over;
    pthread_mutex_unlock(&l->lock);
    return is_over;
}

static void *look(void *arg)
{
    struct looker *l = arg;
    struct tw_metric_value metric;
    int64_t before = 0, value, often;
    int32_t parity;

    while (!looker_is_over(l)) {
        l->looks++;
        (void)tw_accumulator_histogram(l->env, "parity", 1, &parity, &often);
        (void)tw_job_metric(l->env, 0, &metric);
        if (!tw_accumulator_long(l->env, "seen", &value)) continue;
        l->fell += value < before;
        before = value;
    }
    return NULL;
}

static void a_thread_looks_on(void **state)
{
    struct looker l = {.env = tw_env_create(), .lock = PTHREAD_MUTEX_INITIALIZER};
    struct taken t;
    pthread_t thread;

    (void)state;
    taken_init(&t, true);
    tw_collect_to(counted(l.env, 100000), &number_row, take, &t);
    assert_int_equal(tw_execute_async(l.env, "looked at"), 0);
    assert_int_equal(pthread_create(&thread, NULL, look, &l), 0);
    assert_int_equal(tw_wait(l.env), 0);
    pthread_mutex_lock(&l.lock);
    l.is_over = true;
    pthread_mutex_unlock(&l.lock);
    pthread_join(thread, NULL);
    assert_int_equal(l.fell, 0);
    assert_true(l.looks > 0);
    expect_counts(l.env, 100000);
    tw_env_free(l.env);
}

/* Waiting for a job that may have no end would be for ever. */
static void nothing_is_built_while_a_job_runs(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;
    char text[256];

    (void)state;
    taken_init(&t, false);
    start(env, &t, 1000000000000);
    await_row(&t);
    assert_string_equal(tw_error(env), "");
    struct tw_stream *s = tw_source_rows(env, "more", "sequence", &number_row, TW_OPTIONS("from", "1", "to", "2"));
    int line = __LINE__ - 1;
    tw_collect_to(tw_where(s, "value", ">", "1"), &number_row, take, &t); /* on what was refused: nothing */
    tw_set(env, "parallelism.default", "0");                             /* only the first is told */
    snprintf(text, sizeof text, "%s:%d: job 'background' still runs; call tw_wait or tw_cancel first", __FILE__, line);
    assert_string_equal(tw_error(env), text);
    assert_int_equal(tw_execute_async(env, "second"), 1);
    assert_string_equal(tw_error(env), text);
    assert_int_equal(tw_execute(env, "second"), 1);
    assert_null(tw_job_result(env));
    struct tw_rows *rows = tw_execute_and_collect(s, &number_row, "third");
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_close_rows(rows), 1);
    assert_string_equal(tw_job_status(env), "RUNNING");

    tw_cancel(env);
    gate_open(&t);
    tw_collect_to(tw_from_sequence(env, 1, 3), &number_row, take, &t); /* waits: it was told to end */
    assert_string_equal(tw_job_status(env), "CANCELED");
    t.count = 0;
    assert_int_equal(tw_execute(env, "after it"), 0);
    assert_int_equal(t.count, 3);
    tw_env_free(env);
}

/* A program that does not look at its mistake is told by the next tw_execute. */
static void what_was_refused_is_told_later(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;
    char text[256];

    (void)state;
    taken_init(&t, false);
    start(env, &t, 3);
    await_row(&t);
    tw_collect_to(tw_from_sequence(env, 1, 3), &number_row, take, &t);
    snprintf(text, sizeof text, "%s:%d: job 'background' still runs; call tw_wait or tw_cancel first", __FILE__, __LINE__ - 1);
    gate_open(&t);
    assert_int_equal(tw_wait(env), 0);
    assert_string_equal(tw_job_status(env), "FINISHED");
    assert_string_equal(tw_error(env), text);
    assert_int_equal(tw_execute(env, "second"), 1);
    assert_string_equal(tw_error(env), text);
    assert_int_equal(t.count, 3);
    tw_collect_to(tw_from_sequence(env, 1, 4), &number_row, take, &t);
    assert_int_equal(tw_execute(env, "third"), 0);
    assert_int_equal(t.count, 7);
    tw_env_free(env);
}

/* Counts in the accumulator "seen" and, for the test to compare, in the program. */
struct seen {
    struct taken *taken;
    int64_t rows;
};

static enum tw_status see(struct tw_context *cx, const void *in, bool *keep)
{
    struct seen *s = *(struct seen *const *)tw_config(cx).data;

    s->rows++;
    tw_counter_add(cx, "seen", 1);
    *keep = true;
    return ((const struct number *)in)->value == 700 ? tw_fail(cx, "row 700") : TW_OK;
}
TW_FUNCTION(sees) = {.in = &number_row, .filter = see};

static void start_seeing(struct tw_env *env, struct seen *s, int64_t from)
{
    tw_quiet(env, true);
    struct tw_stream *filtered = tw_filter(tw_from_sequence(env, from, 1000000000000), &sees);
    tw_collect_to(tw_with_config(filtered, &s, sizeof s), &number_row, take, s->taken);
    assert_int_equal(tw_execute_async(env, "seeing"), 0);
}

static void what_a_canceled_job_counted_is_kept(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;
    struct seen s = {.taken = &t};
    int64_t seen = -1;

    (void)state;
    taken_init(&t, false);
    start_seeing(env, &s, 1000);
    await_row(&t);
    tw_cancel(env);
    gate_open(&t);
    assert_int_equal(tw_wait(env), 1);
    assert_string_equal(tw_job_status(env), "CANCELED");
    assert_true(tw_accumulator_long(env, "seen", &seen));
    assert_true(seen > 0);
    assert_int_equal(seen, s.rows);
    tw_env_free(env);
}

static void what_a_failed_job_counted_is_kept(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;
    struct seen s = {.taken = &t};
    int64_t seen = -1;

    (void)state;
    taken_init(&t, true);
    start_seeing(env, &s, 1);
    assert_int_equal(tw_wait(env), 1);
    assert_string_equal(tw_job_status(env), "FAILED");
    assert_true(tw_accumulator_long(env, "seen", &seen));
    assert_int_equal(seen, 700);
    tw_env_free(env);
}

static void errors_are_told(void **state)
{
    struct tw_env *env = tw_env_create();
    struct taken t;

    (void)state;
    taken_init(&t, true);
    tw_quiet(env, true);
    tw_collect_to(tw_where(tw_from_sequence(env, 1, 2), "valu", ">", "1"), &number_row, take, &t);
    assert_int_equal(tw_execute_async(env, "mistake"), 1); /* of the graph: at once */
    assert_non_null(strstr(tw_error(env), "valu"));

    struct tw_stream *s = tw_source_rows(env, "in", "filesystem", &number_row, TW_OPTIONS("path", "/nowhere/x.csv", "format", "csv"));
    tw_collect_to(s, &number_row, take, &t);
    assert_int_equal(tw_execute_async(env, "no file"), 0); /* of the job: when it is over */
    assert_int_equal(tw_wait(env), 1);
    assert_string_equal(tw_job_status(env), "FAILED");
    assert_non_null(strstr(tw_error(env), "job 'no file' failed: "));
    assert_int_equal(t.count, 0);
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_runs_while_the_program_goes_on),
        cmocka_unit_test(a_job_is_cancelled),
        cmocka_unit_test(accumulators_of_a_running_job),
        cmocka_unit_test(accumulators_of_a_job_that_fails),
        cmocka_unit_test(a_thread_looks_on),
        cmocka_unit_test(nothing_is_built_while_a_job_runs),
        cmocka_unit_test(what_was_refused_is_told_later),
        cmocka_unit_test(what_a_canceled_job_counted_is_kept),
        cmocka_unit_test(what_a_failed_job_counted_is_kept),
        cmocka_unit_test(errors_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
