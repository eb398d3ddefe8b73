/* agg_var_samp.c - VAR_SAMP(x): variance of a sample; NULL over one value; of the type of AVG; NULL over no values. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(var_samp, 1, false, "variance of a sample; NULL over one value; of the type of AVG; NULL over no values",
             "var_samp(delay) AS spread",
             "VAR_SAMP([DISTINCT] number)", "SELECT VAR_SAMP(x) FROM (VALUES (1E0), (3E0)) AS t (x)", "2.0")
