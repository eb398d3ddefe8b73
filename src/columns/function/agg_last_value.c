/* agg_last_value.c - LAST_VALUE(x): the last value that came and is not NULL; NULL over no values. The value is kept. */
#include "columns/function/agg_keep.h"

static enum status last_value_bind(struct agg *a, struct arena *arena, struct err *e)
{
    return a->argument != NULL ? agg_keep_bind(a, arena) : err_set(e, E_GRAPH, "last_value takes a value");
}

const struct agg_type agg_last_value = {
    .name = "last_value",
    .doc = "the last value that is not NULL; NULL over no values",
    .example = "last_value(price) AS closing",
    .usage = "LAST_VALUE(value)",
    .query = "SELECT LAST_VALUE(x) FROM (VALUES (1), (2), (CAST(NULL AS INT))) AS t (x)",
    .answer = "2",
    .bind = last_value_bind,
    .keep = AGG_KEEP_LAST,
};
