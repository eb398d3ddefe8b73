/* rank_internal.h - what op_rank.c, rank_update.c and rank_net.c share. */
#pragma once
#include "flow/operator/order_columns.h"
#include "flow/operator/rank_config.h"
#include "flow/state/shape.h"

enum {
    RANK_WORK_MAX = 16 * BATCH_ROWS, /* rows walked in one call */
    RANK_ROW_CHANGES = 3,            /* that a row, or a step of its shift, may make */
};

struct rank_column {
    uint32_t col, field; /* of the input and the output; in the state's row */
};

struct rank {
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;      /* the sort keys of the batch */
    uint32_t *order, order_count;  /* columns */
    struct rank_column *columns;   /* that are kept: all but those of the partition */
    uint32_t column_count;
    int number_col;                /* where the place goes, or -1 */
    struct rank_net *net;          /* the changes of a batch are netted: rank_net.c; NULL: they are not */
    bool is_numbered, keeps_all;
    uint32_t *all;                 /* fields: every one */
    bool replaces;                 /* rows replace those with their unique key, see rank_update.c: */
    uint32_t *unique, unique_count, *sort, sort_count; /* fields of the state's row: of that key, of the order */
    int64_t first, last;
    struct batch *out, *same;      /* same: candidates for what is taken back */
    uint32_t done, used;           /* rows of the batch; changes in the output */
    bool is_resolved;
    void *heads[BATCH_ROWS], *rows[BATCH_ROWS];
    /* the row in work */
    bool is_begun, is_added, is_shifting, is_moving;
    void *mine, *moved;            /* its row in the state; moved down: what it was */
    int64_t place;                 /* of mine */
    void **walk;                   /* rows of its partition, in order */
    uint32_t walk_count, walk_capacity, behind; /* walk[behind..]: those after mine */
    uint32_t step, worked;
    /* changes */
    uint32_t loaded;               /* of them have their columns already */
    const void *from[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS];  /* rows of the input */
};

/* Changes of places; outside first..last nothing is told. */
void rank_put(struct rank *s, const void *row, enum row_kind kind, int64_t place);
void rank_put_update(struct rank *s, const void *before, const void *after, int64_t place, bool emit_before);
/* What was put so far is read from the state, which may then be written over. */
void rank_load(struct op_cx *cx, struct rank *s);
/* At most `limit` rows (0: all) of the partition of row i; with_key: those whose sort key is its own; behind: those after it. */
enum status rank_walk(struct op_cx *cx, struct rank *s, uint32_t i, bool with_key, bool behind, uint32_t limit) CHECKED;
uint32_t rank_walk_find(const struct rank *s, const void *row); /* index of a row that was walked, or their count */
enum status rank_insert(struct rank *s, const struct batch *in, uint32_t i) CHECKED; /* s->mine is row i */
void rank_store(struct rank *s, const struct batch *in, void *row, uint32_t number);
void rank_shift_begin(struct rank *s, uint32_t behind, int64_t place); /* rows behind mine move by one place */
/* The first of the rows walked that equals row i of the batch in these fields; NULL: none. */
void *rank_equal_find(struct rank *s, const struct batch *in, uint32_t i, const uint32_t *fields, uint32_t count);

static inline bool rank_has_room(const struct rank *s) { return s->used + RANK_ROW_CHANGES <= s->out->capacity && s->worked < RANK_WORK_MAX; }

/* rank_net.c */
bool rank_net_serves(const struct rank_config *c, const struct op_plan *p);
void rank_net_open(struct op_cx *cx, struct rank *s, struct order_column *order);
void rank_net_close(struct rank *s);
enum status rank_net_work(struct rank *s, const struct batch *in, bool emit_before) CHECKED; /* S_MORE: the output is full */

/* rank_update.c: a row that replaces the one with its unique key. */
enum status rank_update_begin(struct op_cx *cx, struct rank *s, const struct batch *in, bool emit_before) CHECKED;
