/* agg_stddev.c - STDDEV(x): the same as STDDEV_SAMP. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(stddev, 1, true, "the same as STDDEV_SAMP", "stddev(delay) AS spread")
