/* lookup_table.h - what a lookup join asks: rows of a table, found by key. A connector that finds keys by itself (lookup.h) is asked for
 * those of a batch together; of any other whose source comes to an end that is read. Flink's 'lookup.cache' says how: FULL = it is read
 * whole, and again when it is told to be read again; PARTIAL = it is asked, or read, for the keys that come, and what was found is kept;
 * NONE = nothing is kept. */
#pragma once
#include "columns/expr/expr.h"
#include "flow/connector/connector.h"
#include "flow/connector/lookup_cache.h"

struct lookup_spec {
    const struct conn_type *conn;
    const struct options *options;
    const struct type *schema; /* of the source */
    const struct text_list *metadata; /* of its last columns */
    const struct fn_session *session;
    struct expr *condition;      /* over it: which rows are kept; NULL: all */
    struct expr *const *columns; /* over it: what is kept of them */
    const struct type *row;      /* of these */
    const uint32_t *keys;        /* of these, columns by which rows are found */
    uint32_t key_count;
    uint64_t null_safe; /* bit k: NULL equals NULL in key k */
    /* Keys without rows are asked for again, so often and after so long; not where the table is read whole. */
    int64_t retries, retry_delay_ms;
    /* Of a connector that finds keys by itself: its keys, over a row of the columns `keys` as `key_row` has them: one of them each, or a
     * constant. Keys of the join that are none of these are compared with the rows that it finds. */
    const struct type *key_row;
    struct expr *const *asks;
    uint32_t ask_count;
};

extern const struct option_def lookup_options[];
/* Can it be asked at all? E_CONFIG names the option that stands in the way; E_UNSUPPORTED: its source has no end. */
enum status lookup_check(const struct conn_type *conn, const struct options *o, struct err *e) CHECKED;

int64_t lookup_max_retries(const struct conn_type *conn, const struct options *o); /* how often asking that failed is repeated */
/* The cache that the options ask for, empty; NULL: none, as the table is read whole. */
struct lookup_cache *lookup_table_cache(const struct lookup_spec *spec, struct mem *mem, struct arena *a);

struct lookup_table;
enum status lookup_table_create(struct op_cx *op, const struct lookup_spec *spec, struct lookup_table **out) CHECKED;
void lookup_table_free(struct lookup_table *t); /* NULL is a no-op */
/* Before a batch passes: all that its keys (columns cols, hashes as batch_hash) find is there when it answers S_OK. S_MORE: call again,
 * S_PENDING: not before op_wake_at, or an error. Blocks where its connector does. */
enum status lookup_table_ask(struct lookup_table *t, const struct batch *in, const uint32_t *cols, const uint64_t *hashes);

/* The rows whose keys equal those of row `row` of `in` (columns cols, hash as batch_hash), one by one in the order they were read:
 * *cursor 0 begins, false ends. */
bool lookup_table_next(const struct lookup_table *t, const struct batch *in, const uint32_t *cols, uint32_t row,
                       uint64_t hash, uint64_t *cursor, struct lookup_hit *out);
