/* agg_collect.c - COLLECT(x): the values as a multiset, each with its number; NULLs are passed over. */
#include "columns/function/agg_keep.h"

static enum status collect_bind(struct agg *a, struct arena *arena, struct err *e)
{
    if (a->argument == NULL) return err_set(e, E_GRAPH, "collect takes a value");
    TRY(agg_keep_bind(a, arena));
    a->result = type_list(arena, T_MULTISET, a->argument, NULL, false);
    return S_OK;
}

static void collect_fold(const struct agg *a, struct agg_values *values, const struct agg_place *to)
{
    struct fn_run run = agg_list_run(to);

    (void)a;
    list_begin(to->out, to->row);
    while (values->next(values)) {
        struct vector *counts = &to->out->children[1];
        list_add_all(&run, to->out, 0, (struct list){values->v, 0, values->count});
        vector_child_reserve(to->out, to->out->children[0].used, to->mem);
        for (uint32_t i = 0; i < values->count; i++) VECTOR_VALUES(counts, int32_t)[counts->used++] = (int32_t)values->counts[i];
    }
    list_end(to->out, to->row);
}

/* The multiset of the only row ends where its elements do. */
static void collect_append(const struct agg *a, const struct vector *v, uint32_t row, const struct agg_place *to)
{
    struct list_ref so_far = VECTOR_VALUES(to->out, struct list_ref)[to->row];
    struct fn_run run = agg_list_run(to);
    struct vector *values = &to->out->children[0], *counts = &to->out->children[1];

    (void)a;
    for (uint32_t i = so_far.first; i < so_far.first + so_far.count; i++)
        if (vector_compare(values, i, v, row) == 0) {
            VECTOR_VALUES(counts, int32_t)[i]++;
            return;
        }
    list_add(&run, to->out, 0, v, row);
    vector_child_reserve(to->out, values->used, to->mem);
    VECTOR_VALUES(counts, int32_t)[counts->used++] = 1;
    list_end(to->out, to->row);
}

const struct agg_type agg_collect = {
    .name = "collect",
    .doc = "the values as a multiset, without NULLs",
    .example = "collect(price) AS prices",
    .usage = "COLLECT([DISTINCT] value)",
    .query = "SELECT COLLECT(x) FROM (VALUES ('a'), ('a')) AS t (x)",
    .answer = "{a=2}",
    .bind = collect_bind,
    .keep = AGG_KEEP_COUNTED,
    .fold = collect_fold,
    .append = collect_append,
};
