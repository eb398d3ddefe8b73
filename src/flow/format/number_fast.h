/* number_fast.h - the usual spellings of numbers, read eight bytes at a time. Every function answers false when the text
 * is not of the usual kind; value_parse then decides what it is. All read up to 32 bytes past the text, whatever stands
 * there. */
#pragma once
#include "flow/format/scan_block.h"

#define DIGITS_ZERO UINT64_C(0x3030303030303030)

/* Value of eight bytes 0..9, the first one most significant; *ok false when one is above 9. */
SCAN_INLINE uint64_t digits8_value(uint64_t t, bool *ok)
{
    *ok &= (((t + UINT64_C(0x7676767676767676)) | t) & UINT64_C(0x8080808080808080)) == 0;
    t = (t * 10 + (t >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    t = (t * 100 + (t >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (t * 10000 + (t >> 32)) & UINT64_C(0xffffffff);
}

/* The first n (1..8) bytes at s as a number. */
SCAN_INLINE uint64_t digits_upto8(const char *s, size_t n, bool *ok)
{
    unsigned shift = 64 - 8 * (unsigned)n;
    return digits8_value((load64(s) << shift) ^ (DIGITS_ZERO << shift), ok);
}

SCAN_INLINE uint64_t digits_8(const char *s, bool *ok) { return digits8_value(load64(s) ^ DIGITS_ZERO, ok); }

/* n bytes, all of them digits, n in 1..19. */
SCAN_INLINE bool digits_parse(const char *s, size_t n, uint64_t *out)
{
    bool ok = true;

    if (LIKELY(n - 1 < 8)) {
        *out = digits_upto8(s, n, &ok);
    } else if (n - 1 < 16) {
        uint64_t high = digits_upto8(s, n - 8, &ok);
        *out = high * 100000000 + digits_8(s + n - 8, &ok);
    } else if (n - 1 < 19) {
        uint64_t high = digits_upto8(s, n - 16, &ok), middle = digits_8(s + n - 16, &ok);
        *out = (high * 100000000 + middle) * 100000000 + digits_8(s + n - 8, &ok);
    } else {
        return false;
    }
    return ok;
}

/* "-123": the whole of n bytes, within int64. */
SCAN_INLINE bool int64_parse_fast(const char *s, size_t n, int64_t *out)
{
    bool negative = *s == '-';
    uint64_t magnitude;

    s += negative;
    n -= negative;
    if (UNLIKELY(!digits_parse(s, n, &magnitude) || magnitude > INT64_MAX)) return false;
    *out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

SCAN_INLINE uint32_t power10_u32(unsigned n)
{
    static const uint32_t powers[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    return powers[n];
}

/* Digits, at most one point among or before them, optional exponent: digits * 10^exponent. */
struct number {
    uint64_t digits;
    int32_t exponent;
    bool negative;
    bool is_exact; /* false: more digits than 19 were given, the rest is not in `digits` */
};

/* Reads the whole of n bytes as [+-]digits[.digits][e[+-]digits]; at least one digit before the exponent. */
SCAN_INLINE bool number_parse(const char *s, size_t n, struct number *out)
{
    const char *end = s + n;
    uint64_t digits = 0;
    int32_t exponent = 0, kept = 0, seen = 0;
    bool point = false, exact = true;

    out->negative = n && *s == '-';
    s += n && (*s == '-' || *s == '+');
    for (; s < end; s++) {
        unsigned d = (unsigned)(*s - '0');
        if (d < 10) {
            seen = 1;
            if (kept < 19) {
                digits = digits * 10 + d;
                kept += digits != 0;
                exponent -= point;
            } else {
                exact &= d == 0;
                exponent += !point;
            }
        } else if (*s == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    if (!seen) return false;
    if (s < end) {
        int32_t sign = 1, value = 0;
        if (*s != 'e' && *s != 'E') return false;
        if (++s < end && (*s == '-' || *s == '+')) sign = *s++ == '-' ? -1 : 1;
        if (s == end) return false;
        for (; s < end; s++) {
            unsigned d = (unsigned)(*s - '0');
            if (d > 9) return false;
            if (value < 100000) value = value * 10 + (int32_t)d;
        }
        exponent += sign * value;
    }
    out->digits = digits;
    out->exponent = exponent;
    out->is_exact = exact;
    return true;
}

/* Exact when the digits fit 53 bits and the power of ten is exact too: one rounding, as the definition has. */
SCAN_INLINE bool double_from_number(const struct number *n, double *out)
{
    static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double value = (double)n->digits;

    if (n->digits > UINT64_C(1) << 53 || !n->is_exact || n->exponent < -22 || n->exponent > 22) return false;
    value = n->exponent < 0 ? value / powers[-n->exponent] : value * powers[n->exponent];
    *out = n->negative ? -value : value;
    return true;
}

SCAN_INLINE bool float_from_number(const struct number *n, float *out)
{
    static const float powers[11] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};
    float value = (float)n->digits;

    if (n->digits > UINT64_C(1) << 24 || !n->is_exact || n->exponent < -10 || n->exponent > 10) return false;
    value = n->exponent < 0 ? value / powers[-n->exponent] : value * powers[n->exponent];
    *out = n->negative ? -value : value;
    return true;
}

/* Unscaled value of a DECIMAL(precision <= 18, scale), where no digit has to be rounded away. */
SCAN_INLINE bool decimal_from_number(const struct number *n, int precision, int scale, int64_t *out)
{
    int32_t shift = n->exponent + scale;
    uint64_t value = n->digits;

    if (!n->is_exact || shift < 0 || shift > 18) return false;
    for (; shift >= 9; shift -= 9)
        if (__builtin_mul_overflow(value, UINT64_C(1000000000), &value)) return false;
    if (__builtin_mul_overflow(value, (uint64_t)power10_u32((unsigned)shift), &value)) return false;
    if (value >= (precision >= 9 ? power10_u32(9) * (uint64_t)power10_u32((unsigned)(precision - 9))
                                 : power10_u32((unsigned)precision)))
        return false;
    *out = n->negative ? -(int64_t)value : (int64_t)value;
    return true;
}
