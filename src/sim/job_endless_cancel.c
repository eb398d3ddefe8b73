/* job_endless_cancel.c - a source without end, stopped by a cancel from another thread in the midst of its rows. How far it came is
 * for the clock to say; that each key had its first row, that its rows came in order, and that the job ends as CANCELED is not. */
#include "sim/sim_rows.h"

#include "surface/api/api.h"

#include <string.h>

enum { RUN_MS = 200, ENDLESS_KEYS = 7 };

struct endless_row {
    int64_t key, number;
};
TW_ROW(endless_row, TW_FIELD(endless_row, key, "BIGINT NOT NULL"), TW_FIELD(endless_row, number, "BIGINT NOT NULL"));

static const struct tw_state latest = {.name = "latest", .kind = TW_VALUE, .value = "BIGINT"};

static enum tw_status check_order(struct tw_context *cx, const void *in)
{
    const struct endless_row *row = in;
    int64_t before = tw_value_long(cx, &latest, row->key - ENDLESS_KEYS);

    if (row->number != before + ENDLESS_KEYS && row->number != row->key)
        return tw_fail(cx, "%lld after %lld", (long long)row->number, (long long)before);
    tw_value_set_long(cx, &latest, row->number);
    if (row->number < ENDLESS_KEYS) tw_collect(cx, row);
    return TW_OK;
}
TW_FUNCTION(endless_cancel_order) = {
    .in = &endless_row_row, .out = &endless_row_row, .states = {&latest}, .process = check_order};

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_parallelism(tw_rate_limit(tw_from_sequence(env, 0, INT64_MAX - 1), 4000), 1);
    struct sys_parker *parker = sys_parker_create(env->sys);
    int64_t until = sys_wall_ms(env->sys) + RUN_MS;

    tw_set(env, "execution.buffer-timeout.enabled", "true"); /* else few rows wait for more of them, which never come */
    s = tw_parallelism(tw_project(s, "value - value / 7 * 7 AS key", "value AS number"), 1);
    tw_print(tw_process(tw_key_by(s, "key"), &endless_cancel_order));
    int failed = tw_execute_async(env, "endless");
    for (int64_t now; (now = sys_wall_ms(env->sys)) < until;) sys_park(env->sys, parker, (until - now) * 1000000);
    sys_parker_free(env->sys, parker);
    tw_cancel(env);
    tw_quiet(env, true); /* that it was canceled is no news */
    bool is_canceled = tw_wait(env) == 1 && strcmp(tw_job_status(env), "CANCELED") == 0;
    return failed || !is_canceled;
}

const struct sim_job job_endless_cancel = {.name = "endless_cancel",
                                           .doc = "a source without end, stopped by a cancel from outside",
                                           .compare = SIM_ANY_ORDER,
                                           .run = run};
