/* agg_variance.h - the body of VAR_POP, VAR_SAMP, STDDEV_POP, STDDEV_SAMP and their other names: Welford's sums in doubles, whatever
 * the argument is, and the result turned into AVG's type of it as CAST does, as in Flink. Words: number of values, mean, sum of squared
 * distances from it. */
#pragma once
#include "columns/function/agg_decimal.h"

#include <math.h>
#include <string.h>

enum { VARIANCE_WORDS = 3 };

struct variance {
    int64_t count;
    double mean, squares;
};
_Static_assert(sizeof(struct variance) == VARIANCE_WORDS * 8, "an accumulator is words");

static inline struct variance *variance_at(const struct agg *a, void *acc) { return (struct variance *)(void *)agg_word(a, acc, 0); }

static inline enum status variance_bind(struct agg *a, struct arena *arena, struct err *e)
{
    if (a->argument == NULL || !type_is_numeric(a->argument)) return err_set(e, E_GRAPH, "%s takes a number", a->type->name);
    a->words = VARIANCE_WORDS;
    a->result = type_with_null(arena, a->argument, true);
    if (agg_is_decimal(a->argument))
        a->result = type_new(arena, T_DECIMAL, AGG_DECIMAL_DIGITS, MAX(a->argument->scale, 6), true);
    return S_OK;
}

static inline double variance_value(const struct agg *a, const struct vector *base, uint32_t at)
{
    if (agg_is_decimal(a->argument)) return decimal_to_double(agg_decimal(base, at), a->argument->scale);
    return agg_is_real(a->argument) ? agg_real(base, at) : (double)agg_integer(base, at);
}

static inline void variance_add(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    const struct vector *base = vector_values(v);

    AGG_EACH(v, rows, n, i, at)
    {
        struct variance *w = variance_at(a, acc[i]);
        double value = variance_value(a, base, at), distance = value - w->mean;
        w->count++;
        w->mean += distance / (double)w->count;
        w->squares += distance * (value - w->mean);
    }
}

static inline void variance_retract(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n)
{
    const struct vector *base = vector_values(v);

    AGG_EACH(v, rows, n, i, at)
    {
        struct variance *w = variance_at(a, acc[i]);
        double value = variance_value(a, base, at), distance = value - w->mean;
        if (--w->count == 0) {
            w->mean = w->squares = 0;
            continue;
        }
        w->mean -= distance / (double)w->count;
        w->squares -= distance * (value - w->mean);
    }
}

static inline void variance_merge(const struct agg *a, void *const *acc, void *const *other, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct variance *w = variance_at(a, acc[i]);
        const struct variance *o = variance_at(a, other[i]);
        int64_t count = w->count + o->count;
        double distance = o->mean - w->mean;
        if (o->count == 0) continue;
        w->mean += distance * (double)o->count / (double)count;
        w->squares += o->squares + distance * distance * (double)w->count * (double)o->count / (double)count;
        w->count = count;
    }
}

/* Java's narrowing of a double: what does not fit becomes the nearest value, and then loses its upper bits. */
static inline int64_t variance_integer(const struct type *t, double value)
{
    double most = t->phys == P_I64 ? 9223372036854775808.0 : 2147483647.0;

    if (isnan(value)) return 0;
    if (value >= most) return t->phys == P_I64 ? INT64_MAX : INT32_MAX;
    return (int64_t)value;
}

static inline void variance_store(const struct agg *a, struct vector *out, uint32_t row, double value)
{
    int128 exact;

    if (agg_is_real(a->argument)) agg_store_real(out, row, value);
    else if (!agg_is_decimal(a->argument)) agg_store_integer(out, row, variance_integer(a->argument, value));
    else if (decimal_from_double(value, AGG_DECIMAL_DIGITS, a->result->scale, &exact)) agg_store_decimal(out, row, exact);
    else vector_set_null(out, row);
}

/* less: 1 for a sample, 0 for all values. */
static inline void variance_results(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first, int64_t less,
                                   bool root)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct variance *w = variance_at(a, acc[i]);
        double value = w->squares / (double)(w->count - less);
        if (w->count <= less) vector_set_null(out, first + i);
        else variance_store(a, out, first + i, root ? sqrt(value) : value);
    }
}

#define AGG_VARIANCE(NAME, LESS, ROOT, DOC, EXAMPLE, USAGE, QUERY, ANSWER)                                             \
    static void NAME##_result(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first)   \
    {                                                                                                                  \
        variance_results(a, acc, n, out, first, LESS, ROOT);                                                           \
    }                                                                                                                  \
    const struct agg_type agg_##NAME = {                                                                               \
        .name = #NAME,                                                                                                 \
        .doc = DOC,                                                                                                    \
        .example = EXAMPLE,                                                                                            \
        .usage = USAGE,                                                                                                \
        .query = QUERY,                                                                                                \
        .answer = ANSWER,                                                                                              \
        .bind = variance_bind,                                                                                         \
        .add = variance_add,                                                                                           \
        .retract = variance_retract,                                                                                   \
        .merge = variance_merge,                                                                                       \
        .result = NAME##_result,                                                                                       \
    };
