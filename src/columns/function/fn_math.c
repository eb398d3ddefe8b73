/* fn_math.c - powers, logarithms, angles: all of DOUBLE, to which every number is cast. Results are IEEE's, so there are no
 * errors: the root of -1 is NaN, the logarithm of 0 is -Infinity.
 *
 * The C library and Java's may differ in the last bit, for both promise no more. Where Flink computes a function from others
 * (LOG2 as a quotient of logarithms), so do we: that shows in the last digits. */
#include "columns/function/fn_kernels.h"

#include <math.h>

#define DEGREE_IN_RADIANS 0.017453292519943295
#define RADIAN_IN_DEGREES 57.29577951308232

/* As Java's: no power of NaN, nor an infinite one of 1, is a number. */
static double power(double base, double exponent)
{
    if (isnan(exponent) || (fabs(base) == 1 && isinf(exponent))) return NAN;
    return pow(base, exponent);
}

FN_BINARY(power_f64, double, double, power(a, b))
FN_BINARY(log_of_base, double, double, log(b) / log(a))
FN_BINARY(atan2_f64, double, double, atan2(a, b))
FN_UNARY(sqrt_f64, double, double, sqrt(a))
FN_UNARY(exp_f64, double, double, exp(a))
FN_UNARY(ln_f64, double, double, log(a))
FN_UNARY(log10_f64, double, double, log10(a))
FN_UNARY(log2_f64, double, double, log(a) / log(2))
FN_UNARY(sin_f64, double, double, sin(a))
FN_UNARY(sinh_f64, double, double, sinh(a))
FN_UNARY(cos_f64, double, double, cos(a))
FN_UNARY(cosh_f64, double, double, cosh(a))
FN_UNARY(tan_f64, double, double, tan(a))
FN_UNARY(tanh_f64, double, double, tanh(a))
FN_UNARY(cot_f64, double, double, 1 / tan(a))
FN_UNARY(asin_f64, double, double, asin(a))
FN_UNARY(acos_f64, double, double, acos(a))
FN_UNARY(atan_f64, double, double, atan(a))
FN_UNARY(degrees_f64, double, double, a *RADIAN_IN_DEGREES)
FN_UNARY(radians_f64, double, double, a *DEGREE_IN_RADIANS)

static void fill(const struct fn_run *r, struct vector *out, double value)
{
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(out, double)[i] = value;
}

static void pi_f64(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    (void)args;
    fill(r, out, 3.141592653589793);
}

static void e_f64(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    (void)args;
    fill(r, out, 2.718281828459045);
}

#define EXAMPLES(...)                                                                                                  \
    (const struct fn_example[])                                                                                        \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
#define OVERLOADS(...)                                                                                                 \
    (const struct fn_overload[])                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
#define OF_ONE(KERNEL) .overloads = OVERLOADS({"DOUBLE -> DOUBLE", KERNEL})
#define OF_TWO(KERNEL) .overloads = OVERLOADS({"DOUBLE, DOUBLE -> DOUBLE", KERNEL})
#define OF_NONE(KERNEL) .overloads = OVERLOADS({"-> DOUBLE NOT NULL", KERNEL})
static const struct fn_def functions[] = {
    {.name = "POWER",
     .doc = "the first to the power of the second",
     .examples = EXAMPLES({"POWER(2, 10)", "1024.0"}),
     OF_TWO(power_f64)},
    {.name = "SQRT", .doc = "square root", .examples = EXAMPLES({"SQRT(2.25)", "1.5"}), OF_ONE(sqrt_f64)},
    {.name = "EXP", .doc = "e to the power of the number", .examples = EXAMPLES({"EXP(0)", "1.0"}), OF_ONE(exp_f64)},
    {.name = "LN", .doc = "natural logarithm", .examples = EXAMPLES({"LN(E())", "1.0"}), OF_ONE(ln_f64)},
    {.name = "LOG10", .doc = "logarithm to base 10", .examples = EXAMPLES({"LOG10(1000)", "3.0"}), OF_ONE(log10_f64)},
    {.name = "LOG2", .doc = "logarithm to base 2", .examples = EXAMPLES({"LOG2(16)", "4.0"}), OF_ONE(log2_f64)},
    {.name = "LOG",
     .doc = "natural logarithm; of two numbers, that of the second to the base of the first",
     .examples = EXAMPLES({"LOG(1)", "0.0"}, {"LOG(2, 16)", "4.0"}),
     .overloads = OVERLOADS({"DOUBLE -> DOUBLE", ln_f64}, {"DOUBLE, DOUBLE -> DOUBLE", log_of_base})},
    {.name = "SIN", .doc = "sine of an angle in radians", .examples = EXAMPLES({"SIN(0)", "0.0"}), OF_ONE(sin_f64)},
    {.name = "SINH", .doc = "hyperbolic sine", .examples = EXAMPLES({"SINH(0)", "0.0"}), OF_ONE(sinh_f64)},
    {.name = "COS", .doc = "cosine of an angle in radians", .examples = EXAMPLES({"COS(0)", "1.0"}), OF_ONE(cos_f64)},
    {.name = "COSH", .doc = "hyperbolic cosine", .examples = EXAMPLES({"COSH(0)", "1.0"}), OF_ONE(cosh_f64)},
    {.name = "TAN", .doc = "tangent of an angle in radians", .examples = EXAMPLES({"TAN(0)", "0.0"}), OF_ONE(tan_f64)},
    {.name = "TANH", .doc = "hyperbolic tangent", .examples = EXAMPLES({"TANH(0)", "0.0"}), OF_ONE(tanh_f64)},
    {.name = "COT",
     .doc = "cotangent of an angle in radians",
     .examples = EXAMPLES({"COT(1)", "0.6420926159343306"}),
     OF_ONE(cot_f64)},
    {.name = "ASIN",
     .doc = "angle in radians whose sine it is",
     .examples = EXAMPLES({"ASIN(0)", "0.0"}),
     OF_ONE(asin_f64)},
    {.name = "ACOS",
     .doc = "angle in radians whose cosine it is",
     .examples = EXAMPLES({"ACOS(1)", "0.0"}),
     OF_ONE(acos_f64)},
    {.name = "ATAN",
     .doc = "angle in radians whose tangent it is",
     .examples = EXAMPLES({"ATAN(0)", "0.0"}),
     OF_ONE(atan_f64)},
    {.name = "ATAN2",
     .doc = "angle in radians of the point (second, first)",
     .examples = EXAMPLES({"ATAN2(0, 1)", "0.0"}),
     OF_TWO(atan2_f64)},
    {.name = "DEGREES",
     .doc = "radians as degrees",
     .examples = EXAMPLES({"DEGREES(PI())", "180.0"}),
     OF_ONE(degrees_f64)},
    {.name = "RADIANS",
     .doc = "degrees as radians",
     .examples = EXAMPLES({"RADIANS(180)", "3.141592653589793"}),
     OF_ONE(radians_f64)},
    {.name = "PI", .doc = "the number pi", .examples = EXAMPLES({"PI()", "3.141592653589793"}), OF_NONE(pi_f64)},
    {.name = "E",
     .doc = "the base of natural logarithms",
     .examples = EXAMPLES({"E()", "2.718281828459045"}),
     OF_NONE(e_f64)},
    {0},
};

const struct fn_type fn_math = {
    .name = "math", .doc = "powers, logarithms, angles", .example = "POWER(2, 10)", .functions = functions};
