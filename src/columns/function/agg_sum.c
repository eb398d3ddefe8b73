/* agg_sum.c - SUM(x): of the type of x, wrapping like Flink's; NULL when no value came. Words: sum, number of values.
 * DECIMAL(p, s) gives DECIMAL(38, s) (agg_decimal.h).
 * Integer sums are exact both ways. Floating point is taken back where rows are (retract), as in Flink, but never where that is
 * only a short cut (unmerge): it would not give the same bits. */
#include "columns/function/agg_decimal.h"

#include <string.h>

static enum status sum_bind(struct agg *a, struct arena *arena, struct err *e)
{
    if (a->argument == NULL || !type_is_numeric(a->argument))
        return err_set(e, E_GRAPH, "sum takes a number");
    if (agg_is_decimal(a->argument)) {
        a->words = AGG_DECIMAL_WORDS;
        a->result = type_new(arena, T_DECIMAL, AGG_DECIMAL_DIGITS, a->argument->scale, true);
        return S_OK;
    }
    a->words = 2;
    a->result = type_with_null(arena, a->argument, true);
    return S_OK;
}

static void change_integer(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n, int64_t by)
{
    const struct vector *base = vector_values(v);

    AGG_EACH(v, rows, n, i, at)
    {
        int64_t *w = agg_word(a, acc[i], 0);
        w[0] = (int64_t)((uint64_t)w[0] + (uint64_t)by * (uint64_t)agg_integer(base, at));
        w[1] += by;
    }
}

static void change_real(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n, int by)
{
    const struct vector *base = vector_values(v);

    AGG_EACH(v, rows, n, i, at)
    {
        int64_t *w = agg_word(a, acc[i], 0);
        double sum;
        memcpy(&sum, w, sizeof sum);
        sum += by * agg_real(base, at);
        memcpy(w, &sum, sizeof sum);
        w[1] += by;
    }
}

static void sum_add(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    if (agg_is_decimal(a->argument)) agg_decimal_change(a, acc, v, rows, n, 1);
    else if (agg_is_real(a->argument)) change_real(a, acc, v, rows, n, 1);
    else change_integer(a, acc, v, rows, n, 1);
}

static void sum_retract(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    if (agg_is_decimal(a->argument)) agg_decimal_change(a, acc, v, rows, n, -1);
    else if (agg_is_real(a->argument)) change_real(a, acc, v, rows, n, -1);
    else change_integer(a, acc, v, rows, n, -1);
}

static void sum_merge(const struct agg *a, void *const *acc, void *const *other, uint32_t n)
{
    if (agg_is_decimal(a->argument)) {
        agg_decimal_merge(a, acc, other, n, 1);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t *w = agg_word(a, acc[i], 0);
        const int64_t *o = agg_word(a, other[i], 0);
        if (agg_is_real(a->argument)) {
            double x, y;
            memcpy(&x, w, sizeof x);
            memcpy(&y, o, sizeof y);
            x += y;
            memcpy(w, &x, sizeof x);
        } else {
            w[0] = (int64_t)((uint64_t)w[0] + (uint64_t)o[0]);
        }
        w[1] += o[1];
    }
}

static void sum_unmerge(const struct agg *a, void *const *acc, void *const *other, uint32_t n)
{
    if (agg_is_decimal(a->argument)) {
        agg_decimal_merge(a, acc, other, n, -1);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t *w = agg_word(a, acc[i], 0);
        const int64_t *o = agg_word(a, other[i], 0);
        w[0] = (int64_t)((uint64_t)w[0] - (uint64_t)o[0]);
        w[1] -= o[1];
    }
}

static void decimal_result(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first)
{
    for (uint32_t i = 0; i < n; i++) {
        const int64_t *w = agg_word(a, acc[i], 0);
        if (w[AGG_DECIMAL_COUNT] == 0 || !w[AGG_DECIMAL_HAS]) vector_set_null(out, first + i);
        else agg_store_decimal(out, first + i, agg_wide_get(w));
    }
}

static void sum_result(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first)
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
        else if (agg_is_real(a->argument)) agg_store_real(out, first + i, real);
        else agg_store_integer(out, first + i, w[0]);
    }
}

const struct agg_type agg_sum = {
    .name = "sum",
    .doc = "sum of the values, of their type; integers wrap on overflow; NULL over no values",
    .example = "sum(price) AS total",
    .usage = "SUM([DISTINCT] number)",
    .query = "SELECT SUM(x), SUM(DISTINCT x) FROM (VALUES (1), (2), (2)) AS t (x)",
    .answer = "5 | 3",
    .bind = sum_bind,
    .add = sum_add,
    .retract = sum_retract,
    .merge = sum_merge,
    .unmerge = sum_unmerge,
    .result = sum_result,
};
