/* chain.h - the tree of operators inside a task, and the one rule that drives it: the deepest operator with something to
 * do runs first. Used by task.c only. */
#pragma once
#include "flow/task/task.h"

enum work { WORK_NONE, WORK_POLL, WORK_BATCH, WORK_WATERMARK, WORK_TIME, WORK_BARRIER, WORK_END };

struct node;

/* Somebody who takes what a port emits: a chained node, or a writer. */
struct consumer {
    struct node *node;
    struct writer *writer;
};

struct op_port {
    struct batch *own;     /* op_out's; made on first use */
    struct batch *emitted; /* what this call emits: own or forwarded; NULL = nothing */
    struct consumer *consumers;
    uint32_t consumer_count;
};

struct node {
    struct op_cx cx;
    struct op_plan plan;    /* a copy whose arena is the chain's: subtasks share nothing that they write */
    void *self;
    bool opened, was_pending, was_reported, is_committed;
    int64_t reported_ns;    /* when it was last reported as slow */
    enum work work;         /* what the operator is busy with; its input is held */
    uint32_t input;
    struct batch *in;
    struct batch *dense;    /* for operators that take no selection */
    int64_t value;          /* watermark, wall ms of WORK_TIME, or checkpoint */
    uint32_t ends_missing;  /* inputs that have not ended */
    /* delivery of the last call's output; cursors survive a lack of credit */
    bool delivering, consumer_given;
    const uint16_t *given_sel; /* the selection that this consumer was given: it may narrow it for those behind it */
    uint32_t given_sel_count;
    uint32_t port, consumer;
    /* control to forward behind that output */
    bool has_watermark, has_idle, has_end;
    int64_t out_watermark, sent_watermark;
    bool idle_value, is_idle;
    enum status poll_answer; /* of the last WORK_POLL */
    struct metric *state_bytes; /* of operators with state; NULL: there is no such metric */
    size_t state_bytes_shown;
    struct chain *chain;
};

struct chain {
    struct node *nodes;
    uint32_t count;
    int64_t budget;        /* what is left of this step, in rows */
    struct arena scratch;
    struct arena arena;    /* lives as long as the chain */
    struct options variables; /* of metrics: of the task; none without a job */
    uint32_t failed_node;
    struct sys_atomic_u64 running; /* node whose hook was called last; other threads look at it */
    bool is_frozen;        /* nothing is due any more: the job stops */
    bool is_timed;         /* hooks are timed: a step was long */
    bool counts_bytes;     /* op_metrics.bytes_out is wanted */
    uint32_t slow_node;    /* of the longest call since slow_ns was set to 0 */
    int64_t slow_ns;
};

enum { CHAIN_CALL_COST = 32 /* rows: a call without rows costs about that much */ };

void chain_init(struct chain *c, const struct task_plan *plan, struct mem *mem, struct sys *sys, struct log *log, struct err *err);
void chain_connect(struct chain *c, uint32_t node, uint32_t port, struct consumer consumer, struct mem *mem);
void chain_release(struct chain *c, struct mem *mem);
void node_show_state(struct node *n); /* how large its state is, by the metric stateBytes */
/* Gives the head something to do; the chain must be drained. */
void chain_give(struct chain *c, enum work work, uint32_t input, struct batch *in, int64_t value);
void chain_give_idle(struct chain *c, bool idle);
/* Runs until everything that was given has left the chain: S_OK. S_MORE: the step's budget is spent; S_FULL: no credit;
 * S_PENDING: state is on its way. In these cases call again; nothing is lost. */
enum status chain_drain(struct chain *c) CHECKED;
/* Processing time: runs on_time of operators that asked for it. The chain must be drained. */
enum status chain_time(struct chain *c, int64_t now_ms) CHECKED;
/* A barrier passes: each operator, parents first, puts out what it holds back, which reaches those behind it before their turn. *at
 * (0 at first) is the next one. The chain must be drained. S_OK, or as chain_drain: call again. */
enum status chain_barrier(struct chain *c, int64_t checkpoint, uint32_t *at) CHECKED;
/* A source ends, though it might have more: the last watermark and the end go on. The chain must be drained. */
void chain_end_source(struct chain *c);
void chain_forget_times(struct chain *c); /* after the end of input nothing is due any more */
/* Two phases: does an operator here commit? Then, when all input has ended and the chain is drained: each commits. */
bool chain_commits(const struct chain *c);
bool chain_ends_committed(const struct chain *c); /* with checkpoints: does it wait for a last one? */
enum status chain_commit(struct chain *c) CHECKED; /* S_OK, S_MORE, S_PENDING, or an error */
int64_t chain_deadline_ms(const struct chain *c);
