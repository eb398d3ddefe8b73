/* value_fast.h - the usual spellings of numbers and timestamps, read eight or sixteen bytes at a time. Every function
 * answers false when the text is not of the usual kind; value_parse then decides what it is. All read up to 32 bytes
 * past the text, whatever stands there. */
#pragma once
#include "columns/column/timestamp.h"
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

/* The last minute and day seen: their text and value. One per column; clear it before the first use. */
struct minute_cache {
    uint64_t text[2]; /* "2001-01-31 10:20" */
    int64_t ms;
};

SCAN_INLINE unsigned month_days(unsigned year, unsigned month)
{
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month == 2) return 28 + leap;
    return 30 + ((month + (month >> 3)) & 1);
}

SCAN_INLINE bool civil_valid(unsigned year, unsigned month, unsigned day)
{
    return year - 1 < 9999 && month - 1 < 12 && day - 1 < month_days(year, month);
}

/* The pairs of digits of sixteen bytes "2001-01-31 10:20" (or T between): 20, 01, 01, 31, 10, 20. */
SCAN_INLINE bool minute_digits(const char *s, unsigned out[static 6])
{
    if (UNLIKELY(s[4] != '-' || s[7] != '-' || (s[10] != ' ' && s[10] != 'T') || s[13] != ':')) return false;
#ifdef __AVX2__
    const __m128i order = _mm_setr_epi8(0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, -1, -1, -1, -1);
    __m128i digits = _mm_shuffle_epi8(_mm_xor_si128(_mm_loadu_si128((const __m128i *)s), _mm_set1_epi8('0')), order);
    __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(pairs), high = (uint64_t)_mm_extract_epi64(pairs, 1);
    if (UNLIKELY(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) != 0xffff)) return false;
    for (int i = 0; i < 4; i++) out[i] = (unsigned)(low >> (16 * i)) & 0xffff;
    out[4] = (unsigned)high & 0xffff;
    out[5] = (unsigned)(high >> 16) & 0xffff;
    return true;
#else
    static const uint8_t at[6] = {0, 2, 5, 8, 11, 14};
    for (int i = 0; i < 6; i++) {
        unsigned tens = (unsigned)(s[at[i]] - '0'), ones = (unsigned)(s[at[i] + 1] - '0');
        if (tens > 9 || ones > 9) return false;
        out[i] = tens * 10 + ones;
    }
    return true;
#endif
}

/* The same to ms since 1970. */
SCAN_INLINE bool minute_parse(const char *s, int64_t *ms)
{
    unsigned n[6], year;

    if (UNLIKELY(!minute_digits(s, n))) return false;
    year = n[0] * 100 + n[1];
    if (UNLIKELY(!civil_valid(year, n[2], n[3]) || n[4] > 23 || n[5] > 59)) return false;
    *ms = ((int64_t)days_from_civil((int32_t)year, (int32_t)n[2], (int32_t)n[3]) * 1440 + n[4] * 60 + n[5]) * 60000;
    return true;
}

SCAN_INLINE uint32_t power10_u32(unsigned n)
{
    static const uint32_t powers[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    return powers[n];
}

/* ".123456789" after the seconds: n bytes, 2..10, to nanoseconds. */
SCAN_INLINE bool fraction_parse(const char *s, size_t n, uint32_t *nanos)
{
    bool ok = *s == '.' && n - 2 < 9;
    uint64_t digits;

    if (!ok) return false;
    if (n == 10) {
        unsigned last = (unsigned)(s[9] - '0');
        digits = digits_8(s + 1, &ok) * 10 + last;
        ok &= last < 10;
    } else {
        digits = digits_upto8(s + 1, n - 1, &ok) * power10_u32((unsigned)(10 - n));
    }
    *nanos = (uint32_t)digits;
    return ok;
}

/* "2001-01-31 10:20[:30[.123456789]][Z]", T between allowed. */
SCAN_INLINE bool timestamp_parse_fast(const char *s, size_t n, struct minute_cache *cache, struct ts96 *out)
{
    uint64_t first = load64(s), second = load64(s + 8);
    uint32_t nanos = 0, seconds;

    if (n < 16) return false;
    n -= s[n - 1] == 'Z';
    if (first != cache->text[0] || second != cache->text[1]) {
        if (n < 16 || !minute_parse(s, &cache->ms)) {
            cache->text[0] = 0;
            return false;
        }
        cache->text[0] = first;
        cache->text[1] = second;
    }
    *out = (struct ts96){.ms = cache->ms};
    if (n == 16) return true;
    if (n < 19 || s[16] != ':') return false;
    if ((unsigned)(s[17] - '0') > 5 || (unsigned)(s[18] - '0') > 9) return false;
    seconds = (unsigned)(s[17] - '0') * 10 + (unsigned)(s[18] - '0');
    if (n > 19 && !fraction_parse(s + 19, n - 19, &nanos)) return false;
    out->ms += seconds * 1000 + nanos / 1000000;
    out->ns = (int32_t)(nanos % 1000000);
    return true;
}

/* "2001-01-31", ten bytes. */
SCAN_INLINE bool date_parse_fast(const char *s, size_t n, int32_t *days)
{
    bool ok = n == 10 && s[4] == '-' && s[7] == '-';
    char plain[8];
    uint64_t digits;
    unsigned year, month, day;

    if (!ok) return false;
    memcpy(plain, s, 4);
    memcpy(plain + 4, s + 5, 2);
    memcpy(plain + 6, s + 8, 2);
    digits = digits_8(plain, &ok);
    year = (unsigned)(digits / 10000);
    month = (unsigned)(digits / 100 % 100);
    day = (unsigned)(digits % 100);
    if (!ok || !civil_valid(year, month, day)) return false;
    *days = days_from_civil((int32_t)year, (int32_t)month, (int32_t)day);
    return true;
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
    if (value >= (precision >= 9 ? power10_u32(9) * (uint64_t)power10_u32((unsigned)(precision - 9)) : power10_u32((unsigned)precision)))
        return false;
    *out = n->negative ? -(int64_t)value : (int64_t)value;
    return true;
}
