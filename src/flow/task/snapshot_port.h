/* snapshot_port.h - what a task hands over at a checkpoint, and what it gets back at a restore. Control stores it; a task knows
 * neither files nor the job's record.
 *
 * Per checkpoint and task: any number of chunks, node by node, then one acknowledgement that says how many there were; or one
 * refusal instead, after which no more comes. A node's state is what state_save_step wrote, in chunks that are readable alone.
 * The calls are made on the task's thread and never block. */
#pragma once
#include "ground/base/buf.h"
#include "ground/base/err.h"
#include "ground/sys/sys.h"

struct state_restore;

enum { SNAPSHOT_CHUNK_BYTES = 8 * 1024 * 1024 }; /* before they are packed */

/* Which chunk of which operator's subtask. */
struct snapshot_place {
    int64_t checkpoint;
    const char *uid;
    uint32_t vertex, subtask, number;
    int64_t part; /* of whose state it is a part: the checkpoint; 0: it stands alone */
};

/* One operator of the task as it was when the barrier passed. */
struct node_snapshot {
    const char *uid;
    int64_t watermark, sent_watermark; /* what it had seen, and handed on; TIME_MIN = none */
    bool is_idle;                      /* that it had said so */
    uint32_t chunks;
    struct str committables; /* what op_type.prepare wrote; empty: nothing */
    int64_t first_part; /* its state is that of all parts from this checkpoint on; 0: its chunks stand alone */
    bool is_finished;   /* it had ended before the task began; nothing else of it counts */
};

struct snapshot_ack {
    int64_t checkpoint;
    uint32_t vertex, subtask;
    const struct node_snapshot *nodes; /* good during the call; the operators', and one of what was in flight, if anything was */
    uint32_t node_count;
    uint64_t bytes;               /* of all drafts */
    int64_t aligned_ns, held_ns, saved_ns; /* channels were held; from the barrier's arrival until the task went on, and to here */
};

struct snapshot_port {
    /* Takes the bytes over, a draft (state_chunk_finish makes a chunk of it), and leaves an empty buffer. S_PENDING: too much is under way; `waiting` is unparked when there is room. */
    enum status (*chunk)(void *arg, const struct snapshot_place *where, struct buf *bytes, struct sys_parker *waiting);
    void (*acknowledge)(void *arg, const struct snapshot_ack *ack);
    void (*decline)(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask, const struct err *why);
    /* The task is through with its input and ends when a checkpoint that it takes from now on is complete. Said once. */
    void (*wants)(void *arg, uint32_t vertex, uint32_t subtask);
    /* The task was told that the checkpoint is complete, and its operators have committed what they had prepared. NULL: nobody asks. */
    void (*committed)(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask);
    /* A checkpoint may say only what has changed since the last one that is complete, of a node with so much state; 0: never. */
    uint64_t parts_from;
    void *arg;
};

/* With the number of a checkpoint where one is triggered: all state of it stands alone. */
#define SNAPSHOT_WHOLE (INT64_C(1) << 62)

/* What a node begins with. */
struct node_restore {
    const struct state_restore *state;
    int64_t watermark, sent_watermark; /* the least of the subtasks that it takes over from */
    bool is_idle;
    const struct str *committables; /* not known to be committed; each is handed to one subtask */
    uint32_t committable_count;
    bool is_finished; /* it had ended, in a chain that was another one: nothing of it runs again, though its task does */
};

struct task_restore {
    const struct node_restore *nodes; /* [node_count] */
    bool is_finished;                 /* it had ended before the barrier: nothing of it runs again */
    /* What the barrier had overtaken in front of all subtasks; NULL: nothing. The watermark is the least of subtasks that had nothing
     * in flight, where these are others than before: INT64_MAX else. */
    const struct state_restore *in_flight;
    int64_t in_flight_watermark;
};
