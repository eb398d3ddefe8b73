/* time_fast.h - the usual spellings of dates and timestamps, read sixteen bytes at a time; false means that value_parse
 * has to look. Neighbours in a stream share their minute, so the last one is kept with its text. Reads up to 32 bytes
 * past the text. */
#pragma once
#include "columns/column/timestamp.h"
#include "flow/format/number_fast.h"

/* The last minute and day seen: their text and value. One per column; clear it before the first use. */
struct minute_cache {
    uint64_t text[2]; /* "2001-01-31 10:20"; text[0] 0 = none yet */
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
    if (UNLIKELY(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) != 0xffff))
        return false;
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
    if (first != cache->text[0] || second != cache->text[1] || first == 0) {
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
