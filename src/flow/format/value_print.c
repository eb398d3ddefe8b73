/* value_print.c - scalars as text.
 *
 * Every text reads back as the same value. Timestamps keep the text of their minute from one row to the next, because
 * neighbours in a stream share it: what remains are the seconds. Decimals are written as Java's BigDecimal without
 * trailing zeros: 12.5, 1E+5 (or 100000 when plain is asked for), 2.7E-8. */
#include "flow/format/value_print.h"

#include "columns/column/decimal.h"
#include "columns/column/timestamp.h"
#include "ground/base/str.h"

#include <string.h>

static const char digit_pairs[201] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static char *pair_put(char *p, unsigned value)
{
    memcpy(p, digit_pairs + 2 * value, 2);
    return p + 2;
}

/* Decimal digits of a value. */
static unsigned digit_count(uint64_t value)
{
    static const uint64_t powers[20] = {0,
                                        10,
                                        100,
                                        1000,
                                        10000,
                                        100000,
                                        1000000,
                                        10000000,
                                        100000000,
                                        1000000000,
                                        10000000000,
                                        100000000000,
                                        1000000000000,
                                        10000000000000,
                                        100000000000000,
                                        1000000000000000,
                                        10000000000000000,
                                        100000000000000000,
                                        1000000000000000000,
                                        10000000000000000000u};
    unsigned guess = (64 - (unsigned)__builtin_clzll(value | 1)) * 1233 >> 12; /* log10 of 2 is 1233 / 4096 */

    return guess + (value >= powers[guess]);
}

static char *unsigned_put(char *p, uint64_t value)
{
    char *end = p + (value ? digit_count(value) : 1), *at = end;

    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, digit_pairs + 2 * (value % 100), 2);
    }
    if (at - p == 2) memcpy(p, digit_pairs + 2 * value, 2);
    else *p = (char)('0' + value);
    return end;
}

static char *signed_put(char *p, int64_t value)
{
    if (value < 0) *p++ = '-';
    return unsigned_put(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* ".123": at most nine digits, zeros at the end left out, nothing for zero. */
static char *fraction_put(char *p, uint32_t nanos)
{
    if (nanos == 0) return p;
    *p++ = '.';
    for (int i = 8; i >= 0; i--, nanos /= 10) p[i] = (char)('0' + nanos % 10);
    p += 9;
    while (p[-1] == '0') p--;
    return p;
}

static char *date_put(char *p, int32_t days)
{
    struct civil c;

    civil_from_days(days, &c);
    p = pair_put(p, (unsigned)c.year / 100 % 100);
    p = pair_put(p, (unsigned)c.year % 100);
    *p++ = '-';
    p = pair_put(p, (unsigned)c.month);
    *p++ = '-';
    return pair_put(p, (unsigned)c.day);
}

static char *time_put(char *p, int32_t ms)
{
    unsigned seconds = (unsigned)ms / 1000;

    p = pair_put(p, seconds / 3600 % 100);
    *p++ = ':';
    p = pair_put(p, seconds / 60 % 60);
    *p++ = ':';
    p = pair_put(p, seconds % 60);
    return fraction_put(p, (unsigned)ms % 1000 * 1000000);
}

void minute_text_init(struct minute_text *cache)
{
    *cache = (struct minute_text){.minute = INT64_MIN, .day = INT64_MIN};
}

static void minute_set(struct minute_text *cache, int64_t minute, char separator)
{
    int64_t day = minute / 1440 - (minute % 1440 < 0);
    unsigned rest = (unsigned)(minute - day * 1440);

    if (day != cache->day) *date_put(cache->text, (int32_t)day) = separator;
    pair_put(cache->text + 11, rest / 60);
    cache->text[13] = ':';
    pair_put(cache->text + 14, rest % 60);
    cache->day = day;
    cache->minute = minute;
}

static char *timestamp_put(char *p, struct ts96 ts, char separator, struct minute_text *cache)
{
    int64_t minute = ts.ms / 60000 - (ts.ms % 60000 < 0);
    unsigned rest = (unsigned)(ts.ms - minute * 60000);

    if (minute != cache->minute) minute_set(cache, minute, separator);
    memcpy(p, cache->text, 16);
    p[16] = ':';
    p = pair_put(p + 17, rest / 1000);
    return fraction_put(p, rest % 1000 * 1000000 + (uint32_t)ts.ns);
}

/* The digits of a magnitude, without leading zeros; answers their number, 1..39. */
static int digits_write(uint128 value, char out[static 40])
{
    const uint64_t unit = UINT64_C(1000000000000000000);
    char *p = out;

    if (value < unit) return (int)(unsigned_put(out, (uint64_t)value) - out);
    if (value / unit < unit) {
        p = unsigned_put(p, (uint64_t)(value / unit));
    } else {
        p = unsigned_put(p, (uint64_t)(value / unit / unit));
        uint64_t middle = (uint64_t)(value / unit % unit);
        for (int i = 17; i >= 0; i--, middle /= 10) p[i] = (char)('0' + middle % 10);
        p += 18;
    }
    uint64_t low = (uint64_t)(value % unit);
    for (int i = 17; i >= 0; i--, low /= 10) p[i] = (char)('0' + low % 10);
    return (int)(p + 18 - out);
}

/* digits * 10^-scale without an exponent; scale may be negative. */
static char *plain_put(char *p, const char *digits, int count, int scale)
{
    if (scale <= 0) {
        memcpy(p, digits, (size_t)count);
        memset(p + count, '0', (size_t)-scale);
        return p + count - scale;
    }
    if (scale < count) {
        memcpy(p, digits, (size_t)(count - scale));
        p += count - scale;
        *p++ = '.';
        memcpy(p, digits + count - scale, (size_t)scale);
        return p + scale;
    }
    *p++ = '0';
    *p++ = '.';
    memset(p, '0', (size_t)(scale - count));
    p += scale - count;
    memcpy(p, digits, (size_t)count);
    return p + count;
}

static char *decimal_put(char *p, int128 unscaled, int scale, bool is_plain)
{
    char digits[40];
    int count, exponent;

    if (unscaled == 0) {
        *p++ = '0';
        return p;
    }
    if (unscaled < 0) *p++ = '-';
    count = digits_write(unscaled < 0 ? -(uint128)unscaled : (uint128)unscaled, digits);
    while (count > 1 && digits[count - 1] == '0') count--, scale--;
    exponent = count - 1 - scale;
    if (is_plain || (scale >= 0 && exponent >= -6)) return plain_put(p, digits, count, scale);
    *p++ = digits[0];
    if (count > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, (size_t)count - 1);
        p += count - 1;
    }
    *p++ = 'E';
    *p++ = exponent < 0 ? '-' : '+';
    return unsigned_put(p, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

char *value_put(char *p, const struct vector *v, uint32_t row, const struct value_style *style,
                struct minute_text *cache)
{
    const struct vector *values = vector_values(v);
    const struct type *t = values->type;
    uint32_t at = vector_at(v, row);

    ASSERT_ROW(!vector_is_null(v, row));
    switch (t->kind) {
    case T_BOOLEAN:
        if (VECTOR_VALUES(values, uint8_t)[at]) return (char *)memcpy(p, "true", 4) + 4;
        return (char *)memcpy(p, "false", 5) + 5;
    case T_TINYINT: return signed_put(p, VECTOR_VALUES(values, int8_t)[at]);
    case T_SMALLINT: return signed_put(p, VECTOR_VALUES(values, int16_t)[at]);
    case T_INT:
    case T_INTERVAL_MONTH: return signed_put(p, VECTOR_VALUES(values, int32_t)[at]);
    case T_BIGINT:
    case T_INTERVAL_SECOND: return signed_put(p, VECTOR_VALUES(values, int64_t)[at]);
    case T_FLOAT: return p + str_from_float(VECTOR_VALUES(values, float)[at], p);
    case T_DOUBLE: return p + str_from_double(VECTOR_VALUES(values, double)[at], p);
    case T_DECIMAL: {
        int128 unscaled =
            values->phys == P_I128 ? VECTOR_VALUES(values, int128)[at] : VECTOR_VALUES(values, int64_t)[at];
        return decimal_put(p, unscaled, t->scale, style->plain_decimals);
    }
    case T_DATE: return date_put(p, VECTOR_VALUES(values, int32_t)[at]);
    case T_TIME: return time_put(p, VECTOR_VALUES(values, int32_t)[at]);
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: {
        const char *value = (const char *)values->data + (size_t)at * phys_width((enum phys)values->phys);
        p = timestamp_put(p, timestamp_load(value, t->precision), style->date_separator, cache);
        if (t->kind == T_TIMESTAMP_LTZ) *p++ = 'Z';
        return p;
    }
    default: break;
    }
    ASSERT(!"a type that encoder_open should have refused");
    return p;
}

void base64_encode(struct str bytes, struct buf *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *s = (const unsigned char *)bytes.data;
    char *p;

    buf_reserve(out, bytes.size / 3 * 4 + 4);
    p = out->data + out->size;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t bits = (uint32_t)s[i] << 16 | (left > 1 ? (uint32_t)s[i + 1] << 8 : 0) | (left > 2 ? s[i + 2] : 0u);
        *p++ = letters[bits >> 18];
        *p++ = letters[bits >> 12 & 63];
        *p++ = left > 1 ? letters[bits >> 6 & 63] : '=';
        *p++ = left > 2 ? letters[bits & 63] : '=';
    }
    out->size = (size_t)(p - out->data);
    ASSERT(out->size <= out->capacity);
}
