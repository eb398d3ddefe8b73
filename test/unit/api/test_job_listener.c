/* test_job_listener.c - what listeners are told of jobs that finish, fail, are canceled, refused, or run in the background. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

static enum tw_status fail_at_three(struct tw_context *cx, const void *in, void *out)
{
    *(struct number *)out = *(const struct number *)in;
    return ((const struct number *)in)->value == 3 ? tw_fail(cx, "three") : TW_OK;
}
TW_FUNCTION(three_fails) = {.in = &number_row, .out = &number_row, .map = fail_at_three};

struct story {
    char text[2048];
    char id[33];
    struct tw_env *env; /* canceled when its job was submitted, unless NULL */
};
struct teller {
    struct story *story;
    const char *name;
};

static void tell(struct story *s, const char *teller, const char *what, const char *job, const char *error)
{
    size_t at = strlen(s->text);

    snprintf(s->text + at, sizeof s->text - at, "%s: %s %s%s%s\n", teller, job, what, error != NULL ? ": " : "",
             error != NULL ? error : "");
}

static void submitted(void *arg, const char *job_id, const char *job_name, const char *error)
{
    struct teller *t = arg;

    snprintf(t->story->id, sizeof t->story->id, "%s", job_id);
    tell(t->story, t->name, "submitted", job_name, error);
    if (t->story->env != NULL) tw_cancel(t->story->env);
}

static void executed(void *arg, const struct tw_result *result, const char *error)
{
    struct teller *t = arg;

    assert_string_equal(result->job_id, t->story->id);
    tell(t->story, t->name, result->status, result->job_name, error);
}

static void take(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    (void)kind, (void)row, (void)time_ms;
    ++*(int64_t *)arg;
}

static int run(struct tw_env *env, const char *name, int64_t to, const struct tw_function *f)
{
    int64_t rows = 0;
    struct tw_stream *s = tw_from_sequence(env, 1, to);

    tw_quiet(env, true);
    tw_set_parallelism(env, 1);
    if (f != NULL) s = tw_map(s, f);
    tw_collect_to(s, &number_row, take, &rows);
    return tw_execute(env, name);
}

static void listeners_are_told_in_order(void **state)
{
    struct tw_env *env = tw_env_create();
    struct story story = {.text = ""};
    struct teller a = {&story, "a"}, b = {&story, "b"}, c = {&story, "c"};

    (void)state;
    tw_register_job_listener(env, .submitted = submitted, .executed = executed, .arg = &a);
    tw_register_job_listener(env, .executed = executed, .arg = &b);
    assert_int_equal(run(env, "one", 5, NULL), 0);
    assert_int_equal(strlen(story.id), 32);
    assert_int_equal(run(env, "two", 5, &three_fails), 1);
    assert_string_equal(story.text,
                        "a: one submitted\na: one FINISHED\nb: one FINISHED\n"
                        "a: two submitted\n"
                        "a: two FAILED: job 'two' failed: operator 'Map' (subtask 1/1): row +I[3]: three\n"
                        "b: two FAILED: job 'two' failed: operator 'Map' (subtask 1/1): row +I[3]: three\n");
    story.text[0] = '\0';
    tw_clear_job_listeners(env);
    tw_register_job_listener(env, .submitted = submitted, .arg = &c);
    assert_int_equal(run(env, "three", 5, NULL), 0);
    assert_string_equal(story.text, "c: three submitted\n");
    tw_env_free(env);
}

static void a_listener_may_cancel(void **state)
{
    struct tw_env *env = tw_env_create();
    struct story story = {.env = env};
    struct teller a = {&story, "a"};

    (void)state;
    tw_register_job_listener(env, .submitted = submitted, .executed = executed, .arg = &a);
    assert_int_equal(run(env, "endless", INT64_MAX, NULL), 1);
    assert_string_equal(story.text, "a: endless submitted\na: endless CANCELED: job 'endless' was canceled\n");
    tw_env_free(env);
}

/* Of the graph: nothing was submitted. Of what a job master finds: it was refused, and never executed. */
static void jobs_that_are_refused(void **state)
{
    struct tw_env *env = tw_env_create();
    struct story story = {.text = ""};
    struct teller a = {&story, "a"};
    int64_t rows = 0;

    (void)state;
    tw_register_job_listener(env, .submitted = submitted, .executed = executed, .arg = &a);
    tw_quiet(env, true);
    tw_collect_to(tw_where(tw_from_sequence(env, 1, 2), "valu", ">", "1"), &number_row, take, &rows);
    assert_int_equal(tw_execute(env, "mistake"), 1);
    assert_string_equal(story.text, "");
    tw_register_cached_file(env, "/nowhere/x", "x");
    assert_int_equal(run(env, "no file", 2, NULL), 1);
    const char *begin = "a: no file submitted: ";
    assert_int_equal(strncmp(story.text, begin, strlen(begin)), 0);
    assert_non_null(strstr(story.text, "/nowhere/x"));
    assert_null(strchr(story.text, '\n')[1] != '\0' ? story.text : NULL); /* one line */
    tw_env_free(env);
}

static void jobs_in_the_background_are_submitted_only(void **state)
{
    struct tw_env *env = tw_env_create();
    struct story story = {.text = ""};
    struct teller a = {&story, "a"};
    int64_t rows = 0;

    (void)state;
    tw_register_job_listener(env, .submitted = submitted, .executed = executed, .arg = &a);
    tw_collect_to(tw_from_sequence(env, 1, 3), &number_row, take, &rows);
    assert_int_equal(tw_execute_async(env, "behind"), 0);
    assert_int_equal(tw_wait(env), 0);
    assert_int_equal(rows, 3);
    assert_string_equal(story.text, "a: behind submitted\n");
    tw_env_free(env);
}

static void mistakes_are_told(void **state)
{
    struct tw_env *env = tw_env_create();
    struct teller a = {0};

    (void)state;
    tw_register_job_listener(env, .arg = &a);
    assert_int_equal(run(env, "none", 2, NULL), 1);
    assert_non_null(strstr(tw_error(env), "a job listener needs .submitted, .executed or .task_moved"));
    for (int i = 0; i < 17; i++) tw_register_job_listener(env, .submitted = submitted, .arg = &a);
    assert_int_equal(run(env, "many", 2, NULL), 1);
    assert_non_null(strstr(tw_error(env), "an environment has at most 16 job listeners"));
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_are_told_in_order),
        cmocka_unit_test(a_listener_may_cancel),
        cmocka_unit_test(jobs_that_are_refused),
        cmocka_unit_test(jobs_in_the_background_are_submitted_only),
        cmocka_unit_test(mistakes_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
