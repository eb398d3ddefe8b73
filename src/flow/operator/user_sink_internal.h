/* user_sink_internal.h - what user_sink.c and user_sink_checkpoints.c share. */
#pragma once
#include "flow/operator/user_sink.h"
#include "flow/state/view.h"

#define NO_CHECKPOINT INT64_MAX /* prepared at the end of the input: the next barrier takes it along */

/* What was prepared in front of one barrier. */
struct user_prepared {
    struct user_prepared *next;
    int64_t checkpoint;
    struct batch *rows;
};

struct user_sink {
    struct user_out committables, states;
    struct user_out *taking; /* what the callback that runs may give; NULL = nothing */
    char *structs;           /* ROWCONV_ROWS committables or states in work */
    struct arena items;      /* of their nested values */
    struct batch *round;     /* batches of this round that are not through, oldest first */
    uint32_t at;             /* next row of the first of them */
    uint32_t retries;        /* rounds before this one */
    bool has_begun;          /* what waits is for another round */
    bool is_writer;          /* of those two: its committables leave by the main output */
    int64_t next_ms;         /* which begins no earlier */
    uint64_t prepared, committed;
    /* With checkpoints. */
    struct user_prepared *groups; /* not committed yet, oldest first */
    struct opstate *kept;         /* rows of writer state */
    bool is_committing;           /* the round and what waits are of groups that are in a checkpoint: never aborted */
    struct tw_metric *total, *successful, *already, *failed, *retried;
};

/* Frees the groups and the state of a sink that closes. */
void user_sink_forget(struct tw_context *cx);
