/* agg_min.c - MIN(x) of numbers, dates and times kept in one word; NULL over no values. Words: value, number of values. */
#include "columns/function/agg_extreme.h"

static bool min_better_integer(int64_t value, int64_t best) { return value < best; }
static bool min_better_real(double value, double best) { return value < best; }
AGG_EXTREME(min, "smallest value; NULL over no values", "min(price) AS best")
