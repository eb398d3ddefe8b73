/* job_sequence_filter.c - filter and map by row callback on a sequence. */
#include "sim/sim.h"

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

static enum tw_status keep_odd(struct tw_context *cx, const void *in, bool *keep)
{
    (void)cx;
    *keep = ((const struct number *)in)->value % 2 != 0;
    return TW_OK;
}
TW_FUNCTION(sequence_filter_odd) = {.in = &number_row, .filter = keep_odd};

static enum tw_status square(struct tw_context *cx, const void *in, void *out)
{
    int64_t value = ((const struct number *)in)->value;

    (void)cx;
    ((struct number *)out)->value = value * value;
    return TW_OK;
}
TW_FUNCTION(sequence_filter_square) = {.in = &number_row, .out = &number_row, .map = square};

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_filter(tw_from_sequence(env, 1, 300), &sequence_filter_odd);
    tw_print(tw_map(tw_rebalance(s), &sequence_filter_square));
    return tw_execute(env, "filter and map");
}

const struct sim_job job_sequence_filter = {.name = "sequence_filter",
                                            .doc = "filter, rebalance and map by row callback",
                                            .compare = SIM_ANY_ORDER,
                                            .run = run,
                                            .survives = true};
