/* agg_numeric.h - reading numbers of any fixed width as int64 or double, for the aggregates that compute. */
#pragma once
#include "columns/function/agg.h"

static inline bool agg_is_real(const struct type *t) { return t->phys == P_F32 || t->phys == P_F64; }
static inline bool agg_is_integer(const struct type *t) { return t->phys >= P_I8 && t->phys <= P_I64; }

static inline int64_t agg_integer(const struct vector *v, uint32_t at)
{
    switch (v->phys) {
    case P_I8: return VECTOR_VALUES(v, int8_t)[at];
    case P_I16: return VECTOR_VALUES(v, int16_t)[at];
    case P_I32: return VECTOR_VALUES(v, int32_t)[at];
    default: return VECTOR_VALUES(v, int64_t)[at];
    }
}

static inline double agg_real(const struct vector *v, uint32_t at)
{
    return v->phys == P_F32 ? (double)VECTOR_VALUES(v, float)[at] : VECTOR_VALUES(v, double)[at];
}

/* Stores an int64 into a column of any integer width; what does not fit wraps, as in Java. */
static inline void agg_store_integer(struct vector *v, uint32_t at, int64_t value)
{
    switch (v->phys) {
    case P_I8: VECTOR_VALUES(v, int8_t)[at] = (int8_t)value; break;
    case P_I16: VECTOR_VALUES(v, int16_t)[at] = (int16_t)value; break;
    case P_I32: VECTOR_VALUES(v, int32_t)[at] = (int32_t)value; break;
    default: VECTOR_VALUES(v, int64_t)[at] = value; break;
    }
}

static inline void agg_store_real(struct vector *v, uint32_t at, double value)
{
    if (v->phys == P_F32) VECTOR_VALUES(v, float)[at] = (float)value;
    else VECTOR_VALUES(v, double)[at] = value;
}

/* for (i) over rows whose value is not NULL: `at` indexes the values of `base`. */
#define AGG_EACH(v, rows, n, i, at)                                                                                    \
    for (uint32_t i = 0, at; i < (n); i++)                                                                             \
        if (!vector_is_null((v), (rows) != NULL ? (rows)[i] : i) && ((at = vector_at((v), (rows) != NULL ? (rows)[i] : i)), true))
