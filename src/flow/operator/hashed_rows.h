/* hashed_rows.h - rows that did not fit an operator's memory, to come back when its input has ended, sorted by the hash of their keys:
 * rows of equal keys come together, whatever the keys' types are, and sorting compares numbers. Rows of one hash come as they were
 * added, or by a column. The lower half of a hash may be that of something else (halves): then the upper half alone is that of the keys. Every call is bounded, as those of row_sort.h. */
#pragma once
#include "flow/operator/row_sort.h"

struct hashed_rows {
    struct op_cx *cx;
    struct row_sort sort;
    const struct type *input, *schema; /* the columns of the input, then the hash and the mark */
    uint64_t *needed;
    struct spill_config spill;
    struct order_column by[2];
    uint32_t by_count;
    bool halves, is_adding, is_staged, is_over;
    struct batch *stage, *spare; /* the next rows; the other one is empty */
    uint64_t count;              /* rows that were added */
    size_t bytes;
};

/* memory: bytes before rows go to files. Columns that the operator needs of that input are kept. */
void hashed_rows_init(struct hashed_rows *h, struct op_cx *cx, const struct spill_config *spill, int64_t memory,
                      uint32_t input, bool halves);
void hashed_rows_order(struct hashed_rows *h, uint32_t col); /* before rows are added: those of one hash by that column of the input; they have no marks */
void hashed_rows_clear(struct hashed_rows *h); /* as it was at first */
void hashed_rows_release(struct hashed_rows *h); /* also of a cleared struct */
/* Copies the selected rows; hashes[i] and marks[i] (NULL: zero) are those of the i-th. S_MORE: call again, the arguments do not count then. */
enum status hashed_rows_add(struct hashed_rows *h, const struct batch *in, const uint64_t *hashes,
                            const uint64_t *marks) CHECKED;
/* Fills the stage behind rows that are still there, until it is full or there are no more (is_over). */
enum status hashed_rows_next(struct hashed_rows *h) CHECKED;
/* The first rows of the stage leave it. */
void hashed_rows_take(struct hashed_rows *h, uint32_t count);
/* How many rows of the stage, from the first on, are all that have their hashes. */
uint32_t hashed_rows_whole(const struct hashed_rows *h);
/* The first rows of the stage as a batch of the input's columns; good until the stage changes. */
struct batch hashed_rows_view(const struct hashed_rows *h, uint32_t count);
static inline const uint64_t *hashed_rows_hashes(const struct hashed_rows *h)
{
    return h->stage->cols[h->input->child_count].data;
}
static inline uint64_t *hashed_rows_marks(const struct hashed_rows *h)
{
    return h->stage->cols[h->input->child_count + 1].data;
}
