/* op.h - everything the system ever asks of an operator. One file op_<name>.c ends in one `const struct op_type
 * op_<name>`; a generated list collects them; there is no switch over operators anywhere.
 *
 * A hook gets one input (a batch, a watermark, due time, end of input) and may fill one batch per output port. It answers
 *   S_OK       done with this input;
 *   S_MORE     the outputs are full or a slice of work is done: deliver them, then call the same hook again with the same
 *              input. The cursor lives in `self`; the input stays valid and unchanged until S_OK;
 *   S_PENDING  state is on its way: nothing was emitted; call again later with the same input;
 *   S_END      (poll only) no more rows will come; S_IDLE (poll only) nothing now, see op_wake_at;
 *   an error   the task fails; detail in cx->err.
 * A hook runs at most about 200 us before it answers S_MORE. Batches given to a hook are borrowed for the call. */
#pragma once
#include "columns/column/batch.h"
#include "ground/base/log.h"
#include "ground/base/option.h"
#include "ground/sys/sys.h"

struct buf;
struct tw_function;
struct state_host;

enum { OP_PORTS_MAX = 8, OP_INPUTS_MAX = 12, OP_KEYS_MAX = 64 };

/* --- configuration: one table encodes, decodes, validates, explains ------------------------------------------- */
enum config_kind {
    CONF_BOOL,     /* bool */
    CONF_INT,      /* int64_t */
    CONF_DOUBLE,   /* double */
    CONF_TEXT,     /* const char * */
    CONF_BYTES,    /* struct str */
    CONF_TYPE,     /* const struct type * */
    CONF_TEXTS,    /* struct text_list */
    CONF_FUNCTION, /* struct function_ref */
    CONF_OPTIONS,  /* struct options */
};

/* What a configuration may say instead of a number of bytes, in a field whose name ends in "memory": as much as is there for each
 * operator that does; half of that. When the operator runs a number stands there (control/graph/graph_memory.c). */
enum { MEMORY_SHARE = -1, MEMORY_HALF_SHARE = -2 };

struct text_list {
    const char *const *items;
    uint32_t count;
};

/* User code has an identity: (artifact, name, config bytes). fn is resolved after decoding, never encoded. */
struct function_ref {
    const char *name;
    struct str config; /* at most 64 KiB, given to the function's open */
    const struct tw_function *fn;
};

struct config_field {
    const char *name;
    enum config_kind kind;
    uint32_t offset;
    const char *doc;
};
/* A row of the table of struct S, and its end. Fields travel by name in the encoded graph: a name may not change. */
#define CONFIG_FIELD(S, member, kind, doc) {#member, kind, offsetof(struct S, member), doc}
#define CONFIG_LAST {NULL, CONF_BOOL, 0, NULL}

/* --- at graph time --------------------------------------------------------------------------------------------- */
/* What graph building knows about one node; `derive` checks it and fills the answers. */
struct op_plan {
    struct arena *arena;
    const struct type *inputs[OP_INPUTS_MAX];
    const char *input_names[OP_INPUTS_MAX]; /* of the streams, for messages; may be NULL */
    const char *name; /* of a source, for messages; may be NULL */
    const struct fn_users *users; /* the job's functions for expressions; NULL: it has none */
    uint32_t input_count;
    const uint32_t *keys[OP_INPUTS_MAX]; /* key columns of each input; NULL = not keyed */
    uint32_t key_count[OP_INPUTS_MAX];
    const struct type *outputs[OP_PORTS_MAX]; /* answer: port 0 is the main output, others side outputs */
    const char *port_names[OP_PORTS_MAX];     /* answer: tags of side outputs */
    uint32_t output_count;
};

enum op_flags {
    OP_SELECTION = 1,    /* hooks accept batches with a selection vector */
    OP_FORMS = 2,        /* hooks accept CONST and DICT columns */
    OP_NEEDS_KEY = 4,    /* refused on an unkeyed stream */
    OP_SOURCE = 8,       /* no input; poll() is called instead */
    OP_BLOCKING = 16,    /* hooks may block: the task gets a thread of its own */
    OP_CHAIN_HEAD = 32,  /* never chained behind another operator */
    OP_SINGLE = 64,      /* parallelism is always 1 */
    OP_STATE = 128,      /* gets a state host even when its input is not keyed */
    OP_COMMITTER = 256,  /* in on_end it waits for the commits of its stage, and what it puts out is of the next one */
    OP_KEEPS = 1024,      /* gets a state host where the job takes checkpoints: for what on_barrier writes */
    OP_MANY_INPUTS = 512, /* as many inputs as edges lead to, at least input_count, at most OP_INPUTS_MAX */
    OP_OUTSIDE = 4096,   /* open reaches outside, or calls functions of the user that do: it is not opened just to be asked for its states */
    OP_AT_END = 2048,    /* it may give rows in on_end: the last watermark goes on behind them, so that they are not late */
};

/* --- at run time ------------------------------------------------------------------------------------------------- */
struct op_port; /* chain's side of an output port */

/* What one operator instance (one subtask) sees. open struct: hot path. */
struct op_cx {
    const struct op_type *type;
    const void *config;          /* decoded, of type->config_size */
    const struct op_plan *plan;  /* schemas, keys */
    const uint64_t *const *needed_in;  /* per input: needed columns, NULL = all */
    const uint64_t *const *needed_out; /* per port: columns somebody downstream needs, NULL = all */
    const char *name, *uid;
    uint32_t subtask, parallelism, max_parallelism, attempt;
    uint32_t stage;              /* of commits: how many committers are in front of the task's head */
    uint32_t batch_rows;         /* capacity of batches here: BATCH_ROWS, smaller in tests and simulation */
    struct mem *mem;             /* the task's; instance memory */
    struct arena *scratch;       /* reset before every hook call */
    struct sys *sys;
    struct log *log;
    struct err *err;             /* detail of a failure */
    struct state_host *state;    /* keyed operators: creates tables and timers; NULL else */
    int64_t watermark;           /* of the inputs, merged; TIME_MIN before the first */
    int64_t wake_ms;             /* set by op_wake_at */
    uint32_t port_count;
    struct op_port *ports;
    struct op_metrics *metrics;
    struct sys_parker *parker;   /* wakes this task's worker: for an operator's own helper threads */
    struct sys_atomic_u64 rung;  /* set by op_ring */
    const char *task_name;       /* of the chain that it is in */
    const struct options *task_variables; /* of metrics: what is known of its task, and what the program gave the operator; */
    const struct options *user_variables; /* NULL = none */
    struct job_shared *job;      /* enumerators, alignment groups, accumulators of the job; see task/job_shared.h */
    bool opens_states_only; /* it is opened to be asked for its states (task/declare.h): functions of the user are not called */
    bool is_checkpointed; /* the job takes checkpoints: prepare and on_complete are called */
    bool ends_committed;  /* set by open: where it is checkpointed, it ends when a checkpoint taken after its end is complete */
    struct instance_counts *counts;       /* accumulators of its functions; the chain shows them after each hook */
};

/* Counters every operator has; read by status lines and the REST interface from other threads, racily by design. */
struct op_metrics {
    struct sys_atomic_u64 rows_in, rows_out, late_dropped, late_refired, errors_skipped, dead_letters, bytes_in, bytes_out;
    struct sys_atomic_u64 busy_ns; /* in its hooks, where steps are timed */
};

struct op_type {
    const char *name, *doc, *example;
    uint32_t flags;
    uint32_t input_count; /* 0 for sources */
    size_t config_size;
    const struct config_field *config_fields; /* ends with name == NULL; NULL = no configuration */
    size_t instance_size;                     /* `self`, cleared */

    /* Graph time. derive: checks types and configuration, answers outputs. needs: which input columns are read, given
     * which output columns are needed (bit sets of ceil(columns/64) words, cleared before); NULL hook = all. */
    enum status (*derive)(struct op_plan *plan, const void *config, struct err *e);
    void (*needs)(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs);
    bool (*blocks)(const void *config); /* NULL = by flag only */

    /* Run time; every hook may be NULL. Without on_watermark the chain forwards watermarks by itself; with it the
     * chain forwards after the hook answered S_OK. */
    enum status (*open)(struct op_cx *cx, void *self);
    enum status (*poll)(struct op_cx *cx, void *self);
    enum status (*on_batch)(struct op_cx *cx, void *self, uint32_t input, struct batch *in);
    enum status (*on_watermark)(struct op_cx *cx, void *self, int64_t watermark);
    enum status (*on_time)(struct op_cx *cx, void *self, int64_t now_ms); /* processing time reached wake_ms */
    enum status (*on_end)(struct op_cx *cx, void *self, uint32_t input);  /* this input will bring nothing more */
    enum status (*on_idle)(struct op_cx *cx, void *self);                 /* the task is about to wait: flush what is held */
    /* Checkpoints. An instance's state is what the tables and timers of its host hold; `open` finds restored rows there.
     * on_barrier, in front of a barrier: puts out what is held back (mini-batches) and writes what the instance keeps besides into
     * operator state (view.h), so that this is true. Resumable as on_batch. NULL = it always is. */
    enum status (*on_barrier)(struct op_cx *cx, void *self, int64_t checkpoint);
    /* Why the operator cannot take part in them, as a sentence; NULL: it can. The hook itself NULL: it always can. */
    const char *(*takes_no_checkpoints)(const void *config);
    /* Behind the barrier: what was written since the last one becomes a transaction; appends what it takes to commit it, of earlier ones
     * that are not committed, too. It lies in the checkpoint. S_OK, S_MORE, S_PENDING or an error, by which the task fails. */
    enum status (*prepare)(struct op_cx *cx, void *self, int64_t checkpoint, struct buf *committables);
    /* The checkpoint is complete: commits what was prepared up to it. May be skipped: a later one says the same of this one, too.
     * S_OK, S_MORE or S_PENDING (not before wake_ms): call again. */
    enum status (*on_complete)(struct op_cx *cx, void *self, int64_t checkpoint);
    /* Does on_complete make anything final that is seen outside? NULL: it does where there is one. */
    bool (*makes_final)(const void *config);
    /* After open, before the first row, of a restored job: commits what some subtask had prepared. Idempotent. The same answers. */
    enum status (*recover)(struct op_cx *cx, void *self, struct str committables);
    /* Sinks in two phases: makes final what on_end prepared, once every task of the job has handed on all it had. S_OK;
     * S_MORE or S_PENDING (not before wake_ms): call again. commits: does this one? NULL = no. */
    bool (*commits)(const void *config);
    enum status (*commit)(struct op_cx *cx, void *self);
    void (*close)(struct op_cx *cx, void *self, bool failed);
    bool makes_watermarks; /* input watermarks are not forwarded; op_emit_watermark speaks instead */
};

extern const struct op_type *const op_types[]; /* sorted by name, ends with NULL */
const struct op_type *op_find(const char *name); /* NULL when unknown */
/* For derive: the column of that name of an input, or -1 with E_GRAPH in e: "field 'usr' is not in stream 'bids' (has: ...)",
 * and the nearest name as hint. */
int op_plan_field(const struct op_plan *plan, uint32_t input, const char *name, struct err *e);
/* The same of a name that may be empty: *field is -1 then. E_GRAPH when there is no such field. */
enum status op_plan_optional_field(const struct op_plan *plan, uint32_t input, const char *name, int *field, struct err *e) CHECKED;
/* The same for any row type. */
int op_type_field(const struct type *row, const char *stream, const char *name, struct err *e);

/* The port's own batch: empty when a hook is entered, delivered when it answers. Capacity cx->batch_rows. */
struct batch *op_out(struct op_cx *cx, uint32_t port);
/* Rows that still fit the port's batch. */
uint32_t op_room(struct op_cx *cx, uint32_t port);
/* Delivers `b` (the input, or a batch the operator owns) through the port instead of op_out's; may carry a selection.
 * The batch must stay unchanged until the hook is called again. One per port and call. */
void op_forward(struct op_cx *cx, uint32_t port, struct batch *b);
/* Is anybody connected to the port? Side outputs without consumers need not be filled. */
bool op_port_used(const struct op_cx *cx, uint32_t port);
/* For makes_watermarks: after the rows emitted by this call the watermark is `watermark`; lower ones are ignored. */
void op_emit_watermark(struct op_cx *cx, int64_t watermark);
void op_emit_idle(struct op_cx *cx, bool idle);
bool op_is_idle(const struct op_cx *cx); /* what was sent last; in open: before the checkpoint */
/* Asks for on_time (or poll) at that processing time at the latest. Wall clock ms. */
static inline void op_wake_at(struct op_cx *cx, int64_t wall_ms)
{
    if (wall_ms < cx->wake_ms) cx->wake_ms = wall_ms;
}
/* Any thread: on_time is called soon, as if its time had come. For helper threads that have an answer for the operator. */
static inline void op_ring(struct op_cx *cx)
{
    sys_atomic_store(&cx->rung, 1);
    if (cx->parker) sys_unpark(cx->sys, cx->parker);
}
