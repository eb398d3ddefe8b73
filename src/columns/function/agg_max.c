/* agg_max.c - MAX(x) of numbers, dates and times kept in one word; NULL over no values. Words: value, number of values. */
#include "columns/function/agg_extreme.h"

static bool max_better_integer(int64_t value, int64_t best) { return value > best; }
static bool max_better_real(double value, double best) { return value > best; }
AGG_EXTREME(max, "greatest value; NULL over no values", "max(price) AS best")
