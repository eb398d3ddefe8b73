/* job_sliding_columns.c - sliding windows of built-in aggregates. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    tw_print(tw_window_columns(tw_key_by(sim_events(env), "key"), TW_HOP(TW_SECONDS(10), TW_SECONDS(2)),
                               "count(*) AS n", "max(number) AS top"));
    return tw_execute(env, "sliding_columns");
}

const struct sim_job job_sliding_columns = {.name = "sliding_columns",
                                            .doc = "sliding windows of built-in aggregates",
                                            .compare = SIM_PER_KEY,
                                            .run = run,
                                            .survives = true};
