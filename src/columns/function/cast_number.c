/* cast_number.c - numbers, booleans and intervals as other numbers. Integers are cut to the width that is asked for, floating
 * point saturates and NaN is 0, as Java's casts do; a DECIMAL that does not fit its precision is NULL. */
#include "columns/function/cast.h"

#include "columns/column/decimal.h"

#include <math.h>
#include <string.h>

/* --- one value, whatever its width ------------------------------------------------------------------------------- */
static int64_t int_at(const struct vector *v, uint32_t row)
{
    uint32_t at = vector_at(v, row);

    switch ((enum phys)v->phys) {
    case P_BOOL: return VECTOR_VALUES(v, bool)[at];
    case P_I8: return VECTOR_VALUES(v, int8_t)[at];
    case P_I16: return VECTOR_VALUES(v, int16_t)[at];
    case P_I32: return VECTOR_VALUES(v, int32_t)[at];
    default: return VECTOR_VALUES(v, int64_t)[at];
    }
}

static void int_put(struct vector *v, uint32_t row, int64_t value)
{
    switch ((enum phys)v->phys) {
    case P_BOOL: VECTOR_VALUES(v, bool)[row] = value != 0; break;
    case P_I8: VECTOR_VALUES(v, int8_t)[row] = (int8_t)value; break;
    case P_I16: VECTOR_VALUES(v, int16_t)[row] = (int16_t)value; break;
    case P_I32: VECTOR_VALUES(v, int32_t)[row] = (int32_t)value; break;
    default: VECTOR_VALUES(v, int64_t)[row] = value; break;
    }
}

static double real_at(const struct vector *v, uint32_t row)
{
    uint32_t at = vector_at(v, row);
    return v->phys == P_F32 ? (double)VECTOR_VALUES(v, float)[at] : VECTOR_VALUES(v, double)[at];
}

static void real_put(struct vector *v, uint32_t row, double value)
{
    if (v->phys == P_F32) VECTOR_VALUES(v, float)[row] = (float)value;
    else VECTOR_VALUES(v, double)[row] = value;
}

/* --- the widths that occur most, as loops ------------------------------------------------------------------------ */
FN_UNARY(i32_to_i64, int32_t, int64_t, a)
FN_UNARY(i64_to_i32, int64_t, int32_t, a)
FN_UNARY(i32_to_f64, int32_t, double, a)
FN_UNARY(i64_to_f64, int64_t, double, a)

void cast_int_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    if (args[0]->phys == P_I32 && out->phys == P_I64) i32_to_i64(r, args, out);
    else if (args[0]->phys == P_I64 && out->phys == P_I32) i64_to_i32(r, args, out);
    else
        for (uint32_t i = 0; i < r->count; i++) int_put(out, i, int_at(args[0], i));
}

void cast_int_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    if (args[0]->phys == P_I32 && out->phys == P_F64) i32_to_f64(r, args, out);
    else if (args[0]->phys == P_I64 && out->phys == P_F64) i64_to_f64(r, args, out);
    else
        for (uint32_t i = 0; i < r->count; i++) {
            int64_t value = int_at(args[0], i);
            if (out->phys == P_F32) VECTOR_VALUES(out, float)[i] = (float)value; /* rounded once */
            else real_put(out, i, (double)value);
        }
}

/* Java's (int) and (long): the nearest value that there is. Narrower widths are cut from the int. */
static int64_t saturate(double value, int64_t low, int64_t high)
{
    if (isnan(value)) return 0;
    if (value >= (double)high) return high;
    return value <= (double)low ? low : (int64_t)value;
}

void cast_real_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    bool is_long = out->phys == P_I64;

    FN_EACH_VALID(r, args, 1, i)
    int_put(out, i, saturate(real_at(args[0], i), is_long ? INT64_MIN : INT32_MIN, is_long ? INT64_MAX : INT32_MAX));
}

void cast_real_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    for (uint32_t i = 0; i < r->count; i++) real_put(out, i, real_at(args[0], i));
}

void cast_decimal_to_int(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int128 unit = decimal_power10(args[0]->type->scale);

    FN_EACH_VALID(r, args, 1, i) int_put(out, i, (int64_t)(fn_decimal(args[0], i) / unit));
}

void cast_decimal_to_real(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) real_put(out, i, decimal_to_double(fn_decimal(args[0], i), args[0]->type->scale));
}

/* A number as DECIMAL(precision, scale); false when it does not fit. */
static bool as_decimal(const struct vector *v, uint32_t row, int32_t precision, int32_t scale, int128 *out)
{
    if (v->phys == P_F32 || v->phys == P_F64) return decimal_from_double(real_at(v, row), precision, scale, out);
    bool decimal = v->type->kind == T_DECIMAL;
    int128 value = decimal ? fn_decimal(v, row) : (int128)int_at(v, row);
    return decimal_rescale(value, decimal ? v->type->scale : 0, scale, precision, out);
}

void cast_to_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int128 value;

    FN_EACH_VALID(r, args, 1, i)
    {
        if (as_decimal(args[0], i, out->type->precision, out->type->scale, &value)) fn_put_decimal(out, i, value);
        else vector_set_null(out, i);
    }
}

void cast_to_boolean(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct vector *v = args[0];
    bool real = v->phys == P_F32 || v->phys == P_F64, decimal = v->type->kind == T_DECIMAL;

    FN_EACH_VALID(r, args, 1, i)
    VECTOR_VALUES(out, bool)[i] = real ? real_at(v, i) != 0 : decimal ? fn_decimal(v, i) != 0 : int_at(v, i) != 0;
}

void cast_null(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    (void)args;
    FN_EACH(r, i) vector_set_null(out, i);
}

void cast_same(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    size_t width = phys_width((enum phys)out->phys);

    for (uint32_t i = 0; i < r->count; i++)
        memcpy((char *)out->data + width * i, (const char *)args[0]->data + width * vector_at(args[0], i), width);
}
