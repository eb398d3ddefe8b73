/* job_partitioners.c - rows once around through every partitioner that neither copies nor drops them. */
#include "sim/sim.h"

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_rebalance(tw_from_sequence(env, 1, 200));
    s = tw_shuffle(tw_where(s, "value", "<>", "13"));
    s = tw_rescale(tw_where(s, "value", "<>", "14"));
    s = tw_global(tw_where(s, "value", "<>", "15"));
    tw_print(tw_project(s, "value", "value * 2 AS twice"));
    return tw_execute(env, "partitioners");
}

const struct sim_job job_partitioners = {.name = "partitioners",
                                         .doc = "rebalance, shuffle, rescale, global; column kernels",
                                         .compare = SIM_ANY_ORDER,
                                         .run = run,
                                         .survives = true};
