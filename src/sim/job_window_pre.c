/* job_window_pre.c - windows over what an aggregate or a reduce function made of their rows, overlapping and of sessions, with
 * early results and late rows. */
#include "sim/sim_rows.h"

#include <thalweg/window.h>

struct pre_sum {
    int64_t rows, total;
};
TW_ROW(pre_sum, TW_FIELD(pre_sum, rows, "BIGINT NOT NULL"), TW_FIELD(pre_sum, total, "BIGINT NOT NULL"));
struct pre_key {
    int64_t key;
};
TW_ROW(pre_key, TW_FIELD(pre_key, key, "BIGINT NOT NULL"));
struct pre_out {
    int64_t key, start, end, rows, total;
};
TW_ROW(pre_out, TW_FIELD(pre_out, key, "BIGINT NOT NULL"), TW_FIELD(pre_out, start, "BIGINT NOT NULL"),
       TW_FIELD(pre_out, end, "BIGINT NOT NULL"), TW_FIELD(pre_out, rows, "BIGINT NOT NULL"),
       TW_FIELD(pre_out, total, "BIGINT NOT NULL"));

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    struct pre_sum *sum = acc;

    (void)cx;
    sum->rows++;
    sum->total += ((const struct sim_event *)in)->number;
    return TW_OK;
}

static enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    struct pre_sum *sum = acc;

    (void)cx;
    sum->rows += ((const struct pre_sum *)other)->rows;
    sum->total += ((const struct pre_sum *)other)->total;
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(struct pre_sum *)out = *(const struct pre_sum *)acc;
    return TW_OK;
}
TW_FUNCTION(window_pre_sum) = {
    .in = &sim_event_row, .acc = &pre_sum_row, .out = &pre_sum_row, .add = add, .merge = merge, .result = result};

static enum tw_status with_window(struct tw_context *cx, const struct tw_window *w, struct tw_elements *rows)
{
    const struct pre_sum *sum = tw_next(rows);

    tw_collect(cx,
               &(struct pre_out){((const struct pre_key *)tw_key(cx))->key, w->start, w->end, sum->rows, sum->total});
    return TW_OK;
}
TW_FUNCTION(window_pre_out) = {.in = &pre_sum_row, .out = &pre_out_row, .key = &pre_key_row, .window = with_window};

static enum tw_status larger(struct tw_context *cx, const void *a, const void *b, void *out)
{
    const struct sim_event *x = a, *y = b;

    (void)cx;
    *(struct sim_event *)out = (struct sim_event){x->key, MAX(x->number, y->number), MAX(x->time, y->time)};
    return TW_OK;
}
TW_FUNCTION(window_pre_larger) = {.in = &sim_event_row, .out = &sim_event_row, .reduce = larger};

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_key_by(sim_events(env), "key");
    struct tw_trigger early = {.kind = TW_TRIGGER_CONTINUOUS_EVENT_TIME, .interval_ms = 4000};

    tw_print(tw_window_process(s, TW_HOP(15000, 5000), &window_pre_out, &window_pre_sum));
    tw_print(tw_window_process(s, TW_SESSIONS(4000), &window_pre_out, &window_pre_sum));
    tw_print(tw_window_process(s, TW_TUMBLE(12000, .trigger = early), &window_pre_out, &window_pre_sum));
    tw_print(tw_window_reduce(s, TW_TUMBLE(9000, .offset_ms = 1000, .all = true), &window_pre_larger));
    return tw_execute(env, "windows over aggregates");
}

const struct sim_job job_window_pre = {.name = "window_pre",
                                       .doc = "window functions over aggregates; early results; windows over all keys",
                                       .compare = SIM_ANY_ORDER,
                                       .run = run,
                                       .survives = true};
