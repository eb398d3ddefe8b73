/* job_async_sink.c - an asynchronous sink whose client has no threads: some requests are answered at once, others when the
 * task would wait, some entries are asked for again. However rows are cut and held up, each is delivered once. */
#include "sim/sim_rows.h"

#include <thalweg/async_sink.h>

enum { ASYNC_SINK_HELD = 8 };
struct async_sink_client {
    struct tw_request *held[ASYNC_SINK_HELD];
    uint32_t count, requests;
};

static void take(struct tw_context *cx, struct tw_request *r, bool picky)
{
    uint32_t again[16], count = 0;

    for (uint32_t i = 0; i < tw_request_count(r); i++) {
        const struct sim_event *e = tw_request_entry(r, i);
        if (picky && i % 3 == 1) {
            again[count++] = i;
            continue;
        }
        tw_counter_add(cx, "rows", 1);
        tw_counter_add(cx, "sum", e->number);
    }
    tw_request_retry(r, again, count);
}

/* Each fourth is answered at once, and each fifth answer is not all it could be. */
static enum tw_status submit(struct tw_context *cx, struct tw_request *r)
{
    struct async_sink_client *c = tw_self(cx);

    if (c->requests++ % 4 == 0 || c->count == ASYNC_SINK_HELD)
        take(cx, r, c->requests % 5 == 0);
    else
        c->held[c->count++] = r;
    return TW_OK;
}

static enum tw_status flush(struct tw_context *cx)
{
    struct async_sink_client *c = tw_self(cx);

    if (c->count > 0) take(cx, c->held[--c->count], c->requests % 5 == 0 && !tw_input_ended(cx));
    return TW_OK;
}

static enum tw_status entry_size(struct tw_context *cx, const void *entry, int64_t *bytes)
{
    (void)cx;
    *bytes = ((const struct sim_event *)entry)->number;
    return TW_OK;
}
TW_FUNCTION(async_sink_client) = {.in = &sim_event_row,
                                  .self_size = sizeof(struct async_sink_client),
                                  .submit = submit,
                                  .flush = flush,
                                  .entry_size = entry_size};

static int run(struct tw_env *env)
{
    struct tw_stream *s = sim_events(env);
    int64_t rows = 0, sum = 0, expected = 0;

    for (int64_t i = 0; i < SIM_EVENTS; i++) expected += i * 17 % 101;
    tw_async_sink(tw_rebalance(s), "client", &async_sink_client, .max_batch_size = 9, .max_in_flight_requests = 5,
                  .max_buffered_requests = 11, .max_batch_size_bytes = 400, .max_record_size_bytes = 100,
                  .max_time_in_buffer_ms = 3);
    tw_print(s);
    int failed = tw_execute(env, "asynchronous sink");
    tw_accumulator_long(env, "rows", &rows);
    tw_accumulator_long(env, "sum", &sum);
    return failed || rows != SIM_EVENTS || sum != expected;
}

const struct sim_job job_async_sink = {.name = "async_sink",
                                       .doc = "a sink that sends requests: answers later, entries sent again",
                                       .compare = SIM_ANY_ORDER,
                                       .run = run};
