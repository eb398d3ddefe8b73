/* agg_first_value.c - FIRST_VALUE(x): the first value that came and is not NULL; NULL over no values. The value is kept. */
#include "columns/function/agg_keep.h"

static enum status first_value_bind(struct agg *a, struct arena *arena, struct err *e)
{
    return a->argument != NULL ? agg_keep_bind(a, arena) : err_set(e, E_GRAPH, "first_value takes a value");
}

const struct agg_type agg_first_value = {
    .name = "first_value",
    .doc = "the first value that is not NULL; NULL over no values",
    .example = "first_value(price) AS opening",
    .usage = "FIRST_VALUE(value)",
    .query = "SELECT FIRST_VALUE(x) FROM (VALUES (1), (2), (2)) AS t (x)",
    .answer = "1",
    .bind = first_value_bind,
    .keep = AGG_KEEP_FIRST,
};
