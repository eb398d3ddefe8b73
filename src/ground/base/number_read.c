/* number_read.c - text to floating point, correctly rounded. A text is scanned once into up to 19 digits and a power of
 * ten; then the value is one operation on exact operands, which rounds once:
 *   digits and power exact as doubles      a multiplication or division
 *   power from 0 to 19                     a product of 128 bits, converted
 *   power from -1 to -27                   a quotient of 64 bits whose lowest bit says whether something remained
 * The rest, which is rare, goes to the C library ("C" locale, which this process never leaves). */
#include "ground/base/number_internal.h"

#include "ground/base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 19, EXPONENT_MAX = 100000, TEXT_MAX = 1024 };

struct decimal {
    uint64_t digits;
    int count;    /* of digits without leading zeros; beyond DIGITS_MAX they are counted only */
    int exponent; /* value = digits * 10^exponent, as long as count <= DIGITS_MAX */
    bool negative;
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits with at most one point among them; false when there is no digit. */
static bool scan_digits(struct str s, size_t *at, struct decimal *d)
{
    size_t i = *at, seen = 0;
    bool point = false;

    for (; i < s.size && (is_digit(s.data[i]) || (s.data[i] == '.' && !point)); i++) {
        if (s.data[i] == '.') {
            point = true;
            continue;
        }
        seen++;
        if (point) d->exponent--;
        if (d->count == 0 && s.data[i] == '0') continue;
        if (++d->count <= DIGITS_MAX) d->digits = d->digits * 10 + (uint64_t)(s.data[i] - '0');
    }
    *at = i;
    return seen > 0;
}

static bool scan_exponent(struct str s, size_t *at, struct decimal *d)
{
    size_t i = *at + 1;
    bool negative = i < s.size && s.data[i] == '-';
    int exponent = 0;

    if (i < s.size && (s.data[i] == '-' || s.data[i] == '+')) i++;
    if (i == s.size) return false;
    for (; i < s.size && is_digit(s.data[i]); i++) exponent = MIN(exponent * 10 + (s.data[i] - '0'), (int)EXPONENT_MAX);
    d->exponent += negative ? -exponent : exponent;
    *at = i;
    return true;
}

static bool scan(struct str s, struct decimal *d)
{
    size_t i = s.data[0] == '-' || s.data[0] == '+' ? 1 : 0;

    d->negative = s.data[0] == '-';
    if (!scan_digits(s, &i, d)) return false;
    if (i < s.size && (s.data[i] == 'e' || s.data[i] == 'E') && !scan_exponent(s, &i, d)) return false;
    return i == s.size;
}

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

const uint64_t number_fives[FIVES_MAX + 1] = {
    UINT64_C(1), UINT64_C(5), UINT64_C(25), UINT64_C(125), UINT64_C(625), UINT64_C(3125), UINT64_C(15625),
    UINT64_C(78125), UINT64_C(390625), UINT64_C(1953125), UINT64_C(9765625), UINT64_C(48828125),
    UINT64_C(244140625), UINT64_C(1220703125), UINT64_C(6103515625), UINT64_C(30517578125), UINT64_C(152587890625),
    UINT64_C(762939453125), UINT64_C(3814697265625), UINT64_C(19073486328125), UINT64_C(95367431640625),
    UINT64_C(476837158203125), UINT64_C(2384185791015625), UINT64_C(11920928955078125),
    UINT64_C(59604644775390625), UINT64_C(298023223876953125), UINT64_C(1490116119384765625),
    UINT64_C(7450580596923828125),
};

/* digits / 10^power = digits / 5^power / 2^power. Both sides are shifted until their top bit is set, so that the quotient
 * has at least 62 bits: more than enough for the 53 kept, and the lowest is free to say "and a bit more". */
static double quotient(uint64_t digits, int power)
{
    uint64_t divisor = number_fives[power];
    int left = __builtin_clzll(digits), right = __builtin_clzll(divisor);
    uint128 dividend = (uint128)(digits << left) << 63;

    divisor <<= right;
    uint64_t result = (uint64_t)(dividend / divisor);
    bool remains = (uint128)result * divisor != dividend;
    return ldexp((double)(result | remains), right - left - 63 - power);
}

/* False when the value needs more than this file knows. */
static bool convert(const struct decimal *d, double *out)
{
    int power = d->exponent;

    if (d->count > DIGITS_MAX) return false;
    if (d->digits == 0) {
        *out = 0;
    } else if (d->digits <= UINT64_C(1) << 53 && power >= -22 && power <= 22) {
        *out = power < 0 ? (double)d->digits / exact_powers[-power] : (double)d->digits * exact_powers[power];
    } else if (power >= 0 && power <= DIGITS_MAX) {
        *out = (double)(d->digits * number_ten_to(power));
    } else if (power < 0 && power >= -FIVES_MAX) {
        *out = quotient(d->digits, -power);
    } else {
        return false;
    }
    if (d->negative) *out = -*out;
    return true;
}

static bool read_name(struct str s, double *out)
{
    bool negative = s.data[0] == '-';
    size_t skipped = negative || s.data[0] == '+' ? 1 : 0;
    struct str name = {s.data + skipped, s.size - skipped};

    if (str_equal(name, STR("NaN"))) *out = (double)NAN;
    else if (str_equal(name, STR("Infinity"))) *out = negative ? -HUGE_VAL : HUGE_VAL;
    else return false;
    return true;
}

bool str_to_double(struct str s, double *out)
{
    struct decimal d = {0};
    char text[TEXT_MAX];
    char *end;

    if (s.size == 0 || s.size >= sizeof text) return false;
    if (!scan(s, &d)) return read_name(s, out);
    if (convert(&d, out)) return true;
    memcpy(text, s.data, s.size);
    text[s.size] = '\0';
    *out = strtod(text, &end);
    ASSERT(end == text + s.size);
    return true;
}
