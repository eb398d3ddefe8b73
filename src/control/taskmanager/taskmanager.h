/* taskmanager.h - hosts a job's tasks in this process: counts slots, builds channels and tasks from the vertices of a
 * prepared graph, spreads them over workers, and says when each has ended.
 *
 * create -> deploy -> (start, or round by hand) -> ... -> join -> free. deploy, start, cancel, join and free are called by
 * the job master's thread only. The graph, the settings' backend and the job_shared outlive the task manager. */
#pragma once
#include "control/graph/graph.h"
#include "flow/task/job_shared.h"
#include "flow/task/worker.h"

struct remote_exchange; /* flow/exchange/remote.h */

/* Where the subtasks of an attempt run that is spread over several processes. All of it outlives the task manager. */
struct task_placement {
    uint32_t (*worker_of)(void *arg, uint32_t vertex, uint32_t subtask); /* a number of remote_plan.workers */
    void *arg;
    uint32_t self;                    /* remote_plan.self: only its subtasks are made and run here */
    struct remote_exchange *exchange; /* created for this attempt, without channels; freed behind the task manager */
};

struct taskmanager_settings {
    uint32_t slots;   /* 0 = as many as the job needs */
    uint32_t workers; /* threads for tasks that do not block; 0 = one per core, as far as there are tasks */
    uint32_t batch_rows, ring_batches;
    uint32_t attempt;
    uint64_t seed;
    const struct sb_type *backend; /* of keyed state; NULL = hashmap */
    size_t state_bytes_max;        /* of it, per operator and subtask; 0: as many as there are */
    uint64_t state_budget;         /* of all of it together; 0: as many as there are */
    struct state_disk disk;        /* of backends that use one; the path outlives the task manager */
    uint32_t traverse_max;         /* rebalance and rescale take the least loaded of so many; 0 = they deal in turn */
    bool packs;                    /* rows that go to other processes, by LZ4 */
    bool has_buffer_timeout;       /* of operators without one of their own, see struct writer_plan */
    int64_t buffer_timeout_ms;
    bool times_hooks;              /* operator_totals.busy_ns and bytes_out are wanted */
    bool counts_bytes;             /* task_figures.bytes_in and bytes_out are */
    bool counts_barriers, is_unaligned; /* see struct task_plan */
    int64_t aligned_timeout_ms;
    const struct snapshot_port *snapshots; /* where the tasks' snapshots go; NULL: the job takes no checkpoints */
    /* What a subtask begins with; NULL = it is new. restores itself NULL: all are. Both outlive the task manager. */
    const struct task_restore *(*restores)(void *arg, uint32_t vertex, uint32_t subtask);
    void *restores_arg;
    const struct task_placement *placement; /* NULL: every subtask runs here */
};

/* A task has got to its next state. Belongs to the task manager; valid until taskmanager_free. */
struct task_news {
    const char *vertex_name;
    uint32_t vertex, subtask;
    enum task_state state;
    enum status status;    /* when it has ended: S_END, E_CANCELED, or why it failed; else S_OK */
    const struct err *err; /* of a status below 0, else NULL */
};
static inline bool task_has_ended(const struct task_news *n) { return n->status != S_OK; }
/* Called on the thread of the task's worker. */
typedef void (*task_news_fn)(void *arg, const struct task_news *n);

/* Sums over all tasks, taken while they run. */
struct job_totals {
    uint64_t rows_in, rows_out; /* out of sources, into sinks */
    uint64_t late_dropped, late_refired, errors_skipped, dead_letters;
    int64_t watermark; /* the lowest of the tasks that run; TIME_MIN before the first */
    uint32_t tasks, tasks_running;
};

/* Of one operator, over its subtasks. */
struct operator_totals {
    uint64_t rows_in, rows_out, state_bytes;
    uint64_t bytes_out; /* of columns that somebody reads, where that is wanted */
    int64_t busy_ns; /* in its hooks, waiting not counted */
};

/* Of one task: into its first operator, out to other tasks; times since its first step. */
struct task_figures {
    uint64_t rows_in, rows_out, bytes_in, bytes_out;
    int64_t watermark; /* that it has sent */
    uint64_t idle_ms, full_ms, busy_ms;
    /* lately, per second: of a second, ms; rows */
    uint64_t idle_rate, full_rate, busy_rate, rows_in_rate, rows_out_rate;
};

struct taskmanager;
struct taskmanager *taskmanager_create(struct sys *sys, struct log *log, const struct taskmanager_settings *settings);
void taskmanager_free(struct taskmanager *tm); /* joined, or never started; NULL is a no-op */
/* Makes channels and tasks; nothing runs yet. E_CONFIG when the slots do not suffice. With a placement others may connect
 * from now on, but every process of the attempt has to be deployed before one is started. */
enum status taskmanager_deploy(struct taskmanager *tm, const struct graph *g, struct job_shared *job,
                               task_news_fn news, void *arg, struct err *e) CHECKED;
enum status taskmanager_start(struct taskmanager *tm, struct err *e) CHECKED; /* a thread per worker */
/* Instead of start: one turn over all workers on the calling thread (simulation, harness). pick: NULL = all tasks in turn,
 * else one task chosen by it. S_OK; S_END when no task is left. */
enum status taskmanager_round(struct taskmanager *tm, struct prng *pick, bool *progress, int64_t *deadline_ms) CHECKED;
/* See task_trigger, task_complete: said to every task that still runs. */
void taskmanager_trigger(struct taskmanager *tm, int64_t checkpoint);
void taskmanager_stop(struct taskmanager *tm, int64_t checkpoint, bool drains); /* see task_stop; then it is triggered */
/* A stop that drains comes: tasks that get rows hear of it, sources do not yet. Where tasks of other processes get rows of these, all of them
 * have to hear it before any source does. */
void taskmanager_announce_drain(struct taskmanager *tm, int64_t checkpoint);
void taskmanager_complete(struct taskmanager *tm, int64_t checkpoint);
void taskmanager_cancel(struct taskmanager *tm); /* every task that still runs; idempotent */
void taskmanager_join(struct taskmanager *tm); /* with a placement: all tasks of the job have ended, or are canceled */
void taskmanager_operator(struct taskmanager *tm, uint32_t node, struct operator_totals *out); /* of the graph; when it has run */
void taskmanager_operator_now(struct taskmanager *tm, uint32_t node, struct operator_totals *out); /* deployed; state_bytes is 0 */
/* Deployed, any thread; false: it runs elsewhere. */
bool taskmanager_task_now(struct taskmanager *tm, uint32_t vertex, uint32_t subtask, struct task_figures *out);
/* Visits the tasks that have not ended, with the operator each called last. */
struct task_running {
    const char *vertex, *operator_name;
    uint32_t subtask, parallelism;
};
typedef void (*task_running_fn)(void *arg, const struct task_running *t);
void taskmanager_each_running(const struct taskmanager *tm, task_running_fn fn, void *arg);
void taskmanager_totals(struct taskmanager *tm, struct job_totals *out);
/* Sums of task_count_state. Only between rounds made by hand: no thread runs. */
void taskmanager_count_state(const struct taskmanager *tm, uint64_t *entries, uint64_t *event_timers,
                             uint64_t *processing_timers);

/* slots.c: slots that a graph needs: per slot sharing group the highest parallelism, summed over the groups. */
uint32_t slots_needed(const struct graph *g);
/* The slot of a vertex's first subtask; its others have the following ones. */
uint32_t slots_first(const struct graph *g, uint32_t vertex);
/* E_CONFIG when the job needs more; slots 0 = as many as it needs. */
enum status slots_check(const struct graph *g, uint32_t slots, struct err *e) CHECKED;
