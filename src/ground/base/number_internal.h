/* number_internal.h - what reading and writing of floating point share. */
#pragma once
#include "ground/base/base.h"

enum { FIVES_MAX = 27 };
extern const uint64_t number_fives[FIVES_MAX + 1]; /* 5^0 to 5^27, the last that fits 64 bits */

/* 10^exponent, exactly; exponent <= FIVES_MAX. */
static inline uint128 number_ten_to(int exponent) { return (uint128)number_fives[exponent] << exponent; }
