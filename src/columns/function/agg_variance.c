/* agg_variance.c - VARIANCE(x): the same as VAR_SAMP. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(variance, 1, false, "the same as VAR_SAMP", "variance(delay) AS spread",
             "VARIANCE([DISTINCT] number)", "SELECT VARIANCE(x) FROM (VALUES (1E0), (3E0)) AS t (x)", "2.0")
