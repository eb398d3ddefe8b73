/* job_partition_folds.c - whole partitions reduced and aggregated at the end of input, by key and over everything. */
#include "sim/sim_rows.h"

static enum tw_status keep_greater(struct tw_context *cx, const void *a, const void *b, void *out)
{
    const struct sim_event *x = a, *y = b;

    (void)cx;
    *(struct sim_event *)out = (struct sim_event){x->key, x->number > y->number ? x->number : y->number,
                                                  x->time > y->time ? x->time : y->time};
    return TW_OK;
}
TW_FUNCTION(partition_greatest) = {.in = &sim_event_row, .reduce = keep_greater};

struct partition_sum {
    int64_t rows, sum;
};
TW_ROW(partition_sum, TW_FIELD(partition_sum, rows, "BIGINT NOT NULL"),
       TW_FIELD(partition_sum, sum, "BIGINT NOT NULL"));

static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    struct partition_sum *s = acc;

    (void)cx;
    s->rows++;
    s->sum += ((const struct sim_event *)in)->number;
    return TW_OK;
}

static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    *(struct partition_sum *)out = *(const struct partition_sum *)acc;
    return TW_OK;
}
TW_FUNCTION(partition_sums) = {
    .in = &sim_event_row, .acc = &partition_sum_row, .out = &partition_sum_row, .add = add, .result = result};

static int run(struct tw_env *env)
{
    struct tw_stream *events = sim_events(env);

    tw_print(tw_partition_reduce(tw_key_by(events, "key"), &partition_greatest));
    tw_print(tw_partition_aggregate(tw_key_by(events, "key"), &partition_sums));
    tw_print(tw_parallelism(tw_partition_aggregate(tw_global(events), &partition_sums), 1));
    return tw_execute(env, "partition folds");
}

const struct sim_job job_partition_folds = {.name = "partition_folds",
                                            .doc = "whole partitions reduced and aggregated at the end of input",
                                            .compare = SIM_ANY_ORDER,
                                            .run = run};
