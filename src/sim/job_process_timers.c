/* job_process_timers.c - a keyed process function with value, map and list state, and event-time timers. */
#include "sim/sim_rows.h"

struct timer_key {
    int64_t key;
};
TW_ROW(timer_key, TW_FIELD(timer_key, key, "BIGINT NOT NULL"));
struct timer_out {
    int64_t key, count, entries, items, time;
};
TW_ROW(timer_out, TW_FIELD(timer_out, key, "BIGINT NOT NULL"), TW_FIELD(timer_out, count, "BIGINT NOT NULL"),
       TW_FIELD(timer_out, entries, "BIGINT NOT NULL"), TW_FIELD(timer_out, items, "BIGINT NOT NULL"),
       TW_FIELD(timer_out, time, "TIMESTAMP(3) NOT NULL"));

static const struct tw_state seen = {.name = "seen", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state by_number = {.name = "by number", .kind = TW_MAP, .map_key = "BIGINT", .value = "BIGINT"};
static const struct tw_state numbers = {.name = "numbers", .kind = TW_LIST, .value = "BIGINT"};

static enum tw_status on_event(struct tw_context *cx, const void *in)
{
    const struct sim_event *event = in;
    int64_t slot = event->number % 10, count = 0;

    tw_value_set_long(cx, &seen, tw_value_long(cx, &seen, 0) + 1);
    tw_map_get(cx, &by_number, &slot, &count);
    count++;
    tw_map_put(cx, &by_number, &slot, &count);
    tw_list_add(cx, &numbers, &event->number);
    tw_register_event_timer(cx, tw_time(cx) / 5000 * 5000 + 5000);
    return TW_OK;
}

static enum tw_status on_timer(struct tw_context *cx, int64_t time_ms)
{
    const struct timer_key *key = tw_key(cx);
    struct timer_out out = {key->key, tw_value_long(cx, &seen, 0), tw_map_size(cx, &by_number),
                            tw_list_size(cx, &numbers), time_ms};

    tw_collect(cx, &out);
    if (tw_list_size(cx, &numbers) > 8) tw_state_clear(cx, &numbers);
    return TW_OK;
}
TW_FUNCTION(process_timers_count) = {.in = &sim_event_row,
                                     .out = &timer_out_row,
                                     .key = &timer_key_row,
                                     .states = {&seen, &by_number, &numbers},
                                     .process = on_event,
                                     .on_timer = on_timer};

static int run(struct tw_env *env)
{
    tw_print(tw_process(tw_key_by(sim_events(env), "key"), &process_timers_count));
    return tw_execute(env, "process and timers");
}

const struct sim_job job_process_timers = {.name = "process_timers",
                                           .doc = "process function, value, map and list state, event timers",
                                           .compare = SIM_PER_KEY,
                                           .run = run,
                                           .survives = true};
