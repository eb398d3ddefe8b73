/* row_sort.h - rows that an operator sorts when its input has ended: added batch by batch, then given back in order. Stable. What does not
 * fit the memory it is given goes to files, sorted.
 *
 * Every call is bounded: it answers S_MORE when it has worked for long enough, and is called again with the same arguments. */
#pragma once
#include "flow/operator/kept_rows.h"
#include "flow/operator/row_runs.h"

struct row_sort {
    const struct order_column *by;
    uint32_t by_count;
    struct kept_rows rows;
    uint64_t *prefixes;        /* by row number: rows whose first values differ enough are told apart without looking at them */
    uint32_t prefix_count;     /* of a row: 2 where those of the first column are all of its value */
    uint32_t *numbers, *space; /* of the rows, as they are sorted so far; the other half of merging */
    uint32_t width;            /* stretches of so many numbers are in order; 0: nothing is yet */
    uint32_t first, left, right, to; /* the pair of stretches at hand, and where its merging stands */
    uint32_t at, fetched;      /* rows that were given back; that are on their way from memory */
    bool is_sorted;
    /* beyond memory */
    struct row_runs runs;
    struct batch *block; /* what is written, or merged, at once */
    size_t bytes;        /* of the rows that are in memory, and of sorting them */
    uint32_t pass_left, merged; /* runs that this pass has not come to; that are merged into one */
    bool is_spilling, is_writing, is_merging; /* is_merging: the runs that are left, or some of them into one more */
};

void row_sort_init(struct row_sort *s, struct op_cx *cx, const struct spill_config *spill, const struct type *schema, const uint64_t *needed,
                   const struct order_column *by, uint32_t by_count);
void row_sort_release(struct row_sort *s); /* also of a cleared struct */
/* Copies the selected rows. E_BUDGET when there are too many, E_IO where files cannot be written. */
enum status row_sort_add(struct row_sort *s, const struct batch *in) CHECKED;
/* Appends the next rows to out, at most `room`. S_OK: that was the last one; S_MORE: there may be more. Nothing is added any more. */
enum status row_sort_next(struct row_sort *s, struct batch *out, uint32_t room) CHECKED;
