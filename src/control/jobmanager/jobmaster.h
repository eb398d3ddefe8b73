/* jobmaster.h - runs one job from its encoded graph: an actor on the calling thread. Whatever happens to the job is a
 * message in its mailbox (a task has ended, rows are waiting for the caller); it alone changes the job's status.
 *
 * An embedded run is create -> submit -> run -> questions -> free, all on one thread, with the task manager in the same
 * process. The encoded graph is all that is handed over: no pointer into the caller's graph survives submission. */
#pragma once
#include "control/graph/graph.h"
#include "control/jobmanager/checkpoint_coordinator.h"
#include "control/jobmanager/executions.h"
#include "control/jobmanager/job_status.h"
#include "control/jobmanager/task_host.h"

#include <thalweg/function.h>

/* The functions of a program or shared object, by name. */
struct artifact_table {
    const struct tw_function_entry *first, *end;
};

struct jobmaster;
struct jobmaster_options {
    struct sys *sys;
    struct log *log;                         /* may be NULL */
    const char *job_id;                      /* 32 hexadecimal digits, which are the job's own wherever it runs; NULL: one is made */
    int64_t job_number;                      /* among the jobs of a session, whose ids differ; 0: it is of none */
    struct artifact_table functions;
    const struct fn_users *users;            /* functions of its SQL expressions; NULL: none */
    bool times_hooks;                        /* how long operators worked, and how much they gave, is wanted: jobmaster_operator's busy_ns, bytes_out */
    bool counts_bytes;                       /* of task_figures */
    bool takes_signals;                      /* SIGINT and SIGTERM stop the job in order */
    const struct sys_atomic_u64 *cancelled;  /* not 0 = stop; may be NULL, any thread may set it */
    /* Together with `cancelled`: the job is to be gone on with by another process: it ends SUSPENDED, its record stays as it is,
     * nothing is deleted. May be NULL. */
    const struct sys_atomic_u64 *suspended;
    /* Rows for the caller (tw_collect_to): called on the calling thread, the batch is borrowed. */
    enum status (*rows)(void *arg, int64_t receiver, struct batch *b, struct err *e);
    void *rows_arg;
    struct row_queues *row_queues;           /* given: the program pulls some of its rows, or lets them wait; NULL = made here */
    execution_moved_fn task_moved;           /* a task has got to its next state; on the calling thread; NULL = nobody asks */
    void *task_moved_arg;
    /* Called every tick_ms while the job runs; NULL = never. */
    void (*tick)(void *arg, const struct job_totals *totals);
    void *tick_arg;
    int64_t tick_ms;
    /* Instead of threads: runs the task manager's tasks on the calling thread until none is left (simulation). Between
     * turns it calls jobmaster_pump. */
    void (*drive)(void *arg, struct taskmanager *tm, struct jobmaster *jm);
    void *drive_arg;
    /* Of its tasks; NULL: they run in this process. `functions` are wanted all the same, since types of operators follow from them; none
     * of them is called here then. */
    const struct task_host_provider *hosts;
    const char *artifact_path;              /* of job_demand, for hosts elsewhere */
    struct sha256 artifact;
    /* A task did not end within task.cancellation.timeout: user code in it does not return, and a thread cannot be stopped
     * from outside. Told once; ends the process, or returns and the job goes on waiting. NULL = goes on waiting. */
    void (*stuck)(void *arg, const struct err *why);
    void *stuck_arg;
    /* A line for people: with which checkpoint or savepoint the job begins; without a log, also that it failed and is started
     * anew. NULL = nobody asks. */
    void (*say)(void *arg, const char *line);
    void *say_arg;
    bool takes_no_checkpoints; /* whatever the settings say: what it gives cannot be given again */
};

struct jobmaster;
struct jobmaster *jobmaster_create(const struct jobmaster_options *o);
void jobmaster_free(struct jobmaster *jm); /* NULL is a no-op */
/* Decodes, finds the functions, prepares, with checkpoints takes the job over from whoever ran it before: INITIALIZING -> CREATED,
 * or FAILED with the reason in e. */
enum status jobmaster_submit(struct jobmaster *jm, struct str encoded, struct err *e) CHECKED;
/* Schedules, deploys and runs the job to its end. S_OK = FINISHED; E_CANCELED = CANCELED; else FAILED: "operator 'Map' (subtask 1/2): ..." */
enum status jobmaster_run(struct jobmaster *jm, struct err *e) CHECKED;
/* Takes what lies in the mailbox, without waiting. For `drive`. */
void jobmaster_pump(struct jobmaster *jm);

/* From submission on, also while it runs and from any thread: how far it is, what its tasks did so far, and its operators (whose
 * state is not measured then). */
enum job_status jobmaster_status(const struct jobmaster *jm);
int64_t jobmaster_since_ms(const struct jobmaster *jm, enum job_status s); /* wall clock, when it last became that; 0: never */
void jobmaster_totals_now(const struct jobmaster *jm, struct job_totals *out);
void jobmaster_operator_now(const struct jobmaster *jm, uint32_t node, struct operator_totals *out);

/* The same of its failures and of its checkpoints, the index-th, the newest first; false behind the last that is kept. */
enum { JOB_FAILURES_KEPT = 16, JOB_FAILURES_CONCURRENT = 4, JOB_TASK_NAME_MAX = 200 };
struct job_failure {
    int64_t time_ms; /* wall clock */
    uint32_t attempt; /* from 0 */
    bool is_final;    /* it was not started anew */
    char text[ERR_TEXT_MAX + ERR_HINT_MAX + 4]; /* with what to do behind a semicolon, where that is known */
    char task[JOB_TASK_NAME_MAX]; /* which failed, as Flink names it: "Map (1/2) - execution #0"; "": none, the job as a whole */
    /* Other tasks that failed by themselves until all had ended; the first few. */
    struct concurrent_failure {
        int64_t time_ms;
        char text[ERR_TEXT_MAX], task[JOB_TASK_NAME_MAX];
    } concurrent[JOB_FAILURES_CONCURRENT];
    uint32_t concurrent_count;
};
bool jobmaster_failure(struct jobmaster *jm, uint32_t index, struct job_failure *out);
bool jobmaster_checkpoint(struct jobmaster *jm, uint32_t index, struct checkpoint_stats *out);

/* What may be asked for while a job runs: a savepoint; a checkpoint now; that it stops with a savepoint, and that it drains before: its
 * sources end, so that windows fire and everything is put out (as Flink: only for a job that is not gone on with). */
enum snapshot_wish { WISH_NOTHING, WISH_SAVEPOINT, WISH_CHECKPOINT, WISH_STOP, WISH_DRAIN, WISH_RESCALE /* rescale.h */ };
struct snapshot_ask {
    enum snapshot_wish wish;
    const char *folder; /* of a savepoint: where its own is made; NULL: execution.checkpointing.savepoint-dir */
};
enum { SNAPSHOT_TRIGGER_SIZE = 33 };
struct snapshot_progress {
    enum checkpoint_state state; /* of one that stops the job: when it is over */
    /* when it is not in progress any more */
    int64_t checkpoint;
    char folder[SYS_PATH_MAX]; /* in which it lies */
    struct err err;            /* of one that failed */
};
/* Any thread, from submission on; does not wait. trigger: the number under which it is asked after: "" = one is made; of one that was asked
 * for before nothing new begins. E_CONFIG, E_UNSUPPORTED: it cannot begin. */
enum status jobmaster_ask_snapshot(struct jobmaster *jm, const struct snapshot_ask *ask,
                                   char trigger[static SNAPSHOT_TRIGGER_SIZE], struct err *e) CHECKED;
/* Any thread, also when the job is over. False: there is none (any more); the latest are kept. */
bool jobmaster_snapshot_progress(struct jobmaster *jm, const char *trigger, struct snapshot_progress *out);
/* The same, and waits for it. Not on the job master's own thread. E_CONFIG, E_UNSUPPORTED, E_CANCELED with the reason. */
enum status jobmaster_snapshot(struct jobmaster *jm, const struct snapshot_ask *ask, struct snapshot_progress *out,
                               struct err *e) CHECKED;

/* Rows of a job whose tasks run elsewhere, for the program that wants them. Any thread, from submission on. operator_id: of the sink. The
 * job ends when all were fetched. E_NOT_FOUND: no such sink. */
struct row_fetch;
enum status jobmaster_fetch_rows(struct jobmaster *jm, const char *operator_id, struct row_fetch *f, struct err *e) CHECKED;

/* When the job is over. */
enum sys_signal jobmaster_signal(const struct jobmaster *jm); /* the one that stopped the job, or NONE */
const struct job_totals *jobmaster_totals(const struct jobmaster *jm);
void jobmaster_operator(const struct jobmaster *jm, uint32_t node, struct operator_totals *out); /* of its graph; when it has run */
/* From submission on, also while it runs and from any thread: see job_accumulator_now. */
enum status jobmaster_accumulator(const struct jobmaster *jm, const char *name, struct accumulators *out, struct err *e) CHECKED;
/* All of them so far, added to out; any thread, from submission on. */
enum status jobmaster_accumulators_now(struct jobmaster *jm, struct accumulators *out, struct err *e) CHECKED;
void jobmaster_task_now(struct jobmaster *jm, uint32_t vertex, uint32_t subtask, struct task_figures *out); /* the same */
const struct accumulators *jobmaster_accumulators(const struct jobmaster *jm);
struct metrics *jobmaster_metrics(const struct jobmaster *jm); /* also while it runs; NULL before it was submitted */
struct executions *jobmaster_executions(const struct jobmaster *jm); /* the same */
const char *jobmaster_job_id(const struct jobmaster *jm);
int64_t jobmaster_run_ns(const struct jobmaster *jm); /* from start to end */
const struct graph *jobmaster_graph(const struct jobmaster *jm); /* as it runs at present; stays as it is */

/* resolve.c: sets function_ref.fn of every function of the graph; E_GRAPH names the one that is missing or was compiled
 * against another version of the headers. */
enum status resolve_functions(struct graph *g, const struct artifact_table *table, struct err *e) CHECKED;
