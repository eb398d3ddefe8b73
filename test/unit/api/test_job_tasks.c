/* test_job_tasks.c - the way of each task of a job, as a listener is told of it and as tw_job_task answers it: jobs that finish,
 * fail, cannot open a function, are canceled, and a task that had finished when it was told to end. */
#include "surface/api/api.h"

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

static enum tw_status refuse(struct tw_context *cx)
{
    return tw_fail(cx, "not today");
}
static enum tw_status pass(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct number *)out = *(const struct number *)in;
    return TW_OK;
}
TW_FUNCTION(never_opens) = {.in = &number_row, .out = &number_row, .open = refuse, .map = pass};

/* --- what is told -------------------------------------------------------------------------------------------------------- */
enum { TASKS_MAX = 8 };
struct story {
    struct tw_env *env;
    char text[TASKS_MAX][512]; /* by vertex * 2 + subtask */
    enum tw_task_state cancel_at; /* CREATED = never */
};

static void task_moved(void *arg, const struct tw_task *task, enum tw_task_state from)
{
    struct story *s = arg;
    char *text = s->text[task->vertex * 2 + task->subtask];
    size_t at = strlen(text);

    if (at == 0) at = (size_t)snprintf(text, sizeof s->text[0], "%s %u/%u: %s", task->name, task->subtask,
                                       task->parallelism, tw_task_state_name(from));
    snprintf(text + at, sizeof s->text[0] - at, " %s", tw_task_state_name(task->state));
    if (s->cancel_at != TW_TASK_CREATED && task->state == s->cancel_at) tw_cancel(s->env);
}

static struct tw_env *env_create(struct story *s)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    tw_set_parallelism(env, 1);
    s->env = env;
    tw_register_job_listener(env, .arg = s, .task_moved = task_moved);
    return env;
}

static void take(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    (void)kind, (void)row, (void)time_ms;
    ++*(int64_t *)arg;
}

/* What tw_job_task answers is what was told last, and times do not go back on the way. */
static void expect_task(struct tw_env *env, uint32_t index, uint32_t slot, const char *way)
{
    struct tw_task t;
    int64_t latest = 1;
    char told[512];
    size_t at;

    assert_true(tw_job_task(env, index, &t));
    at = (size_t)snprintf(told, sizeof told, "%s %u/%u:", t.name, t.subtask, t.parallelism);
    for (int s = 0; s < TW_TASK_STATES; s++) {
        if (t.since_ms[s] == 0) continue;
        assert_true(t.since_ms[s] >= latest);
        latest = t.since_ms[s];
        at += (size_t)snprintf(told + at, sizeof told - at, " %s", tw_task_state_name((enum tw_task_state)s));
    }
    assert_string_equal(told, way);
    assert_string_equal(tw_task_state_name(t.state), strrchr(way, ' ') + 1);
    assert_int_equal(t.attempt, 0);
    assert_int_equal(t.slot, slot);
}

/* --- jobs ------------------------------------------------------------------------------------------------------------------ */
static void tasks_that_finish(void **state)
{
    struct story s = {0};
    struct tw_env *env = env_create(&s);
    struct tw_task t;
    int64_t rows = 0;

    (void)state;
    assert_false(tw_job_task(env, 0, &t));
    struct tw_stream *mapped = tw_parallelism(tw_map(tw_rebalance(tw_from_sequence(env, 4, 9)), &three_fails), 2);
    tw_collect_to(mapped, &number_row, take, &rows);
    assert_int_equal(tw_execute(env, "finishes"), 0);
    assert_int_equal(rows, 6);
    const char *end = ": CREATED SCHEDULED DEPLOYING INITIALIZING RUNNING FINISHED";
    for (uint32_t i = 0; i < 4; i++) {
        static const char *const names[] = {"Source: sequence 0/1", "Map 0/2", "Map 1/2", "Sink: collect 0/1"};
        static const uint32_t places[] = {0, 2, 3, 4}, slots[] = {0, 0, 1, 0};
        char way[256];
        snprintf(way, sizeof way, "%s%s", names[i], end);
        assert_string_equal(s.text[places[i]], way);
        expect_task(env, i, slots[i], way);
    }
    assert_false(tw_job_task(env, 4, &t));
    tw_env_free(env);
}

/* The failure of one ends the other; the source's rows were there before, so it was running. */
static void a_task_that_fails(void **state)
{
    struct story s = {0};
    struct tw_env *env = env_create(&s);
    int64_t rows = 0;

    (void)state;
    tw_collect_to(tw_start_new_chain(tw_map(tw_from_sequence(env, 1, INT64_MAX), &three_fails)), &number_row, take, &rows);
    assert_int_equal(tw_execute(env, "fails"), 1);
    assert_string_equal(s.text[0],
                        "Source: sequence 0/1: CREATED SCHEDULED DEPLOYING INITIALIZING RUNNING CANCELING CANCELED");
    assert_string_equal(s.text[2], "Map -> Sink: collect 0/1: CREATED SCHEDULED DEPLOYING INITIALIZING RUNNING FAILED");
    expect_task(env, 0, 0, s.text[0]);
    expect_task(env, 1, 0, s.text[2]);
    tw_env_free(env);
}

static void a_function_that_does_not_open(void **state)
{
    struct story s = {0};
    struct tw_env *env = env_create(&s);
    int64_t rows = 0;

    (void)state;
    tw_collect_to(tw_map(tw_from_sequence(env, 1, 5), &never_opens), &number_row, take, &rows);
    assert_int_equal(tw_execute(env, "closed"), 1);
    assert_string_equal(s.text[0],
                        "Source: sequence -> Map -> Sink: collect 0/1: CREATED SCHEDULED DEPLOYING INITIALIZING FAILED");
    expect_task(env, 0, 0, s.text[0]);
    tw_env_free(env);
}

static void a_job_that_is_canceled(void **state)
{
    struct story s = {.cancel_at = TW_TASK_RUNNING};
    struct tw_env *env = env_create(&s);
    int64_t rows = 0;

    (void)state;
    tw_collect_to(tw_from_sequence(env, 1, INT64_MAX), &number_row, take, &rows);
    assert_int_equal(tw_execute(env, "endless"), 1);
    assert_string_equal(
        s.text[0],
        "Source: sequence -> Sink: collect 0/1: CREATED SCHEDULED DEPLOYING INITIALIZING RUNNING CANCELING CANCELED");
    expect_task(env, 0, 0, s.text[0]);
    tw_env_free(env);
}

/* All tasks run to their ends on this thread before the job master hears of any: the second had finished when the first one's
 * failure told it to end. As in Flink it is CANCELED. */
static void run_unheard(void *arg, struct taskmanager *tm, struct jobmaster *jm)
{
    bool progress;
    int64_t deadline_ms;

    (void)arg, (void)jm;
    while (taskmanager_round(tm, NULL, &progress, &deadline_ms) == S_OK) assert_true(progress);
}

static void a_task_that_finishes_while_it_is_canceled(void **state)
{
    struct story s = {0};
    struct tw_env *env = env_create(&s);

    (void)state;
    env->drive = run_unheard;
    tw_sink(tw_map(tw_from_sequence(env, 1, 5), &three_fails), "nowhere", "blackhole", TW_NO_OPTIONS);
    tw_sink(tw_from_sequence(env, 1, 5), "nowhere", "blackhole", TW_NO_OPTIONS);
    assert_int_equal(tw_execute(env, "late"), 1);
    assert_string_equal(s.text[0],
                        "Source: sequence -> Map -> Sink: nowhere 0/1: CREATED SCHEDULED DEPLOYING INITIALIZING RUNNING FAILED");
    assert_string_equal(s.text[2],
                        "Source: sequence -> Sink: nowhere 0/1: CREATED SCHEDULED DEPLOYING CANCELING CANCELED");
    tw_env_free(env);
}

static void names_of_states(void **state)
{
    (void)state;
    assert_string_equal(tw_task_state_name(TW_TASK_RECONCILING), "RECONCILING");
    assert_string_equal(tw_task_state_name(TW_TASK_STATES), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_that_finish),
        cmocka_unit_test(a_task_that_fails),
        cmocka_unit_test(a_function_that_does_not_open),
        cmocka_unit_test(a_job_that_is_canceled),
        cmocka_unit_test(a_task_that_finishes_while_it_is_canceled),
        cmocka_unit_test(names_of_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
