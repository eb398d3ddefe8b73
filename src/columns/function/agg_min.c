/* agg_min.c - MIN(x) of what can be ordered; NULL over no values. Words of what fits in one: value, number of values. */
#include "columns/function/agg_extreme.h"

static bool min_better_integer(int64_t value, int64_t best) { return value < best; }
static bool min_better_real(double value, double best) { return value < best; }
AGG_EXTREME(min, AGG_KEEP_LEAST, "smallest value; NULL over no values", "min(price) AS best",
            "MIN(value)", "SELECT MIN(x) FROM (VALUES (1), (2), (2)) AS t (x)", "1")
