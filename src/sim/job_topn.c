/* job_topn.c - SQL's Top-N of each key: rows come into it and are put out of it. */
#include "sim/sim_rows.h"

#include <thalweg/table.h>

static int run(struct tw_env *env)
{
    tw_create_temporary_view(env, "events", tw_from_stream(sim_events(env), NULL));
    tw_print(tw_to_changelog_stream(tw_sql_query(
        env, "SELECT `key`, number, `time`, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY `key` ORDER BY number DESC, `time`) AS n FROM events) "
             "WHERE n <= 3"), TW_CHANGELOG_ALL));
    return tw_execute(env, "top-n");
}

const struct sim_job job_topn = {
    .name = "topn", .doc = "SQL's Top-N of each key", .compare = SIM_FOLDED, .run = run, .survives = true};
