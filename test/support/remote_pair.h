/* remote_pair.h - one edge between two workers in one process, each with a net of its own: senders 0.. are at worker
 * 0, receivers at worker 1. Rows, watermarks, barriers and ends go over it, and what comes out is checked: see
 * remote_pair_run. Any world. */
#pragma once
#include "flow/exchange/remote.h"

enum { PAIR_MAX = 4 };

struct pair_plan {
    enum partitioner partitioner;
    uint32_t senders, receivers;
    uint32_t rows; /* of each sender */
    uint32_t batch_rows, shells;
    uint32_t barrier_rows; /* a barrier behind so many rows of each sender; 0 = none */
    uint32_t takes;        /* events that a gate takes in its turn; a slow gate takes one */
    bool has_budget, packs;
    const char *key[2]; /* of the workers; NULL = "key" */
    uint64_t attempt[2];
};

struct pair_side {
    struct remote_net *net;
    struct remote_exchange *exchange;
    struct sys_atomic_u64 failures;
    bool is_gone; /* stopped: its senders or gates have no turn any more */
    struct err why;
};

struct pair {
    struct pair_plan plan;
    struct sys *sys;
    struct mem mem;
    struct arena arena;
    const struct type *schema;
    struct sys_parker *parker;
    struct pair_side sides[2];
    struct remote_worker workers[2];
    struct channel *sent[PAIR_MAX][PAIR_MAX], *received[PAIR_MAX][PAIR_MAX]; /* [from][to] */
    struct gate_budget budgets[2][PAIR_MAX];
    struct writer *writers[PAIR_MAX];
    struct gate *gates[PAIR_MAX];
    /* what runs */
    struct batch *batches[PAIR_MAX];
    uint32_t made[PAIR_MAX];          /* rows of a sender that were made */
    uint32_t phase[PAIR_MAX];         /* of a sender: what it does next */
    int64_t seen[PAIR_MAX][PAIR_MAX]; /* [to][from] last row that came; -1 = none */
    uint64_t rows[PAIR_MAX];          /* that came to a receiver */
    int64_t watermark[PAIR_MAX], barrier[PAIR_MAX];
    bool has_ended[PAIR_MAX];
    const char *wrong; /* what did not hold; NULL = nothing */
};

/* NULL, or what went wrong. */
const char *remote_pair_open(struct pair *p, struct sys *sys, const struct pair_plan *plan);
/* Starts both ends and moves everything; NULL when all held:
 *   - rows of one sender arrive at one receiver in order, each once, at the one that the partitioner says
 *   - no row behind a watermark is as old as it, or older; in the end it is the end of time
 *   - every row in front of a barrier arrives in front of it, none that is behind it does
 *   - inputs end. */
const char *remote_pair_run(struct pair *p);
/* One turn of all senders and gates; false: nothing moved. */
bool remote_pair_turn(struct pair *p);
bool remote_pair_has_ended(const struct pair *p);
/* Its tasks have no turn any more, and its exchange is stopped; true: all had arrived. */
bool remote_pair_stop(struct pair *p, int side, int64_t wait_ns);
/* Stops both exchanges; true: both ends know that all has arrived. */
bool remote_pair_close(struct pair *p, int64_t wait_ns);
