/* wide.h - unsigned 256-bit integers, for the intermediate values of decimals. */
#pragma once
#include "ground/base/base.h"

struct wide {
    uint64_t w[4]; /* least significant first */
};

static inline struct wide wide_of(uint128 v)
{
    return (struct wide){{(uint64_t)v, (uint64_t)(v >> 64), 0, 0}};
}
static inline bool wide_is_zero(struct wide a) { return (a.w[0] | a.w[1] | a.w[2] | a.w[3]) == 0; }
static inline bool wide_fits_128(struct wide a) { return (a.w[2] | a.w[3]) == 0; }
static inline uint128 wide_low(struct wide a) { return (uint128)a.w[1] << 64 | a.w[0]; }

int wide_compare(struct wide a, struct wide b);
bool wide_add(struct wide a, struct wide b, struct wide *out) CHECKED; /* false on overflow */
struct wide wide_subtract(struct wide a, struct wide b);               /* a >= b */
struct wide wide_multiply_128(uint128 a, uint128 b);                   /* never overflows */
bool wide_multiply(struct wide a, uint128 b, struct wide *out) CHECKED; /* false on overflow */
/* a / b with the remainder; b != 0. */
struct wide wide_divide(struct wide a, struct wide b, struct wide *remainder);
