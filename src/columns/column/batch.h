/* batch.h - at most 2,048 rows as columns, with row kinds, event timestamps and the watermark in force after the last row.
 *
 * Ownership: a batch is created from a mem (the producing task's) and belongs to that task's pool. Inside a chain it is
 * borrowed for the call that gets it; what must outlive the call copies. Across threads only rings pass batches, and
 * the empty shell comes back on the ring's return side. `sel` lives inside a chain and never crosses a ring. */
#pragma once
#include "columns/column/vector.h"

enum { BATCH_ROWS = 2048, BATCH_BYTES = 512 * 1024 };
enum row_kind { ROW_INSERT, ROW_UPDATE_BEFORE, ROW_UPDATE_AFTER, ROW_DELETE }; /* +I -U +U -D, Flink's bytes 0..3 */
/* Which kinds come besides +I: bits. Without BEFORE updates are upserts, told by the row after alone; BY_KEY: a -D may have nothing but
 * the columns of the key. */
enum changes { CHANGES_NONE, CHANGES_BEFORE = 1, CHANGES_AFTER = 2, CHANGES_DELETE = 4, CHANGES_DELETE_BY_KEY = 8 };

#define TIME_MIN INT64_MIN          /* no timestamp; the watermark before any */
#define WATERMARK_MAX INT64_MAX     /* end of input */

struct batch {
    const struct type *schema; /* T_ROW */
    struct vector *cols;
    uint32_t col_count;
    uint32_t count;            /* rows present */
    uint32_t capacity;
    uint32_t sel_count;        /* valid when sel is set */
    const uint16_t *sel;       /* the selected rows, ascending; NULL = all `count` */
    uint8_t *kinds;            /* NULL = all ROW_INSERT, else kinds_space */
    int64_t *times;            /* NULL = rows carry no event time, else times_space */
    int64_t watermark;         /* in force after the last row; TIME_MIN = says nothing */
    uint8_t *kinds_space;
    int64_t *times_space;
    struct text_heap heap;     /* long strings of all columns */
    struct mem *mem;
    struct batch *next;        /* free list of the owner's pool */
};

struct batch *batch_create(const struct type *schema, uint32_t capacity, struct mem *mem); /* buffers made now, for every column */
/* Like batch_create, for the needed columns only (bit i of needed; NULL = all); the others are ABSENT. */
struct batch *batch_create_needed(const struct type *schema, const uint64_t *needed, uint32_t capacity, struct mem *mem);
void batch_free(struct batch *b); /* NULL is a no-op */
void batch_clear(struct batch *b); /* empty, all FLAT, no kinds, no times, watermark TIME_MIN; buffers stay */

static inline uint32_t batch_rows(const struct batch *b) { return b->sel ? b->sel_count : b->count; }
static inline uint32_t batch_row(const struct batch *b, uint32_t i) { return b->sel ? b->sel[i] : i; }
/* for (i, row) over the selected rows */
#define BATCH_EACH(b, i, row)                                                                                          \
    for (uint32_t i = 0, row; i < batch_rows(b) && ((row = batch_row(b, i)), true); i++)

static inline enum row_kind batch_kind(const struct batch *b, uint32_t row) { return b->kinds ? (enum row_kind)b->kinds[row] : ROW_INSERT; }
static inline int64_t batch_time(const struct batch *b, uint32_t row) { return b->times ? b->times[row] : TIME_MIN; }
void batch_use_times(struct batch *b); /* switches times on; rows so far get TIME_MIN */
void batch_use_kinds(struct batch *b); /* switches kinds on; rows so far get ROW_INSERT */

/* Appends rows rows[0..n) of src (NULL = its selected rows, n ignored then) to dst: same schema; values, kinds, times.
 * Columns ABSENT on either side are skipped. dst must have room: dst->count + n <= dst->capacity. */
void batch_append(struct batch *dst, const struct batch *src, const uint16_t *rows, uint32_t n);
/* Exchanges contents of two batches of one schema whose buffers are both owned and FLAT; O(columns). */
void batch_swap(struct batch *a, struct batch *b);
/* Bytes that the rows take, long strings included; an estimate that never undercounts strings. */
size_t batch_bytes(const struct batch *b);
/* "+I[a, 1, 2001-01-01T00:00]" as Flink's Row.toString. */
void batch_print_row(const struct batch *b, uint32_t row, struct buf *out);
/* For errors: where columns are ABSENT the others have their names, "+I[n = 0]"; none of them: "+I[...]". */
void batch_show_row(const struct batch *b, uint32_t row, struct buf *out);
/* Canonical hashes of the key columns of the selected rows: out[i] for i-th selected row. One BIGINT column hashes as
 * hash64_u64 of the value; other fixed types as their int64; strings as their bytes; several columns combine in order. */
void batch_hash(const struct batch *b, const uint32_t *cols, uint32_t col_count, uint64_t *out);
/* Copies the selected rows to the front of `dst` when sel is set or any column is not FLAT; else answers b itself. */
const struct batch *batch_dense(const struct batch *b, struct batch *dst);
