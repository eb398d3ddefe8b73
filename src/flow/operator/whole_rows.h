/* whole_rows.h - state under whole rows: all columns are the key, those of the stream's key first, as they decide the key group. */
#pragma once
#include "flow/operator/op.h"
#include "flow/state/shape.h"

struct whole_rows {
    struct state_def def;
    struct state_table *table;
    const struct type *key;
    uint32_t *cols, col_count; /* key field i is column cols[i] of the input */
    uint32_t key_count;        /* of the stream: the first ones */
    bool is_resolved;
    void *rows[BATCH_ROWS];
};

/* Rows of all inputs, which differ only in what may be NULL. */
const struct type *whole_rows_type(const struct op_plan *p);
/* Opens the table `name` with so many BIGINT values a row; `ttl_ms` 0: kept for ever. Keys of input 0. */
enum status whole_rows_open(struct whole_rows *w, struct op_cx *cx, const char *name, const char *const *values, uint32_t count,
                            int64_t ttl_ms) CHECKED;
/* Finds or makes the rows of a batch: w->rows[i] is that of the i-th selected one. Once per batch; may answer S_PENDING. */
enum status whole_rows_resolve(struct whole_rows *w, const struct batch *in) CHECKED;
/* The same of rows that are there; w->rows[i] of others is NULL. hashes[i]: of the i-th. Once per batch, too. */
enum status whole_rows_find(struct whole_rows *w, const struct batch *in, uint64_t *hashes) CHECKED;
void whole_rows_done(struct whole_rows *w); /* the batch is done */
void whole_rows_close(struct whole_rows *w);

static inline int64_t *whole_rows_value(const struct whole_rows *w, void *row, uint32_t i)
{
    return state_word(row, w->table->value.fields[i].offset);
}
