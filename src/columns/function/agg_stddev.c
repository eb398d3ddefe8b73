/* agg_stddev.c - STDDEV(x): the same as STDDEV_SAMP. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(stddev, 1, true, "the same as STDDEV_SAMP", "stddev(delay) AS spread",
             "STDDEV([DISTINCT] number)", "SELECT STDDEV(x) FROM (VALUES (1E0), (3E0)) AS t (x)", "1.4142135623730951")
