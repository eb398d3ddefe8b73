/* dispatcher.h - the jobs of a cluster: each is run by a job master on a thread of its own, can be asked after by its id while it
 * runs and for some time afterwards, and is gone on with by a dispatcher that is started anew on the same folder.
 *
 * create -> recover -> submit, hold... -> close. Everything may be called from any thread but create, recover and close. */
#pragma once
#include "control/jobmanager/jobmaster.h"

struct dispatcher;
struct dispatched_job;
struct task_host_provider;

enum { JOB_ID_SIZE = 33, DISPATCHER_JOBS_MAX = 10000 };

struct dispatcher_options {
    struct sys *sys;
    struct log *log;                /* may be NULL */
    const char *folder;             /* where jobs are kept: path or URI of a local one */
    const struct options *settings; /* the cluster's: what a job does not say itself; they outlive the dispatcher */
    const struct task_host_provider *provider; /* who hosts tasks; NULL: this process */
    int64_t expiration_ms;                     /* how long a job that is over is kept: jobstore.expiration-time */
    uint32_t capacity;                         /* and how many of them: jobstore.max-capacity */
    /* What is to be known of a job that is over: appends bytes that dispatched_archive answers from then on. On the job's thread, its
     * job master being there. */
    void (*archive)(void *arg, struct dispatched_job *job, struct buf *out);
    void *archive_arg;
};

/* The folder is made when it is missing. */
enum status dispatcher_create(const struct dispatcher_options *o, struct dispatcher **out, struct err *e) CHECKED;
/* Goes on with the jobs of the folder that were not over. What cannot be read is told and left alone. */
enum status dispatcher_recover(struct dispatcher *d, struct err *e) CHECKED;
/* Stops all jobs and waits for them. keeps: a dispatcher started anew goes on with them; else they are CANCELED. NULL is a no-op. */
void dispatcher_close(struct dispatcher *d, bool keeps);

struct job_submission {
    struct str graph;          /* as graph_encode writes it */
    const char *artifact;      /* the file with its functions, which is copied; NULL: it has none */
    const char *artifact_name; /* how it is called by who submits */
    const char *job_id;        /* NULL: one is made */
};
/* Keeps the job and begins to run it. E_DATA, E_GRAPH: it is no job; E_EXISTS: there is a job of that id. */
enum status dispatcher_submit(struct dispatcher *d, const struct job_submission *s, char id[static JOB_ID_SIZE],
                              struct err *e) CHECKED;

/* A job, to be let go soon: its memory stays until then. NULL: there is none. */
struct dispatched_job *dispatcher_hold(struct dispatcher *d, const char *id);
/* The index-th, the oldest first; NULL behind the last. */
struct dispatched_job *dispatcher_hold_next(struct dispatcher *d, uint32_t index);
void dispatcher_let_go(struct dispatcher *d, struct dispatched_job *job);

const char *dispatched_id(const struct dispatched_job *job);
const char *dispatched_name(const struct dispatched_job *job);
enum job_status dispatched_status(const struct dispatched_job *job);
int64_t dispatched_since_ms(const struct dispatched_job *job, enum job_status s); /* wall clock; 0: it never was that */
int64_t dispatched_ended_ms(const struct dispatched_job *job);                    /* -1: it is not over */
/* To be asked as jobmaster.h says; NULL: it is not submitted yet, could not be, or is over. */
struct jobmaster *dispatched_master(const struct dispatched_job *job);
struct str dispatched_archive(const struct dispatched_job *job); /* empty: it is not over */
/* Why it could not begin; its status is S_OK when there is nothing of that kind. */
const struct err *dispatched_refusal(const struct dispatched_job *job);
void dispatched_cancel(struct dispatched_job *job);
/* As jobmaster_ask_snapshot and jobmaster_snapshot_progress; the latter also when the job is over. */
enum status dispatched_ask(struct dispatched_job *job, const struct snapshot_ask *ask,
                           char trigger[static SNAPSHOT_TRIGGER_SIZE], struct err *e) CHECKED;
bool dispatched_progress(const struct dispatched_job *job, const char *trigger, struct snapshot_progress *out);
