/* job_run.h - one job under a job master of the test's own: built by the API, encoded, submitted, run; and how it ended. */
#pragma once
#include "control/jobmanager/jobmaster.h"

#include <thalweg/thalweg.h>

struct job_run {
    void (*build)(struct tw_env *env, void *arg);
    void *arg;
    uint32_t parallelism;
    struct sys *sys;   /* NULL: a Linux world of its own, without signal handlers */
    struct log *log;
    bool takes_signals;
    void (*drive)(void *arg, struct taskmanager *tm, struct jobmaster *jm); /* instead of threads */
    void *drive_arg;
    void (*say)(void *arg, const char *line); /* what it begins with */
    void *say_arg;
    /* Answers. */
    enum status status;
    enum job_status end;
    enum sys_signal signal;
    struct err err;
    struct job_totals totals;
    struct job_failure failures[JOB_FAILURES_KEPT]; /* the newest first */
    uint32_t failure_count;
    struct checkpoint_stats last_checkpoint; /* the newest; id 0: there was none */
};

void job_run(struct job_run *r); /* the graph must be without mistakes */
