/* upsert_rows.h - of a table with a primary key that a changelog is written into: for each of its keys the rows that the changelog
 * has there now, in the order in which they came, so that the one before comes back when the last one goes.
 *
 * Rows are told apart by the changelog's own key, or by all their columns where it has none; then equal rows are counted, and a row
 * stands where it came last. A change costs the same however many rows a key has: one table finds a row's place, the other has the
 * rows by their places. */
#pragma once
#include "flow/operator/op.h"
#include "flow/state/shape.h"

/* Configuration of operators sink_materialize and sink_compact. */
struct upsert_config {
    struct text_list unique; /* the changelog's key; empty: it has none */
    bool fails;              /* sink_compact: a second row under a key is an error, else it is left out */
    int64_t ttl_ms;          /* 0: for ever */
};
extern const struct config_field upsert_config_fields[];
enum status upsert_derive(struct op_plan *p, const void *config, struct err *e) CHECKED; /* both operators' hook */

struct upsert_rows {
    struct state_def rows_def, places_def;
    struct state_table *rows, *places;
    uint32_t *id_cols, id_count;   /* of the input, those of the primary key first */
    uint32_t *cols, col_count;     /* kept: what is not of the primary key */
    bool is_unique;                /* rows have a key of their own */
    uint32_t place_at, count_at;   /* words in the row of `places` */
    struct state_probe probe;      /* one place */
    struct batch *one;             /* the column that fills it */
    bool is_resolved;
    void *heads[BATCH_ROWS], *found[BATCH_ROWS]; /* per row of the batch: of `rows`, of `places` */
};

enum status upsert_open(struct op_cx *cx, struct upsert_rows *u, const struct upsert_config *c) CHECKED;
void upsert_close(struct upsert_rows *u); /* also when it was not opened */
/* Finds what the rows of a batch concern; may be pending. Good until upsert_done. */
enum status upsert_resolve(struct op_cx *cx, struct upsert_rows *u, const struct batch *in) CHECKED;
void upsert_done(struct upsert_rows *u);
/* Row i of the batch is there (again): *row is where it lies. May be pending, before anything is changed. */
enum status upsert_add(struct upsert_rows *u, const struct batch *in, uint32_t i, void **row) CHECKED;
/* Row i goes: *row is where it lay, readable until upsert_done; NULL: it is there still, or it was not there but others are. was_last:
 * the key has had no later one. Of a key without rows what goes is taken as having been there. */
enum status upsert_remove(struct upsert_rows *u, const struct batch *in, uint32_t i, void **row, bool *was_last) CHECKED;
static inline void *upsert_edge(struct upsert_rows *u, uint32_t i, bool last) { return state_ordered_edge(u->rows, 0, u->heads[i], last); }
static inline uint32_t upsert_count(const struct upsert_rows *u, uint32_t i) { return state_head_rows(u->heads[i]); }
