/* job_reduce.c - a reduce function of the user per key; its rows to several consumers, and a side output beside them. */
#include "sim/sim_rows.h"

static enum tw_status join_rows(struct tw_context *cx, const void *a, const void *b, void *out)
{
    const struct sim_event *x = a, *y = b;

    (void)cx;
    *(struct sim_event *)out = (struct sim_event){x->key, (x->number * 3 + y->number) % 1009, y->time};
    return TW_OK;
}
TW_FUNCTION(reduce_rows) = {.in = &sim_event_row, .out = &sim_event_row, .reduce = join_rows};

static enum tw_status split(struct tw_context *cx, const void *in)
{
    const struct sim_event *e = in;

    if (e->number % 3 == 0)
        tw_side_output(cx, 0, e);
    else
        tw_collect(cx, e);
    return TW_OK;
}
TW_FUNCTION(reduce_split) = {
    .in = &sim_event_row, .out = &sim_event_row, .sides = {&sim_event_row}, .side_names = {"thirds"}, .process = split};

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_reduce(tw_key_by(sim_events(env), "key"), &reduce_rows),
                     *parts = tw_process(s, &reduce_split);

    tw_print(parts);
    tw_print(tw_project(tw_side(parts, "thirds"), "key", "number AS third"));
    tw_print(tw_min(tw_key_by(parts, "key"), "number"));
    return tw_execute(env, "reduce");
}

const struct sim_job job_reduce = {.name = "reduce",
                                   .doc = "reduce per key, side output, rolling minimum",
                                   .compare = SIM_ANY_ORDER,
                                   .run = run,
                                   .survives = true};
