/* agg_decimal.h - sums of DECIMAL in 128 bits: four words, (low, high) of the sum, the number of values, and whether there is a sum.
 * As in Flink a sum that does not fit 38 digits is lost: it is NULL, and the next value begins a new one. */
#pragma once
#include "columns/column/decimal.h"
#include "columns/function/agg_numeric.h"

#include <string.h>

enum { AGG_DECIMAL_WORDS = 4, AGG_DECIMAL_COUNT = 2, AGG_DECIMAL_HAS = 3, AGG_DECIMAL_DIGITS = 38 };

static inline bool agg_is_decimal(const struct type *t) { return t->kind == T_DECIMAL; }

static inline int128 agg_decimal(const struct vector *base, uint32_t at)
{
    int128 wide;

    if (base->phys != P_I128) return VECTOR_VALUES(base, int64_t)[at];
    memcpy(&wide, VECTOR_VALUES(base, int128) + at, sizeof wide);
    return wide;
}

static inline int128 agg_wide_get(const int64_t *words)
{
    int128 value;

    memcpy(&value, words, sizeof value);
    return value;
}
static inline void agg_wide_put(int64_t *words, int128 value) { memcpy(words, &value, sizeof value); }

/* Adds to (sum, has), not to the number of values. */
static inline void agg_wide_add(int64_t *sum, int64_t *has, int128 value)
{
    int128 total = agg_wide_get(sum);

    if (!*has) total = 0;
    *has = !__builtin_add_overflow(total, value, &total) && decimal_fits(total, AGG_DECIMAL_DIGITS);
    agg_wide_put(sum, *has ? total : 0);
}

static inline void agg_decimal_change(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n,
                                      int by)
{
    const struct vector *base = vector_values(v);

    AGG_EACH(v, rows, n, i, at)
    {
        int64_t *w = agg_word(a, acc[i], 0);
        agg_wide_add(w, &w[AGG_DECIMAL_HAS], by * agg_decimal(base, at));
        w[AGG_DECIMAL_COUNT] += by;
    }
}

static inline void agg_decimal_merge(const struct agg *a, void *const *acc, void *const *other, uint32_t n, int by)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t *w = agg_word(a, acc[i], 0);
        const int64_t *o = agg_word(a, other[i], 0);
        if (o[AGG_DECIMAL_HAS]) agg_wide_add(w, &w[AGG_DECIMAL_HAS], by * agg_wide_get(o));
        w[AGG_DECIMAL_COUNT] += by * o[AGG_DECIMAL_COUNT];
    }
}

static inline void agg_store_decimal(struct vector *out, uint32_t at, int128 value)
{
    if (out->phys == P_I128) memcpy(VECTOR_VALUES(out, int128) + at, &value, sizeof value);
    else VECTOR_VALUES(out, int64_t)[at] = (int64_t)value;
}
