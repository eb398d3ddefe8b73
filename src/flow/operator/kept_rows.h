/* kept_rows.h - rows that an operator holds back until its input ends: appended batch by batch, then walked in groups of
 * equal keys, or sorted. A row's number is its place in the order of arrival. */
#pragma once
#include "columns/column/batch.h"
#include "flow/operator/order_columns.h"

enum { KEPT_ROWS_MAX = UINT32_MAX - 1 };

struct kept_pages;
struct spill_config;

struct kept_rows {
    struct mem *mem;
    const struct type *schema;
    const uint64_t *needed;    /* columns to keep; NULL = all */
    struct batch **batches;    /* full, or closed early because of long strings; NULL: it lies in a file */
    uint32_t batch_count, batch_capacity;
    uint32_t made;             /* batches that are there, those behind batch_count empty */
    uint32_t *firsts;          /* number of the first row of each batch */
    uint32_t count;
    struct kept_pages *pages;  /* NULL: all batches are in memory */
};

void kept_rows_init(struct kept_rows *k, const struct type *schema, const uint64_t *needed, struct mem *mem);
void kept_rows_release(struct kept_rows *k);
void kept_rows_clear(struct kept_rows *k); /* no rows; the batches stay for others */
/* Once it is initialised: batches that take more than spill->memory go to a file. Rows may then be added and looked at, not ordered; two
 * batches at a time are there. */
void kept_rows_page(struct kept_rows *k, struct op_cx *cx, const struct spill_config *spill);
enum status kept_rows_failed(const struct kept_rows *k) CHECKED; /* why rows that were looked at are not the right ones, if so */
/* Copies the selected rows. E_BUDGET when there are too many. */
enum status kept_rows_add(struct kept_rows *k, const struct batch *in) CHECKED;
/* Batch and row of a row's number. */
const struct batch *kept_rows_at(const struct kept_rows *k, uint32_t number, uint32_t *row);

/* All row numbers, sorted: groups of equal keys together in the order in which keys first came (cols NULL: one group),
 * and within a group by `by`, where nothing says otherwise as they came. Stable. */
struct kept_order {
    uint32_t *numbers;
    uint32_t *group_ends;      /* per group: the index behind its last number */
    uint32_t group_count;
};
void kept_rows_order(const struct kept_rows *k, const uint32_t *cols, uint32_t col_count, const struct order_column *by, uint32_t by_count,
                     struct kept_order *out);
void kept_order_release(struct kept_order *o, struct mem *mem);

/* Rows that are copied soon: what lies far apart is on its way meanwhile. For rows without pages. */
void kept_rows_prefetch(const struct kept_rows *k, const uint32_t *numbers, uint32_t n);
/* A stretch of numbers[0..n) that lie in one batch, ascending: their rows into `rows`, at most BATCH_ROWS. */
uint32_t kept_rows_run(const struct kept_rows *k, const uint32_t *numbers, uint32_t n, const struct batch **batch, uint16_t *rows);
