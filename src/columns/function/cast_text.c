/* cast_text.c - text from everything, and everything but times (cast_text_time.c) from text. Text that is no such value fails its
 * row; blanks around a value do not count. CHAR(n) is padded and cut, VARCHAR(n) cut; lengths are code points. */
#include "columns/function/cast.h"

#include "columns/column/decimal.h"
#include "columns/column/sql_text.h"
#include "columns/function/time_pattern.h"
#include "ground/base/str.h"

#include <string.h>

/* --- to text ----------------------------------------------------------------------------------------------------- */
/* Bytes of the first `length` units of s: code points of text, bytes of binaries. */
static size_t cut_size(struct str s, int32_t length, bool is_text)
{
    size_t at = 0;

    if (s.size <= (size_t)length) return s.size;
    if (!is_text) return (size_t)length;
    for (int32_t n = 0; at < s.size && n < length; n++)
        for (at++; at < s.size && ((unsigned char)s.data[at] & 0xC0) == 0x80; at++) {}
    return at;
}

/* Stores text as the result's type asks: cut, and padded when its length is fixed. */
static void put_fitted(const struct fn_run *r, struct vector *out, uint32_t row, struct str s)
{
    const struct type *t = out->type;
    bool is_text = type_is_string(t), padded = t->kind == T_CHAR || t->kind == T_BINARY;
    size_t keep = cut_size(s, t->precision, is_text);
    size_t have = is_text ? str_utf8_length((struct str){s.data, keep}) : keep;
    size_t pad = padded && have < (size_t)t->precision ? (size_t)t->precision - have : 0;

    if (pad == 0) {
        fn_put(r, out, row, (struct str){s.data, keep});
        return;
    }
    char *bytes = text_reserve(r->heap, keep + pad);
    memcpy(bytes, s.data, keep);
    memset(bytes + keep, is_text ? ' ' : 0, pad);
    VECTOR_VALUES(out, struct text)[row] = text_view(bytes, keep + pad);
}

void cast_to_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    struct buf *b = r->state;
    const struct cast_zone *z = r->call->plan;

    FN_EACH_VALID(r, args, 1, i)
    {
        buf_clear(b);
        sql_text_print(args[0], i, &z->zone, b);
        put_fitted(r, out, i, (struct str){b->data, b->size});
    }
}

void cast_text_to_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) put_fitted(r, out, i, fn_str(args[0], i));
}

void cast_bytes_to_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        if (str_is_utf8(s)) put_fitted(r, out, i, s);
        else row_error(r->errors, i, FN_BAD_TEXT, "the bytes are not UTF-8");
    }
}

/* --- from text --------------------------------------------------------------------------------------------------- */
#define BAD(i, what) row_error(r->errors, i, FN_BAD_TEXT, what)

/* "12", "-7", "12.9": digits behind a point are checked and cut off. */
static bool read_int(struct str s, int64_t low, int64_t high, int64_t *out)
{
    struct str whole;

    s = str_trim(s);
    struct str fraction = s;
    if (memchr(s.data, '.', s.size) == NULL) return str_to_int64(s, out) && *out >= low && *out <= high;
    if (!str_cut(&fraction, '.', &whole) || !str_to_int64(whole, out)) return false;
    for (size_t i = 0; i < fraction.size; i++)
        if (fraction.data[i] < '0' || fraction.data[i] > '9') return false;
    return *out >= low && *out <= high;
}

void cast_text_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    static const int64_t highs[] = {[P_I8] = INT8_MAX, [P_I16] = INT16_MAX, [P_I32] = INT32_MAX, [P_I64] = INT64_MAX};
    int64_t high = highs[out->phys], value;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (!read_int(fn_str(args[0], i), -high - 1, high, &value)) BAD(i, "the text is no whole number of that size");
        else if (out->phys == P_I64) VECTOR_VALUES(out, int64_t)[i] = value;
        else if (out->phys == P_I32) VECTOR_VALUES(out, int32_t)[i] = (int32_t)value;
        else if (out->phys == P_I16) VECTOR_VALUES(out, int16_t)[i] = (int16_t)value;
        else VECTOR_VALUES(out, int8_t)[i] = (int8_t)value;
    }
}

void cast_text_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    double value;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (!str_to_double(str_trim(fn_str(args[0], i)), &value)) BAD(i, "the text is no number");
        else if (out->phys == P_F32) VECTOR_VALUES(out, float)[i] = (float)value;
        else VECTOR_VALUES(out, double)[i] = value;
    }
}

/* Text that is a number but too long for the type is NULL; other text fails. */
void cast_text_to_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int128 value;
    double real;

    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = str_trim(fn_str(args[0], i));
        if (decimal_parse(s, out->type->precision, out->type->scale, &value)) fn_put_decimal(out, i, value);
        else if (str_to_double(s, &real)) vector_set_null(out, i);
        else BAD(i, "the text is no number");
    }
}

void cast_text_to_boolean(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    static const char *const words[2][5] = {{"f", "false", "n", "no", "0"}, {"t", "true", "y", "yes", "1"}};

    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        int value = -1;
        for (int v = 0; v < 2; v++)
            for (size_t w = 0; w < COUNT_OF(words[0]); w++)
                if (str_equal_nocase(s, str_of(words[v][w]))) value = v;
        if (value < 0) BAD(i, "the text is no BOOLEAN");
        else VECTOR_VALUES(out, bool)[i] = value == 1;
    }
}
