/* job_sink_topology.c - a sink that has all of its transactions committed together: writers on each subtask, one committer that
 * is refused at first, and what is committed printed behind it. Nothing is printed before all is prepared. */
#include "sim/sim_rows.h"

#include <thalweg/sink.h>

struct sink_topology_sum {
    int64_t rows, sum;
};
TW_ROW(sink_topology_sum, TW_FIELD(sink_topology_sum, rows, "BIGINT NOT NULL"),
       TW_FIELD(sink_topology_sum, sum, "BIGINT NOT NULL"));

static enum tw_status write_row(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct sink_topology_sum *s = tw_self(cx);

    (void)kind;
    s->rows++;
    s->sum += ((const struct sim_event *)in)->number;
    return TW_OK;
}

static enum tw_status prepare(struct tw_context *cx)
{
    tw_committable(cx, tw_self(cx));
    return TW_OK;
}

static enum tw_status commit(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    (void)cx;
    (void)committable;
    c->answer = c->retries < 2 ? TW_RETRY_LATER : TW_COMMITTED;
    c->retry_after_ms = 5;
    return TW_OK;
}

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    struct sink_topology_sum *to = acc;

    (void)cx;
    to->rows += ((const struct sink_topology_sum *)in)->rows;
    to->sum += ((const struct sink_topology_sum *)in)->sum;
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(struct sink_topology_sum *)out = *(const struct sink_topology_sum *)acc;
    return TW_OK;
}
TW_FUNCTION(sink_topology_adds) = {.in = &sink_topology_sum_row,
                                   .acc = &sink_topology_sum_row,
                                   .out = &sink_topology_sum_row,
                                   .add = add,
                                   .result = result};

static struct tw_stream *together(struct tw_stream *written, struct tw_str config)
{
    (void)config;
    return tw_global(tw_parallelism(tw_partition_aggregate(tw_global(written), &sink_topology_adds), 1));
}

static void show(struct tw_stream *committed, struct tw_str config)
{
    (void)config;
    tw_print(committed);
}
static const struct tw_sink_topology topology = {.pre_commit = together, .post_commit = show};
TW_FUNCTION(sink_topology_sink) = {.in = &sim_event_row,
                                   .committable = &sink_topology_sum_row,
                                   .self_size = sizeof(struct sink_topology_sum),
                                   .sink = write_row,
                                   .prepare_commit = prepare,
                                   .commit = commit,
                                   .topology = &topology};

static int run(struct tw_env *env)
{
    tw_sink_function(tw_rebalance(sim_events(env)), "ledger", &sink_topology_sink);
    return tw_execute(env, "topology of a sink");
}

const struct sim_job job_sink_topology = {.name = "sink_topology",
                                          .doc = "a sink in two phases with one committer, and what follows the commit",
                                          .compare = SIM_ANY_ORDER,
                                          .run = run};
