/* job_sort_partition.c - whole partitions sorted at the end of input. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    tw_print(tw_sort_partition(sim_events(env), "number", true));
    return tw_execute(env, "sort_partition");
}

const struct sim_job job_sort_partition = {.name = "sort_partition",
                                           .doc = "whole partitions sorted at the end of input",
                                           .compare = SIM_ANY_ORDER,
                                           .run = run};
