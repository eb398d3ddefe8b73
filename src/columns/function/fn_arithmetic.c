/* fn_arithmetic.c - + - * / % and the sign, on every pair of types that Flink computes with: integers in their common width
 * (they wrap), FLOAT and DOUBLE (IEEE), DECIMAL by Flink's derivation of precision and scale, intervals, and dates and
 * timestamps with intervals.
 *
 * Integer division by zero is an error of the row; a DECIMAL that does not fit its type is NULL, as in Flink. */
#include "columns/function/time_arithmetic.h"
#include "columns/function/fn_kernels.h"

#include "columns/column/decimal.h"
#include "columns/column/timestamp.h"
#include "columns/column/type_rules.h"

#include <math.h>

/* --- integers and floating point --------------------------------------------------------------------------------- */
#define WRAPPING(OP, SIGN)                                                                                             \
    FN_BINARY(OP##_i8, int8_t, int8_t, (uint8_t)a SIGN(uint8_t) b)                                                     \
    FN_BINARY(OP##_i16, int16_t, int16_t, (uint32_t)a SIGN(uint32_t) b)                                                \
    FN_BINARY(OP##_i32, int32_t, int32_t, (uint32_t)a SIGN(uint32_t) b)                                                \
    FN_BINARY(OP##_i64, int64_t, int64_t, (uint64_t)a SIGN(uint64_t) b)                                                \
    FN_BINARY(OP##_f32, float, float, a SIGN b)                                                                        \
    FN_BINARY(OP##_f64, double, double, a SIGN b)
WRAPPING(add, +)
WRAPPING(subtract, -)
WRAPPING(multiply, *)
FN_BINARY(divide_f32, float, float, a / b)
FN_BINARY(divide_f64, double, double, a / b)
FN_BINARY(modulo_f32, float, float, fmodf(a, b))
FN_BINARY(modulo_f64, double, double, fmod(a, b))

/* Division by a constant that is neither 0 nor -1 needs no check per row; -1 would overflow on the least value. */
#define DIVIDING(NAME, T, U, OP, MINUS_ONE)                                                                            \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        const T *dividends = args[0]->data, *divisors = args[1]->data;                                                 \
        T *quotients = out->data;                                                                                      \
        if (args[1]->form == VEC_CONST && divisors[0] != 0 && divisors[0] != -1) {                                     \
            FN_BINARY_LOOP(T, T, a OP b);                                                                              \
            return;                                                                                                    \
        }                                                                                                              \
        for (uint32_t i = 0; i < r->count; i++) {                                                                      \
            T a = dividends[vector_at(args[0], i)], b = divisors[vector_at(args[1], i)];                               \
            if (b == 0 && !fn_is_null(args, 2, i)) row_error(r->errors, i, FN_DIVISION_BY_ZERO, NULL);                 \
            quotients[i] = b == 0 ? 0 : b == -1 ? (T)(MINUS_ONE) : (T)(a OP b);                                        \
        }                                                                                                              \
    }
DIVIDING(divide_i8, int8_t, uint8_t, /, 0u - (uint8_t)a)
DIVIDING(divide_i16, int16_t, uint16_t, /, 0u - (uint16_t)a)
DIVIDING(divide_i32, int32_t, uint32_t, /, 0u - (uint32_t)a)
DIVIDING(divide_i64, int64_t, uint64_t, /, 0u - (uint64_t)a)
DIVIDING(modulo_i8, int8_t, uint8_t, %, 0)
DIVIDING(modulo_i16, int16_t, uint16_t, %, 0)
DIVIDING(modulo_i32, int32_t, uint32_t, %, 0)
DIVIDING(modulo_i64, int64_t, uint64_t, %, 0)

/* A remainder is of the divisor's type, in which it always fits: BIGINT % INT is INT. The dividend comes as BIGINT. */
#define REMAINING(T)                                                                                                   \
    static void remain_##T(const struct fn_run *r, const struct vector *const *args, struct vector *out)               \
    {                                                                                                                  \
        FN_EACH_VALID(r, args, 2, i)                                                                                   \
        {                                                                                                              \
            int64_t a = VECTOR_VALUES(args[0], int64_t)[vector_at(args[0], i)];                                        \
            int64_t b = VECTOR_VALUES(args[1], T)[vector_at(args[1], i)];                                              \
            if (b == 0) row_error(r->errors, i, FN_DIVISION_BY_ZERO, NULL);                                            \
            VECTOR_VALUES(out, T)[i] = b == 0 || b == -1 ? 0 : (T)(a % b);                                             \
        }                                                                                                              \
    }
REMAINING(int8_t)
REMAINING(int16_t)
REMAINING(int32_t)
static const struct fn_by_phys remain_by_phys[] = {{P_I8, remain_int8_t}, {P_I16, remain_int16_t}, {P_I32, remain_int32_t}, {0}};

#define BY_PHYS(OP)                                                                                                    \
    static const struct fn_by_phys OP##_by_phys[] = {{P_I8, OP##_i8},   {P_I16, OP##_i16}, {P_I32, OP##_i32},          \
                                                     {P_I64, OP##_i64}, {P_F32, OP##_f32}, {P_F64, OP##_f64}, {0}}
BY_PHYS(add);
BY_PHYS(subtract);
BY_PHYS(multiply);
BY_PHYS(divide);
BY_PHYS(modulo);

/* --- decimals ---------------------------------------------------------------------------------------------------- */
typedef bool (*decimal_fn)(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out);

static void each_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out, decimal_fn compute, bool divides)
{
    const struct type *ta = args[0]->type, *tb = args[1]->type, *to = out->type;

    FN_EACH_VALID(r, args, 2, i)
    {
        int128 a = fn_decimal(args[0], i), b = fn_decimal(args[1], i), value = 0;
        if (divides && b == 0) row_error(r->errors, i, FN_DIVISION_BY_ZERO, NULL);
        else if (compute(a, ta->scale, b, tb->scale, to->precision, to->scale, &value)) fn_put_decimal(out, i, value);
        else vector_set_null(out, i);
    }
}

static bool decimal_subtract(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out)
{
    return decimal_add(a, scale_a, -b, scale_b, precision, scale, out);
}

/* Both at the larger scale; what does not fit there does not occur: the result is no longer than its operands. */
static bool decimal_modulo(int128 a, int scale_a, int128 b, int scale_b, int precision, int scale, int128 *out)
{
    int common = MAX(scale_a, scale_b);
    int128 x, y;

    if (!decimal_rescale(a, scale_a, common, 38, &x) || !decimal_rescale(b, scale_b, common, 38, &y) || y == 0) return false;
    return decimal_rescale(x % y, common, scale, precision, out);
}

#define DECIMAL_KERNEL(OP, COMPUTE, DIVIDES)                                                                           \
    static void OP##_decimal(const struct fn_run *r, const struct vector *const *args, struct vector *out)             \
    {                                                                                                                  \
        each_decimal(r, args, out, COMPUTE, DIVIDES);                                                                  \
    }
DECIMAL_KERNEL(add, decimal_add, false)
DECIMAL_KERNEL(subtract, decimal_subtract, false)
DECIMAL_KERNEL(multiply, decimal_multiply, false)
DECIMAL_KERNEL(divide, decimal_divide, true)
DECIMAL_KERNEL(modulo, decimal_modulo, true)

/* --- binding ----------------------------------------------------------------------------------------------------- */
struct operation {
    const struct fn_by_phys *by_phys;
    fn_kernel decimal;
    const struct type *(*decimal_type)(struct arena *, int32_t, int32_t, int32_t, int32_t);
    bool of_divisor; /* an integer result is of the second argument's type, where that is the narrower one */
};

static enum status bind_decimal(struct fn_call *c, struct arena *a, const struct operation *o)
{
    int32_t p[2] = {0}, s[2] = {0};

    for (uint32_t i = 0; i < 2; i++) {
        bool is = type_as_decimal(c->args[i], &p[i], &s[i]);
        ASSERT(is);
        c->args[i] = type_new(a, T_DECIMAL, p[i], s[i], c->args[i]->nullable);
    }
    c->result = type_with_null(a, o->decimal_type(a, p[0], s[0], p[1], s[1]), true);
    c->run = o->decimal;
    return S_OK;
}

static enum status bind_remainder(struct fn_call *c, struct arena *a, bool nullable)
{
    const struct type *divisor = c->args[1];

    c->args[0] = type_with_null(a, &type_bigint, c->args[0]->nullable);
    c->result = type_with_null(a, divisor, nullable);
    c->run = fn_for_phys(remain_by_phys, divisor->phys);
    return S_OK;
}

static enum status bind_numbers(struct fn_call *c, struct arena *a, const struct operation *o, struct err *e)
{
    if (c->count != 2) return fn_refuse(c, NULL, e); /* MOD is called by name, with any number of arguments */
    const struct type *common = type_least_restrictive(a, c->args[0], c->args[1]);
    bool null = c->args[0]->kind == T_NULL && c->args[1]->kind == T_NULL;

    if (null || common == NULL || !type_is_numeric(common)) return fn_refuse(c, NULL, e);
    for (uint32_t i = 0; i < 2; i++)
        if (c->args[i]->kind == T_NULL) c->args[i] = common;
    if (common->kind == T_DECIMAL) return bind_decimal(c, a, o);
    if (o->of_divisor && common->kind <= T_BIGINT && c->args[1]->kind < common->kind) return bind_remainder(c, a, common->nullable);
    for (uint32_t i = 0; i < 2; i++) c->args[i] = type_with_null(a, common, c->args[i]->nullable);
    c->casts_freely = true; /* DOUBLE may become FLOAT */
    c->result = common;
    c->run = fn_for_phys(o->by_phys, common->phys);
    return S_OK;
}

static const struct operation add = {add_by_phys, add_decimal, type_decimal_sum, false},
                              subtract = {subtract_by_phys, subtract_decimal, type_decimal_sum, false},
                              multiply = {multiply_by_phys, multiply_decimal, type_decimal_product, false},
                              divide = {divide_by_phys, divide_decimal, type_decimal_quotient, false},
                              modulo = {modulo_by_phys, modulo_decimal, type_decimal_remainder, true};

static enum status bind_add(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return time_sum_bind(c, a, false) ? S_OK : bind_numbers(c, a, &add, e);
}

static enum status bind_subtract(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return time_sum_bind(c, a, true) ? S_OK : bind_numbers(c, a, &subtract, e);
}

static enum status bind_multiply(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return interval_product_bind(c, a) ? S_OK : bind_numbers(c, a, &multiply, e);
}

static enum status bind_divide(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_numbers(c, a, &divide, e);
}

static enum status bind_modulo(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_numbers(c, a, &modulo, e);
}

/* --- the sign ---------------------------------------------------------------------------------------------------- */
FN_UNARY(negate_i8, int8_t, int8_t, 0u - (uint8_t)a)
FN_UNARY(negate_i16, int16_t, int16_t, 0u - (uint32_t)a)
FN_UNARY(negate_i32, int32_t, int32_t, 0u - (uint32_t)a)
FN_UNARY(negate_i64, int64_t, int64_t, 0u - (uint64_t)a)
FN_UNARY(negate_i128, int128, int128, (uint128)0 - (uint128)a)
FN_UNARY(negate_f32, float, float, -a)
FN_UNARY(negate_f64, double, double, -a)
static const struct fn_by_phys negate_by_phys[] = {{P_I8, negate_i8},     {P_I16, negate_i16}, {P_I32, negate_i32}, {P_I64, negate_i64},
                                                   {P_I128, negate_i128}, {P_F32, negate_f32}, {P_F64, negate_f64}, {0}};

static enum status bind_negate(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)a;
    (void)session;
    if (c->count != 1) return fn_refuse(c, NULL, e);
    uint8_t kind = c->args[0]->kind;
    if (!type_is_numeric(c->args[0]) && kind != T_INTERVAL_MONTH && kind != T_INTERVAL_SECOND) return fn_refuse(c, NULL, e);
    c->result = c->args[0];
    c->run = fn_for_phys(negate_by_phys, c->args[0]->phys);
    return S_OK;
}

#define EXAMPLE(TEXT, RESULT) (const struct fn_example[]){{TEXT, RESULT}, {0}}
static const struct fn_def functions[] = {
    {.name = "+", .doc = "sum; integers wrap", .examples = EXAMPLE("2 + 3", "5"), .bind = bind_add},
    {.name = "-", .doc = "difference; integers wrap", .examples = EXAMPLE("2 - 3", "-1"), .bind = bind_subtract},
    {.name = "*", .doc = "product; integers wrap", .examples = EXAMPLE("2 * 3", "6"), .bind = bind_multiply},
    {.name = "/", .doc = "quotient; of integers toward zero", .examples = EXAMPLE("7 / 2", "3"), .flags = FN_MAY_FAIL, .bind = bind_divide},
    {.name = "%", .usage = "a % b, MOD(a, b)", .aliases = "MOD", .doc = "remainder, with the sign of the first", .examples = EXAMPLE("-7 % 2", "-1"),
     .flags = FN_MAY_FAIL, .bind = bind_modulo},
    {.name = "NEGATE", .doc = "the other sign, written - x", .examples = EXAMPLE("- 3", "-3"), .flags = FN_INJECTIVE | FN_SYNTAX, .bind = bind_negate},
    {0},
};

const struct fn_type fn_arithmetic = {.name = "arithmetic", .doc = "sums, products, quotients", .example = "2 + 3", .functions = functions};
