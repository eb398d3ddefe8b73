/* job_connected.c - two streams in one function: keyed, with state and timers; and with rules that go to everybody. Which input
 * comes first is open, so results are put out by timers only. */
#include "sim/sim_rows.h"

struct connected_key {
    int64_t key;
};
TW_ROW(connected_key, TW_FIELD(connected_key, key, "BIGINT NOT NULL"));
struct connected_out {
    int64_t key, left, right, weight;
};
TW_ROW(connected_out, TW_FIELD(connected_out, key, "BIGINT NOT NULL"), TW_FIELD(connected_out, left, "BIGINT NOT NULL"),
       TW_FIELD(connected_out, right, "BIGINT NOT NULL"), TW_FIELD(connected_out, weight, "BIGINT NOT NULL"));

static const struct tw_state left = {.name = "left", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state right = {.name = "right", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state rules = {.name = "rules", .kind = TW_BROADCAST, .map_key = "BIGINT", .value = "BIGINT"};

static void count(struct tw_context *cx, const struct tw_state *state, const struct sim_event *e)
{
    tw_value_set_long(cx, state, tw_value_long(cx, state, 0) + e->number);
    tw_register_event_timer(cx, INT64_C(10000000));
}

static enum tw_status on_left(struct tw_context *cx, const void *in)
{
    count(cx, &left, in);
    return TW_OK;
}

static enum tw_status on_right(struct tw_context *cx, const void *in)
{
    count(cx, &right, in);
    return TW_OK;
}

static enum tw_status on_timer(struct tw_context *cx, int64_t time_ms)
{
    const struct connected_key *key = tw_key(cx);

    (void)time_ms;
    tw_collect(cx, &(struct connected_out){key->key, tw_value_long(cx, &left, 0), tw_value_long(cx, &right, 0), 0});
    return TW_OK;
}
TW_FUNCTION(connected_both) = {.in = &sim_event_row,
                               .in2 = &sim_event_row,
                               .out = &connected_out_row,
                               .key = &connected_key_row,
                               .states = {&left, &right},
                               .process = on_left,
                               .process2 = on_right,
                               .on_timer = on_timer};

static enum tw_status on_rule(struct tw_context *cx, const void *in)
{
    const struct sim_event *e = in;
    int64_t weight = 0;

    tw_map_get(cx, &rules, &e->key, &weight);
    weight += e->number;
    tw_map_put(cx, &rules, &e->key, &weight);
    return TW_OK;
}

static enum tw_status on_timer_with_rules(struct tw_context *cx, int64_t time_ms)
{
    const struct connected_key *key = tw_key(cx);
    struct connected_out out = {.key = key->key, .left = tw_value_long(cx, &left, 0)};

    (void)time_ms;
    tw_map_get(cx, &rules, &key->key, &out.weight);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(connected_rules) = {.in = &sim_event_row,
                                .in2 = &sim_event_row,
                                .out = &connected_out_row,
                                .key = &connected_key_row,
                                .states = {&left, &rules},
                                .process = on_left,
                                .process2 = on_rule,
                                .on_timer = on_timer_with_rules};

static int run(struct tw_env *env)
{
    struct tw_stream *a = sim_events(env), *b = tw_where(sim_events(env), "number", ">", "30");

    tw_print(tw_co_process(tw_key_by(a, "key"), tw_key_by(b, "key"), &connected_both));
    tw_print(tw_broadcast_process(tw_key_by(a, "key"), tw_parallelism(b, 1), &connected_rules));
    return tw_execute(env, "connected");
}

const struct sim_job job_connected = {.name = "connected",
                                      .doc = "co-process with state and timers; broadcast state",
                                      .compare = SIM_ANY_ORDER,
                                      .run = run,
                                      .survives = true};
