/* hash_aggregate.h - the configuration of the operator `hash_aggregate`, and what its files share.
 *
 * op_hash_aggregate.c      groups in memory, and their results when the input has ended
 * hash_aggregate_beyond.c  rows that do not fit */
#pragma once
#include "flow/operator/group_calls.h"
#include "flow/operator/hashed_rows.h"

struct hash_aggregate_config {
    struct group_config calls; /* first */
    bool sorts;                /* all rows are sorted by their groups first; else those that do not fit */
    struct spill_config spill;
};

struct hash_aggregate {
    struct group_call *calls;
    uint32_t call_count;
    struct state_def def;
    struct state_table *table;
    struct batch *out;
    struct group_firsts unique; /* the batch's keys */
    void *rows[BATCH_ROWS];     /* by row of the batch, and then of the keys that come out */
    uint16_t numbers[BATCH_ROWS];
    /* keys that come out, in their columns of the input */
    struct batch *keys;
    struct state_cursor cursor;
    bool is_walked, is_last;
    bool is_filled; /* their results are in `out` */
    /* beyond memory */
    struct hashed_rows beyond;
    bool holds;            /* groups grow with their rows, too */
    bool is_full;          /* no new groups are made in memory */
    bool is_sorted;        /* rows that were put aside have been taken up */
    bool is_fed, is_whole; /* the rows of the stage are in their groups; these have no more rows */
    int distinct;          /* the call by whose values rows put aside are sorted within their group, -1: none */
    uint32_t rest_count, fed;
    uint16_t rest[BATCH_ROWS]; /* rows of the batch that are put aside */
    uint64_t hashes[BATCH_ROWS], values[BATCH_ROWS]; /* of keys; of values of DISTINCT */
};

/* Rows of a batch into the accumulators of their groups, which are made when they are not there. May be pending, then nothing was done. */
enum status hash_aggregate_add(struct op_cx *cx, struct hash_aggregate *s, const struct batch *in,
                               const uint64_t *hashes) CHECKED;
/* Results of the groups whose keys are s->keys, which are forgotten then (forgets) or stay. May be pending, then call it again. */
enum status hash_aggregate_emit(struct op_cx *cx, struct hash_aggregate *s, bool forgets) CHECKED;

/* hash_aggregate_beyond.c */
void hash_aggregate_beyond_open(struct op_cx *cx, struct hash_aggregate *s);
void hash_aggregate_check(struct op_cx *cx, struct hash_aggregate *s); /* behind a batch: is memory full? */
/* A batch when it is: rows into the groups that are there, or put aside. */
enum status hash_aggregate_put_aside(struct op_cx *cx, struct hash_aggregate *s, const struct batch *in) CHECKED;
/* Some of the rows that were put aside. S_OK: there are no more. */
enum status hash_aggregate_take_up(struct op_cx *cx, struct hash_aggregate *s) CHECKED;
