/* agg_max.c - MAX(x) of what can be ordered; NULL over no values. Words of what fits in one: value, number of values. */
#include "columns/function/agg_extreme.h"

static bool max_better_integer(int64_t value, int64_t best) { return value > best; }
static bool max_better_real(double value, double best) { return value > best; }
AGG_EXTREME(max, AGG_KEEP_GREATEST, "greatest value; NULL over no values", "max(price) AS best",
            "MAX(value)", "SELECT MAX(x) FROM (VALUES (1), (2), (2)) AS t (x)", "2")
