/* sim.h - jobs in the simulated world: what a job is, and one run of it under a seed. */
#pragma once
#include "ground/base/arena.h"
#include "sim/world.h"
#include "surface/cli/cli.h"

#include <thalweg/thalweg.h>

/* How results of two schedules compare. Rows are what the job prints. */
enum sim_compare {
    SIM_EXACT,   /* the same sequence */
    SIM_PER_KEY, /* the same sequence of rows that agree in their first column */
    SIM_ANY_ORDER,
    SIM_FOLDED, /* what is left when rows that went are taken from those that came, in any order */
};

/* The reference has no chance in it; from SIM_FAULTS on a job takes checkpoints, and what is committed counts. With rescales it runs with
 * the parallelisms of a pair, seed by seed, one after the other (sim_pairs). */
enum sim_mode { SIM_REFERENCE, SIM_PLAIN, SIM_FAULTS, SIM_RESCALE, SIM_RESCALE_FAULTS };

/* One file job_<name>.c ends in one of these. The job prints its results (tw_print); functions carry the job's name in
 * front, since all jobs share one table. */
struct sim_job {
    const char *name, *doc;
    enum sim_compare compare;
    bool (*prepare)(struct sys *sys, struct err *e); /* files on the simulated disk; NULL = none */
    int (*run)(struct tw_env *env);
    const struct tw_plugin *plugin; /* instead of run: a program, without arguments */
    bool survives; /* it takes checkpoints, and all that counts of it are rows that tw_print is given: runs with faults, too */
};

struct sim_result {
    enum sim_end end;
    int exit_status;
    uint64_t trace;
    int64_t virtual_ns;
    uint32_t row_count;
    const char **rows;       /* in order of comparison */
    const char *settings;    /* what the seed chose */
    const char *said;        /* on standard error, and what a deadlock's threads wait for */
    const char *faults;      /* those that fired, "" = none */
    uint32_t fired[SIM_FAULT_COUNT];
    uint32_t crashed[CRASH_POINT_COUNT];
};

enum { SIM_PAIRS = 7 };
struct sim_pair {
    const char *from;
    uint32_t to;
};
extern const struct sim_pair sim_pairs[SIM_PAIRS]; /* the one of a seed: seed modulo SIM_PAIRS */

/* For jobs that read files: what the seed chose as `source.split-size`. */
const char *sim_split_size(const struct tw_env *env);
/* Runs the job once; all of the result lies in the arena. Reference: parallelism 1, rows one by one, no chance. */
void sim_run(const struct sim_job *job, uint64_t seed, enum sim_mode mode, struct arena *a, struct sim_result *out);
/* Appends what differs; false when nothing does. */
bool sim_differs(const struct sim_result *got, const struct sim_result *expected, struct buf *out);
