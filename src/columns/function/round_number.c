/* round_number.c - rounding of one value. Integers and decimals are divided and multiplied by a power of ten; a DOUBLE is taken
 * as the digits of its shortest text and read back, so that its binary form never shows. */
#include "columns/function/round_number.h"

#include "columns/column/decimal.h"
#include "ground/base/str.h"

#include <math.h>
#include <stdio.h>

enum { DIGITS_MAX = 38, DOUBLE_DIGITS_MAX = 17, TRUNCATE_SCALE = 18 };

/* The last `cut` digits become zeros and are dropped. */
static int128 cut_digits(int128 value, int64_t cut, enum round_mode mode)
{
    ASSERT(cut > 0);
    if (cut > DIGITS_MAX) return 0;
    int128 unit = decimal_power10((int)cut), rest = value % unit, half = unit / 2;
    int128 quotient = value / unit;
    if (mode == ROUND_HALF_UP && rest >= half) quotient++;
    if (mode == ROUND_HALF_UP && rest <= -half) quotient--;
    return quotient;
}

int64_t round_int64(int64_t value, int64_t digits, enum round_mode mode)
{
    enum { INT64_DIGITS = 19 };

    if (digits >= 0) return value;
    if (digits < -INT64_DIGITS) return 0;
    return (int64_t)(uint64_t)(cut_digits(value, -digits, mode) * decimal_power10((int)-digits));
}

bool round_decimal(int128 value, int32_t scale, int64_t digits, enum round_mode mode, const struct type *to,
                   int128 *out)
{
    if (digits >= scale) return decimal_rescale(value, scale, to->scale, to->precision, out);
    int128 whole = cut_digits(value, scale - digits, mode);
    if (digits >= 0) return decimal_rescale(whole, (int)digits, to->scale, to->precision, out);
    *out = 0;
    if (whole == 0) return true;
    /* the zeros before the point, and those behind it that the type asks for */
    return decimal_rescale(whole, 0, (int)MIN(to->scale - digits, (int64_t)DIGITS_MAX), DIGITS_MAX, out) &&
           decimal_fits(*out, to->precision);
}

/* --- floating point ---------------------------------------------------------------------------------------------- */
/* value = digits * 10^exponent, without a sign. */
struct shortest {
    uint64_t digits;
    int64_t exponent;
};

/* Reads what str_from_double wrote: "12.5", "1.0E-7". */
static struct shortest shortest_of(double value)
{
    struct shortest s = {0};
    char text[32];
    size_t size = str_from_double(fabs(value), text);
    bool behind = false;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == 'E') {
            int64_t exponent = 0;
            bool ok = str_to_int64((struct str){text + i + 1, size - i - 1}, &exponent);
            ASSERT(ok);
            s.exponent += exponent;
            return s;
        }
        if (text[i] == '.') {
            behind = true;
            continue;
        }
        s.digits = s.digits * 10 + (uint64_t)(text[i] - '0');
        s.exponent -= behind;
    }
    return s;
}

bool round_double(double value, int64_t digits, double *out)
{
    char text[48];

    *out = 0;
    if (!isfinite(value)) return false;
    struct shortest s = shortest_of(value);
    int64_t cut = -digits - s.exponent; /* digits that go */
    if (cut <= 0) {
        *out = value + 0.0; /* no number is -0 there */
        return true;
    }
    uint64_t whole = (uint64_t)cut_digits((int128)s.digits, cut, ROUND_HALF_UP);
    if (whole == 0) return true;
    int size = snprintf(text, sizeof text, "%s%lluE%lld", value < 0 ? "-" : "", (unsigned long long)whole,
                        (long long)-digits);
    return str_to_double((struct str){text, (size_t)size}, out);
}

bool truncate_double(double value, int64_t digits, double *out)
{
    int128 exact, kept;

    *out = 0;
    if (!isfinite(value) || !decimal_from_double(value, DIGITS_MAX, TRUNCATE_SCALE, &exact)) return false;
    if (digits >= TRUNCATE_SCALE) {
        *out = decimal_to_double(exact, TRUNCATE_SCALE);
        return true;
    }
    kept = cut_digits(exact, TRUNCATE_SCALE - digits, ROUND_DOWN);
    if (kept == 0) return true;
    if (digits >= 0) {
        *out = decimal_to_double(kept, (int)digits);
        return true;
    }
    *out = decimal_to_double(kept * decimal_power10((int)-digits), 0); /* not zero: there are at most 20 digits */
    return true;
}
