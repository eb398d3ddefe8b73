/* jobmaster_internal.h - what the files of the job master share: jobmaster.c (submission, messages), jobmaster_attempt.c (running
 * it, again and again), jobmaster_resume.c (what it begins with), jobmaster_checkpoints.c (checkpoints while it runs). */
#pragma once
#include "control/jobmanager/cancel_watch.h"
#include "control/jobmanager/checkpoint_coordinator.h"
#include "control/jobmanager/jobmaster.h"
#include "control/jobmanager/recovery.h"
#include "control/jobmanager/rescale.h"
#include "control/jobmanager/restart_strategy.h"
#include "control/jobmanager/restore_plan.h"
#include "control/jobmanager/row_relay.h"
#include "control/snapshot/snapshot_store.h"

enum { LOOK_MS = 20 };
#define NS_PER_MS INT64_C(1000000)

struct job_checkpoints;
struct snapshot_request;
struct job_plan;

/* The rescale that is under way; rescale.c. */
enum rescale_phase { RESCALE_NONE, RESCALE_WANTED, RESCALE_STOPPED, RESCALE_SWITCHED };
enum { RESCALES_KEPT = 16 };
struct rescale {
    enum rescale_phase phase;
    struct job_plan *plan; /* until it is installed */
    struct rescale_progress *progress;
    struct sys_parker *waiting; /* of who waits for its end; NULL: nobody */
};

struct jobmaster {
    struct jobmaster_options o;
    struct mem mem;
    struct arena arena;
    struct graph graph;        /* as it runs; its parts stay until the job master goes */
    const struct graph *base;  /* as it was submitted; NULL before it was prepared */
    const struct graph *shown; /* under `look`: a copy of `graph` that stays as it is, for others */
    struct str submitted;      /* the bytes of base */
    struct sha256 digest;      /* of these */
    struct sys_mailbox *mailbox;
    struct job_shared *job;
    struct taskmanager_settings settings, deployed; /* of the job; of the present attempt */
    struct sys_lock *look; /* of host, against those who look on while it is another one */
    struct task_host *host; /* of the present attempt; NULL: it has none (yet) */
    struct str encoded;           /* the bytes of the graph, as it runs */
    uint64_t epoch;               /* of this process as leader of the job */
    const char *checkpoints_uri;  /* the job's folder; NULL: it takes none */
    struct row_relay *relay;      /* rows for a program elsewhere; NULL: there are none, or it is this process */
    struct executions *executions; /* changed under `look` */
    execution_moved_fn execution_moved;
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
    const struct task_news *blamed;                 /* the task because of which the job fails; NULL: none */
    struct job_failure failures[JOB_FAILURES_KEPT]; /* ring, under `look` */
    uint32_t failure_count;
    int64_t restart_ns;                  /* when the next attempt begins */
    struct restore_plan *restore;        /* what it begins with; NULL: with nothing */
    struct restore_plan *spent;          /* of the attempt before, until its tasks are gone */
    struct job_checkpoints *checkpoints; /* NULL: it takes none */
    struct mem request_mem;              /* under `look`, and so is the list */
    struct snapshot_request *requests;   /* in the order in which they came */
    struct rescale rescale;              /* under `look`, and so are the next three */
    struct rescale_progress rescales[RESCALES_KEPT]; /* ring */
    uint32_t rescale_count, plan_count;
    struct job_plan *plans;              /* the latest first */
    /* recovery.c */
    bool is_recovering;
    struct job_recovery recovery; /* that is under way */
    int64_t recovery_began_ns, recovery_marked_ns;
    struct job_recovery recoveries[RECOVERIES_KEPT]; /* ring, under `look` */
    uint32_t recovery_count;
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

/* rescale.c: the job's thread */
/* Instead of the graph as it was submitted; count 0: that. Before checkpoints are made. */
enum status rescale_adopt(struct jobmaster *jm, const struct rescaled_operator *list, uint32_t count, struct err *e) CHECKED;
void rescale_failed(struct jobmaster *jm, const struct err *why); /* none under way is a no-op; so are the others */
void rescale_stopped(struct jobmaster *jm, int64_t checkpoint);   /* its checkpoint exists */
bool rescale_is_due(const struct jobmaster *jm);                  /* the tasks have ended with that */
const struct rescaled_operator *rescale_parallelisms(const struct jobmaster *jm); /* one that is due; [graph.node_count] */
void rescale_switch(struct jobmaster *jm);                        /* the record says so, nothing is deployed */
void rescale_runs(struct jobmaster *jm, int64_t pause_ms);        /* all tasks do */
void rescale_attempt_ended(struct jobmaster *jm);
void rescale_release(struct jobmaster *jm);

/* jobmaster_resume.c: the job's record and what the job begins with, by its settings; nothing when it takes no checkpoints and begins
 * with none. The graph is prepared. */
enum status jobmaster_begin_checkpoints(struct jobmaster *jm, struct err *e) CHECKED;
/* What the attempt begins with is read anew: the newest checkpoint that there is. */
enum status jobmaster_restore_latest(struct jobmaster *jm, const char *folder, struct err *e) CHECKED;
bool jobmaster_allows_unclaimed(const struct jobmaster *jm);
void jobmaster_print_size(char *out, size_t size, uint64_t bytes); /* "3.1 MB" */
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
/* The same, and the record says the next generation, of all operators. */
enum status checkpoints_next_generation(struct jobmaster *jm, const struct rescaled_operator *list, const char **folder,
                                        struct err *e) CHECKED;
void checkpoints_resize(struct jobmaster *jm); /* between attempts: the graph has other parallelisms */
/* Under the lock `look`. */
bool checkpoints_history(const struct job_checkpoints *c, uint32_t index, struct checkpoint_stats *out);
void snapshot_requests_release(struct jobmaster *jm); /* savepoint_requests.c */
void checkpoints_job_over(struct jobmaster *jm); /* in its last status: recorded, and what goes with the job goes */
