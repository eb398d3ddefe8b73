/* test_rows.c - rows of a running job pulled one by one: to the end, of an unbounded job, closed early, failures, strings and
 * NULLs, several jobs in one environment. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));
struct word {
    struct tw_str text;
    uint64_t nulls;
    int64_t n;
};
TW_ROW(word, TW_FIELD(word, text, "STRING"), TW_FIELD(word, n, "BIGINT NOT NULL"), TW_NULLS(word, nulls));

static enum tw_status refuse_seven(struct tw_context *cx, const void *in, bool *keep)
{
    *keep = true;
    return ((const struct number *)in)->value == 7 ? tw_fail(cx, "seven") : TW_OK;
}
TW_FUNCTION(no_seven) = {.in = &number_row, .filter = refuse_seven};

static enum tw_status count_row(struct tw_context *cx, const void *in, bool *keep)
{
    (void)in;
    tw_counter_add(cx, "rows", 1);
    *keep = true;
    return TW_OK;
}
TW_FUNCTION(counted) = {.in = &number_row, .filter = count_row};

static void to_the_end(void **state)
{
    struct tw_env *env = tw_env_create();
    const struct number *r;
    int64_t next = 1;

    (void)state;
    struct tw_rows *rows = tw_execute_and_collect(tw_from_sequence(env, 1, 100000), &number_row, "numbers");
    while ((r = tw_next_row(rows)) != NULL) assert_int_equal(r->value, next++);
    assert_int_equal(next, 100001);
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_next_time(rows), TW_NO_TIME);
    assert_int_equal(tw_close_rows(rows), 0);
    assert_string_equal(tw_job_status(env), "FINISHED");
    assert_string_equal(tw_error(env), "");
    tw_env_free(env);
}

/* The job is endless but for its bound: rows come while it runs, and it never gets far ahead. */
static void closed_early(void **state)
{
    struct tw_env *env = tw_env_create();
    const struct number *r;

    (void)state;
    tw_set(env, "thalweg.exec.batch-rows", "16");
    struct tw_stream *all = tw_filter(tw_from_sequence(env, 1, INT64_MAX - 1), &counted);
    struct tw_rows *rows = tw_execute_and_collect(all, &number_row, "endless");
    for (int64_t i = 1; i <= 1000; i++) {
        r = tw_next_row(rows);
        assert_non_null(r);
        assert_int_equal(r->value, i);
    }
    assert_string_equal(tw_job_status(env), "RUNNING");
    assert_int_equal(tw_close_rows(rows), 0);
    assert_string_equal(tw_job_status(env), "CANCELED");
    assert_string_equal(tw_error(env), "");
    assert_true(tw_job_result(env)->rows_in < 1000 + 100000);
    /* the environment goes on */
    tw_execute_and_collect(tw_from_sequence(env, 5, 5), &number_row, "one");
    assert_int_equal(tw_wait(env), 0);
    tw_env_free(env);
}

static void failures(void **state)
{
    struct tw_env *env = tw_env_create();
    const struct number *r;
    int64_t next = 1;
    char expected[512];

    (void)state;
    tw_quiet(env, true);
    tw_set(env, "thalweg.exec.batch-rows", "1");
    struct tw_rows *rows = tw_execute_and_collect(tw_filter(tw_from_sequence(env, 1, 10), &no_seven), &number_row,
                                                  "seven");
    while ((r = tw_next_row(rows)) != NULL) assert_int_equal(r->value, next++);
    assert_in_range(next, 1, 7);
    assert_int_equal(tw_close_rows(rows), 1);
    assert_string_equal(tw_error(env), "job 'seven' failed: operator 'Filter' (subtask 1/1): row +I[7]: seven");

    rows = tw_execute_and_collect(tw_where(tw_from_sequence(env, 1, 3), "valu", "=", "1"), &number_row, "typo");
    int line = __LINE__ - 1;
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_close_rows(rows), 1);
    snprintf(expected, sizeof expected, "%s:%d: column 'valu' is not in the stream (has: value); did you mean 'value'?",
             __FILE__, line);
    assert_string_equal(tw_error(env), expected);

    rows = tw_execute_and_collect(tw_from_sequence(env, 1, 3), NULL, "no row type");
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_close_rows(rows), 1);

    rows = tw_execute_and_collect(tw_from_sequence(env, 1, 3), &number_row, "and on");
    assert_int_equal(((const struct number *)tw_next_row(rows))->value, 1);
    assert_int_equal(tw_close_rows(rows), 0);
    tw_env_free(env);
}

static void strings_times_and_nulls(void **state)
{
    static const struct word words[] = {{TW_STR("a text that is longer than twelve bytes"), 0, 5}, {{0}, 1, 6}};
    struct tw_env *env = tw_env_create();
    const struct word *w;

    (void)state;
    struct tw_stream *s = tw_from_data(env, &word_row, words, 2);
    struct tw_rows *rows = tw_execute_and_collect(s, &word_row, "words");
    w = tw_next_row(rows);
    assert_non_null(w);
    assert_true(tw_str_equal(w->text, words[0].text));
    assert_int_equal(w->n, 5);
    assert_int_equal(tw_next_kind(rows), TW_INSERT);
    assert_int_equal(tw_next_time(rows), TW_NO_TIME);
    w = tw_next_row(rows);
    assert_int_equal(w->nulls, 1);
    assert_int_equal(w->n, 6);
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_close_rows(rows), 0);
    tw_env_free(env);
}

/* What nobody closes: waiting lets the job end without its rows, freeing the environment stops it. */
static void left_open(void **state)
{
    struct tw_env *env = tw_env_create();
    struct tw_rows *rows = tw_execute_and_collect(tw_from_sequence(env, 1, 1000000), &number_row, "waited for");

    (void)state;
    assert_non_null(tw_next_row(rows));
    assert_int_equal(tw_wait(env), 0);
    assert_int_equal(tw_job_result(env)->rows_in, 1000000);
    assert_null(tw_next_row(rows));
    assert_int_equal(tw_close_rows(rows), 0);
    rows = tw_execute_and_collect(tw_from_sequence(env, 1, INT64_MAX - 1), &number_row, "freed");
    assert_non_null(tw_next_row(rows));
    tw_quiet(env, true);
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_the_end), cmocka_unit_test(closed_early),
        cmocka_unit_test(failures),   cmocka_unit_test(strings_times_and_nulls),
        cmocka_unit_test(left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
