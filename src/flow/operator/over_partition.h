/* over_partition.h - SQL's functions OVER windows in batch mode: the configuration, and what the files of the operator share.
 *
 * op_over_partition.c  rows are sorted, cut into partitions, and go out behind each other with their results
 * over_frame.c  which rows belong to the frame of a row
 * over_places.c  places of rows: RANK and its like, LAG, LEAD
 * over_fold.c  aggregates of the rows of a frame */
#pragma once
#include "flow/operator/group_calls.h"
#include "flow/operator/row_sort.h"

/* Parallel lists, of each call. */
struct over_partition_config {
    struct group_config calls;           /* first; without filters. Functions: aggregates and those of over_places.c */
    struct text_list order, directions, nulls;
    struct text_list frames;             /* "rows", "range" */
    struct text_list from, to;           /* rows, or values, off the current one; empty: as far as the partition goes */
    struct text_list offsets, otherwise; /* of LAG, LEAD, NTILE; a column, empty: none */
    struct spill_config spill;
};

/* Off the current row: OVER_ALL_BEFORE, OVER_ALL_BEHIND: no bound. */
#define OVER_ALL_BEFORE INT64_MIN
#define OVER_ALL_BEHIND INT64_MAX
struct part_frame {
    bool rows; /* else values of the order's one column; 0: rows of equal places */
    int64_t from, to;
};

struct over_partition;
struct part_call;

/* A function that is no aggregate: the results of rows s->at..s->at + s->chunk of the partition, behind s->base of the output. */
struct over_place {
    const char *name;
    bool is_double; /* DOUBLE, else BIGINT; unless it has a value */
    bool has_value; /* of its type, and may be NULL */
    void (*run)(struct over_partition *s, struct part_call *c, struct vector *out);
};
const struct over_place *over_place_find(const char *name); /* NULL: an aggregate */

struct part_call {
    struct group_call call;         /* of a function that is no aggregate: agg.col, agg.argument, agg.result */
    const struct over_place *place; /* NULL: an aggregate */
    struct part_frame frame;
    int64_t offset;
    int otherwise;
    bool takes_back; /* rows that leave the frame are taken back: exactly the same comes out */
    /* positions of rows: the frame of the row at hand, and what was taken up so far */
    uint32_t from, to;
    uint32_t lo, hi;
    uint32_t best;         /* FIRST, LAST: that position; UINT32_MAX: none yet */
    uint32_t *queue;       /* LEAST, GREATEST: positions that are, or may become, the result, in order */
    uint32_t queue_first, queue_count, queue_capacity;
    char *acc, *copies;    /* words; as they stand behind each row of a chunk */
};

struct over_partition {
    const struct over_partition_config *config;
    struct part_call *calls;
    uint32_t call_count, first_result;
    struct order_column *by; /* the partition's columns, then those of the order */
    uint32_t key_count, order_count;
    struct row_sort sort;
    struct kept_rows rows, spare; /* sorted ones: whole partitions, and the beginning of another; the other one is empty */
    struct batch *stage, *out;
    uint32_t first, end; /* the partition at hand, of rows */
    uint32_t scanned;    /* rows that were looked at for its end */
    bool has_end, is_over; /* its end is known; no more rows come from the sort */
    /* some of its rows: */
    uint32_t at, chunk;         /* chunk 0: none */
    uint32_t base;              /* rows of the output before them */
    bool is_sent;               /* the output went out */
    uint32_t call, row;         /* where the work stands */
    uint32_t worked;
    uint32_t peers_first, peers_end, dense; /* of the last row: rows of its place, and how many places there were */
    uint32_t peer_first[BATCH_ROWS], peer_end[BATCH_ROWS], places[BATCH_ROWS]; /* of rows at.. */
    uint32_t *unique, *counts, *table; /* of COLLECT: positions of different values, how often, by hash */
    uint32_t unique_capacity;
    struct vector stretch;             /* values for a fold */
    struct buf scratch;
    void *accs[BATCH_ROWS];
};

enum { OVER_WORK_MAX = 8 * BATCH_ROWS }; /* rows looked at in one call */

/* over_frame.c: c->from, c->to of the row at that position. */
void over_frame_of(struct over_partition *s, struct part_call *c, uint32_t position);
/* Can frames with bounds be made of values of such a column? */
bool over_frame_fits(const struct type *t);

/* over_fold.c */
enum status over_fold_open(struct op_cx *cx, struct over_partition *s, struct part_call *c) CHECKED;
void over_fold_close(struct op_cx *cx, struct over_partition *s, struct part_call *c);
void over_fold_begin(struct part_call *c, uint32_t first); /* a partition */
/* The rows of the chunk from s->row on. S_MORE: time is up. */
enum status over_fold_run(struct op_cx *cx, struct over_partition *s, struct part_call *c, uint32_t col) CHECKED;
