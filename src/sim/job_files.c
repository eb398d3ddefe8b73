/* job_files.c - the filesystem source on the simulated disk: a folder of csv files, read in parallel. */
#include "sim/sim_rows.h"

#include <stdio.h>
#include <string.h>

enum { FILES = 5, LINES = 120 };

static bool prepare(struct sys *sys, struct err *e)
{
    if (sys_dir_make(sys, "/in", e) != S_OK) return false;
    for (int i = 0; i < FILES; i++) {
        struct sys_file *f;
        char text[64];
        snprintf(text, sizeof text, "/in/%d.csv", i);
        if (sys_file_open(sys, text, SYS_WRITE | SYS_CREATE, &f, e) != S_OK) return false;
        for (int line = 0; line < LINES; line++) {
            snprintf(text, sizeof text, "%d,%d,2001-01-01 00:%02d:00\n", i, line, line % 60);
            if (sys_file_write(sys, f, text, strlen(text), e) != S_OK) return false;
        }
        sys_file_close(sys, f);
    }
    return true;
}

static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_source_rows(
        env, "files", "filesystem", &sim_event_row,
        TW_OPTIONS("path", "/in", "format", "csv", "source.split-size", sim_split_size(env)));
    tw_print(tw_sum(tw_key_by(s, "key"), "number"));
    return tw_execute(env, "files");
}

const struct sim_job job_files = {.name = "files",
                                  .doc = "a folder of csv files on the simulated disk",
                                  .compare = SIM_ANY_ORDER,
                                  .prepare = prepare,
                                  .run = run,
                                  .survives = true};
