/* agg_extreme.h - the body that MIN and MAX share; each file gives the two comparisons and expands AGG_EXTREME. What does not fit in
 * a word, and values that may be taken back, are kept (AGG_KEEP_LEAST, AGG_KEEP_GREATEST). */
#pragma once
#include "columns/function/agg_keep.h"
#include "columns/function/agg_numeric.h"

#include <string.h>

static inline enum status extreme_bind(struct agg *a, struct arena *arena, struct err *e)
{
    if (a->argument == NULL || a->argument->phys == P_LIST || a->argument->phys == P_ROW || a->argument->kind == T_NULL)
        return err_set(e, E_GRAPH, "%s takes values that can be ordered: numbers, texts, dates and times", a->type->name);
    if (!agg_is_integer(a->argument) && !agg_is_real(a->argument)) return agg_keep_bind(a, arena);
    a->words = 2;
    a->result = type_with_null(arena, a->argument, true);
    return S_OK;
}

static inline void extreme_result(const struct agg *a, void *const *acc, uint32_t n, struct vector *out, uint32_t first)
{
    for (uint32_t i = 0; i < n; i++) {
        const int64_t *w = agg_word(a, acc[i], 0);
        double real;
        memcpy(&real, w, sizeof real);
        if (w[1] == 0) vector_set_null(out, first + i);
        else if (agg_is_real(a->argument)) agg_store_real(out, first + i, real);
        else agg_store_integer(out, first + i, w[0]);
    }
}

#define AGG_EXTREME(NAME, KEEP, DOC, EXAMPLE, USAGE, QUERY, ANSWER)                                                    \
    static void NAME##_take(const struct agg *a, int64_t *w, int64_t word)                                             \
    {                                                                                                                  \
        double value, best;                                                                                            \
        memcpy(&value, &word, sizeof value);                                                                           \
        memcpy(&best, w, sizeof best);                                                                                 \
        bool better = agg_is_real(a->argument) ? NAME##_better_real(value, best) : NAME##_better_integer(word, *w);    \
        if (w[1] == 0 || better) w[0] = word;                                                                          \
        w[1]++;                                                                                                        \
    }                                                                                                                  \
    static void NAME##_add(const struct agg *a, void *const *acc, const struct vector *v, const uint16_t *rows, uint32_t n) \
    {                                                                                                                  \
        const struct vector *base = vector_values(v);                                                                  \
        AGG_EACH(v, rows, n, i, at)                                                                                    \
        {                                                                                                              \
            int64_t word;                                                                                              \
            double real = agg_is_real(a->argument) ? agg_real(base, at) : 0;                                           \
            if (agg_is_real(a->argument)) memcpy(&word, &real, sizeof word);                                           \
            else word = agg_integer(base, at);                                                                         \
            NAME##_take(a, agg_word(a, acc[i], 0), word);                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void NAME##_merge(const struct agg *a, void *const *acc, void *const *other, uint32_t n)                    \
    {                                                                                                                  \
        for (uint32_t i = 0; i < n; i++) {                                                                             \
            const int64_t *o = agg_word(a, other[i], 0);                                                               \
            if (o[1] > 0) NAME##_take(a, agg_word(a, acc[i], 0), o[0]);                                                \
        }                                                                                                              \
    }                                                                                                                  \
    const struct agg_type agg_##NAME = {                                                                               \
        .name = #NAME,                                                                                                 \
        .doc = DOC,                                                                                                    \
        .example = EXAMPLE,                                                                                            \
        .usage = USAGE,                                                                                                \
        .query = QUERY,                                                                                                \
        .answer = ANSWER,                                                                                              \
        .bind = extreme_bind,                                                                                          \
        .add = NAME##_add,                                                                                             \
        .merge = NAME##_merge,                                                                                         \
        .result = extreme_result,                                                                                      \
        .keep = KEEP,                                                                                                  \
    };
