/* job_nexmark_keyed.c - nexmark bids: rolling maximum per bidder. */
#include "sim/sim_rows.h"

static int run(struct tw_env *env)
{
    struct tw_stream *bids = tw_parallelism(
        tw_project(tw_source(env, "bids", "nexmark", TW_OPTIONS("events.num", "400", "nexmark.table", "bid")), "bidder",
                   "price"),
        1);
    tw_print(tw_max(tw_key_by(bids, "bidder"), "price"));
    return tw_execute(env, "nexmark_keyed");
}

const struct sim_job job_nexmark_keyed = {.name = "nexmark_keyed",
                                          .doc = "nexmark bids: rolling maximum per bidder",
                                          .compare = SIM_ANY_ORDER,
                                          .run = run,
                                          .survives = true};
