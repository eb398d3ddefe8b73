/* job_joins.c - two keyed streams brought together by time: interval join, window join, co-group. */
#include "sim/sim_rows.h"

#include <thalweg/window.h>

struct joined {
    int64_t key, left, right;
};
TW_ROW(joined, TW_FIELD(joined, key, "BIGINT NOT NULL"), TW_FIELD(joined, left, "BIGINT NOT NULL"),
       TW_FIELD(joined, right, "BIGINT NOT NULL"));

static enum tw_status pair(struct tw_context *cx, const void *left, const void *right)
{
    const struct sim_event *a = left, *b = right;

    tw_collect(cx, &(struct joined){a->key, a->number, b->number});
    return TW_OK;
}
TW_FUNCTION(joins_pair) = {.in = &sim_event_row, .in2 = &sim_event_row, .out = &joined_row, .join = pair};

static enum tw_status groups(struct tw_context *cx, struct tw_elements *left, struct tw_elements *right)
{
    struct joined out = {-1, 0, 0};

    for (const struct sim_event *e; (e = tw_next(left)) != NULL; out.left += e->number) out.key = e->key;
    for (const struct sim_event *e; (e = tw_next(right)) != NULL; out.right += e->number) out.key = e->key;
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(joins_groups) = {.in = &sim_event_row, .in2 = &sim_event_row, .out = &joined_row, .co_group = groups};

static int run(struct tw_env *env)
{
    struct tw_stream *a = tw_key_by(sim_events(env), "key");
    struct tw_stream *b = tw_key_by(tw_where(sim_events(env), "number", ">", "40"), "key");

    tw_print(tw_interval_join(a, b, &joins_pair, .lower_ms = -3000, .upper_ms = 4500, .upper_exclusive = true));
    tw_print(tw_window_join(a, b, TW_TUMBLE(10000), &joins_pair));
    tw_print(tw_co_group(a, b, TW_HOP(12000, 6000), &joins_groups));
    return tw_execute(env, "joins");
}

const struct sim_job job_joins = {.name = "joins",
                                  .doc = "interval join, window join, co-group",
                                  .compare = SIM_ANY_ORDER,
                                  .run = run,
                                  .survives = true};
