/* job_union_sum.c - union of two streams, then a global count per key and window. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    struct tw_stream *both = tw_union(sim_events(env), sim_events(env));
    tw_print(
        tw_window_columns(tw_key_by(both, "key"), TW_TUMBLE(TW_SECONDS(20)), "count(*) AS n", "min(number) AS low"));
    return tw_execute(env, "union_sum");
}

const struct sim_job job_union_sum = {.name = "union_sum",
                                      .doc = "union of two streams, then a global count per key and window",
                                      .compare = SIM_PER_KEY,
                                      .run = run,
                                      .survives = true};
