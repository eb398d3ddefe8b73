/* counted_rows.h - whole rows and how often they are there, in batch mode: counted while they come, given when all have come, beyond
 * memory by files. What sets of rows and folds of changes have in common. */
#pragma once
#include "flow/operator/hashed_rows.h"
#include "flow/operator/whole_rows.h"

enum { COUNTED_MAX = 2 };

struct counted_rows {
    struct whole_rows whole;
    uint32_t counts;
    int64_t memory; /* 0: no end */
    int64_t (*times)(const void *config, const int64_t *counts); /* how often a row comes out */
    struct batch *out, *keys; /* keys: rows that the walk at the end has found */
    struct state_cursor cursor;
    bool is_walked, is_last;
    uint32_t done; /* rows at hand that came out */
    int64_t given; /* how often the next one did */
    uint16_t numbers[BATCH_ROWS];
    /* beyond memory */
    struct hashed_rows beyond;
    bool is_full, is_over; /* no rows are made in memory; those put aside have come back */
    bool is_fed, is_whole; /* the rows of the stage are counted; there are no more of their hashes */
    uint32_t rest_count, fed;
    uint16_t rest[BATCH_ROWS]; /* rows of the batch that are put aside */
    uint64_t hashes[BATCH_ROWS], marks[BATCH_ROWS];
};

struct counted_plan {
    const char *name;          /* of the table */
    const char *const *counts; /* names of a row's counts, at most COUNTED_MAX */
    uint32_t count;
    const struct spill_config *spill;
    int64_t (*times)(const void *config, const int64_t *counts);
};

/* Of the operator's inputs, which differ only in what may be NULL. */
enum status counted_rows_open(struct counted_rows *s, struct op_cx *cx, const struct counted_plan *plan) CHECKED;
void counted_rows_close(struct counted_rows *s);
/* The rows of a batch are one more, or one fewer where they are taken back, by the which-th count. */
enum status counted_rows_add(struct counted_rows *s, struct op_cx *cx, const struct batch *in, uint32_t which) CHECKED;
/* Some of the rows, when all have come. S_OK: those were the last. */
enum status counted_rows_give(struct counted_rows *s, struct op_cx *cx) CHECKED;
