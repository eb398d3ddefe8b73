/* job_tumbling_columns.c - tumbling windows of built-in aggregates. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    tw_print(tw_window_columns(tw_key_by(sim_events(env), "key"), TW_TUMBLE(TW_SECONDS(10)), "count(*) AS n",
                               "sum(number) AS total"));
    return tw_execute(env, "tumbling_columns");
}

const struct sim_job job_tumbling_columns = {.name = "tumbling_columns",
                                             .doc = "tumbling windows of built-in aggregates",
                                             .compare = SIM_PER_KEY,
                                             .run = run,
                                             .survives = true};
