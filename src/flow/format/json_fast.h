/* json_fast.h - the usual spelling of a scalar, straight into its column; inlined into whoever reads many. NULL says only
 * that it is not that simple: json_value_read then decides what it is, so these may only agree with it. */
#pragma once
#include "flow/format/json.h"
#include "flow/format/text_fast.h"

/* A whole number of at most 16 digits that ends inside the record. NULL: it is not that simple. */
SCAN_INLINE const char *whole_fast(const char *p, const char *end, int64_t *out)
{
    bool negative = *p == '-', ok = true;
    const char *s = p + negative;
    uint64_t high = load64(s) ^ DIGITS_ZERO,
             none = ((high + UINT64_C(0x7676767676767676)) | high) & UINT64_C(0x8080808080808080);
    uint32_t count = bits_first(none) >> 3;
    uint64_t value;

    if (LIKELY(count < 8)) {
        if (count == 0) return NULL;
        value = digits8_value(high << (64 - 8 * count), &ok);
    } else {
        uint64_t low = load64(s + 8) ^ DIGITS_ZERO;
        none = ((low + UINT64_C(0x7676767676767676)) | low) & UINT64_C(0x8080808080808080);
        count = bits_first(none) >> 3;
        if (count == 8) return NULL;
        value = digits8_value(high, &ok);
        if (count) value = value * power10_u32(count) + digits8_value(low << (64 - 8 * count), &ok);
        count += 8;
    }
    if ((*s == '0' && count > 1) || s + count >= end || s[count] == '.' || (s[count] | 0x20) == 'e') return NULL;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return s + count;
}

/* Digits, perhaps a point and more digits, at most 19 in all, ending inside the record. NULL: it is not that simple. */
SCAN_INLINE const char *plain_number(const char *p, const char *end, struct number *out)
{
    bool negative = *p == '-';
    const char *s = p + negative, *digits = s, *point = NULL;
    uint64_t value = 0;

    for (; s < end; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (digit < 10) value = value * 10 + digit;
        else if (*s == '.' && !point) point = s;
        else break;
    }
    if (s >= end || s == digits || point == digits || point == s - 1 || s - digits > 19 || (*s | 0x20) == 'e' ||
        *s == '.')
        return NULL;
    if (*digits == '0' && s - digits > 1 && point != digits + 1) return NULL;
    *out = (struct number){
        .digits = value, .exponent = point ? -(int32_t)(s - point - 1) : 0, .negative = negative, .is_exact = true};
    return s;
}

/* A string without escapes, ASCII only, for which there is room. */
SCAN_INLINE const char *string_fast(struct json_reader *rd, const char *p, const char *end, struct text *out)
{
    uint32_t high = 0;
    const char *start = p + 1, *stop = json_string_stop(start, end, &high);
    size_t size = (size_t)(stop - start);

    if (UNLIKELY(*p != '"' || stop >= end || *stop != '"' || high)) return NULL;
    if (size <= TEXT_INLINE) {
        *out = text_inline(start, size);
    } else {
        if (UNLIKELY((size_t)(rd->room_end - rd->room) < size + 32)) return NULL;
        copy_steps(rd->room, start, size);
        *out = text_view(rd->room, size);
        rd->room += size;
    }
    return stop + 1;
}

/* A timestamp in quotes, of one of the usual lengths. */
SCAN_INLINE const char *timestamp_fast(struct json_node *node, const char *p, const char *end, struct ts96 *out)
{
    size_t size = p[24] == '"'   ? 23
                  : p[20] == '"' ? 19
                  : p[17] == '"' ? 16
                  : p[25] == '"' ? 24
                  : p[27] == '"' ? 26
                                 : 20;

    if (*p != '"' || p[size + 1] != '"' || p + size + 1 >= end) return NULL;
    return timestamp_parse_fast(p + 1, size, &node->minute, out) ? p + size + 2 : NULL;
}

/* What the last one wrote is not seen when it answers NULL. */
SCAN_INLINE const char *json_fast_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                                       const char *p, const char *end)
{
    const char *next;
    struct number n;
    struct ts96 ts;
    int64_t whole;

    switch ((enum json_code)node->code) {
    case JSON_I64: return whole_fast(p, end, &VECTOR_VALUES(v, int64_t)[row]);
    case JSON_I32:
        next = whole_fast(p, end, &whole);
        if (UNLIKELY(!next || whole != (int32_t)whole)) return NULL;
        VECTOR_VALUES(v, int32_t)[row] = (int32_t)whole;
        return next;
    case JSON_I16:
        next = whole_fast(p, end, &whole);
        if (UNLIKELY(!next || whole != (int16_t)whole)) return NULL;
        VECTOR_VALUES(v, int16_t)[row] = (int16_t)whole;
        return next;
    case JSON_I8:
        next = whole_fast(p, end, &whole);
        if (UNLIKELY(!next || whole != (int8_t)whole)) return NULL;
        VECTOR_VALUES(v, int8_t)[row] = (int8_t)whole;
        return next;
    case JSON_F64:
        next = plain_number(p, end, &n);
        return next && double_from_number(&n, &VECTOR_VALUES(v, double)[row]) ? next : NULL;
    case JSON_F32:
        next = plain_number(p, end, &n);
        return next && float_from_number(&n, &VECTOR_VALUES(v, float)[row]) ? next : NULL;
    case JSON_DECIMAL64:
        next = plain_number(p, end, &n);
        if (!next ||
            !decimal_from_number(&n, node->type->precision, node->type->scale, &VECTOR_VALUES(v, int64_t)[row]))
            return NULL;
        return next;
    case JSON_STRING: return string_fast(rd, p, end, &VECTOR_VALUES(v, struct text)[row]);
    case JSON_TIMESTAMP3:
        if (!(next = timestamp_fast(node, p, end, &ts))) return NULL;
        VECTOR_VALUES(v, int64_t)[row] = ts.ms;
        return next;
    case JSON_TIMESTAMP6:
        if (!(next = timestamp_fast(node, p, end, &ts))) return NULL;
        VECTOR_VALUES(v, int64_t)[row] = ts.ms * 1000 + ts.ns / 1000;
        return next;
    case JSON_BOOLEAN:
        whole = memcmp(p, "true", 4) == 0;
        if ((!whole && memcmp(p, "false", 5) != 0) || p + 5 >= end) return NULL;
        VECTOR_VALUES(v, uint8_t)[row] = (uint8_t)whole;
        return p + 5 - whole;
    case JSON_DATE:
        if (*p != '"' || p[11] != '"' || p + 11 >= end || !date_parse_fast(p + 1, 10, &VECTOR_VALUES(v, int32_t)[row]))
            return NULL;
        return p + 12;
    default: return NULL;
    }
}
