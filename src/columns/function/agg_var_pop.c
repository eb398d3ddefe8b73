/* agg_var_pop.c - VAR_POP(x): variance of all values; of the type of AVG; NULL over no values. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(var_pop, 0, false, "variance of all values; of the type of AVG; NULL over no values",
             "var_pop(delay) AS spread")
