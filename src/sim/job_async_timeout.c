/* job_async_timeout.c - asynchronous requests whose time is up: each third row gets no good answer for longer than its limit, and
 * .timeout answers in its place. When the input ends first, what the last attempt answered counts, so that is the same. */
#include "sim/sim_rows.h"

static bool is_hopeless(const struct sim_event *e) { return e->number % 3 == 0; }

static enum tw_status ask(struct tw_context *cx, const void *in)
{
    struct sim_event answer = *(const struct sim_event *)in;

    answer.number = is_hopeless(&answer) ? -1 : answer.number * 2;
    tw_collect(cx, &answer);
    return TW_OK;
}

static enum tw_status judge(struct tw_context *cx, const void *in, const struct tw_try *t, bool *again)
{
    (void)cx, (void)t;
    *again = is_hopeless(in);
    return TW_OK;
}

static enum tw_status give_up(struct tw_context *cx, const void *in)
{
    struct sim_event answer = *(const struct sim_event *)in;

    if (!is_hopeless(&answer)) return tw_fail(cx, "number %lld had its answer", (long long)answer.number);
    answer.number = -1;
    tw_counter_add(cx, "given up", 1);
    tw_collect(cx, &answer);
    return TW_OK;
}
TW_FUNCTION(async_timeout_ask) = {
    .in = &sim_event_row, .out = &sim_event_row, .async = ask, .retry = judge, .timeout = give_up};

static int run(struct tw_env *env)
{
    int64_t given_up = 0;

    tw_print(tw_async_wait(tw_key_by(sim_events(env), "key"), &async_timeout_ask, .capacity = 3, .attempts = 1000,
                           .retry_delay_ms = 2, .timeout_ms = 5));
    int failed = tw_execute(env, "async timeout");
    tw_accumulator_long(env, "given up", &given_up);
    return failed || given_up == 0;
}

const struct sim_job job_async_timeout = {.name = "async_timeout",
                                          .doc = "asynchronous requests whose time is up in the midst of retries",
                                          .compare = SIM_PER_KEY,
                                          .run = run};
