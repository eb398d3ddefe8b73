/* job_keyed_max_by.c - rolling row of the largest number per key. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    tw_print(tw_max_by(tw_key_by(sim_events(env), "key"), "number"));
    return tw_execute(env, "keyed_max_by");
}

const struct sim_job job_keyed_max_by = {.name = "keyed_max_by",
                                         .doc = "rolling row of the largest number per key",
                                         .compare = SIM_PER_KEY,
                                         .run = run,
                                         .survives = true};
