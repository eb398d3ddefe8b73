/* job_nexmark_columns.c - nexmark bids: filter and projection by column kernels. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    struct tw_stream *bids = tw_source(env, "bids", "nexmark", TW_OPTIONS("events.num", "400", "nexmark.table", "bid"));
    tw_print(tw_project(tw_where(bids, "price", ">", "1000"), "auction", "price * 908 / 1000 AS euros"));
    return tw_execute(env, "nexmark_columns");
}

const struct sim_job job_nexmark_columns = {.name = "nexmark_columns",
                                            .doc = "nexmark bids: filter and projection by column kernels",
                                            .compare = SIM_ANY_ORDER,
                                            .run = run,
                                            .survives = true};
