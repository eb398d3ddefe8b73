/* job_where_batches.c - filters and projections over batches as large as they come: thousands of rows through a chain of column
 * kernels, most of which stay, so that a row lost at the edge of a word of bits or of a batch is missed. */
#include "sim/sim_rows.h"

enum { WHERE_ROWS = 5000 };

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_from_sequence(env, 1, WHERE_ROWS);

    s = tw_where(tw_where(s, "value", "<>", "2048"), "value", ">", "63");
    tw_print(tw_project(tw_where(tw_rebalance(s), "value", "<=", "4990"), "value % 5 AS part", "value * 3 AS three"));
    return tw_execute(env, "where");
}

const struct sim_job job_where_batches = {.name = "where_batches",
                                          .doc = "filters and projections over batches of up to 2,048 rows",
                                          .compare = SIM_ANY_ORDER,
                                          .run = run,
                                          .survives = true};
