/* test_collect_async.c - rows of several streams of one job, pulled by the program: in turn at very different rates, one after
 * another, from several threads; each ends with its sink; closed early, used at the wrong time, jobs that fail. */
#include "support/refused.h"
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { MANY = 300000, RARE = 100000 };

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

/* Keeps what its configuration divides. */
static enum tw_status divides(struct tw_context *cx, const void *in, bool *keep)
{
    *keep = ((const struct number *)in)->value % *(const int64_t *)tw_config(cx).data == 0;
    return TW_OK;
}
TW_FUNCTION(multiples) = {.in = &number_row, .filter = divides};

static enum tw_status refuse(struct tw_context *cx, const void *in, bool *keep)
{
    *keep = true;
    return ((const struct number *)in)->value == 5000 ? tw_fail(cx, "five thousand") : TW_OK;
}
TW_FUNCTION(no_five_thousand) = {.in = &number_row, .filter = refuse};

static struct tw_stream *multiples_of(struct tw_stream *s, int64_t n)
{
    return tw_with_config(tw_filter(s, &multiples), &n, sizeof n);
}

static int64_t next_of(struct tw_rows *rows)
{
    const struct number *n = tw_next_row(rows);

    return n != NULL ? n->value : -1;
}

/* What is left of the rows, ascending by one step. */
static void expect_rest(struct tw_rows *rows, int64_t from, int64_t to, int64_t step)
{
    for (int64_t i = from; i <= to; i += step)
        if (next_of(rows) != i) fail_msg("row %lld is missing", (long long)i);
    assert_null(tw_next_row(rows));
    assert_string_equal(tw_rows_error(rows), "");
    assert_null(tw_next_row(rows));
}

/* One row of a stream that has every hundred thousandth number takes many more of the other than its queue holds. */
static void read_in_turn(void **state)
{
    static const char *const batch_rows[] = {"1", "2048"};

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct tw_env *env = tw_env_create();
        tw_set(env, "thalweg.exec.batch-rows", batch_rows[k]);
        struct tw_stream *all = tw_from_sequence(env, 1, MANY);
        struct tw_rows *every = tw_collect_async(all, &number_row);
        struct tw_rows *rare = tw_collect_async(multiples_of(all, RARE), &number_row);
        assert_int_equal(tw_execute_async(env, "in turn"), 0);
        for (int64_t i = 1; i <= MANY / RARE; i++) {
            assert_int_equal(next_of(rare), i * RARE);
            assert_int_equal(next_of(every), i);
        }
        expect_rest(every, MANY / RARE + 1, MANY, 1);
        expect_rest(rare, 1, 0, 1);
        assert_int_equal(tw_close_rows(every), 0);
        assert_int_equal(tw_close_rows(rare), 0);
        assert_int_equal(tw_wait(env), 0);
        assert_string_equal(tw_job_status(env), "FINISHED");
        tw_env_free(env);
    }
}

/* Parallel, with an exchange between, and the one that is read last has all rows. */
static void one_after_another(void **state)
{
    struct tw_env *env = tw_env_create();
    int64_t sums[2] = {0}, counts[2] = {0};

    (void)state;
    tw_set_parallelism(env, 4);
    struct tw_stream *all = tw_rebalance(tw_from_sequence(env, 1, MANY));
    struct tw_rows *of[2] = {tw_collect_async(multiples_of(all, 1000), &number_row), NULL};
    of[1] = tw_collect_async(multiples_of(all, 1), &number_row);
    assert_int_equal(tw_execute_async(env, "one after another"), 0);
    for (int i = 0; i < 2; i++) {
        for (int64_t n; (n = next_of(of[i])) >= 0; counts[i]++) sums[i] += n;
        assert_string_equal(tw_rows_error(of[i]), "");
    }
    assert_int_equal(counts[0], MANY / 1000);
    assert_int_equal(sums[0], (int64_t)1000 * (MANY / 1000) * (MANY / 1000 + 1) / 2);
    assert_int_equal(counts[1], MANY);
    assert_int_equal(sums[1], (int64_t)MANY * (MANY + 1) / 2);
    assert_int_equal(tw_wait(env), 0);
    tw_env_free(env);
}

/* The first source ends, the second never does; and what nobody reads of it stays within its bound. */
static void each_ends_with_its_sink(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_rows *few = tw_collect_async(tw_from_sequence(env, 1, 3), &number_row);
    struct tw_rows *endless = tw_collect_async(tw_from_sequence(env, 1, INT64_MAX - 1), &number_row);
    assert_int_equal(tw_execute_async(env, "two ends"), 0);
    assert_int_equal(next_of(endless), 1);
    expect_rest(few, 1, 3, 1);
    assert_int_equal(tw_close_rows(few), 0);
    assert_string_equal(tw_job_status(env), "RUNNING");
    for (int64_t i = 2; i < 100000; i++) assert_int_equal(next_of(endless), i);
    tw_quiet(env, true);
    tw_cancel(env);
    assert_int_equal(tw_wait(env), 1);
    assert_null(tw_next_row(endless));
    assert_string_equal(tw_rows_error(endless), "job 'two ends' was canceled");
    assert_int_equal(tw_close_rows(endless), 1);
    assert_true(tw_job_result(env)->rows_in < 100000 + 100000);
    tw_env_free(env);
}

/* What is closed before the job starts is dropped, and the job goes on; closed behind their last row, rows end nothing. */
static void closed_before_and_behind(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_stream *all = tw_from_sequence(env, 1, MANY);
    struct tw_rows *few = tw_collect_async(multiples_of(all, MANY), &number_row), *never = tw_collect_async(all, &number_row);
    struct tw_rows *kept = tw_collect_async(all, &number_row);
    assert_int_equal(tw_close_rows(never), 0);
    assert_int_equal(tw_execute_async(env, "closed"), 0);
    assert_int_equal(next_of(kept), 1);
    expect_rest(kept, 2, MANY, 1);
    expect_rest(few, MANY, MANY, 1);
    assert_int_equal(tw_close_rows(few), 0);
    assert_int_equal(tw_close_rows(kept), 0);
    assert_int_equal(tw_wait(env), 0);
    assert_int_equal(tw_job_result(env)->rows_in, MANY);
    assert_string_equal(tw_job_status(env), "FINISHED");
    tw_env_free(env);
}

/* Closed before the end of its stream, a result ends the job and the other results, as Flink's iterators do. */
static void closed_early(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_stream *all = tw_from_sequence(env, 1, INT64_MAX - 1);
    struct tw_rows *closed = tw_collect_async(all, &number_row), *other = tw_collect_async(all, &number_row);
    assert_int_equal(tw_execute_async(env, "closed"), 0);
    assert_int_equal(next_of(closed), 1);
    assert_int_equal(next_of(other), 1);
    tw_quiet(env, true);
    assert_int_equal(tw_close_rows(closed), 0);
    assert_null(tw_next_row(closed));
    assert_non_null(strstr(tw_rows_error(closed), ": these rows were closed already"));
    while (tw_next_row(other) != NULL) continue; /* an endless stream: it ends with the job */
    assert_string_equal(tw_rows_error(other), "job 'closed' was canceled");
    assert_int_equal(tw_wait(env), 0);
    assert_string_equal(tw_job_status(env), "CANCELED");

    struct tw_rows *next = tw_collect_async(tw_from_sequence(env, 7, 9), &number_row);
    assert_int_equal(tw_execute_async(env, "next"), 0);
    expect_rest(next, 7, 9, 1);
    assert_int_equal(tw_wait(env), 0);
    tw_env_free(env);
}

/* The calls may come late: then nobody reads, and waiting drops what is left. */
static void waited_for(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    tw_quiet(env, true);
    struct tw_rows *rows = tw_collect_async(tw_from_sequence(env, 1, MANY), &number_row);
    int line = __LINE__ - 1;
    char expected[512];
    assert_int_equal(tw_execute_async(env, "waited for"), 0);
    assert_int_equal(next_of(rows), 1);
    assert_int_equal(tw_wait(env), 0);
    assert_int_equal(tw_job_result(env)->rows_in, MANY);
    assert_int_equal(next_of(rows), -1);
    snprintf(expected, sizeof expected,
             "%s:%d: tw_wait has ended these rows before they were read; read them before it, or close them", __FILE__,
             line);
    assert_string_equal(tw_rows_error(rows), expected);
    assert_int_equal(tw_close_rows(rows), 1);
    tw_env_free(env);
}

static void used_too_early(void **state)
{
    struct tw_env *env = tw_env_create();
    char expected[512];

    (void)state;
    tw_quiet(env, true);
    struct tw_rows *rows = tw_collect_async(tw_from_sequence(env, 1, 3), &number_row);
    int line = __LINE__ - 1;
    assert_int_equal(next_of(rows), -1);
    snprintf(expected, sizeof expected,
             "%s:%d: the job of these rows was not started; call tw_execute_async before the first tw_next_row",
             __FILE__, line);
    assert_string_equal(tw_rows_error(rows), expected);
    assert_int_equal(tw_execute_async(env, "now"), 0);
    assert_string_equal(tw_rows_error(rows), "");
    expect_rest(rows, 1, 3, 1);
    assert_int_equal(tw_wait(env), 0);
    tw_collect_async(tw_from_sequence(env, 1, 3), &number_row); /* the program ends before it starts the job */
    tw_env_free(env);
}

/* Every stream is told; one that had ended before ended well. */
static void a_job_that_fails(void **state)
{
    static const char why[] = "job 'fails' failed: operator 'Filter' (subtask 1/1): row +I[5000]: five thousand";
    struct tw_env *env = tw_env_create();

    (void)state;
    tw_quiet(env, true);
    tw_set(env, "thalweg.exec.batch-rows", "16");
    struct tw_rows *few = tw_collect_async(tw_from_sequence(env, 1, 3), &number_row);
    struct tw_stream *all = tw_from_sequence(env, 1, 1000000);
    struct tw_rows *a = tw_collect_async(tw_filter(all, &no_five_thousand), &number_row);
    struct tw_rows *b = tw_collect_async(all, &number_row);
    struct tw_rows *never_read = tw_collect_async(all, &number_row);
    assert_int_equal(tw_execute_async(env, "fails"), 0);
    expect_rest(few, 1, 3, 1);
    assert_int_equal(next_of(b), 1);
    for (int64_t n; (n = next_of(a)) >= 0;) assert_in_range(n, 1, 4999);
    assert_string_equal(tw_rows_error(a), why);
    while (next_of(b) >= 0) continue;
    assert_string_equal(tw_rows_error(b), why);
    assert_int_equal(tw_close_rows(a), 1);
    assert_int_equal(tw_close_rows(never_read), 1);
    assert_string_equal(tw_rows_error(never_read), why);
    assert_int_equal(tw_wait(env), 1);
    assert_string_equal(tw_error(env), why);
    assert_string_equal(tw_rows_error(b), why);
    assert_int_equal(tw_close_rows(b), 1);
    tw_env_free(env);
}

static void graphs_with_a_mistake(void **state)
{
    struct tw_env *own = tw_env_create();
    char expected[512];

    (void)state;
    tw_quiet(own, true);
    struct tw_rows *rows = tw_collect_async(tw_where(tw_from_sequence(own, 1, 3), "valu", "=", "1"), &number_row);
    int line = __LINE__ - 1;
    assert_int_equal(tw_execute_async(own, "typo"), 1);
    snprintf(expected, sizeof expected, "%s:%d: column 'valu' is not in the stream (has: value); did you mean 'value'?",
             __FILE__, line);
    assert_null(tw_next_row(rows));
    assert_string_equal(tw_rows_error(rows), expected);
    assert_int_equal(tw_close_rows(rows), 1);

    REFUSED(
        "tw_execute waits for the job, so nobody takes the rows of tw_collect_async; start it with tw_execute_async",
        tw_collect_async(tw_from_sequence(env, 1, 3), &number_row));
    REFUSED("tw_collect_async needs a row type", tw_collect_async(tw_from_sequence(env, 1, 3), NULL));
    /* closed ones are in nobody's way */
    assert_int_equal(tw_close_rows(tw_collect_async(tw_from_sequence(own, 1, 3), &number_row)), 0);
    assert_int_equal(tw_execute(own, "closed"), 0);
    assert_int_equal(tw_job_result(own)->rows_in, 3);
    tw_env_free(own);
}

/* The job of tw_execute_and_collect has others beside; the next job in the environment has its own. */
static void beside_execute_and_collect(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    struct tw_stream *all = tw_from_sequence(env, 1, MANY);
    struct tw_rows *side = tw_collect_async(multiples_of(all, RARE), &number_row);
    struct tw_rows *main_rows = tw_execute_and_collect(all, &number_row, "both");
    for (int64_t i = 1; i <= MANY / RARE; i++) assert_int_equal(next_of(side), i * RARE);
    expect_rest(main_rows, 1, MANY, 1);
    expect_rest(side, 1, 0, 1);
    assert_int_equal(tw_close_rows(side), 0);
    assert_int_equal(tw_close_rows(main_rows), 0);
    assert_string_equal(tw_job_status(env), "FINISHED");

    struct tw_rows *next = tw_collect_async(tw_from_sequence(env, 7, 9), &number_row);
    assert_int_equal(tw_execute_async(env, "next"), 0);
    expect_rest(next, 7, 9, 1);
    assert_int_equal(tw_wait(env), 0);
    assert_int_equal(tw_close_rows(side), 0);
    tw_env_free(env);
}

struct summing {
    struct tw_rows *rows;
    int64_t sum;
};

static void *sum_up(void *arg)
{
    struct summing *s = arg;

    for (int64_t n; (n = next_of(s->rows)) >= 0;) s->sum += n;
    return NULL;
}

static void each_by_its_own_thread(void **state)
{
    struct tw_env *env = tw_env_create();
    struct summing s[3] = {{0}};
    pthread_t threads[3];

    (void)state;
    tw_set_parallelism(env, 2);
    struct tw_stream *all = tw_from_sequence(env, 1, MANY);
    for (int i = 0; i < 3; i++) s[i].rows = tw_collect_async(multiples_of(all, 1 + i * 999), &number_row);
    assert_int_equal(tw_execute_async(env, "threads"), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, sum_up, &s[i]), 0);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_int_equal(tw_wait(env), 0);
    for (int64_t i = 0; i < 3; i++) {
        int64_t step = 1 + i * 999, count = MANY / step;
        assert_int_equal(s[i].sum, step * count * (count + 1) / 2);
        assert_string_equal(tw_rows_error(s[i].rows), "");
    }
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_in_turn),
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(each_ends_with_its_sink),
        cmocka_unit_test(closed_early), cmocka_unit_test(closed_before_and_behind),
        cmocka_unit_test(waited_for),
        cmocka_unit_test(used_too_early),
        cmocka_unit_test(a_job_that_fails),
        cmocka_unit_test(graphs_with_a_mistake),
        cmocka_unit_test(beside_execute_and_collect),
        cmocka_unit_test(each_by_its_own_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
