/* decimal.c - exact decimals: an unscaled int128 and a scale, results rounded half up (away from zero at a tie).
 *
 * Every operation works on magnitudes and puts the sign on last. Where all intermediate values provably fit 128 bits
 * they stay there; else they are 256 bits wide: a sum after alignment is below 2 * 10^76, a product below 10^76, both
 * fit. The numerator of a quotient may not fit, but then the quotient has more than 38 digits anyway. Overflow of the
 * result's precision answers false; nothing wraps. */
#include "columns/column/decimal.h"
#include "columns/column/wide.h"

#include "ground/base/str.h"

#include <string.h>

enum { DIGITS_MAX = 38, SCALE_ANY_MAX = 76, EXPONENT_MAX = 1000000 };

int128 decimal_power10(int n)
{
    static const uint64_t low[] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
        100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
        100000000000000000, 1000000000000000000, 10000000000000000000u,
    };

    ASSERT(n >= 0 && n <= DIGITS_MAX);
    return n <= 19 ? (int128)low[n] : (int128)low[19] * (int128)low[n - 19];
}

static uint128 magnitude(int128 v)
{
    return v < 0 ? -(uint128)v : (uint128)v;
}

bool decimal_fits(int128 unscaled, int precision)
{
    return magnitude(unscaled) < (uint128)decimal_power10(precision);
}

static bool sign_put(uint128 value, bool negative, int precision, int128 *out)
{
    if (value >= (uint128)decimal_power10(precision)) return false;
    *out = negative ? -(int128)value : (int128)value;
    return true;
}

static bool wide_put(struct wide value, bool negative, int precision, int128 *out)
{
    return wide_fits_128(value) && sign_put(wide_low(value), negative, precision, out);
}

/* value * 10^n, n <= 76. */
static bool scale_up(struct wide value, int n, struct wide *out)
{
    *out = value;
    for (int step; n > 0; n -= step) {
        step = MIN(n, DIGITS_MAX);
        if (!wide_multiply(*out, (uint128)decimal_power10(step), out)) return false;
    }
    return true;
}

/* value / divisor, rounded half up. */
static struct wide divide_rounded(struct wide value, struct wide divisor)
{
    struct wide rest, quotient = wide_divide(value, divisor, &rest);
    bool fits = true;

    if (wide_compare(rest, wide_subtract(divisor, rest)) >= 0) fits = wide_add(quotient, wide_of(1), &quotient);
    ASSERT(fits); /* a quotient that rounds up is not the largest value */
    return quotient;
}

/* value * 10^(to - from), rounded half up where digits go. */
static bool wide_rescale(struct wide value, int from, int to, struct wide *out)
{
    struct wide divisor;

    if (to >= from) return scale_up(value, to - from, out);
    if (!scale_up(wide_of(1), from - to, &divisor)) return false;
    *out = divide_rounded(value, divisor);
    return true;
}

bool decimal_rescale(int128 value, int from_scale, int to_scale, int precision, int128 *out)
{
    ASSERT(from_scale >= 0 && from_scale <= DIGITS_MAX && to_scale >= 0 && to_scale <= DIGITS_MAX);
    if (from_scale == to_scale) return sign_put(magnitude(value), value < 0, precision, out);
    if (from_scale > to_scale) { /* the quotient and the half fit 128 bits */
        uint128 divisor = (uint128)decimal_power10(from_scale - to_scale), m = magnitude(value);
        uint128 quotient = m / divisor, rest = m % divisor;
        return sign_put(quotient + (rest >= divisor - rest), value < 0, precision, out);
    }
    if (magnitude(value) < (uint128)decimal_power10(DIGITS_MAX - (to_scale - from_scale))) {
        return sign_put(magnitude(value) * (uint128)decimal_power10(to_scale - from_scale), value < 0, precision, out);
    }
    return false; /* 10^38 or more */
}

bool decimal_add(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out)
{
    int aligned = MAX(scale_a, scale_b);
    bool negative = a < 0;
    struct wide x, y, sum;

    if (scale_a == scale_b && scale == scale_a && (magnitude(a) | magnitude(b)) < (uint128)1 << 126) {
        return sign_put(magnitude(a + b), a + b < 0, precision, out);
    }
    if (!scale_up(wide_of(magnitude(a)), aligned - scale_a, &x)) return false;
    if (!scale_up(wide_of(magnitude(b)), aligned - scale_b, &y)) return false;
    if ((a < 0) == (b < 0)) {
        if (!wide_add(x, y, &sum)) return false;
    } else if (wide_compare(x, y) >= 0) {
        sum = wide_subtract(x, y);
    } else {
        sum = wide_subtract(y, x);
        negative = b < 0;
    }
    return wide_rescale(sum, aligned, scale, &sum) && wide_put(sum, negative, precision, out);
}

bool decimal_multiply(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out)
{
    uint128 x = magnitude(a), y = magnitude(b);
    bool negative = (a < 0) != (b < 0);
    struct wide product;

    if (scale == scale_a + scale_b && x <= UINT64_MAX && y <= UINT64_MAX)
        return sign_put(x * y, negative, precision, out);
    product = wide_multiply_128(x, y);
    return wide_rescale(product, scale_a + scale_b, scale, &product) && wide_put(product, negative, precision, out);
}

bool decimal_divide(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out)
{
    int up = scale + scale_b - scale_a; /* a / b * 10^up is the unscaled quotient */
    bool negative = (a < 0) != (b < 0);
    struct wide x = wide_of(magnitude(a)), y = wide_of(magnitude(b));

    ASSERT(b != 0);
    ASSERT(up >= -SCALE_ANY_MAX && up <= SCALE_ANY_MAX);
    if (up >= 0) {
        if (!scale_up(x, up, &x)) return false;
    } else if (!scale_up(y, -up, &y)) {
        return false;
    }
    return wide_put(divide_rounded(x, y), negative, precision, out);
}

/* ---- text */

/* The digits of a number: value = 0.d1d2d3.. * 10^point. Digits may hold one '.'; leading zeros are gone. */
struct number {
    struct str digits;
    int64_t point;
    bool negative;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool exponent_parse(struct str s, int64_t *out)
{
    int64_t value = 0;
    bool negative = false;
    size_t i = 0;

    if (i < s.size && (s.data[i] == '+' || s.data[i] == '-')) negative = s.data[i++] == '-';
    if (i == s.size) return false;
    for (; i < s.size; i++) {
        if (!is_digit(s.data[i])) return false;
        value = MIN(value * 10 + (s.data[i] - '0'), (int64_t)EXPONENT_MAX);
    }
    *out = negative ? -value : value;
    return true;
}

static bool number_parse(struct str s, struct number *out)
{
    size_t i = 0, before = 0, digits = 0, zeros = 0, start;
    int64_t exponent = 0;
    bool seen_point = false, seen_value = false;

    *out = (struct number){.negative = false};
    if (i < s.size && (s.data[i] == '+' || s.data[i] == '-')) out->negative = s.data[i++] == '-';
    for (start = i; i < s.size; i++) {
        char c = s.data[i];
        if (c == '.' && !seen_point) {
            seen_point = true;
            continue;
        }
        if (!is_digit(c)) break;
        digits++;
        before += !seen_point;
        seen_value |= c != '0';
        if (!seen_value) {
            zeros++;
            start = i + 1;
        }
    }
    if (digits == 0) return false;
    out->digits = (struct str){s.data + start, i - start};
    if (i < s.size) {
        if (s.data[i] != 'e' && s.data[i] != 'E') return false;
        if (!exponent_parse((struct str){s.data + i + 1, s.size - i - 1}, &exponent)) return false;
    }
    out->point = (int64_t)before - (int64_t)zeros + exponent;
    if (!seen_value) out->digits.size = 0;
    return true;
}

bool decimal_parse(struct str text, int precision, int scale, int128 *out)
{
    struct number n;
    uint128 value = 0;
    int64_t wanted;
    size_t i = 0;

    if (!number_parse(text, &n)) return false;
    wanted = n.point + scale; /* digits before the cut */
    if (n.digits.size == 0 || wanted < 0) {
        *out = 0;
        return true;
    }
    if (wanted > DIGITS_MAX) return false;
    for (; wanted > 0; i++) {
        char c = i < n.digits.size ? n.digits.data[i] : '0';
        if (c == '.') continue;
        value = value * 10 + (uint128)(c - '0');
        wanted--;
    }
    if (i < n.digits.size && n.digits.data[i] == '.') i++;
    if (i < n.digits.size && n.digits.data[i] >= '5') value++;
    return sign_put(value, n.negative, precision, out);
}

void decimal_print(int128 unscaled, int scale, struct buf *out)
{
    char digits[64];
    size_t at = sizeof digits;
    uint128 m = magnitude(unscaled);

    ASSERT(scale >= 0 && scale <= DIGITS_MAX);
    for (int printed = 0; m || printed <= scale; printed++) {
        if (scale > 0 && printed == scale) digits[--at] = '.';
        digits[--at] = (char)('0' + (int)(m % 10));
        m /= 10;
    }
    if (unscaled < 0) digits[--at] = '-';
    buf_append(out, digits + at, sizeof digits - at);
}

double decimal_to_double(int128 value, int scale)
{
    char text[64];
    size_t at = sizeof text;
    uint128 m = magnitude(value);
    double result = 0;
    bool ok;

    ASSERT(scale >= 0 && scale <= DIGITS_MAX);
    if (m <= UINT64_C(1) << 53 && scale <= 19) { /* both are exact: one rounding */
        double exact = (double)(uint64_t)m / (double)(uint64_t)decimal_power10(scale);
        return value < 0 ? -exact : exact;
    }
    /* "<digits>e-<scale>", written from behind; the reader of doubles rounds correctly */
    text[--at] = (char)('0' + scale % 10);
    text[--at] = (char)('0' + scale / 10);
    text[--at] = '-';
    text[--at] = 'e';
    do text[--at] = (char)('0' + (int)(m % 10));
    while (m /= 10);
    if (value < 0) text[--at] = '-';
    ok = str_to_double((struct str){text + at, sizeof text - at}, &result);
    ASSERT(ok);
    return result;
}

/* By way of the shortest text, as Java's BigDecimal.valueOf: 0.1 becomes 0.1 and not the binary value nearest to it. */
bool decimal_from_double(double value, int precision, int scale, int128 *out)
{
    char text[32];
    size_t size;

    if (!__builtin_isfinite(value)) return false;
    size = str_from_double(value, text);
    return decimal_parse((struct str){text, size}, precision, scale, out);
}
