/* task_host.h - what the job master asks of whoever hosts the tasks of one attempt: the task manager in this process
 * (control/taskmanager), or worker processes of a cluster (control/cluster/remote_host.h).
 *
 *     ready, until it is not S_PENDING any more -> deploy -> start -> trigger, complete... -> cancel -> join -> free
 *
 * These are the job master's thread's; `totals` and `operators` are asked by any thread while the host stands. What happens to tasks is told
 * by task_deployment.news, on a thread of the host; what they save goes through the settings' snapshot_port. Every task that was
 * deployed has exactly one end among the news, however it came about: a process that is gone ends its tasks as failed. */
#pragma once
#include "control/graph/graph.h"
#include "control/snapshot/metadata.h"
#include "control/taskmanager/taskmanager.h"
#include "flow/task/snapshot_port.h"
#include "ground/base/hash.h"

/* What is deployed. All of it outlives the host. */
struct task_deployment {
    const struct graph *graph; /* prepared */
    struct str encoded;        /* as it was submitted: another process prepares it anew */
    struct job_shared *job;    /* of this process */
    const struct taskmanager_settings *settings;
    uint64_t epoch;            /* of the leader that deploys: with settings.attempt the token of the attempt */
    /* What settings.restores reads, for who reads it elsewhere; uri NULL: the job begins with nothing. */
    const char *restore_uri;
    uint64_t restore_digest; /* hash64 of its metadata */
    bool allows_unclaimed;
    const char *checkpoints_uri; /* the job's folder for checkpoints; NULL: it takes none */
    /* A chunk that a task elsewhere has stored itself, or that comes along; before that task acknowledges. NULL: no checkpoints. */
    void (*placed)(void *arg, const struct snapshot_place *where, const struct snapshot_handle *handle);
    void *placed_arg;
    /* A piece of a batch for a receiver of rows that is elsewhere: see row_relay_put. NULL: there is none, or it is in this process. */
    enum status (*rows)(void *arg, uint32_t worker, int64_t receiver, struct str piece, bool is_last, struct err *e);
    void *rows_arg;
    task_news_fn news;
    void *news_arg;
};

/* A checkpoint begins. */
struct task_trigger {
    int64_t checkpoint;
    const char *folder; /* where a savepoint's chunks go; NULL: chk-<id> in the job's folder */
    bool stops, drains; /* the job ends with it; its sources end before: see task_stop */
    bool is_whole;      /* a savepoint: its state stands alone */
};

struct task_host;
struct task_host_ops {
    /* S_OK; S_PENDING: slots or processes are waited for, ask again; E_BUDGET: there are too few, with what to do. */
    enum status (*ready)(struct task_host *h, struct err *e);
    enum status (*deploy)(struct task_host *h, const struct task_deployment *d, struct err *e);
    enum status (*start)(struct task_host *h, struct err *e);
    void (*trigger)(struct task_host *h, const struct task_trigger *t); /* see task_trigger in flow/task/task.h */
    void (*complete)(struct task_host *h, int64_t checkpoint);
    void (*cancel)(struct task_host *h); /* every task that still runs; idempotent */
    void (*join)(struct task_host *h);   /* every task has ended, or none was started */
    void (*totals)(struct task_host *h, struct job_totals *out);
    /* Deployed. is_over: no task runs any more, and state_bytes is filled. */
    void (*operators)(struct task_host *h, uint32_t node, bool is_over, struct operator_totals *out);
    void (*each_running)(struct task_host *h, task_running_fn fn, void *arg);
    void (*task)(struct task_host *h, uint32_t vertex, uint32_t subtask, struct task_figures *out); /* deployed, any thread */
    /* Adds what tasks elsewhere have counted so far; NULL: they count in task_deployment.job. Any thread. */
    enum status (*accumulators)(struct task_host *h, struct accumulators *out, struct err *e);
    /* So much of a worker's rows has arrived where they belong. Any thread; NULL: rows take another way. */
    void (*taken)(struct task_host *h, uint32_t worker, int64_t receiver, uint64_t bytes);
    void (*free)(struct task_host *h); /* joined, or never started */
};
struct task_host {
    const struct task_host_ops *ops;
};

/* Who gives hosts; without one the tasks of a job run in the job master's process. */
struct job_demand {
    const char *job_id;        /* 32 hexadecimal digits */
    const char *job_name;
    const char *artifact_path; /* the shared object with the job's functions; NULL: it has none */
    struct sha256 artifact;
    uint32_t slots;
    uint64_t epoch, attempt;
};
struct task_host_provider {
    /* A host for one attempt, at once; its slots and processes may still have to come (ready). Texts are copied. */
    struct task_host *(*request)(void *arg, const struct job_demand *d);
    /* That this job could have: those that are free, and its own. Any thread. NULL: as many as it likes. */
    uint32_t (*slots)(void *arg, const char *job_id);
    void *arg;
};
