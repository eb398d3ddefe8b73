/* task_internal.h - what task.c and task_barrier.c share of a task. */
#pragma once
#include "flow/task/chain.h"

enum barrier_phase { BARRIER_NONE, BARRIER_ARRIVED, BARRIER_OPERATORS, BARRIER_FORWARD, BARRIER_FREEZE };

/* The state of a node in parts, each of what has changed since the one before: which are needed. */
enum { PART_RANGES = 16 };
struct node_parts {
    int64_t last;               /* the newest; 0 = none */
    int64_t bases[PART_RANGES]; /* of each range of key groups: the newest that has all of it */
    uint32_t range;             /* whose turn it is */
    uint64_t changed;           /* bytes that say what has changed, and that no range was written for */
    uint64_t bytes;             /* of the newest */
    bool is_base;               /* that has all ranges */
};

/* A barrier on its way through the task, and what the task knows of checkpoints. */
struct barrier {
    struct sys_atomic_u64 ordered, completed; /* what task_trigger and task_complete said last */
    struct sys_atomic_u64 stop; /* what task_stop said: twice the checkpoint, and one when the task drains; 0: nothing */
    bool is_frozen;             /* the barrier with which it stops has come: until it is complete nothing happens any more */
    int64_t told;                             /* complete, and the operators know */
    int64_t telling;                          /* they are being told; 0 = none */
    uint32_t tell_at;
    int64_t seen;  /* the last checkpoint whose barrier came */
    bool is_whole; /* its state stands alone */
    int64_t last;  /* the first checkpoint behind the end of input; 0 = none yet */
    bool has_said; /* that it wants that one */
    enum barrier_phase phase;
    uint32_t at; /* node or output */
    int64_t began_ns, aligned_ns;
    bool has_overtaken; /* what was in the channels before it is in flight */
    bool has_failed;  /* prepare has */
    bool is_prepared; /* node `at` */
    /* What was frozen is saved while the task goes on. */
    int64_t saving; /* the checkpoint; 0 = none */
    int64_t saving_began_ns, saving_aligned_ns;
    int64_t save_turn_ns; /* the end of the turn that saved last */
    int64_t held_ns; /* so long the task stood still for it */
    bool saving_overtook;             /* saving is that of a barrier that had overtaken */
    struct in_flight_host *in_flight; /* what it had overtaken, while that is saved */
    uint64_t in_flight_bytes;
    int64_t noticed, noticed_ns;      /* the last barrier that was ordered and may overtake, and since when the task knows */
    int64_t hurried;                  /* the last one that is not waited for any more */
    bool overdraws;                   /* the writers do */
    bool can_go_on; /* there is more to do at once: nothing is waited for */
    bool is_saved;  /* node `save_at` */
    uint32_t save_at;
    int64_t part;       /* the last checkpoint that parts were written for; 0 = none */
    bool part_is_there; /* and it is complete */
    /* [node_count + 1]: behind the operators comes what was in flight */
    struct node_parts *parts;
    struct state_save **saves; /* NULL: through, or without state */
    struct buf bytes;           /* the chunk that is filled */
    uint64_t total;
    struct node_snapshot *nodes;                         /* [node_count + 1]; made by the first barrier */
    struct buf *committables;                            /* [node_count] */
    struct err err;                                      /* why the checkpoint is declined */
    uint32_t restore_node, restore_item, restore_output; /* how far recover and the watermarks sent again are */
};

struct task {
    const struct task_plan *plan;
    struct mem mem;
    struct sys *sys;
    struct log *log;
    struct err err;
    struct chain chain;
    struct gate *gate; /* NULL: the head is a source */
    struct writer **writers;
    struct user_partition **partitions; /* of writers that ask a function of the user; NULL else */
    enum task_state state;
    struct sys_atomic_u64 cancelled;
    struct sys_atomic_u64 watermark; /* what task_watermark answers */
    uint32_t speaker;                /* the node whose watermark that is */
    int64_t flushed_ns;
    bool is_idle;                 /* operators were told and nothing came since */
    bool is_flushed;              /* and so were builders */
    bool is_pending;              /* operators were told that the work at hand waits */
    bool input_ended, is_through; /* is_through: the job was told that everything is handed on */
    uint32_t timed_steps;         /* so many more steps time their hooks */
    bool closed;
    struct sys_atomic_u64 idle_ns, full_ns, busy_ns, looked_ns, last; /* see task_times; last: -status of the step before */
    struct barrier barrier;
};

/* task_barrier.c */
/* The checkpoint begins here; the chain is drained. */
void barrier_begin(struct task *t, int64_t word, int64_t aligned_ns, bool has_overtaken);
/* A checkpoint in a barrier: what the channels between tasks know it by. */
static inline int64_t barrier_word(int64_t checkpoint, bool is_whole) { return checkpoint * 2 + is_whole; }
static inline int64_t barrier_checkpoint(int64_t word) { return word / 2; }

/* task_parts.c */
/* Begins to save what the node has: all of it, or what has changed. */
enum status parts_save_create(struct task *t, uint32_t node, struct state_save **out, struct err *e) CHECKED;
void parts_look(struct task *t); /* is the last part complete? */
void parts_saved(struct task *t); /* all nodes were: what they took is known */
/* Does the task take a checkpoint by itself, that was ordered? */
bool barrier_is_due(const struct task *t);
/* Goes on with what is under way: S_OK when nothing is; S_MORE, S_FULL, S_PENDING: call again; an error is the task's. */
enum status barrier_go(struct task *t) CHECKED;
/* Saves some more of what was frozen, some 200 us. The task goes on, whatever comes of it. */
void barrier_save(struct task *t);
/* Too much was kept that is not written: the task has to wait. */
bool barrier_is_behind(const struct task *t);
void barrier_drop(struct task *t); /* before the operators close */
/* Tells the operators of a checkpoint that is complete. The same answers. */
enum status barrier_tell(struct task *t) CHECKED;
/* Of a task whose input is through and handed on: S_END when what it commits is committed, S_IDLE until then. */
enum status barrier_await_last(struct task *t) CHECKED;
/* It stops: with which checkpoint is not taken or not complete yet, and whether it is. */
bool barrier_is_stopping(const struct task *t);
bool barrier_has_stopped(const struct task *t);
bool barrier_drains(const struct task *t); /* its source is to end */
/* A restored task, before its first input: commits what was prepared, and says again which watermarks it had sent. */
enum status barrier_restore(struct task *t) CHECKED;
bool barrier_node_ended(const struct task *t, const struct node *n); /* before the checkpoint that the task begins with */
void barrier_restore_node(const struct task *t, struct node *n); /* before it is opened */
void barrier_release(struct task *t);
