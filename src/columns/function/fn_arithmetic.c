/* fn_arithmetic.c - + - * / % on INT, BIGINT and DOUBLE (smaller integers are widened before). Integers wrap on overflow,
 * as Flink's do; integer division by zero is an error of the row, floating point follows IEEE. */
#include "columns/function/fn_kernels.h"

#include <math.h>

#define WRAPPING(NAME, T, U, OP) FN_BINARY(NAME, T, T, (U)a OP(U) b)
WRAPPING(add_i32, int32_t, uint32_t, +)
WRAPPING(add_i64, int64_t, uint64_t, +)
FN_BINARY(add_f64, double, double, a + b)
WRAPPING(sub_i32, int32_t, uint32_t, -)
WRAPPING(sub_i64, int64_t, uint64_t, -)
FN_BINARY(sub_f64, double, double, a - b)
WRAPPING(mul_i32, int32_t, uint32_t, *)
WRAPPING(mul_i64, int64_t, uint64_t, *)
FN_BINARY(mul_f64, double, double, a *b)
FN_BINARY(div_f64, double, double, a / b)
FN_BINARY(mod_f64, double, double, fmod(a, b))

/* Division by a constant that is neither 0 nor -1 needs no check per row; -1 would overflow on the least value. */
#define DIVIDING(NAME, T, U, OP, MINUS_ONE)                                                                            \
    static void NAME(const struct vector *const *args, uint32_t n, struct vector *out, struct row_errors *errors)      \
    {                                                                                                                  \
        const T *divisors = args[1]->data;                                                                             \
        if (args[1]->form == VEC_CONST && divisors[0] != 0 && divisors[0] != -1) {                                     \
            FN_BINARY_LOOP(T, T, a OP b);                                                                              \
            return;                                                                                                    \
        }                                                                                                              \
        const T *dividends = args[0]->data;                                                                            \
        T *quotients = out->data;                                                                                      \
        for (uint32_t i = 0; i < n; i++) {                                                                             \
            T a = dividends[vector_at(args[0], i)], b = divisors[vector_at(args[1], i)];                               \
            bool null = vector_is_null(args[0], i) || vector_is_null(args[1], i);                                      \
            if (b == 0 && !null) row_error(errors, i, FN_DIVISION_BY_ZERO);                                            \
            quotients[i] = b == 0 ? 0 : b == -1 ? (T)(MINUS_ONE) : (T)(a OP b);                                        \
        }                                                                                                              \
    }
DIVIDING(div_i32, int32_t, uint32_t, /, 0u - (uint32_t)a)
DIVIDING(div_i64, int64_t, uint64_t, /, 0u - (uint64_t)a)
DIVIDING(mod_i32, int32_t, uint32_t, %, 0)
DIVIDING(mod_i64, int64_t, uint64_t, %, 0)

#define NUMERIC_OVERLOADS(OP)                                                                                          \
    static const struct fn_overload OP##_overloads[] = {{2, {P_I32, P_I32}, T_INT, OP##_i32},                          \
                                                        {2, {P_I64, P_I64}, T_BIGINT, OP##_i64},                       \
                                                        {2, {P_F64, P_F64}, T_DOUBLE, OP##_f64}}
NUMERIC_OVERLOADS(add);
NUMERIC_OVERLOADS(sub);
NUMERIC_OVERLOADS(mul);
NUMERIC_OVERLOADS(div);
NUMERIC_OVERLOADS(mod);

static const struct fn_def functions[] = {
    {"+", "sum; integers wrap", "2 + 3 = 5", add_overloads, COUNT_OF(add_overloads)},
    {"-", "difference; integers wrap", "2 - 3 = -1", sub_overloads, COUNT_OF(sub_overloads)},
    {"*", "product; integers wrap", "2 * 3 = 6", mul_overloads, COUNT_OF(mul_overloads)},
    {"/", "quotient; of integers toward zero", "7 / 2 = 3", div_overloads, COUNT_OF(div_overloads)},
    {"%", "remainder, with the sign of the first", "-7 % 2 = -1", mod_overloads, COUNT_OF(mod_overloads)},
    {0},
};

const struct fn_type fn_arithmetic = {
    .name = "arithmetic", .doc = "sums, products, quotients", .example = "2 + 3 = 5", .functions = functions};
