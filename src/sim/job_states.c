/* job_states.c - reducing and aggregating state, a map walked and thinned out, and values that live for a while only. A value
 * with a long life is always there and one that nobody reads again is of no account, whatever the clock did. */
#include "sim/sim_rows.h"

struct states_out {
    int64_t key, largest, mean, entries, alive;
};
TW_ROW(states_out, TW_FIELD(states_out, key, "BIGINT NOT NULL"), TW_FIELD(states_out, largest, "BIGINT NOT NULL"),
       TW_FIELD(states_out, mean, "BIGINT NOT NULL"), TW_FIELD(states_out, entries, "BIGINT NOT NULL"),
       TW_FIELD(states_out, alive, "BIGINT NOT NULL"));
struct states_number {
    int64_t value;
};
TW_ROW(states_number, TW_FIELD(states_number, value, "BIGINT NOT NULL"));
struct states_mean {
    int64_t sum, count;
};
TW_ROW(states_mean, TW_FIELD(states_mean, sum, "BIGINT NOT NULL"), TW_FIELD(states_mean, count, "BIGINT NOT NULL"));

static enum tw_status larger(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(int64_t *)out = MAX(*(const int64_t *)a, *(const int64_t *)b);
    return TW_OK;
}
TW_FUNCTION(states_larger) = {.in = &states_number_row, .out = &states_number_row, .reduce = larger};

static enum tw_status mean_add(struct tw_context *cx, void *acc, const void *in)
{
    struct states_mean *mean = acc;

    (void)cx;
    mean->sum += *(const int64_t *)in;
    mean->count++;
    return TW_OK;
}

static enum tw_status mean_result(struct tw_context *cx, const void *acc, void *out)
{
    const struct states_mean *mean = acc;

    (void)cx;
    *(int64_t *)out = mean->sum / mean->count;
    return TW_OK;
}
TW_FUNCTION(states_average) = {.in = &states_number_row,
                               .acc = &states_mean_row,
                               .out = &states_number_row,
                               .add = mean_add,
                               .result = mean_result};

static const struct tw_state largest = {
    .name = "largest", .kind = TW_REDUCING, .value = "BIGINT", .function = &states_larger};
static const struct tw_state mean = {
    .name = "mean", .kind = TW_AGGREGATING, .value = "BIGINT", .function = &states_average};
static const struct tw_state entries = {.name = "entries", .kind = TW_MAP, .map_key = "BIGINT", .value = "BIGINT"};
static const struct tw_state alive = {
    .name = "alive", .kind = TW_VALUE, .value = "BIGINT", .ttl = {.ttl_ms = 86400000}};
static const struct tw_state brief = {.name = "brief", .kind = TW_LIST, .value = "BIGINT", .ttl = {.ttl_ms = 1}};

static enum tw_status on_event(struct tw_context *cx, const void *in)
{
    const struct sim_event *e = in;
    struct states_out out = {.key = e->key};
    int64_t slot = e->number % 13, found;
    uint32_t cursor = 0;

    tw_reducing_add(cx, &largest, &e->number);
    tw_aggregating_add(cx, &mean, &e->number);
    tw_map_put(cx, &entries, &slot, &e->number);
    if (tw_map_size(cx, &entries) > 6)
        while (tw_map_next(cx, &entries, &cursor, &slot, &found))
            if (found % 2 == 0) tw_map_remove(cx, &entries, &slot);
    tw_value_set_long(cx, &alive, tw_value_long(cx, &alive, 0) + 1);
    tw_list_add(cx, &brief, &e->number);
    tw_reducing_get(cx, &largest, &out.largest);
    tw_aggregating_get(cx, &mean, &out.mean);
    out.entries = tw_map_size(cx, &entries);
    out.alive = tw_value_long(cx, &alive, 0);
    tw_collect(cx, &out);
    return tw_list_size(cx, &brief) > 0 ? TW_OK : tw_fail(cx, "what was just written is not there");
}
TW_FUNCTION(states_all) = {.in = &sim_event_row,
                           .out = &states_out_row,
                           .states = {&largest, &mean, &entries, &alive, &brief},
                           .process = on_event};

static int run(struct tw_env *env)
{
    tw_print(tw_process(tw_key_by(sim_events(env), "key"), &states_all));
    return tw_execute(env, "states");
}

const struct sim_job job_states = {.name = "states",
                                   .doc = "reducing, aggregating, map and list state; time to live",
                                   .compare = SIM_PER_KEY,
                                   .run = run,
                                   .survives = true};
