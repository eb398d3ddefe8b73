/* test_jobmaster.c - a job's failure and end: the first failure wins and names operator and subtask; a task that does not
 * end is warned of and given up, on a clock that moves only when the job master waits while a callback is stuck. */
#include "surface/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { LOOK_NS = 20 * 1000 * 1000 }; /* how long the job master waits for a message */

/* --- a world whose clock moves by 20 ms when the job master waits while a callback is stuck ------------------------------------------ */
struct world {
    struct sys *sys;
    struct sys_ops ops;
    const struct sys_ops *linux_ops;
    struct sys_atomic_u64 now_ns, is_held; /* held: a callback is stuck */
    struct sys_mailbox *is_stuck, *may_go; /* messages of and to the callback that does not return */
    char stuck[2048], hint[512], lines[4096];
    struct sys_atomic_u64 cancelled;
};

/* User functions and the calls of the door reach it by no other way than a static. */
static struct world *the_world;

static int64_t world_mono_ns(struct sys *s)
{
    (void)s;
    return (int64_t)sys_atomic_load(&the_world->now_ns);
}

static bool world_park(struct sys *s, struct sys_parker *p, int64_t timeout_ns)
{
    struct world *w = the_world;

    bool is_held = sys_atomic_load(&w->is_held) != 0;

    if (timeout_ns == LOOK_NS && is_held) sys_atomic_add(&w->now_ns, LOOK_NS);
    return w->linux_ops->park(s, p, timeout_ns == LOOK_NS && is_held ? 0 : timeout_ns);
}

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){.sys = sys_linux_create_quiet()};
    w.linux_ops = w.sys->ops;
    w.ops = *w.linux_ops;
    w.ops.mono_ns = world_mono_ns;
    w.ops.park = world_park;
    w.sys->ops = &w.ops;
    w.is_stuck = sys_mailbox_create(w.sys);
    w.may_go = sys_mailbox_create(w.sys);
    the_world = &w;
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    sys_mailbox_free(w->sys, w->is_stuck);
    sys_mailbox_free(w->sys, w->may_go);
    sys_linux_free(w->sys);
    return 0;
}

static void keep_line(void *arg, enum log_level level, const char *line, size_t size)
{
    struct world *w = arg;
    size_t used = strlen(w->lines);

    if (level < LOG_WARN) return;
    assert_true(used + size + 2 < sizeof w->lines);
    memcpy(w->lines + used, line + strlen("1970-01-01 00:00:00.000 "), size - strlen("1970-01-01 00:00:00.000 "));
    strcat(w->lines, "\n");
}

static void on_stuck(void *arg, const struct err *why)
{
    struct world *w = arg;

    assert_string_equal(w->stuck, ""); /* told once */
    snprintf(w->stuck, sizeof w->stuck, "%s", why->text);
    snprintf(w->hint, sizeof w->hint, "%s", why->hint);
    sys_atomic_store(&w->is_held, 0);
    sys_mailbox_send(w->sys, w->may_go, w);
}

/* --- functions -------------------------------------------------------------------------------------------------------------- */
struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

/* Value 0 does not return until it may go; value 1 fails once the other is stuck. */
static enum tw_status stick(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct world *w = the_world;
    int64_t value = ((const struct number *)in)->value;

    (void)kind;
    if (value == 0) {
        sys_atomic_store(&w->is_held, 1);
        sys_mailbox_send(w->sys, w->is_stuck, w);
        assert_non_null(sys_mailbox_take(w->sys, w->may_go, INT64_MAX));
        return TW_OK;
    }
    assert_non_null(sys_mailbox_take(w->sys, w->is_stuck, INT64_MAX));
    return tw_fail(cx, "value %lld is refused", (long long)value);
}
/* Each subtask gives its own number, once. */
static enum tw_status give_number(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    (void)max;
    ((struct number *)rows)->value = tw_subtask(cx);
    *count = 1;
    *end = true;
    return TW_OK;
}
TW_FUNCTION(gives_number) = {.out = &number_row, .source = give_number};

TW_FUNCTION(sticks) = {.in = &number_row, .sink = stick};

/* Value 0 does not return until it may go; value 1 has the job canceled. */
static enum tw_status stick_and_cancel(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct world *w = the_world;

    (void)kind;
    (void)cx;
    if (((const struct number *)in)->value == 0) {
        sys_atomic_store(&w->is_held, 1);
        sys_mailbox_send(w->sys, w->is_stuck, w);
        assert_non_null(sys_mailbox_take(w->sys, w->may_go, INT64_MAX));
        return TW_OK;
    }
    assert_non_null(sys_mailbox_take(w->sys, w->is_stuck, INT64_MAX));
    sys_atomic_store(&w->cancelled, 1);
    return TW_OK;
}
TW_FUNCTION(sticks_and_cancels) = {.in = &number_row, .sink = stick_and_cancel};

static enum tw_status refuse(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)kind;
    return tw_fail(cx, "value %lld is refused", (long long)((const struct number *)in)->value);
}
TW_FUNCTION(refuses) = {.in = &number_row, .sink = refuse};

/* --- running ----------------------------------------------------------------------------------------------------------------- */
static enum status run(struct world *w, const struct tw_function *sink, const char *timeout, enum job_status *end,
                       struct err *e)
{
    struct tw_env *env = tw_env_create();
    struct log log = {.level = LOG_WARN, .write = keep_line, .arg = w};
    struct buf bytes;

    tw_set(env, "task.cancellation.timeout", timeout);
    tw_set(env, "thalweg.exec.workers", "2");
    tw_set_parallelism(env, 2);
    tw_sink_function(tw_source_function(env, "number", &gives_number), "out", sink);
    buf_init(&bytes, &env->mem);
    assert_non_null(tw_plan(env)); /* prepares the graph */
    graph_encode(&env->graph, &bytes);
    struct jobmaster_options o = {.sys = w->sys,
                                  .log = &log,
                                  .functions = {env->first, env->end},
                                  .cancelled = &w->cancelled,
                                  .stuck = on_stuck,
                                  .stuck_arg = w};
    struct jobmaster *jm = jobmaster_create(&o);
    enum status st = jobmaster_submit(jm, (struct str){bytes.data, bytes.size}, e);
    if (st == S_OK) st = jobmaster_run(jm, e);
    *end = jobmaster_status(jm);
    jobmaster_free(jm);
    buf_release(&bytes);
    tw_env_free(env);
    return st;
}

#define WARNING(seconds)                                                                                               \
    "WARN  jobmaster - task 'Source: number -> Sink: out' (subtask 1/2) has not ended " seconds                      \
    " s after it was told to; it is in operator 'Sink: out'\n"

static void a_task_that_does_not_return_is_warned_of_and_given_up(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    enum job_status end;

    assert_int_equal(run(w, &sticks, "3 min", &end, &e), E_USER);
    assert_int_equal(end, JOB_FAILED);
    assert_string_equal(w->lines, WARNING("30") WARNING("60") WARNING("90") WARNING("120") WARNING("150"));
    assert_string_equal(w->stuck, "a task did not end within task.cancellation.timeout (180000 ms): operator 'Sink: out' "
                                  "(subtask 1/2) does not return");
    assert_non_null(strstr(w->hint, "the job was ending because of: operator 'Sink: out' (subtask 2/2): "));
    assert_non_null(strstr(w->hint, "value 1 is refused"));
    assert_non_null(strstr(e.text, "operator 'Sink: out' (subtask 2/2): "));
}

static void so_is_one_of_a_job_that_is_canceled(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    enum job_status end;

    assert_int_equal(run(w, &sticks_and_cancels, "1 s", &end, &e), E_CANCELED);
    assert_int_equal(end, JOB_CANCELED);
    assert_string_equal(w->lines, "");
    assert_string_equal(w->stuck, "a task did not end within task.cancellation.timeout (1000 ms): operator 'Sink: out' "
                                  "(subtask 1/2) does not return");
    assert_string_equal(w->hint, "a callback that waits must come back by itself; the job was being canceled");
}

static void tasks_that_end_are_not_blamed(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    enum job_status end;

    assert_int_equal(run(w, &refuses, "1 s", &end, &e), E_USER);
    assert_int_equal(end, JOB_FAILED);
    assert_string_equal(w->lines, "");
    assert_string_equal(w->stuck, "");
    assert_int_equal(strncmp(e.text, "operator 'Sink: out' (subtask ", 30), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_task_that_does_not_return_is_warned_of_and_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(so_is_one_of_a_job_that_is_canceled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tasks_that_end_are_not_blamed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
