/* checkpoint_coordinator.h - when a checkpoint begins, when it is over and how it ended. A state machine without a clock, threads
 * or storage of its own: it is told what happens and what time it is, and answers what is to be done, one action after the other.
 *
 * A checkpoint: TRIGGER (tasks are told) -> every task has acknowledged or finished -> STORE (metadata and record are
 * written) -> NOTIFY (tasks make final what they prepared). Until STORE it can be aborted; from then on only its writer knows. */
#pragma once
#include "control/snapshot/metadata.h"
#include "ground/base/mem.h"

/* Why a checkpoint failed: Flink's names and words, and whether it counts as a failure that the job tolerates so many of. */
#define CHECKPOINT_REASON_MAP(X)                                                                                       \
    X(CHECKPOINT_NO_REASON, "", "", false)                                                                             \
    X(CHECKPOINT_EXPIRED, "CHECKPOINT_EXPIRED", "Checkpoint expired before completing.", true)                         \
    X(CHECKPOINT_SUBSUMED, "CHECKPOINT_SUBSUMED", "Checkpoint has been subsumed.", false)                              \
    X(CHECKPOINT_DECLINED, "CHECKPOINT_DECLINED", "Checkpoint was declined.", true)                                    \
    X(CHECKPOINT_TASK_CLOSING, "CHECKPOINT_DECLINED_TASK_CLOSING", "Checkpoint was declined (task is closing)", false) \
    X(CHECKPOINT_ASYNC_EXCEPTION, "CHECKPOINT_ASYNC_EXCEPTION", "Asynchronous task checkpoint failed.", true)          \
    X(CHECKPOINT_FINALIZE_FAILURE, "FINALIZE_CHECKPOINT_FAILURE", "Failure to finalize checkpoint.", true)             \
    X(CHECKPOINT_COORDINATOR_SHUTDOWN, "CHECKPOINT_COORDINATOR_SHUTDOWN", "CheckpointCoordinator shutdown.", false)    \
    X(CHECKPOINT_COORDINATOR_SUSPEND, "CHECKPOINT_COORDINATOR_SUSPEND", "Checkpoint Coordinator is suspending.",       \
      false)                                                                                                           \
    X(CHECKPOINT_JOB_FAILOVER, "JOB_FAILOVER_REGION", "FailoverRegion is restarting.", false)                          \
    X(CHECKPOINT_TASK_FAILURE, "TASK_FAILURE", "Task has failed.", false)                                              \
    X(CHECKPOINT_TASKS_NOT_RUNNING, "NOT_ALL_REQUIRED_TASKS_RUNNING", "Not all required tasks are currently running.", \
      false)                                                                                                           \
    X(CHECKPOINT_TOO_MANY, "TOO_MANY_CHECKPOINT_REQUESTS",                                                             \
      "The maximum number of queued checkpoint requests exceeded", false)

enum checkpoint_reason {
#define X(reason, name, text, counts) reason,
    CHECKPOINT_REASON_MAP(X)
#undef X
        CHECKPOINT_REASON_COUNT
};
const char *checkpoint_reason_name(enum checkpoint_reason r);
const char *checkpoint_reason_text(enum checkpoint_reason r);
bool checkpoint_reason_counts(enum checkpoint_reason r);

enum checkpoint_state { CHECKPOINT_IN_PROGRESS, CHECKPOINT_COMPLETED, CHECKPOINT_FAILED };
const char *checkpoint_state_name(enum checkpoint_state s); /* as Flink's REST says it: "IN_PROGRESS" */

enum { CHECKPOINTS_PENDING_MAX = 64, CHECKPOINT_HISTORY = 10 };

struct checkpoint_settings {
    int64_t interval_ms;  /* 0: only on demand */
    int64_t min_pause_ms; /* from the end of one that completed to the next */
    int64_t timeout_ms;
    uint32_t concurrent_max; /* that are under way, savepoints not counted */
    int64_t tolerable_failures;
    uint32_t tasks;
    int64_t wall_offset_ms; /* wall clock minus the clock of the calls below */
};

/* A checkpoint that is under way or over. */
struct checkpoint_stats {
    int64_t id;
    enum snapshot_kind kind;
    enum checkpoint_state state;
    enum checkpoint_reason reason;  /* of one that failed */
    int64_t triggered_ms, ended_ms; /* wall clock; 0: not yet */
    int64_t alignment_ms, sync_ms;  /* the longest of a task */
    uint64_t size;                  /* of all state, and of the metadata when it is over */
    uint32_t tasks, acknowledged;
};

struct checkpoint_counts {
    uint64_t completed, failed, in_progress;
};

enum checkpoint_verb {
    CHECKPOINT_TRIGGER,  /* tell the tasks */
    CHECKPOINT_STORE,    /* every task is through: write it, then say so by checkpoint_stored */
    CHECKPOINT_ABORT,    /* forget it */
    CHECKPOINT_NOTIFY,   /* it exists: tell the tasks */
    CHECKPOINT_RESERVE,  /* ids are used up: reserve more, then say so by checkpoint_reserved */
    CHECKPOINT_FAIL_JOB, /* more failures than are tolerated; the reason is that of the last one */
};

struct checkpoint_action {
    enum checkpoint_verb verb;
    int64_t id;
    enum snapshot_kind kind;
    enum checkpoint_reason reason;
};

struct checkpoint_coordinator;
/* Ids from `next_id` up to, not including, `ids_end` may be used. */
struct checkpoint_coordinator *checkpoint_coordinator_create(const struct checkpoint_settings *s, int64_t next_id,
                                                             int64_t ids_end);
void checkpoint_coordinator_free(struct checkpoint_coordinator *c); /* NULL is a no-op */
/* The next thing to do; false: nothing. To be asked after each of the calls below. */
bool checkpoint_coordinator_take(struct checkpoint_coordinator *c, struct checkpoint_action *out);

/* What happens. Tasks have numbers from 0; an id that is not under way (any more) is passed over. */
void checkpoint_started(struct checkpoint_coordinator *c, int64_t now_ms); /* an attempt begins: no task runs yet */
void checkpoint_task_running(struct checkpoint_coordinator *c, uint32_t task, int64_t now_ms);
/* is_missed: others count on what it would have said; a checkpoint that it was asked for and has not acknowledged is none. */
void checkpoint_task_finished(struct checkpoint_coordinator *c, uint32_t task, bool is_missed, int64_t now_ms);
struct checkpoint_ack {
    uint64_t bytes;
    int64_t alignment_ms, sync_ms;
};
void checkpoint_acknowledged(struct checkpoint_coordinator *c, int64_t id, uint32_t task,
                             const struct checkpoint_ack *ack);
void checkpoint_failed(struct checkpoint_coordinator *c, int64_t id, enum checkpoint_reason why,
                       int64_t now_ms); /* before STORE */
/* After STORE: CHECKPOINT_NO_REASON is success. `size` is that of metadata and chunks, as they are stored; until then it is that of drafts. */
void checkpoint_stored(struct checkpoint_coordinator *c, int64_t id, enum checkpoint_reason why, uint64_t size,
                       int64_t now_ms);
void checkpoint_reserved(struct checkpoint_coordinator *c, int64_t ids_end);
void checkpoint_not_reserved(struct checkpoint_coordinator *c, int64_t now_ms); /* it is asked for again by and by */
/* A task is through and ends with a checkpoint that begins from now on: it begins at once, and again until one completes. */
void checkpoint_wanted(struct checkpoint_coordinator *c, int64_t now_ms);
/* The tasks are told to end: what is not in STORE is aborted, and nothing begins until checkpoint_started. */
void checkpoint_stopped(struct checkpoint_coordinator *c, enum checkpoint_reason why, int64_t now_ms);
/* Between checkpoint_stopped and checkpoint_started: there are so many tasks now. */
void checkpoint_resize(struct checkpoint_coordinator *c, uint32_t tasks);
/* Time passes. */
void checkpoint_tick(struct checkpoint_coordinator *c, int64_t now_ms);
/* A savepoint, now, whatever the limits, or a checkpoint where as many may be under way: *id is its number. Else why not;
 * CHECKPOINT_TOO_MANY: not before another one is over, or an id is reserved. */
enum checkpoint_reason checkpoint_request(struct checkpoint_coordinator *c, enum snapshot_kind kind, int64_t now_ms,
                                          int64_t *id);

/* A job that stops with savepoint `id`: all others that are not in STORE are aborted, and nothing begins by itself until checkpoint_started. */
void checkpoint_suspend(struct checkpoint_coordinator *c, int64_t id, int64_t now_ms);

/* Questions. */
bool checkpoint_task_is_through(const struct checkpoint_coordinator *c, uint32_t task); /* it has finished */
int64_t checkpoint_due_ms(const struct checkpoint_coordinator *c); /* when to tick at the latest; INT64_MAX: no need */
bool checkpoint_is_storing(const struct checkpoint_coordinator *c);
bool checkpoint_is_pending(const struct checkpoint_coordinator *c, int64_t id);
bool checkpoint_task_was_finished(const struct checkpoint_coordinator *c, int64_t id,
                                  uint32_t task); /* before it was asked */
struct checkpoint_counts checkpoint_counts(const struct checkpoint_coordinator *c);
/* The index-th, the newest first, also those under way; false behind the last. */
bool checkpoint_history(const struct checkpoint_coordinator *c, uint32_t index, struct checkpoint_stats *out);
