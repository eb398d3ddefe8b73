/* sink.h - what a connector's writing end is asked for. Writers are per subtask. Two-phase sinks answer `prepare` with
 * a committable; it travels in checkpoint metadata, never in-band. */
#pragma once
#include "flow/operator/op.h"

enum commit_result { COMMIT_DONE, COMMIT_ALREADY, COMMIT_RETRY, COMMIT_LOST };

struct sink_cx {
    struct op_cx *op;
    const struct type *schema;
    const struct text_list *partitions; /* the last columns, STRINGs; NULL = none */
    const struct options *options;
    const struct option_def *option_defs;
    struct sys *sys;
    struct mem *mem;
    uint32_t subtask, parallelism;
    bool is_committed;      /* the job takes checkpoints: what is written is published by prepare and commit only, the end's too */
    int64_t handle;         /* collect: number of the caller's receiver */
    struct err *err;
};

/* Sinks whose rows can take the place of those that are there: INSERT OVERWRITE, UPDATE, DELETE, TRUNCATE. The new rows are written
 * by a job into a place of their own, beside the others, and take their place when it has ended well. */
struct sink_rewrite {
    /* Graph time: the options of a sink into that place, named by `run`. E_UNSUPPORTED, E_CONFIG with the reason. */
    enum status (*stage)(const struct options *o, uint64_t run, struct arena *a, struct options *staged, struct err *e);
    /* The rows there in place of all that are here, or of the partitions that have some of them. */
    enum status (*replace)(struct sys *sys, const struct options *o, const struct options *staged, bool all, struct err *e);
    void (*discard)(struct sys *sys, const struct options *staged); /* what was written there; also after replace */
    enum status (*truncate)(struct sys *sys, const struct options *o, struct err *e);
};

struct sink_type {
    size_t writer_size;
    bool blocking;          /* write may block: the task gets a thread of its own */
    bool accepts_updates;   /* rows of other kinds than +I are understood; else where its format has kinds (conn_takes_changes) */
    bool is_upsert;         /* and -U is not: a row replaces the one with its key */
    /* Graph time: do the options fit each other and the columns? May be NULL. */
    enum status (*check)(const struct options *o, const struct option_def *defs, const struct type *row, struct err *e);
    enum status (*open)(struct sink_cx *cx, void *self);
    /* Writes the selected rows; S_MORE = call again with the same batch; S_PENDING = the same, after the task was woken. */
    enum status (*write)(struct sink_cx *cx, void *self, struct batch *in);
    enum status (*flush)(struct sink_cx *cx, void *self, bool at_end); /* when the task would wait, and at the end */
    enum status (*on_time)(struct sink_cx *cx, void *self, int64_t now_ms); /* asked for by op_wake_at(cx->op, ..); may be NULL */
    /* Where is_committed: what was written since the last call waits to be committed; appends what that takes, nothing when there
     * is nothing. It may be kept and committed by anybody, also after this writer has failed. May be NULL, with commit. */
    enum status (*prepare)(struct sink_cx *cx, void *self, int64_t checkpoint, struct buf *committable);
    /* Idempotent. S_OK with DONE, ALREADY or RETRY; what is lost is an error that names it, and LOST. cx is of a writer that is open. */
    enum status (*commit)(struct sink_cx *cx, struct str committable, bool recovering, enum commit_result *out);
    /* Where is_committed: everything that was prepared up to that checkpoint is committed; by `recovered`: that of a restored job, on
     * some subtask. For what follows from commits. S_OK or an error; both idempotent, each may be NULL. */
    enum status (*completed)(struct sink_cx *cx, void *self, int64_t checkpoint);
    enum status (*recovered)(struct sink_cx *cx, void *self, struct str committable);
    /* Why it cannot be written with checkpoints, as a sentence; NULL: it can. May be NULL. */
    const char *(*takes_no_checkpoints)(const struct options *o, const struct option_def *defs, const struct text_list *partitions);
    const struct sink_rewrite *rewrite; /* NULL: what is written stays */
    bool has_partitions;    /* rows may have a place of their own for each value of some columns */
    /* Every task of the job has written all: says so of each partition. May be NULL. */
    enum status (*complete)(struct sink_cx *cx, void *self);
    void (*close)(struct sink_cx *cx, void *self, bool failed); /* failed: leave no partial line behind */
};
