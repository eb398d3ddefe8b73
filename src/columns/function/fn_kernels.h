/* fn_kernels.h - the loops that binary kernels share: both flat, one constant. A body sees a, b and answers a value. */
#pragma once
#include "columns/function/fn.h"

#define FN_BINARY_LOOP(TA, TR, BODY)                                                                                   \
    do {                                                                                                               \
        const TA *x = args[0]->data, *y = args[1]->data;                                                               \
        TR *restrict r = out->data;                                                                                    \
        bool cx = args[0]->form == VEC_CONST, cy = args[1]->form == VEC_CONST;                                         \
        if (cy) {                                                                                                      \
            const TA b = y[0];                                                                                         \
            for (uint32_t i = 0; i < n; i++) {                                                                         \
                const TA a = x[cx ? 0 : i];                                                                            \
                r[i] = (TR)(BODY);                                                                                     \
            }                                                                                                          \
        } else if (cx) {                                                                                               \
            const TA a = x[0];                                                                                         \
            for (uint32_t i = 0; i < n; i++) {                                                                         \
                const TA b = y[i];                                                                                     \
                r[i] = (TR)(BODY);                                                                                     \
            }                                                                                                          \
        } else {                                                                                                       \
            for (uint32_t i = 0; i < n; i++) {                                                                         \
                const TA a = x[i], b = y[i];                                                                           \
                r[i] = (TR)(BODY);                                                                                     \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#define FN_BINARY(NAME, TA, TR, BODY)                                                                                  \
    static void NAME(const struct vector *const *args, uint32_t n, struct vector *out, struct row_errors *errors)      \
    {                                                                                                                  \
        (void)errors;                                                                                                  \
        FN_BINARY_LOOP(TA, TR, BODY);                                                                                  \
    }
