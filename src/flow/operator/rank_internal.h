/* rank_internal.h - what the files of operator rank share.
 *
 * op_rank.c  configuration, opening, a batch, what goes out
 * rank_rows.c  the rows of a partition in their order: where one stands, which one stands at a place
 * rank_row.c  row by row: one that comes or goes, and what that does to the places behind it
 * rank_update.c  row by row: one that replaces the one with its unique key
 * rank_keys.c  where many places are: from unique keys to sort keys
 * rank_ties.c  where rows are taken back: those of one sort key by what they are, once they are many
 * rank_batch.c  a batch's changes are netted, however many places there are
 * rank_net.c  the same, where rows are only added and places are few
 * rank_part.c  the first rows as far as they are known, for rank_sorted */
#pragma once
#include "flow/operator/order_columns.h"
#include "flow/operator/rank_config.h"
#include "flow/state/shape.h"

enum {
    RANK_WORK_MAX = 16 * BATCH_ROWS, /* rows looked at in one call */
    RANK_ROW_CHANGES = 3,            /* that a row, or a step of its shift, may make */
    RANK_WALK = 32,                  /* rows among which one is looked for one by one; among more there is an index */
};

struct rank_column {
    uint32_t col, field; /* of the input and the output; in the state's row */
};

/* Rows of a partition one after the other, by their numbers in the order, from 0 on. */
struct rank_cursor {
    struct state_range range;
    struct state_scan scan;
    bool is_read; /* no more hits come */
    uint32_t at;  /* of hits */
    struct state_hits hits;
};

enum rank_telling { TELL_NOTHING, TELL_EDGES, TELL_SHIFT };

struct rank {
    const struct op_plan *plan;
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;      /* the sort keys of the batch */
    uint32_t *order, order_count;  /* columns */
    bool has_numbers;              /* sort keys end in a number, by which rows of equal ones are told apart: rank_rows.c */
    uint32_t number_offset;
    char *low;                     /* a sort key with the least of these */
    struct vector *view;           /* columns of the batch, and zeros for the number */
    struct rank_ties *ties;        /* NULL: rows are not taken back */
    struct rank_keys *keys;        /* NULL: rows are not replaced, or places are few */
    struct rank_column *columns;   /* that are kept: all but those of the partition */
    uint32_t column_count;
    int number_col;                /* where the place goes, or -1 */
    struct rank_net *net;          /* the changes of a batch are netted: rank_net.c; NULL: they are not */
    struct rank_batch *batch;      /* the same by rank_batch.c */
    bool is_numbered, keeps_all, forgets;
    uint32_t *all;                 /* fields: every one */
    bool replaces;                 /* rows replace those with their unique key, see rank_update.c: */
    uint32_t *unique, unique_count, *sort, sort_count; /* fields of the state's row: of that key, of the order */
    int64_t first, last;
    struct batch *out, *same;      /* same: candidates for what is taken back */
    uint32_t done, used, worked;   /* rows of the batch; changes in the output; rows looked at in this call */
    bool is_resolved;
    void *heads[BATCH_ROWS];
    /* the row in work */
    bool is_begun, is_added;
    uint8_t telling;               /* enum rank_telling */
    void *mine, *fallen;           /* its row in the state; the one that has no place any more */
    int64_t before, total;         /* rows before mine; of the partition, without mine */
    /* rows behind mine, that move by one place */
    struct rank_cursor cursor;
    void *hold, *risen;            /* the row before the next one; a row that rises: what it was */
    int64_t place, place_last;     /* the next one, the last one */
    bool is_moving;                /* to place_last, or from there */
    /* the first of two phases */
    struct batch *part;            /* keys of the partitions at hand; NULL: it is none */
    struct state_cursor part_cursor;
    uint32_t part_count, part_place;
    bool part_walked, part_last, part_given, part_is_out; /* part_given: the batch is in the state, which is full; part_is_out: all of it came out */
    /* changes */
    uint32_t loaded;               /* of them have their columns already */
    const void *from[BATCH_ROWS];
    uint16_t numbers[BATCH_ROWS];  /* rows of the input */
};

static inline bool rank_has_room(const struct rank *s)
{
    return s->used + RANK_ROW_CHANGES <= s->out->capacity && s->worked < RANK_WORK_MAX;
}
static inline bool rank_is_told(const struct rank *s, int64_t place) { return place >= s->first && place <= s->last; }

/* op_rank.c: changes. Those of places outside first..last are not told by rank_put_update. */
void rank_put(struct rank *s, const void *row, enum row_kind kind, int64_t place);
void rank_put_update(struct rank *s, const void *before, const void *after, int64_t place, bool emit_before);
/* What was put so far is read from the state, which may then be written over. */
void rank_load(struct rank *s);

void rank_emit(struct op_cx *cx, struct rank *s, const struct batch *in); /* all that was put; keys are those of rows of `in` */

/* rank_part.c */
bool rank_part_is_full(const struct op_cx *cx, const struct rank_config *c);
enum status rank_part_give(struct op_cx *cx, struct rank *s) CHECKED; /* S_MORE: some of all that is held; S_OK: the rest */

/* rank_ties.c: rows of the partition of row i of the batch whose sort key ends in such a number. */
enum status rank_ties_open(struct op_cx *cx, struct rank *s) CHECKED;
void rank_ties_close(struct rank *s);
enum status rank_ties_ready(struct rank *s, const struct batch *in) CHECKED; /* before one is added or taken */
enum status rank_ties_add(struct rank *s, uint32_t i, int64_t number) CHECKED;
/* The first that equals row i, and its entry; NULL: none does. */
enum status rank_ties_find(struct rank *s, const struct batch *in, uint32_t i, void **entry, void **row) CHECKED;
enum status rank_ties_entry(struct rank *s, uint32_t i, int64_t number, void **entry) CHECKED; /* of the row that equals row i, and has it */
void rank_ties_drop(struct rank *s, uint32_t i, void *entry);
void rank_ties_done(struct rank *s); /* the batch is */

/* rank_keys.c: by the unique key of row i of the batch. */
bool rank_keys_serve(const struct rank_config *c);
enum status rank_keys_open(struct op_cx *cx, struct rank *s, const struct rank_config *c) CHECKED;
void rank_keys_close(struct rank *s);
enum status rank_keys_resolve(struct rank *s, const struct batch *in) CHECKED;
enum status rank_keys_find(struct rank *s, uint32_t i, void **row, uint32_t *at) CHECKED; /* NULL: none; at: how many stand before */
void rank_keys_set(struct rank *s, const struct batch *in, uint32_t i, int64_t number);   /* row i has its sort key, and this number */
void rank_keys_touch(struct rank *s, uint32_t i);
void rank_keys_forget(struct rank *s, const struct batch *in, uint32_t i, const void *row); /* it falls out of the places */
enum status rank_keys_end(struct rank *s) CHECKED; /* of the batch, but for state_done */
void rank_keys_done(struct rank *s);

/* rank_rows.c; row i of the batch. Those that may answer S_PENDING, or S_MORE, are asked again with the same arguments. */
enum status rank_insert(struct rank *s, const struct batch *in, uint32_t i) CHECKED; /* s->mine is row i */
void rank_store(struct rank *s, const struct batch *in, void *row, uint32_t number);
void rank_rows_open(struct op_cx *cx, struct rank *s); /* once the probe is there */
void rank_probe(struct rank *s, const struct batch *in);
int64_t rank_number(const struct rank *s, void *row); /* in which its sort key ends */
/* The row of the partition of row i with the sort key of row i and that number. NULL: there is none. */
enum status rank_numbered(struct rank *s, uint32_t i, int64_t number, void **row) CHECKED;
/* Rows of its partition whose sort keys are less than its own, and with `equal` those of its own; and all of them. */
enum status rank_before(struct rank *s, uint32_t i, bool equal, int64_t *count) CHECKED;
enum status rank_total(struct rank *s, uint32_t i, int64_t *count) CHECKED;
enum status rank_at(struct rank *s, uint32_t i, int64_t number, void **row) CHECKED; /* NULL: there are fewer */
/* The first row that equals row i, and its number among those with its sort key. NULL: none. It is to be taken out of the order. */
enum status rank_find(struct rank *s, const struct batch *in, uint32_t i, void **row, uint32_t *at) CHECKED;
/* The row with the unique key of row i, and its number in the order. NULL: none. */
enum status rank_find_key(struct rank *s, const struct batch *in, uint32_t i, void **row, uint32_t *at) CHECKED;
bool rank_is_equal(struct rank *s, const struct batch *in, uint32_t i, void *row, const uint32_t *fields, uint32_t count); /* in these */
void rank_cursor_open(struct rank_cursor *c, int64_t from, int64_t end); /* numbers; end: behind the last */
enum status rank_cursor_next(struct rank *s, struct rank_cursor *c, void *head, void **row) CHECKED; /* NULL: behind the end */

/* rank_row.c */
enum status rank_row_work(struct rank *s, const struct batch *in, bool emit_before) CHECKED; /* the batch; S_MORE: the output is full */
void rank_shift_begin(struct rank *s, int64_t place, int64_t place_last, int64_t end);

/* rank_batch.c */
bool rank_batch_serves(const struct rank_config *c);
void rank_batch_open(struct op_cx *cx, struct rank *s);
void rank_batch_close(struct rank *s);
bool rank_batch_is_gone(const struct rank *s, const void *row); /* taken back in this batch */
enum status rank_batch_work(struct rank *s, const struct op_plan *p, const struct batch *in, bool emit_before) CHECKED; /* the same */

/* rank_net.c */
bool rank_net_serves(const struct rank_config *c, const struct op_plan *p);
void rank_net_open(struct op_cx *cx, struct rank *s, struct order_column *order);
void rank_net_close(struct rank *s);
void rank_net_forget(struct rank *s); /* the state is empty now */
enum status rank_net_place(struct rank *s, const struct batch *in) CHECKED; /* without telling */
enum status rank_net_work(struct rank *s, const struct batch *in, bool emit_before) CHECKED; /* S_MORE: the output is full */

/* rank_update.c: a row that replaces the one with its unique key. */
enum status rank_update_begin(struct rank *s, const struct batch *in, bool emit_before) CHECKED;
