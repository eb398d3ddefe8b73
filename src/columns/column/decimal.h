/* decimal.h - DECIMAL(p,s) to 38 digits as unscaled int64 (p <= 18) or int128, with 256-bit intermediates. Half-up
 * rounding as Java's BigDecimal in Flink. Every function answers false on overflow of the result's precision. */
#pragma once
#include "columns/column/type.h"

bool decimal_parse(struct str text, int precision, int scale, int128 *out) CHECKED; /* "-12.340", exponents; rounds half up */
void decimal_print(int128 unscaled, int scale, struct buf *out);
bool decimal_fits(int128 unscaled, int precision);
bool decimal_rescale(int128 value, int from_scale, int to_scale, int precision, int128 *out) CHECKED;
bool decimal_add(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out) CHECKED;
bool decimal_multiply(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out) CHECKED;
bool decimal_divide(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out) CHECKED; /* b != 0 */
double decimal_to_double(int128 value, int scale);
bool decimal_from_double(double value, int precision, int scale, int128 *out) CHECKED;
int128 decimal_power10(int n); /* 0..38 */
