/* session_jobs.h - the jobs of a session: those that go on in the background while other statements run, each on a thread of its own,
 * and the latest of those that are over, so that SHOW JOBS and sys.* can tell of them.
 *
 * All calls are the session's thread's. A job's own thread runs its job master and says when it has ended; what the record of a job
 * has of it is taken then, or when somebody asks (session_jobs_look). */
#pragma once
#include "control/jobmanager/jobmaster.h"
#include "surface/sql/job_after.h"
#include "surface/sql/job_places.h"

enum {
    SESSION_JOBS_MAX = 100,        /* that are over and still known */
    SESSION_JOBS_RUNNING_MAX = 32, /* at a time */
    SESSION_JOB_METRICS_MAX = 4096
};

struct job_operator {
    const char *id, *name, *vertex; /* vertex: the chain that ran it */
    uint32_t parallelism;
    uint64_t rows_in, rows_out;
};
struct job_metric {
    const char *operator_name, *name;
    uint32_t subtask;
    const char *kind; /* counter, gauge, meter, histogram */
    int64_t count;
    double value; /* of gauges and meters; of histograms the mean */
};
struct background_job; /* its thread, while it runs */
struct session_job {
    struct arena arena;
    int64_t number; /* from 1 */
    const char *id, *name, *status;
    int64_t started_ms, run_ms;
    struct job_totals totals;
    uint32_t operator_count, metric_count;
    struct job_operator *operators;
    const struct job_metric *metrics;
    struct job_places places;
    struct background_job *background; /* NULL: it is over */
    struct err *failure;               /* of one that failed in the background; else NULL */
    bool is_told;                      /* somebody knows of the failure */
    bool was_canceled;
    char trigger[SNAPSHOT_TRIGGER_SIZE]; /* of the savepoint with which it is to stop; "" = none */
    struct snapshot_progress *stopping;  /* how that stands, or stood when the job ended */
};
struct session_jobs {
    struct mem *mem;
    struct sys *sys;
    struct sys_mailbox *ended; /* background jobs whose threads are done */
    int64_t added;
    uint32_t count, running;
    struct session_job *items[SESSION_JOBS_MAX + SESSION_JOBS_RUNNING_MAX + 1]; /* in the order of their numbers */
};

void session_jobs_init(struct session_jobs *jobs, struct mem *mem, struct sys *sys);
void session_jobs_release(struct session_jobs *jobs); /* jobs that run are canceled, and waited for */

/* A job that is over, to be known: of a statement that waited for it. */
void session_jobs_add(struct session_jobs *jobs, const struct jobmaster *jm, int64_t started_ms);
/* A record for a job in the background, whose arena takes what `after` is made of. Its job master is to look at *cancelled. */
struct session_job *session_jobs_new(struct session_jobs *jobs, struct job_after **after, const struct sys_atomic_u64 **cancelled);
void session_jobs_drop(struct session_jobs *jobs, struct session_job *j); /* nothing was started */
/* The submitted job goes on, and belongs to its record. After a failure both are gone. */
enum status session_jobs_start(struct session_jobs *jobs, struct session_job *j, struct jobmaster *jm, struct err *e) CHECKED;
/* Takes notice of the next job that has ended, waiting at most timeout_ns; false: none came. Older ones may be forgotten. */
bool session_jobs_ended(struct session_jobs *jobs, int64_t timeout_ns);
void session_jobs_look(struct session_jobs *jobs); /* records of those that run are brought up to now */
/* Asks the job to stop with a savepoint in its folder for those; then *stopping says how far that is, after session_jobs_look. */
enum status session_job_stop(struct session_job *j, bool drains, struct err *e) CHECKED;
void session_job_cancel(struct session_job *j);    /* it ends soon; one that is over stays as it is */

/* The index-th, the latest first; NULL behind the last. */
struct session_job *session_jobs_at(const struct session_jobs *jobs, uint32_t index);
struct session_job *session_jobs_find(const struct session_jobs *jobs, struct str id);
struct session_job *session_jobs_numbered(const struct session_jobs *jobs, int64_t number);
/* The first one that failed without anybody having been told, and how many there are; NULL: none. */
struct session_job *session_jobs_untold(const struct session_jobs *jobs, uint32_t *count);
