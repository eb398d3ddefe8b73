/* join_bounds.h - conditions of a join that bound how far the times of its two sides may lie apart. */
#pragma once
#include "language/plan/rel.h"

/* What conditions say together. */
struct time_bounds {
    bool any, has_lower, has_upper;
    bool processing_time;
    uint32_t times[2];          /* columns of each side */
    int64_t lower_ms, upper_ms; /* of left time - right time */
};

/* Takes x, over the columns of both sides (`left` of the left one), into the bounds when it compares a time attribute of one side
 * with one of the other; false: it does not, or speaks of other columns than those before. rows: of the sides. */
bool time_bounds_take(const struct expr_maker *m, const struct type *const rows[2], uint32_t left, const struct expr *x,
                      struct time_bounds *b);
static inline bool time_bounds_are_closed(const struct time_bounds *b) { return b->has_lower && b->has_upper; }
