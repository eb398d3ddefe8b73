/* agg_array_agg.c - ARRAY_AGG(x): all values in the order in which they came, NULLs included; NULL over no rows. */
#include "columns/function/agg_keep.h"

static enum status array_agg_bind(struct agg *a, struct arena *arena, struct err *e)
{
    if (a->argument == NULL) return err_set(e, E_GRAPH, "array_agg takes a value");
    TRY(agg_keep_bind(a, arena));
    a->result = type_list(arena, T_ARRAY, type_with_null(arena, a->argument, true), NULL, true);
    return S_OK;
}

static void array_agg_fold(const struct agg *a, struct agg_values *values, const struct agg_place *to)
{
    struct fn_run run = agg_list_run(to);

    (void)a;
    list_begin(to->out, to->row);
    while (values->next(values)) list_add_all(&run, to->out, 0, (struct list){values->v, 0, values->count});
    list_end(to->out, to->row);
    if (list_size(to->out, to->row) == 0) vector_set_null(to->out, to->row);
}

/* The list of the only row ends where its elements do. */
static void array_agg_append(const struct agg *a, const struct vector *v, uint32_t row, const struct agg_place *to)
{
    struct fn_run run = agg_list_run(to);

    (void)a;
    if (vector_is_null(to->out, to->row)) list_begin(to->out, to->row);
    vector_set_valid(to->out, to->row);
    list_add(&run, to->out, 0, v, row);
    list_end(to->out, to->row);
}

const struct agg_type agg_array_agg = {
    .name = "array_agg",
    .doc = "all values as an array, NULLs included, in the order in which they came; NULL over no rows",
    .example = "array_agg(price) AS prices",
    .usage = "ARRAY_AGG([DISTINCT] value [RESPECT NULLS | IGNORE NULLS])",
    .query = "SELECT ARRAY_AGG(x) FROM (VALUES (1), (2), (2)) AS t (x)",
    .answer = "[1, 2, 2]",
    .bind = array_agg_bind,
    .keep = AGG_KEEP_ALL,
    .keeps_null = true,
    .fold = array_agg_fold,
    .append = array_agg_append,
};
