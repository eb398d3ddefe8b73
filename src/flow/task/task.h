/* task.h - a task is a chain of operators (a tree) with its inputs, outputs, state and timers, run in bounded steps on a
 * worker. Control builds a task_plan per subtask; nothing here knows of graphs, slots or processes.
 *
 * Reading order: task_step (what comes next) -> chain_drain (the deepest pending operator runs) -> writer_batch. A barrier on
 * its way through a task: task_barrier.c. */
#pragma once
#include "flow/exchange/exchange.h"
#include "flow/operator/op.h"
#include "flow/state/disk.h"
#include "flow/task/snapshot_port.h"

/* One operator of a chain. Node 0 is the head; parents come before children. */
struct node_plan {
    const struct op_type *type;
    const void *config;
    const struct op_plan *plan;
    const char *name, *uid;
    uint32_t parent, parent_port;     /* ignored for the head */
    const uint64_t *const *needed_in; /* [input] */
    const uint64_t *const *needed_out; /* [port] */
    const struct options *metric_variables; /* NULL = none */
};

/* One outgoing edge of a chain: node and port whose output leaves the task. */
struct output_plan {
    uint32_t node, port;
    struct writer_plan writer;
    const struct function_ref *partition; /* PART_CUSTOM: the user's function */
    struct channel *const *channels;
    uint32_t channel_count;
};

struct task_plan {
    const char *name;               /* of the vertex: "Source: bids -> Filter" */
    uint32_t vertex, subtask, parallelism, max_parallelism, attempt;
    uint32_t batch_rows;
    uint32_t stage;                 /* of commits: how many committers are in front of the head */
    const struct node_plan *nodes;
    uint32_t node_count;
    const struct gate_input *inputs; /* of the head */
    uint32_t input_count;
    const struct output_plan *outputs;
    uint32_t output_count;
    struct job_shared *job;
    const struct sb_type *backend;  /* of keyed state; NULL = hashmap */
    size_t state_bytes_max;         /* of it, per operator; 0: as many as there are */
    const struct state_disk *disk;  /* of backends that use one */
    struct state_budget *budget;    /* of state in memory, of the whole job in this process; NULL: there is none */
    uint64_t seed;
    bool blocking;                  /* wants a thread of its own */
    bool times_hooks;               /* op_metrics.busy_ns and bytes_out are wanted */
    bool counts_bytes;              /* bytes_out, and bytes_in of the head */
    const struct snapshot_port *snapshots; /* where checkpoints go; NULL: the job takes none */
    const struct task_restore *restore;    /* what it begins with; NULL: it is new */
    bool counts_barriers;       /* they hold nothing: at least once */
    bool is_unaligned;          /* barriers overtake what is in the channels, that may be overtaken... */
    int64_t aligned_timeout_ms; /* ...when a checkpoint is not aligned so long after it was ordered */
    const char *in_flight_id;   /* where what they overtook goes: as an operator of that id */
};

/* INITIALIZING: operators are opened, and restored. */
enum task_state { TASK_CREATED, TASK_INITIALIZING, TASK_RUNNING, TASK_FINISHED, TASK_FAILED, TASK_CANCELED };

struct task;
struct task *task_create(const struct task_plan *plan, struct sys *sys, struct log *log);
void task_free(struct task *t);
/* Opens operators, sinks before sources. */
enum status task_open(struct task *t) CHECKED;
/* Runs for about 200 us. S_OK progress was made; S_IDLE or S_FULL nothing to do until woken or task_deadline; S_END
 * finished; an error: failed, see task_err. */
enum status task_step(struct task *t) CHECKED;
/* Closes operators; failed = true after an error or cancellation. Idempotent. */
void task_close(struct task *t, bool failed);
void task_cancel(struct task *t); /* any thread; the next step ends it */
/* Any thread; the worker is woken by the caller. trigger: a checkpoint begins; sources, and tasks whose input has ended, take it at
 * once, the others when its barrier arrives. complete: it is confirmed, and so are all before it. Ids rise. */
void task_trigger(struct task *t, int64_t checkpoint); /* and SNAPSHOT_WHOLE, perhaps */
void task_complete(struct task *t, int64_t checkpoint);
/* Any thread, in front of task_trigger of that checkpoint, a savepoint: the task ends with it, when it is complete; should it fail, the job
 * has to. drains: sources end as if there was nothing more, so that all that waits is put out, and the savepoint is taken behind that.
 * Else nothing is read and no timer runs behind its barrier. */
void task_stop(struct task *t, int64_t checkpoint, bool drains);
int64_t task_deadline_ms(const struct task *t); /* wall ms of the next processing-time need, INT64_MAX = none */
const struct err *task_err(const struct task *t);
enum task_state task_state(const struct task *t);
const struct task_plan *task_plan_of(const struct task *t);
struct op_metrics *task_metrics(struct task *t, uint32_t node);
size_t task_state_bytes(const struct task *t, uint32_t node); /* as they were shown last */
/* How long it had nothing to do, could not go on because what it puts out is not taken, and did something or waited for its turn; since its
 * first step. Any thread. */
struct task_times {
    int64_t idle_ns, full_ns, busy_ns;
};
struct task_times task_times(const struct task *t, int64_t now_ns);
int64_t task_watermark(const struct task *t); /* that it has sent, after the latest step; any thread */
/* Adds the keyed entries and timers that its operators hold; on its own thread. */
void task_count_state(const struct task *t, uint64_t *entries, uint64_t *event_timers, uint64_t *processing_timers);
void task_set_parker(struct task *t, struct sys_parker *parker); /* before task_open */
const char *task_operator(const struct task *t); /* whose hook was called last; any thread */
bool task_is_blocking(const struct task *t);
