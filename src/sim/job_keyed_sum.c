/* job_keyed_sum.c - rolling sum per key. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    tw_print(tw_sum(tw_key_by(sim_events(env), "key"), "number"));
    return tw_execute(env, "keyed_sum");
}

const struct sim_job job_keyed_sum = {
    .name = "keyed_sum", .doc = "rolling sum per key", .compare = SIM_PER_KEY, .run = run, .survives = true};
