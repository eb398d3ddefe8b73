/* fn_comparison.c - = <> < <= > >= on booleans, integers, floating point and text. Text compares by bytes, which is code
 * point order in UTF-8. */
#include "columns/function/fn_kernels.h"

#define COMPARING(NAME, OP)                                                                                            \
    FN_BINARY(NAME##_bool, bool, bool, a OP b)                                                                         \
    FN_BINARY(NAME##_i32, int32_t, bool, a OP b)                                                                       \
    FN_BINARY(NAME##_i64, int64_t, bool, a OP b)                                                                       \
    FN_BINARY(NAME##_f64, double, bool, a OP b)                                                                        \
    FN_BINARY(NAME##_text, struct text, bool, text_compare(&a, &b) OP 0)                                               \
    static const struct fn_overload NAME##_overloads[] = {{2, {P_BOOL, P_BOOL}, T_BOOLEAN, NAME##_bool},               \
                                                          {2, {P_I32, P_I32}, T_BOOLEAN, NAME##_i32},                  \
                                                          {2, {P_I64, P_I64}, T_BOOLEAN, NAME##_i64},                  \
                                                          {2, {P_F64, P_F64}, T_BOOLEAN, NAME##_f64},                  \
                                                          {2, {P_STR, P_STR}, T_BOOLEAN, NAME##_text}};
COMPARING(eq, ==)
COMPARING(ne, !=)
COMPARING(lt, <)
COMPARING(le, <=)
COMPARING(gt, >)
COMPARING(ge, >=)

static const struct fn_def functions[] = {
    {"=", "equal", "1 = 1", eq_overloads, COUNT_OF(eq_overloads)},
    {"<>", "not equal", "1 <> 2", ne_overloads, COUNT_OF(ne_overloads)},
    {"<", "less", "1 < 2", lt_overloads, COUNT_OF(lt_overloads)},
    {"<=", "less or equal", "1 <= 1", le_overloads, COUNT_OF(le_overloads)},
    {">", "greater", "2 > 1", gt_overloads, COUNT_OF(gt_overloads)},
    {">=", "greater or equal", "2 >= 2", ge_overloads, COUNT_OF(ge_overloads)},
    {0},
};

const struct fn_type fn_comparison = {.name = "comparison", .doc = "comparisons of two values", .example = "1 < 2", .functions = functions};
