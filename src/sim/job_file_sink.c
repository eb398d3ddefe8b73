/* job_file_sink.c - rows into a folder of files, in parallel and in small parts, and in a second job out of it again, in splits. */
#include "sim/sim_rows.h"

static int write_files(struct tw_env *env)
{
    struct tw_stream *s = tw_project(tw_rebalance(sim_events(env)), "key", "number", "time");

    tw_sink(s, "files", "filesystem",
            TW_OPTIONS("path", "/out/", "format", "csv", "sink.rolling-policy.file-size", "2kb"));
    return tw_execute(env, "file sink");
}

static int run(struct tw_env *env)
{
    if (write_files(env) != 0) return 1;
    struct tw_stream *s = tw_source_rows(
        env, "files", "filesystem", &sim_event_row,
        TW_OPTIONS("path", "/out", "format", "csv", "source.split-size", sim_split_size(env)));
    tw_print(tw_project(s, "key", "number", "time"));
    return tw_execute(env, "file source");
}

const struct sim_job job_file_sink = {.name = "file_sink",
                                      .doc = "rows into files and out of them again, in splits",
                                      .compare = SIM_ANY_ORDER,
                                      .run = run};
