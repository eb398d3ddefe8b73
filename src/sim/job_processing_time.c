/* job_processing_time.c - timers and windows of processing time. When they fire depends on the clock, so what is compared does
 * not: sums of all rows that fired, and that each key had its timer. */
#include "sim/sim_rows.h"

#include <thalweg/window.h>

struct clock_key {
    int64_t key;
};
TW_ROW(clock_key, TW_FIELD(clock_key, key, "BIGINT NOT NULL"));
struct clock_out {
    int64_t key, what;
};
TW_ROW(clock_out, TW_FIELD(clock_out, key, "BIGINT NOT NULL"), TW_FIELD(clock_out, what, "BIGINT NOT NULL"));

static const struct tw_state has_fired = {.name = "has fired", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state armed = {.name = "armed", .kind = TW_VALUE, .value = "BIGINT"};

static enum tw_status on_event(struct tw_context *cx, const void *in)
{
    (void)in;
    if (tw_value_long(cx, &armed, 0) == 0) tw_register_processing_timer(cx, tw_now_ms(cx) + 2);
    tw_value_set_long(cx, &armed, 1);
    return TW_OK;
}

static enum tw_status on_timer(struct tw_context *cx, int64_t time_ms)
{
    if (!tw_timer_is_processing_time(cx) || time_ms > tw_now_ms(cx)) return tw_fail(cx, "a timer of another time");
    if (tw_value_long(cx, &has_fired, 0) != 0) return tw_fail(cx, "fired twice");
    tw_value_set_long(cx, &has_fired, 1);
    tw_collect(cx, &(struct clock_out){((const struct clock_key *)tw_key(cx))->key, 1});
    return TW_OK;
}
TW_FUNCTION(processing_time_once) = {.in = &clock_out_row,
                                     .out = &clock_out_row,
                                     .key = &clock_key_row,
                                     .states = {&has_fired, &armed},
                                     .process = on_event,
                                     .on_timer = on_timer};

/* The rows go on slowly enough for many windows, and those above 100 are of no account, for windows never fire at the end of
 * the input: they go on for so long that a row below, however long the schedule keeps it, is in a window before the end. */
static enum tw_status whole(struct tw_context *cx, const struct tw_window *w, struct tw_elements *rows)
{
    if (w->end - w->start != 3) return tw_fail(cx, "a window of another size");
    for (const struct clock_out *row; (row = tw_next(rows)) != NULL;)
        if (row->what < 100) tw_collect(cx, row);
    return TW_OK;
}
TW_FUNCTION(processing_time_whole) = {.in = &clock_out_row, .out = &clock_out_row, .window = whole};

static int run(struct tw_env *env)
{
    /* timers that are left when the input ends do not fire: rows must be there a while before */
    tw_set(env, "execution.buffer-timeout.enabled", "true");
    tw_set(env, "execution.buffer-timeout.interval", "0 ms");
    struct tw_stream *slow = tw_parallelism(tw_rate_limit(tw_from_sequence(env, 1, 700), 2000), 1);

    slow = tw_parallelism(tw_project(slow, "value - value / 3 * 3 AS key", "value AS what"), 1);
    tw_print(
        tw_window_process(tw_key_by(slow, "key"), TW_TUMBLE(3, .processing_time = true), &processing_time_whole, NULL));
    struct tw_stream *events = tw_parallelism(tw_rate_limit(tw_from_sequence(env, 1, 140), 2000), 1);
    events = tw_project(events, "value - value / 7 * 7 AS key", "value AS what");
    tw_print(tw_process(tw_key_by(events, "key"), &processing_time_once));
    return tw_execute(env, "processing time");
}

const struct sim_job job_processing_time = {.name = "processing_time",
                                            .doc = "timers and windows of processing time, a rate limit",
                                            .compare = SIM_ANY_ORDER,
                                            .run = run};
