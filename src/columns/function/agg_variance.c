/* agg_variance.c - VARIANCE(x): the same as VAR_SAMP. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(variance, 1, false, "the same as VAR_SAMP", "variance(delay) AS spread")
