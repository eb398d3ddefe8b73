/* rolling.h - the aggregated column of a rolling aggregate: sum, min or max per key, row by row and in order.
 *
 * `state[i]` is the state row of the i-th input row; equal keys share one. A new one (bit of `created`) takes the value as
 * it is. Integers wrap as Java's do, each in its own width; reals order -0 before 0 and NaN last, as Java's compareTo. */
#pragma once
#include "flow/state/state.h"

enum rolling_kind { ROLLING_SUM, ROLLING_MIN, ROLLING_MAX, ROLLING_MIN_BY, ROLLING_MAX_BY, ROLLING_MIN_BY_LAST, ROLLING_MAX_BY_LAST };
/* Of equal extremes the latest counts, not the first. */
static inline bool rolling_takes_equal(enum rolling_kind k) { return k >= ROLLING_MIN_BY_LAST; }

/* May a column of that type be aggregated so? */
bool rolling_accepts(enum rolling_kind kind, const struct type *t);

struct rolling_run {
    enum rolling_kind kind;
    struct state_table *table;
    uint32_t field;            /* of the table's row: the aggregate */
    void *const *state;
    const uint64_t *created;   /* bit first + i belongs to row i */
    uint32_t first, count;
    const uint16_t *rows;      /* row numbers in `in` */
    const struct vector *in;   /* no NULLs among these rows */
    struct vector *out;        /* NULL = nobody reads it; else rows 0..count are filled */
    struct text_heap *heap;    /* of out */
    bool *won;                 /* NULL, or room for count: the i-th row is the new extreme of its key */
};
void rolling_apply(const struct rolling_run *r);
