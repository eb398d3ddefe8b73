/* job_async_ordered.c - asynchronous requests on helper threads, answered in order. */
#include "sim/sim_rows.h"

static enum tw_status ask(struct tw_context *cx, const void *in)
{
    struct sim_event answer = *(const struct sim_event *)in;

    answer.number = answer.number * 3 + 1;
    tw_collect(cx, &answer);
    return TW_OK;
}
TW_FUNCTION(async_ordered_ask) = {.in = &sim_event_row, .out = &sim_event_row, .async = ask};

static int run(struct tw_env *env)
{
    tw_print(tw_async_wait(tw_key_by(sim_events(env), "key"), &async_ordered_ask, .capacity = 5));
    return tw_execute(env, "async");
}

const struct sim_job job_async_ordered = {.name = "async_ordered",
                                          .doc = "asynchronous requests in order, on helper threads",
                                          .compare = SIM_PER_KEY,
                                          .run = run,
                                          .survives = true};
