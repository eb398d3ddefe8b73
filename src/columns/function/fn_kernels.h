/* fn_kernels.h - the loops that kernels share, over all rows, with one side constant or both flat. A body sees a (and b) and
 * answers a value. */
#pragma once
#include "columns/function/fn.h"

#define FN_BINARY_LOOP(TA, TR, BODY)                                                                                   \
    do {                                                                                                               \
        const TA *x = args[0]->data, *y = args[1]->data;                                                               \
        TR *restrict res = out->data;                                                                                  \
        bool cx = args[0]->form == VEC_CONST, cy = args[1]->form == VEC_CONST;                                         \
        if (cy) {                                                                                                      \
            const TA b = y[0];                                                                                         \
            for (uint32_t i = 0; i < r->count; i++) {                                                                  \
                const TA a = x[cx ? 0 : i];                                                                            \
                res[i] = (TR)(BODY);                                                                                   \
            }                                                                                                          \
        } else if (cx) {                                                                                               \
            const TA a = x[0];                                                                                         \
            for (uint32_t i = 0; i < r->count; i++) {                                                                  \
                const TA b = y[i];                                                                                     \
                res[i] = (TR)(BODY);                                                                                   \
            }                                                                                                          \
        } else {                                                                                                       \
            for (uint32_t i = 0; i < r->count; i++) {                                                                  \
                const TA a = x[i], b = y[i];                                                                           \
                res[i] = (TR)(BODY);                                                                                   \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#define FN_BINARY(NAME, TA, TR, BODY)                                                                                  \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        FN_BINARY_LOOP(TA, TR, BODY);                                                                                  \
    }

#define FN_UNARY(NAME, TA, TR, BODY)                                                                                   \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        const TA *x = args[0]->data;                                                                                   \
        TR *restrict res = out->data;                                                                                  \
        bool cx = args[0]->form == VEC_CONST;                                                                          \
        for (uint32_t i = 0; i < r->count; i++) {                                                                      \
            const TA a = x[cx ? 0 : i];                                                                                \
            res[i] = (TR)(BODY);                                                                                       \
        }                                                                                                              \
    }

/* Is an argument of a strict function NULL in this row? Kernels that can fail must not look at such rows. */
static inline bool fn_is_null(const struct vector *const *args, uint32_t count, uint32_t row)
{
    for (uint32_t i = 0; i < count; i++)
        if (vector_is_null(args[i], row)) return true;
    return false;
}
/* Rows that count and whose arguments are all there. */
#define FN_EACH_VALID(r, args, n, i)                                                                                   \
    FN_EACH(r, i)                                                                                                      \
    if (!fn_is_null((args), (n), i))

static inline const struct text *fn_text(const struct vector *v, uint32_t row) { return &VECTOR_VALUES(v, struct text)[vector_at(v, row)]; }
static inline struct str fn_str(const struct vector *v, uint32_t row) { return text_str(fn_text(v, row)); }
/* The bytes of a long text some rows ahead, which need not count. */
enum { FN_AHEAD = 8 };
static inline __attribute__((always_inline)) void fn_text_fetch(const struct fn_run *r, const struct vector *v, uint32_t row)
{
    if (row < r->count && v->form == VEC_FLAT && VECTOR_VALUES(v, struct text)[row].size > TEXT_INLINE)
        __builtin_prefetch(VECTOR_VALUES(v, struct text)[row].far);
}
static inline void fn_put(const struct fn_run *r, struct vector *out, uint32_t row, struct str s)
{
    VECTOR_VALUES(out, struct text)[row] = s.size <= TEXT_INLINE ? text_of_short(s.data, s.size) : text_put(r->heap, s.data, s.size);
}

/* DECIMAL of either width. */
static inline int128 fn_decimal(const struct vector *v, uint32_t row)
{
    uint32_t at = vector_at(v, row);
    return v->phys == P_I64 ? (int128)VECTOR_VALUES(v, int64_t)[at] : VECTOR_VALUES(v, int128)[at];
}
static inline void fn_put_decimal(struct vector *out, uint32_t row, int128 value)
{
    if (out->phys == P_I64) VECTOR_VALUES(out, int64_t)[row] = (int64_t)value;
    else VECTOR_VALUES(out, int128)[row] = value;
}

/* Kernel by physical type: tables end with run == NULL. */
struct fn_by_phys {
    uint8_t phys;
    fn_kernel run;
};
static inline fn_kernel fn_for_phys(const struct fn_by_phys *table, uint8_t phys)
{
    while (table->run != NULL && table->phys != phys) table++;
    return table->run;
}
