/* job_async_retries.c - asynchronous requests that are answered in any order and asked again after growing pauses. What is asked
 * again answers the same: at the end of the input no more is asked, so another answer would depend on the time. */
#include "sim/sim_rows.h"

/* Each third number would fail: it is filtered out before. */
static enum tw_status ask(struct tw_context *cx, const void *in)
{
    struct sim_event answer = *(const struct sim_event *)in;

    if (answer.number % 3 == 0) return tw_fail(cx, "no answer to %lld", (long long)answer.number);
    answer.number = -answer.number;
    tw_collect(cx, &answer);
    return TW_OK;
}

/* Numbers that end in 4 were not answered well enough until the second attempt. */
static enum tw_status judge(struct tw_context *cx, const void *in, const struct tw_try *t, bool *again)
{
    const struct sim_event *e = in;

    (void)cx;
    *again = t->number < 3 && (t->error != NULL || (e->number % 10 == 4 && t->number == 1));
    return TW_OK;
}

static enum tw_status keep(struct tw_context *cx, const void *in, bool *kept)
{
    (void)cx;
    *kept = ((const struct sim_event *)in)->number % 3 != 0;
    return TW_OK;
}
TW_FUNCTION(async_retries_ask) = {.in = &sim_event_row, .out = &sim_event_row, .async = ask, .retry = judge};
TW_FUNCTION(async_retries_keep) = {.in = &sim_event_row, .filter = keep};

static int run(struct tw_env *env)
{
    struct tw_stream *good = tw_filter(sim_events(env), &async_retries_keep);

    tw_print(tw_async_wait(good, &async_retries_ask, .unordered = true, .capacity = 7, .attempts = 4,
                           .retry_delay_ms = 3, .retry_multiplier = 2, .retry_delay_max_ms = 9));
    return tw_execute(env, "async retries");
}

const struct sim_job job_async_retries = {.name = "async_retries",
                                          .doc = "asynchronous requests in any order: retries, growing pauses",
                                          .compare = SIM_ANY_ORDER,
                                          .run = run,
                                          .survives = true};
