/* test_execute_async.c - jobs in the background: status, waiting, cancelling, errors, and environments that are used again or
 * freed meanwhile. A gate that the test opens stands for time: nothing sleeps. */
#include <thalweg/thalweg.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
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

    start(env, &t, 5); /* the environment again; what builds next waits for the job */
    tw_collect_to(tw_from_sequence(env, 1, 3), &number_row, take, &t);
    assert_int_equal(t.count, 15);
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
        cmocka_unit_test(errors_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
