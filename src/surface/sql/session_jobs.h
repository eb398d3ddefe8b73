/* session_jobs.h - the jobs that a session ran, as they stood at their ends: the latest ones, so that SHOW JOBS and sys.* can tell
 * of them. Statements run one after another, so none of them runs while another is asked. */
#pragma once
#include "control/jobmanager/jobmaster.h"

enum { SESSION_JOBS_MAX = 100, SESSION_JOB_METRICS_MAX = 4096 };

struct job_operator {
    const char *id, *name, *vertex; /* vertex: the chain that ran it */
    uint32_t parallelism;
};
struct job_metric {
    const char *operator_name, *name;
    uint32_t subtask;
    const char *kind; /* counter, gauge, meter, histogram */
    int64_t count;
    double value; /* of gauges and meters; of histograms the mean */
};
struct session_job {
    struct arena arena;
    int64_t number; /* from 1 */
    const char *id, *name, *status;
    int64_t started_ms, run_ms;
    struct job_totals totals;
    uint32_t operator_count, metric_count;
    const struct job_operator *operators;
    const struct job_metric *metrics;
};
struct session_jobs {
    int64_t added;
    uint32_t count, first; /* a ring: the oldest goes first */
    struct session_job *items[SESSION_JOBS_MAX];
};

void session_jobs_add(struct session_jobs *jobs, struct mem *mem, const struct jobmaster *jm, int64_t started_ms);
void session_jobs_release(struct session_jobs *jobs, struct mem *mem);
/* The index-th, the latest first; NULL behind the last. */
const struct session_job *session_jobs_at(const struct session_jobs *jobs, uint32_t index);
const struct session_job *session_jobs_find(const struct session_jobs *jobs, struct str id);
