/* jobmaster_internal.h - what the files of the job master share: jobmaster.c (submission, messages), jobmaster_attempt.c (running
 * it, again and again), jobmaster_resume.c (what it begins with), jobmaster_checkpoints.c (checkpoints while it runs). */
#pragma once
#include "control/jobmanager/cancel_watch.h"
#include "control/jobmanager/checkpoint_coordinator.h"
#include "control/jobmanager/jobmaster.h"
#include "control/jobmanager/restart_strategy.h"
#include "control/jobmanager/restore_plan.h"
#include "control/jobmanager/row_relay.h"
#include "control/snapshot/snapshot_store.h"

enum { LOOK_MS = 20 };
#define NS_PER_MS INT64_C(1000000)

struct job_checkpoints;
struct snapshot_request;

struct jobmaster {
    struct jobmaster_options o;
    struct mem mem;
    struct arena arena;
    struct graph graph;
    struct sha256 digest; /* of the graph's bytes */
    struct sys_mailbox *mailbox;
    struct job_shared *job;
    struct taskmanager_settings settings, deployed; /* of the job; of the present attempt */
    struct sys_lock *look; /* of host, against those who look on while it is another one */
    struct task_host *host; /* of the present attempt; NULL: it has none (yet) */
    struct str encoded;           /* the graph, as it was submitted; of jobs with hosts elsewhere */
    uint64_t epoch;               /* of this process as leader of the job */
    const char *checkpoints_uri;  /* the job's folder; NULL: it takes none */
    struct row_relay *relay;      /* rows for a program elsewhere; NULL: there are none, or it is this process */
    struct executions *executions;
    struct sys_atomic_u64 status;      /* enum job_status: changed by the job's thread alone, read by any */
    struct sys_atomic_u64 since_ms[JOB_STATUS_COUNT]; /* when it last became that; 0: never */
    struct sys_atomic_u64 is_deployed; /* from then on any thread may count what the tasks did */
    enum sys_signal signal;
    struct err err; /* why the job fails */
    uint32_t tasks_running;
    uint32_t tasks_opened; /* in this attempt */
    struct cancel_watch watch;
    struct job_totals totals;
    bool has_accumulators; /* those of tasks elsewhere are in `job`; under `look` */
    int64_t started_ns, ended_ns, ticked_ns;
    char rows_are_waiting, notes_are_waiting; /* their addresses are the messages that say so */
    /* attempts */
    uint32_t attempt;
    struct restart_strategy restarts;
    struct prng random;
    struct job_failure failures[JOB_FAILURES_KEPT]; /* ring, under `look` */
    uint32_t failure_count;
    int64_t restart_ns;                  /* when the next attempt begins */
    struct restore_plan *restore;        /* what it begins with; NULL: with nothing */
    struct restore_plan *spent;          /* of the attempt before, until its tasks are gone */
    struct job_checkpoints *checkpoints; /* NULL: it takes none */
    struct mem request_mem;              /* under `look`, and so is the list */
    struct snapshot_request *requests;   /* in the order in which they came */
};

/* jobmaster.c */
void jobmaster_become(struct jobmaster *jm, enum job_status next);
/* Takes the job to RESTARTING where a restart is wanted and allowed, else to FAILING; all tasks are told to end. */
void jobmaster_fail(struct jobmaster *jm, const struct err *why, bool may_restart);
/* A restart failed: another one follows after a pause, or the job is FAILING. */
bool jobmaster_tries_again(struct jobmaster *jm, const struct err *why);
void jobmaster_on_message(struct jobmaster *jm, void *message); /* not NULL */
void jobmaster_hand_over_rows(struct jobmaster *jm);
/* jobmaster_rows.c: rows of tasks that run elsewhere. */
bool job_gives_rows(const struct graph *g);
void jobmaster_relay_begins(struct jobmaster *jm); /* with an attempt */
enum status jobmaster_put_rows(void *relay, uint32_t worker, int64_t receiver, struct str piece, bool is_last, struct err *e) CHECKED;
/* One turn: waits for a message at most so long, then looks at signals, checkpoints, time. */
void jobmaster_turn(struct jobmaster *jm, int64_t wait_ms);

/* jobmaster_resume.c: the job's record and what the job begins with, by its settings; nothing when it takes no checkpoints and begins
 * with none. The graph is prepared. */
enum status jobmaster_begin_checkpoints(struct jobmaster *jm, struct err *e) CHECKED;
/* What the attempt begins with is read anew: the newest checkpoint that there is. */
enum status jobmaster_restore_latest(struct jobmaster *jm, const char *folder, struct err *e) CHECKED;
bool jobmaster_allows_unclaimed(const struct jobmaster *jm);
void jobmaster_say_restored(struct jobmaster *jm, const char *verb); /* one line */

/* What jobmaster_resume.c found out. */
struct checkpoints_setup {
    struct job_records records;
    const char *uri;                 /* of the job's folder */
    struct job_record record;        /* confirmed */
    const struct job_record *before; /* NULL: there was none */
    int64_t first_id;
};

/* jobmaster_checkpoints.c */
enum status checkpoints_create(struct jobmaster *jm, const struct checkpoints_setup *setup, struct err *e) CHECKED;
void checkpoints_free(struct job_checkpoints *c); /* NULL is a no-op; so are the others without checkpoints */
const struct snapshot_port *checkpoints_port(const struct job_checkpoints *c);
void checkpoints_placed(void *checkpoints, const struct snapshot_place *where, const struct snapshot_handle *handle); /* any thread */
const char *checkpoints_job_id(const struct job_checkpoints *c);
void checkpoints_attempt_starts(struct jobmaster *jm);
void checkpoints_attempt_ended(struct jobmaster *jm); /* no task runs: waits for what is being written */
void checkpoints_stop(struct jobmaster *jm, enum checkpoint_reason why); /* tasks are told to end */
void checkpoints_on_task(struct jobmaster *jm, const struct task_news *n);
void checkpoints_on_notes(struct jobmaster *jm);
void checkpoints_look(struct jobmaster *jm);
int64_t checkpoints_wait_ms(const struct jobmaster *jm, int64_t most); /* until something is due */
/* Between attempts: the record says so, and *folder is the newest checkpoint, NULL: there is none. Waits. */
enum status checkpoints_next_attempt(struct jobmaster *jm, const char **folder, struct err *e) CHECKED;
/* Under the lock `look`. */
bool checkpoints_history(const struct job_checkpoints *c, uint32_t index, struct checkpoint_stats *out);
void snapshot_requests_release(struct jobmaster *jm); /* savepoint_requests.c */
void checkpoints_job_over(struct jobmaster *jm); /* in its last status: recorded, and what goes with the job goes */
