/* join_side.h - what a join keeps of one input: the rows under each key, in the shape that fits them, and for an input whose
 * rows are told when nothing matches them, how many rows of the other input match each. */
#pragma once
#include "flow/operator/op.h"
#include "flow/state/shape.h"

enum join_shape {
    JOIN_ROW,     /* one row per key */
    JOIN_ENTRIES, /* rows by a unique key, which replaces them */
    JOIN_LOG,     /* rows that never go but by their time to live */
    JOIN_PACKED,  /* rows that never go */
    JOIN_ROWS,    /* equal rows are counted */
};

/* What is known of a side. */
struct join_side_spec {
    const char *name; /* of its state */
    uint32_t input;
    bool is_one_row, is_after_only, appends;
    bool counts;          /* matches are counted */
    bool has_many_others; /* than one: no column is left to the other side to keep */
    const uint64_t *kept; /* columns that somebody reads */
    const uint32_t *unique;
    uint32_t unique_count;
    int64_t ttl_ms;
};

/* The last change of a key in a batch. */
struct join_last {
    const void *row;
    uint32_t generation;
    uint16_t number;
    bool is_there;
};

struct join_side {
    enum join_shape shape;
    bool counts, is_after_only;
    struct state_def def;
    struct state_table *table;
    uint32_t col_count, *cols; /* of the input, which are kept */
    int *fields;               /* per column of the input: its field, or -1 */
    uint32_t *twins;           /* per column: the key column of the other input that has its value; JOIN_NO_TWIN: it is kept */
    uint32_t matches;          /* JOIN_ROW: field */
    const uint32_t *unique;
    struct state_probe values, unique_keys;
    /* The batch in work. */
    void *heads[BATCH_ROWS];            /* per row; NULL: nothing is there, or the row has no key */
    void *rows[BATCH_ROWS];             /* where its own rows lie; NULL: they are gone */
    uint64_t replaces[BATCH_ROWS / 64]; /* rows that take the place of one with the same unique key */
    uint32_t generation;
    struct join_last last[2 * BATCH_ROWS];
};

/* A side's matches are counted where it is outer, or where only its rows come out. */
enum status join_side_open(struct op_cx *cx, struct join_side *s, const struct join_side_spec *spec) CHECKED;
void join_side_close(struct op_cx *cx, struct join_side *s); /* also when it was not opened */

/* Heads of the keys of a batch of the other input, or of its own. A row whose bit is set in no_key has none. May be pending. */
enum status join_side_find(struct join_side *s, const struct state_keys *keys, const uint64_t *no_key) CHECKED;
enum status join_side_reserve(struct join_side *s, const struct state_keys *keys, const uint64_t *no_key) CHECKED;
/* The rows of the heads; as state_scan. */
enum status join_side_scan(struct join_side *s, uint32_t count, struct state_scan *scan,
                           struct state_hits *hits) CHECKED;
/* Takes the rows of a batch of its own in, in order: E_BUDGET. */
enum status join_side_apply(struct join_side *s, const struct batch *in) CHECKED;

static inline bool join_adds(const struct batch *in, uint32_t row)
{
    enum row_kind kind = batch_kind(in, row);

    return kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
}
/* How many rows stand for this one. */
static inline uint32_t join_row_count(const struct join_side *s, const void *row)
{
    return s->shape == JOIN_ROWS ? state_element_of(s->table, row)->count : 1;
}
uint32_t join_matches(const struct join_side *s, const void *row);
/* Of a row that a scan found under the i-th head. */
void join_matches_change(struct join_side *s, uint32_t i, void *row, uint32_t matches);
/* Of its own row number i of the batch. */
void join_matches_set(struct join_side *s, uint32_t i, uint32_t matches);
