/* agg_count.c - COUNT(*) and COUNT(x): rows, or rows whose x is not NULL. One word. Exact both ways. */
#include "columns/function/agg.h"

static enum status count_bind(struct agg *a, struct arena *arena, struct err *e)
{
    (void)e;
    a->words = 1;
    a->result = type_new(arena, T_BIGINT, 0, 0, false);
    return S_OK;
}

static void count_change(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n, int64_t by)
{
    bool all = a->argument == NULL || (v->form == VEC_FLAT && v->validity == NULL);

    for (uint32_t i = 0; i < n; i++)
        if (all || !vector_is_null(v, rows != NULL ? rows[i] : i)) *agg_word(a, acc[i], 0) += by;
}

static void count_add(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    count_change(a, acc, v, rows, n, 1);
}

static void count_retract(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    count_change(a, acc, v, rows, n, -1);
}

static void count_merge(const struct agg *a, void *const *acc, void *const *other, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) *agg_word(a, acc[i], 0) += *agg_word(a, other[i], 0);
}

static void count_unmerge(const struct agg *a, void *const *acc, void *const *other, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) *agg_word(a, acc[i], 0) -= *agg_word(a, other[i], 0);
}

static void count_result(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first)
{
    int64_t *values = VECTOR_VALUES(out, int64_t) + first;

    for (uint32_t i = 0; i < n; i++) values[i] = *agg_word(a, acc[i], 0);
}

const struct agg_type agg_count = {
    .name = "count",
    .doc = "number of rows, or of rows whose argument is not NULL",
    .example = "count(*) AS n",
    .usage = "COUNT(*), COUNT([DISTINCT] value)",
    .query = "SELECT COUNT(*), COUNT(x), COUNT(DISTINCT x) FROM (VALUES (1), (1), (CAST(NULL AS INT))) AS t (x)",
    .answer = "3 | 2 | 1",
    .bind = count_bind,
    .add = count_add,
    .retract = count_retract,
    .merge = count_merge,
    .unmerge = count_unmerge,
    .result = count_result,
};
