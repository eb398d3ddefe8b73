/* agg_avg.c - AVG(x): of the type of x, integers divided toward zero as in Flink; NULL over no values. It keeps what
 * agg_sum keeps (sum, number of values) and only answers differently. DECIMAL(p, s) gives DECIMAL(38, max(6, s)). */
#include "columns/function/agg_decimal.h"

#include <string.h>

extern const struct agg_type agg_sum;

static enum status avg_bind(struct agg *a, struct arena *arena, struct err *e)
{
    enum status st = agg_sum.bind(a, arena, e);

    if (st != S_OK) return err_wrap(e, "avg");
    if (agg_is_decimal(a->argument))
        a->result = type_new(arena, T_DECIMAL, AGG_DECIMAL_DIGITS, MAX(a->argument->scale, 6), true);
    return S_OK;
}

static void avg_add(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    agg_sum.add(a, acc, v, rows, n);
}

static void avg_retract(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    agg_sum.retract(a, acc, v, rows, n);
}

static void avg_merge(const struct agg *a, void *const *acc, void *const *other, uint32_t n) { agg_sum.merge(a, acc, other, n); }
static void avg_unmerge(const struct agg *a, void *const *acc, void *const *other, uint32_t n) { agg_sum.unmerge(a, acc, other, n); }

static void decimal_result(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first)
{
    for (uint32_t i = 0; i < n; i++) {
        const int64_t *w = agg_word(a, acc[i], 0);
        int64_t count = w[AGG_DECIMAL_COUNT];
        int128 mean;
        if (count == 0 || !w[AGG_DECIMAL_HAS] ||
            !decimal_divide(agg_wide_get(w), a->argument->scale, count, 0, AGG_DECIMAL_DIGITS, a->result->scale, &mean))
            vector_set_null(out, first + i);
        else agg_store_decimal(out, first + i, mean);
    }
}

static void avg_result(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first)
{
    if (agg_is_decimal(a->argument)) {
        decimal_result(a, acc, n, out, first);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const int64_t *w = agg_word(a, acc[i], 0);
        double real;
        memcpy(&real, w, sizeof real);
        if (w[1] == 0) vector_set_null(out, first + i);
        else if (agg_is_real(a->argument)) agg_store_real(out, first + i, real / (double)w[1]);
        else agg_store_integer(out, first + i, w[0] / w[1]);
    }
}

const struct agg_type agg_avg = {
    .name = "avg",
    .doc = "mean of the values, of their type; integers are divided toward zero; NULL over no values",
    .example = "avg(delay) AS mean_delay",
    .usage = "AVG([DISTINCT] number)",
    .query = "SELECT AVG(x), AVG(CAST(x AS DOUBLE)) FROM (VALUES (1), (2)) AS t (x)",
    .answer = "1 | 1.5",
    .bind = avg_bind,
    .add = avg_add,
    .retract = avg_retract,
    .merge = avg_merge,
    .unmerge = avg_unmerge,
    .result = avg_result,
};
