/* agg_stddev_pop.c - STDDEV_POP(x): standard deviation of all values; of the type of AVG; NULL over no values. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(stddev_pop, 0, true, "standard deviation of all values; of the type of AVG; NULL over no values",
             "stddev_pop(delay) AS spread",
             "STDDEV_POP([DISTINCT] number)", "SELECT STDDEV_POP(x) FROM (VALUES (1E0), (3E0)) AS t (x)", "1.0")
