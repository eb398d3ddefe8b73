/* fn_round.c - ABS, SIGN, CEIL, FLOOR, ROUND and TRUNCATE: the result has the type of the number, and a DECIMAL is exact.
 *
 * ROUND and TRUNCATE of floating point work on the shortest decimal text of the number, as Java's BigDecimal does: 1.005 has two
 * digits and a five, whatever its bits. round_number.c has the arithmetic of one value.
 *
 * CEIL and FLOOR of times are in round_time.c. */
#include "columns/function/round_number.h"
#include "columns/function/round_time.h"

#include "columns/column/decimal.h"

#include <math.h>

/* --- ABS and SIGN ------------------------------------------------------------------------------------------------ */
/* The absolute of the least integer is itself, as in Java. */
FN_UNARY(abs_i8, int8_t, int8_t, a < 0 ? 0u - (uint8_t)a : (uint8_t)a)
FN_UNARY(abs_i16, int16_t, int16_t, a < 0 ? 0u - (uint32_t)a : (uint32_t)a)
FN_UNARY(abs_i32, int32_t, int32_t, a < 0 ? 0u - (uint32_t)a : (uint32_t)a)
FN_UNARY(abs_i64, int64_t, int64_t, a < 0 ? 0u - (uint64_t)a : (uint64_t)a)
FN_UNARY(abs_i128, int128, int128, a < 0 ? (uint128)0 - (uint128)a : (uint128)a)
FN_UNARY(abs_f32, float, float, fabsf(a))
FN_UNARY(abs_f64, double, double, fabs(a))
static const struct fn_by_phys abs_by_phys[] = {
    {P_I8, abs_i8},     {P_I16, abs_i16}, {P_I32, abs_i32}, {P_I64, abs_i64},
    {P_I128, abs_i128}, {P_F32, abs_f32}, {P_F64, abs_f64}, {0}};

FN_UNARY(sign_i8, int8_t, int8_t, (a > 0) - (a < 0))
FN_UNARY(sign_i16, int16_t, int16_t, (a > 0) - (a < 0))
FN_UNARY(sign_i32, int32_t, int32_t, (a > 0) - (a < 0))
FN_UNARY(sign_i64, int64_t, int64_t, (a > 0) - (a < 0))
FN_UNARY(sign_f32, float, float, a > 0 ? 1.0f : a < 0 ? -1.0f : a)
FN_UNARY(sign_f64, double, double, a > 0 ? 1.0 : a < 0 ? -1.0 : a)
static const struct fn_by_phys sign_by_phys[] = {{P_I8, sign_i8},
                                                 {P_I16, sign_i16},
                                                 {P_I32, sign_i32},
                                                 {P_I64, sign_i64},
                                                 {P_F32, sign_f32},
                                                 {P_F64, sign_f64},
                                                 {0}};

/* 1 has as many digits as the number; where it has no room, DECIMAL(38, 38), it is NULL. */
static void sign_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int128 one = 1;
    bool fits = out->phys == P_I64 || decimal_rescale(1, 0, out->type->scale, out->type->precision, &one);

    if (out->phys == P_I64) one = decimal_power10(out->type->scale);
    FN_EACH_VALID(r, args, 1, i)
    {
        int128 value = fn_decimal(args[0], i);
        if (value != 0 && !fits)
            vector_set_null(out, i);
        else
            fn_put_decimal(out, i, value > 0 ? one : value < 0 ? -one : 0);
    }
}

/* --- CEIL and FLOOR ---------------------------------------------------------------------------------------------- */
FN_UNARY(ceil_f32, float, float, ceilf(a))
FN_UNARY(ceil_f64, double, double, ceil(a))
FN_UNARY(floor_f32, float, float, floorf(a))
FN_UNARY(floor_f64, double, double, floor(a))
FN_UNARY(same_i8, int8_t, int8_t, a)
FN_UNARY(same_i16, int16_t, int16_t, a)
FN_UNARY(same_i32, int32_t, int32_t, a)
FN_UNARY(same_i64, int64_t, int64_t, a)
static const struct fn_by_phys ceil_by_phys[] = {{P_I8, same_i8},
                                                 {P_I16, same_i16},
                                                 {P_I32, same_i32},
                                                 {P_I64, same_i64},
                                                 {P_F32, ceil_f32},
                                                 {P_F64, ceil_f64},
                                                 {0}};
static const struct fn_by_phys floor_by_phys[] = {{P_I8, same_i8},
                                                  {P_I16, same_i16},
                                                  {P_I32, same_i32},
                                                  {P_I64, same_i64},
                                                  {P_F32, floor_f32},
                                                  {P_F64, floor_f64},
                                                  {0}};

/* Division cuts toward zero: one more for a rest on the side that is asked for. */
static void ceil_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int128 unit = decimal_power10(args[0]->type->scale);

    FN_EACH_VALID(r, args, 1, i)
    {
        int128 value = fn_decimal(args[0], i);
        fn_put_decimal(out, i, value / unit + (value % unit > 0));
    }
}

static void floor_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    int128 unit = decimal_power10(args[0]->type->scale);

    FN_EACH_VALID(r, args, 1, i)
    {
        int128 value = fn_decimal(args[0], i);
        fn_put_decimal(out, i, value / unit - (value % unit < 0));
    }
}

/* --- ROUND and TRUNCATE ------------------------------------------------------------------------------------------ */
/* How many digits behind the point stay; without a second argument none. */
static int64_t digits_at(const struct vector *const *args, const struct fn_run *r, uint32_t row)
{
    return r->call->count < 2 ? 0 : VECTOR_VALUES(args[1], int32_t)[vector_at(args[1], row)];
}

#define ROUND_INTEGERS(NAME, T, MODE)                                                                                  \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        FN_EACH_VALID(r, args, r->call->count, i)                                                                      \
        VECTOR_VALUES(out, T)                                                                                          \
        [i] = (T)round_int64(VECTOR_VALUES(args[0], T)[vector_at(args[0], i)], digits_at(args, r, i), MODE);           \
    }
ROUND_INTEGERS(round_i8, int8_t, ROUND_HALF_UP)
ROUND_INTEGERS(round_i16, int16_t, ROUND_HALF_UP)
ROUND_INTEGERS(round_i32, int32_t, ROUND_HALF_UP)
ROUND_INTEGERS(round_i64, int64_t, ROUND_HALF_UP)
ROUND_INTEGERS(truncate_i8, int8_t, ROUND_DOWN)
ROUND_INTEGERS(truncate_i16, int16_t, ROUND_DOWN)
ROUND_INTEGERS(truncate_i32, int32_t, ROUND_DOWN)
ROUND_INTEGERS(truncate_i64, int64_t, ROUND_DOWN)

#define ROUND_REALS(NAME, T, COMPUTE)                                                                                  \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        FN_EACH_VALID(r, args, r->call->count, i)                                                                      \
        {                                                                                                              \
            double value = 0;                                                                                          \
            if (!COMPUTE((double)VECTOR_VALUES(args[0], T)[vector_at(args[0], i)], digits_at(args, r, i), &value))     \
                row_error(r->errors, i, FN_OVERFLOW, "a number that is not finite, or too large, cannot be rounded");  \
            VECTOR_VALUES(out, T)[i] = (T)value;                                                                       \
        }                                                                                                              \
    }
ROUND_REALS(round_f32, float, round_double)
ROUND_REALS(round_f64, double, round_double)
ROUND_REALS(truncate_f32, float, truncate_double)
ROUND_REALS(truncate_f64, double, truncate_double)

static void each_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out,
                         enum round_mode mode)
{
    FN_EACH_VALID(r, args, r->call->count, i)
    {
        int128 value;
        if (round_decimal(fn_decimal(args[0], i), args[0]->type->scale, digits_at(args, r, i), mode, out->type, &value))
            fn_put_decimal(out, i, value);
        else
            vector_set_null(out, i);
    }
}

static void round_decimals(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    each_decimal(r, args, out, ROUND_HALF_UP);
}

static void truncate_decimals(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    each_decimal(r, args, out, ROUND_DOWN);
}

static const struct fn_by_phys round_by_phys[] = {{P_I8, round_i8},
                                                  {P_I16, round_i16},
                                                  {P_I32, round_i32},
                                                  {P_I64, round_i64},
                                                  {P_F32, round_f32},
                                                  {P_F64, round_f64},
                                                  {0}};
static const struct fn_by_phys truncate_by_phys[] = {{P_I8, truncate_i8},
                                                     {P_I16, truncate_i16},
                                                     {P_I32, truncate_i32},
                                                     {P_I64, truncate_i64},
                                                     {P_F32, truncate_f32},
                                                     {P_F64, truncate_f64},
                                                     {0}};

/* --- binding ----------------------------------------------------------------------------------------------------- */
/* Numbers alone; NULL without a type counts as DOUBLE. */
static bool is_number(struct fn_call *c)
{
    if (c->count > 0 && c->args[0]->kind == T_NULL) c->args[0] = &type_double;
    return c->count > 0 && type_is_numeric(c->args[0]);
}

static enum status bind_abs(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)a;
    (void)session;
    if (c->count != 1 || !is_number(c)) return fn_refuse(c, "one number", e);
    c->result = c->args[0];
    c->run = fn_for_phys(abs_by_phys, c->args[0]->phys);
    return S_OK;
}

static enum status bind_sign(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    if (c->count != 1 || !is_number(c)) return fn_refuse(c, "one number", e);
    bool decimal = c->args[0]->kind == T_DECIMAL,
         no_room = decimal && c->args[0]->phys == P_I128 && c->args[0]->precision == c->args[0]->scale;
    c->result = no_room ? type_with_null(a, c->args[0], true) : c->args[0];
    c->run = decimal ? sign_decimal : fn_for_phys(sign_by_phys, c->args[0]->phys);
    return S_OK;
}

/* A DECIMAL keeps its precision and loses the digits behind the point. */
static enum status bind_whole(struct fn_call *c, struct arena *a, const struct fn_by_phys *by_phys, fn_kernel decimal,
                              struct err *e)
{
    if (c->count != 1 || !is_number(c)) return fn_refuse(c, "one number", e);
    const struct type *t = c->args[0];
    c->result = t->kind == T_DECIMAL ? type_new(a, T_DECIMAL, t->precision, 0, t->nullable) : t;
    c->run = t->kind == T_DECIMAL ? decimal : fn_for_phys(by_phys, t->phys);
    return S_OK;
}

static enum status bind_ceil(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool done;

    TRY(round_time_bind(c, a, session, true, &done, e));
    return done ? S_OK : bind_whole(c, a, ceil_by_phys, ceil_decimal, e);
}

static enum status bind_floor(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool done;

    TRY(round_time_bind(c, a, session, false, &done, e));
    return done ? S_OK : bind_whole(c, a, floor_by_phys, floor_decimal, e);
}

/* Flink's type of a rounded DECIMAL: one digit more before the point, and the digits behind it that stay. Where their number
 * is not known when the call is bound, the type is the argument's. */
static const struct type *rounded_decimal(struct arena *a, const struct fn_call *c)
{
    enum { PRECISION_MAX = 38 };
    const struct type *t = c->args[0];
    int32_t digits = 0;

    if (c->count == 2) {
        const struct vector *known = c->constants[1];
        if (known == NULL || known->phys != P_I32 || vector_is_null(known, 0)) return t;
        digits = VECTOR_VALUES(known, int32_t)[0];
    }
    if (digits >= t->scale) return t;
    int32_t whole = 1 + t->precision - t->scale;
    if (digits < 0) return type_new(a, T_DECIMAL, MIN(whole, PRECISION_MAX), 0, t->nullable);
    return type_new(a, T_DECIMAL, whole + digits, digits, t->nullable);
}

/* Can the result be too long for its type? When digits before the point go, and there is no room for one more; or when nothing
 * is known. */
static bool may_lose_digits(const struct fn_call *c)
{
    enum { PRECISION_MAX = 38 };

    if (c->count == 1) return false;
    const struct vector *known = c->constants[1];
    if (known == NULL || known->phys != P_I32) return true;
    return VECTOR_VALUES(known, int32_t)[0] < 0 && c->args[0]->precision - c->args[0]->scale == PRECISION_MAX;
}

static enum status bind_round(struct fn_call *c, struct arena *a, const struct fn_by_phys *by_phys, fn_kernel decimal,
                              struct err *e)
{
    static const char takes[] = "a number, and the count of digits behind the point as INT";

    if (!is_number(c) || c->count > 2) return fn_refuse(c, takes, e);
    if (c->count == 2 && c->args[1]->kind != T_INT) {
        if (c->args[1]->kind > T_INT || c->args[1]->kind == T_BOOLEAN) return fn_refuse(c, takes, e);
        c->args[1] = type_with_null(a, &type_int, c->args[1]->nullable);
    }
    bool null = c->args[0]->nullable || (c->count == 2 && c->args[1]->nullable),
         is_decimal = c->args[0]->kind == T_DECIMAL;
    const struct type *result = is_decimal ? rounded_decimal(a, c) : c->args[0];
    bool may_lose = is_decimal && may_lose_digits(c);
    c->result = type_with_null(a, result, null || may_lose);
    c->run = is_decimal ? decimal : fn_for_phys(by_phys, c->args[0]->phys);
    return S_OK;
}

static enum status bind_round_half_up(struct fn_call *c, struct arena *a, const struct fn_session *session,
                                      struct err *e)
{
    (void)session;
    return bind_round(c, a, round_by_phys, round_decimals, e);
}

static enum status bind_truncate(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_round(c, a, truncate_by_phys, truncate_decimals, e);
}

#define EXAMPLES(...)                                                                                                  \
    (const struct fn_example[])                                                                                        \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
static const struct fn_def functions[] = {
    {.name = "ABS", .usage = "ABS(number)", .doc = "the number without its sign", .examples = EXAMPLES({"ABS(-5)", "5"}), .bind = bind_abs},
    {.name = "SIGN",
     .usage = "SIGN(number)",
     .doc = "1, 0 or -1, in the number's type",
     .examples = EXAMPLES({"SIGN(-5)", "-1"}),
     .bind = bind_sign},
    {.name = "CEIL",
     .usage = "CEIL(number), CEIL(time TO unit)",
     .aliases = "CEILING",
     .doc = "the least whole number that is not less; CEIL(time TO unit): the next whole unit",
     .flags = FN_MONOTONE | FN_SESSION_ZONE,
     .examples = EXAMPLES({"CEIL(1.2)", "2"}, {"CEILING(-1.2)", "-1"}, {"CEIL(TIME '12:44:31' TO MINUTE)", "12:45:00"}),
     .bind = bind_ceil},
    {.name = "FLOOR",
     .usage = "FLOOR(number), FLOOR(time TO unit)",
     .doc = "the greatest whole number that is not more; FLOOR(time TO unit): the whole unit before",
     .flags = FN_MONOTONE | FN_SESSION_ZONE,
     .examples = EXAMPLES({"FLOOR(1.8)", "1"}, {"FLOOR(-1.2)", "-2"}, {"FLOOR(DATE '2001-11-15' TO MONTH)", "2001-11-01"}),
     .bind = bind_floor},
    {.name = "ROUND",
     .usage = "ROUND(number[, digits])",
     .doc = "rounded to so many digits behind the point; ties go away from zero",
     .flags = FN_MAY_FAIL,
     .examples = EXAMPLES({"ROUND(2.567, 2)", "2.57"}, {"ROUND(125, -1)", "130"}),
     .bind = bind_round_half_up},
    {.name = "TRUNCATE",
     .usage = "TRUNCATE(number[, digits])",
     .doc = "cut to so many digits behind the point",
     .flags = FN_MAY_FAIL,
     .examples = EXAMPLES({"TRUNCATE(2.567, 2)", "2.56"}, {"TRUNCATE(129, -1)", "120"}),
     .bind = bind_truncate},
    {0},
};

const struct fn_type fn_round = {
    .name = "round", .doc = "signs and rounding", .example = "ROUND(2.567, 2)", .functions = functions};
