/* agg_var_pop.c - VAR_POP(x): variance of all values; of the type of AVG; NULL over no values. */
#include "columns/function/agg_variance.h"

AGG_VARIANCE(var_pop, 0, false, "variance of all values; of the type of AVG; NULL over no values",
             "var_pop(delay) AS spread",
             "VAR_POP([DISTINCT] number)", "SELECT VAR_POP(x) FROM (VALUES (1E0), (3E0)) AS t (x)", "1.0")
