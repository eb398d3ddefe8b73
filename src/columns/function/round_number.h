/* round_number.h - one number rounded to so many digits behind the decimal point; fewer than none rounds before it. */
#pragma once
#include "columns/function/fn_kernels.h"

enum round_mode { ROUND_HALF_UP, ROUND_DOWN }; /* ties away from zero; toward zero */

/* What does not fit 64 bits wraps, as Java's conversion does. */
int64_t round_int64(int64_t value, int64_t digits, enum round_mode mode);
/* Into the scale and precision of `to`; false when that has no room. */
bool round_decimal(int128 value, int32_t scale, int64_t digits, enum round_mode mode, const struct type *to,
                   int128 *out) CHECKED;
/* By the shortest decimal text of the number. False when it is not finite. */
bool round_double(double value, int64_t digits, double *out) CHECKED;
/* As Flink: through DECIMAL(38, 18). False when it is not finite, or 10^20 and more. */
bool truncate_double(double value, int64_t digits, double *out) CHECKED;
