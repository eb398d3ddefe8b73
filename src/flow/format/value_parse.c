/* value_parse.c - from the text of a value to the value, for every scalar type, with a reason when it is none.
 *
 * Formats try the kernels of number_fast.h and time_fast.h first and come here with whatever is left: signs, spaces, exponents, many
 * digits, mistakes. So this file defines what a number or a timestamp may look like, and the kernels may only agree.
 * NULL, quotes and escapes are the format's business and are gone when text arrives here. */
#include "flow/format/value_parse.h"

#include "columns/column/decimal.h"
#include "flow/format/format_report.h"
#include "flow/format/time_fast.h"
#include "ground/base/str.h"

#include <math.h>
#include <stdlib.h>

static void range_of(const struct type *t, int64_t *low, int64_t *high)
{
    switch (t->phys) {
    case P_I8: *low = INT8_MIN, *high = INT8_MAX; break;
    case P_I16: *low = INT16_MIN, *high = INT16_MAX; break;
    case P_I32: *low = INT32_MIN, *high = INT32_MAX; break;
    default: *low = INT64_MIN, *high = INT64_MAX; break;
    }
}

/* "1.0", "1e3": a number that is whole after all. */
static enum value_fault whole_from_number(struct str text, int64_t *out)
{
    struct number n;
    int128 value;

    if (!number_parse(text.data, text.size, &n)) return VALUE_NOT_INTEGER;
    value = n.digits;
    if (n.digits == 0) n.exponent = 0;
    if (n.exponent > 18) return VALUE_OUT_OF_RANGE;
    for (; n.exponent > 0; n.exponent--) value *= 10;
    for (; n.exponent < 0 && value % 10 == 0 && value; n.exponent++) value /= 10;
    if (n.exponent < 0) return VALUE_FRACTION;
    if (n.negative) value = -value;
    if (!n.is_exact || value < INT64_MIN || value > INT64_MAX) return VALUE_OUT_OF_RANGE;
    *out = (int64_t)value;
    return VALUE_OK;
}

static enum value_fault whole_parse(const struct type *t, struct str text, struct vector *v, uint32_t row)
{
    int64_t value, low, high;
    enum value_fault fault = str_to_int64(text, &value) ? VALUE_OK : whole_from_number(text, &value);

    if (fault != VALUE_OK) return fault;
    range_of(t, &low, &high);
    if (value < low || value > high) return VALUE_OUT_OF_RANGE;
    switch (t->phys) {
    case P_I8: VECTOR_VALUES(v, int8_t)[row] = (int8_t)value; break;
    case P_I16: VECTOR_VALUES(v, int16_t)[row] = (int16_t)value; break;
    case P_I32: VECTOR_VALUES(v, int32_t)[row] = (int32_t)value; break;
    default: VECTOR_VALUES(v, int64_t)[row] = value; break;
    }
    return VALUE_OK;
}

/* NaN and the infinities as Java writes them. */
static bool special_parse(struct str text, double *out)
{
    bool negative = text.size && text.data[0] == '-';
    bool is_signed = negative || (text.size && text.data[0] == '+');
    struct str word = {text.data + is_signed, text.size - is_signed};

    if (str_equal(word, STR("Infinity"))) *out = negative ? -INFINITY : INFINITY;
    else if (str_equal(text, STR("NaN"))) *out = NAN;
    else return false;
    return true;
}

/* The nearest float, of the digits and not of the nearest double: rounding twice can be wrong. */
static float float_parse(struct str text, double nearest)
{
    char copy[128], *end;
    float value;

    if (text.size >= sizeof copy) return (float)nearest;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    value = strtof(copy, &end);
    return *end ? (float)nearest : value;
}

static enum value_fault floating_parse(const struct type *t, struct str text, struct vector *v, uint32_t row)
{
    struct number n;
    double value = 0;
    float narrow = 0;

    if (special_parse(text, &value)) {
        narrow = (float)value;
    } else {
        if (!number_parse(text.data, text.size, &n)) return VALUE_NOT_NUMBER;
        if (!double_from_number(&n, &value) && !str_to_double(text, &value)) return VALUE_OUT_OF_RANGE;
        if (!float_from_number(&n, &narrow)) narrow = float_parse(text, value);
        if (isinf(value) || (t->phys == P_F32 && isinf(narrow))) return VALUE_OUT_OF_RANGE;
    }
    if (t->phys == P_F32) VECTOR_VALUES(v, float)[row] = narrow;
    else VECTOR_VALUES(v, double)[row] = value;
    return VALUE_OK;
}

static enum value_fault decimal_value_parse(const struct type *t, struct str text, struct vector *v, uint32_t row)
{
    struct number n;
    int128 value;

    if (!number_parse(text.data, text.size, &n)) return VALUE_NOT_NUMBER;
    if (!decimal_parse(text, t->precision, t->scale, &value)) return VALUE_OUT_OF_RANGE;
    if (t->phys == P_I128) VECTOR_VALUES(v, int128)[row] = value;
    else VECTOR_VALUES(v, int64_t)[row] = (int64_t)value;
    return VALUE_OK;
}

/* Cuts a fraction given in nanoseconds of a millisecond to `precision` digits of the second. */
static struct ts96 timestamp_cut(struct ts96 ts, int precision)
{
    static const int32_t ms_units[4] = {1000, 100, 10, 1};

    if (precision <= 3) {
        int64_t unit = ms_units[precision], rest = ts.ms % unit;
        ts.ms -= rest < 0 ? rest + unit : rest;
        ts.ns = 0;
    } else if (precision < 9) {
        ts.ns -= ts.ns % (int32_t)power10_u32((unsigned)(9 - precision));
    }
    return ts;
}

static enum value_fault timestamp_value_parse(const struct type *t, struct str text, struct vector *v, uint32_t row)
{
    struct ts96 ts;

    if (!timestamp_parse(text, &ts)) return VALUE_NOT_TIMESTAMP;
    timestamp_store(timestamp_cut(ts, t->precision), t->precision, (char *)v->data + (size_t)row * phys_width(v->phys));
    return VALUE_OK;
}

static enum value_fault time_value_parse(const struct type *t, struct str text, struct vector *v, uint32_t row)
{
    static const int32_t units[4] = {1000, 100, 10, 1};
    int32_t ms;

    if (!time_parse(text, &ms)) return VALUE_NOT_TIME;
    VECTOR_VALUES(v, int32_t)[row] = ms - ms % units[t->precision < 0 ? 0 : MIN(t->precision, 3)];
    return VALUE_OK;
}

static enum value_fault boolean_parse(struct str text, struct vector *v, uint32_t row)
{
    bool is_true = str_equal_nocase(text, STR("true"));

    if (!is_true && !str_equal_nocase(text, STR("false"))) return VALUE_NOT_BOOLEAN;
    VECTOR_VALUES(v, uint8_t)[row] = is_true;
    return VALUE_OK;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct str text, char *out, size_t *out_size)
{
    uint32_t bits = 0, bit_count = 0;
    size_t size = text.size, written = 0;

    for (int i = 0; i < 2 && size && text.size % 4 == 0 && text.data[size - 1] == '='; i++) size--;
    if (size % 4 == 1) return false;
    for (size_t i = 0; i < size; i++) {
        int digit = base64_digit(text.data[i]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        out[written++] = (char)(bits >> bit_count);
    }
    *out_size = written;
    ASSERT(written <= text.size / 4 * 3 + 3);
    return (bits & ((1u << bit_count) - 1)) == 0;
}

static enum value_fault binary_parse(struct str text, struct vector *v, uint32_t row, struct text_heap *heap)
{
    size_t size = 0;
    char *bytes = text_reserve(heap, text.size / 4 * 3 + 3);

    if (!base64_decode(text, bytes, &size)) return VALUE_NOT_BASE64;
    VECTOR_VALUES(v, struct text)[row] = text_view(bytes, size);
    return VALUE_OK;
}

enum value_fault value_parse(const struct type *t, struct str text, struct vector *v, uint32_t row,
                             struct text_heap *heap)
{
    ASSERT_ROW(row < v->capacity && v->form == VEC_FLAT);
    if (t->kind == T_CHAR || t->kind == T_VARCHAR) {
        VECTOR_VALUES(v, struct text)[row] = text_put(heap, text.data, text.size);
        return VALUE_OK;
    }
    text = str_trim(text);
    switch (t->kind) {
    case T_BOOLEAN: return boolean_parse(text, v, row);
    case T_TINYINT:
    case T_SMALLINT:
    case T_INT:
    case T_BIGINT:
    case T_INTERVAL_MONTH:
    case T_INTERVAL_SECOND: return whole_parse(t, text, v, row);
    case T_FLOAT:
    case T_DOUBLE: return floating_parse(t, text, v, row);
    case T_DECIMAL: return decimal_value_parse(t, text, v, row);
    case T_BINARY:
    case T_VARBINARY: return binary_parse(text, v, row, heap);
    case T_DATE: return date_parse(text, &VECTOR_VALUES(v, int32_t)[row]) ? VALUE_OK : VALUE_NOT_DATE;
    case T_TIME: return time_value_parse(t, text, v, row);
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return timestamp_value_parse(t, text, v, row);
    default: break;
    }
    ASSERT(!"a type that decoder_open should have refused");
    return VALUE_NOT_NUMBER;
}

bool value_type_is_scalar(const struct type *t) { return t->kind >= T_BOOLEAN && t->kind <= T_INTERVAL_SECOND; }

static void range_print(const struct type *t, struct buf *out)
{
    int64_t low = 0, high = 0;

    buf_append_text(out, "is out of range for ");
    report_type(out, t);
    if (t->kind == T_DECIMAL || t->kind == T_FLOAT || t->kind == T_DOUBLE) return;
    range_of(t, &low, &high);
    buf_printf(out, " (%lld to %lld)", (long long)low, (long long)high);
}

void value_fault_print(enum value_fault fault, const struct type *t, struct buf *out)
{
    static const char *const texts[] = {
        [VALUE_OK] = "is a value",
        [VALUE_NOT_INTEGER] = "is not a whole number",
        [VALUE_NOT_NUMBER] = "is not a number",
        [VALUE_NOT_BOOLEAN] = "is neither true nor false",
        [VALUE_NOT_DATE] = "is not a date such as 2001-01-31",
        [VALUE_NOT_TIME] = "is not a time such as 10:20:30",
        [VALUE_NOT_TIMESTAMP] = "is not a timestamp such as 2001-01-31 10:20:30.123",
        [VALUE_NOT_BASE64] = "is not base64, as bytes are written",
        [VALUE_FRACTION] = "has a fraction where a whole number is expected",
        [VALUE_NULL] = "is NULL, but the type is NOT NULL",
    };

    ASSERT(fault != VALUE_OK);
    if (fault == VALUE_OUT_OF_RANGE) range_print(t, out);
    else buf_append_text(out, texts[fault]);
}
