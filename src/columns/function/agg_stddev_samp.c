/* agg_stddev_samp.c - STDDEV_SAMP(x): standard deviation of a sample; NULL over one value; of the type of AVG; NULL over no values. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(stddev_samp, 1, true, "standard deviation of a sample; NULL over one value; of the type of AVG; NULL over no values",
             "stddev_samp(delay) AS spread",
             "STDDEV_SAMP([DISTINCT] number)", "SELECT STDDEV_SAMP(x) FROM (VALUES (1E0), (3E0)) AS t (x)", "1.4142135623730951")
