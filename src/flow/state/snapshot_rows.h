/* snapshot_rows.h - between rows of tables and columns. Internal to flow/state. */
#pragma once
#include "flow/state/shape.h"
#include "flow/state/snapshot_schema.h"

enum { STATE_KEY_COLS = 64 }; /* more a key has not */

/* The inner key, value and element columns, and the stamp, of rows rows[0..n), behind those that b has; b->count stays. */
void columns_of_rows(struct state_table *t, const struct state_schema *s, void *const *rows, uint32_t n, struct batch *b);

/* Rows on their way into a table. */
struct rows_in {
    struct state_table *table;
    struct state_probe value, extra; /* as the table's shape needs them */
    uint32_t key_cols[STATE_KEY_COLS];
    uint32_t *value_cols, *extra_cols;
    struct buf places;
    void *heads[BATCH_ROWS], *rows[BATCH_ROWS];
};
/* own: the table's schema. */
enum status rows_in_open(struct rows_in *in, struct state_table *t, const struct state_schema *own, struct arena *a, struct err *e) CHECKED;
void rows_in_close(struct rows_in *in); /* all zero is a no-op */
/* Puts in the rows sel[0..count) of b (NULL = 0..count-1), whose columns are those of s: a schema that fits the table's. All of namespace
 * ns; hashes[i] belongs to the i-th. E_DATA: values that cannot be; E_BUDGET. */
enum status rows_in_put(struct rows_in *in, const struct state_schema *s, const struct batch *b, int64_t ns, const uint16_t *sel,
                        uint32_t count, const uint64_t *hashes, struct err *e) CHECKED;
/* The same of rows whose keys are not there and come once: faster, where the backend and the shape have a way. Not seen before rows_in_end. */
enum status rows_in_append(struct rows_in *in, const struct state_schema *s, const struct batch *b, int64_t ns, const uint16_t *sel,
                           uint32_t count, const uint64_t *hashes, struct err *e) CHECKED;
enum status rows_in_end(struct rows_in *in, struct err *e) CHECKED;
