/* fn_comparison.c - = <> < <= > >= and IS [NOT] DISTINCT FROM on any two values of a common type. NULLs make the first six NULL.
 * Strings compare by bytes, floats with NaN greatest and -0 equal to 0. Rows, arrays and maps are only equal or not. */
#include "columns/function/fn_kernels.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <string.h>

static int text_order(const struct text *a, const struct text *b) { return text_compare(a, b); }

/* Arrays, maps and rows are equal or not, but none is less than another: NESTED is their kernel, or NULL. */
#define COMPARING(NAME, OP, NESTED)                                                                                    \
    FN_BINARY(NAME##_bool, uint8_t, bool, a OP b)                                                                      \
    FN_BINARY(NAME##_i8, int8_t, bool, a OP b)                                                                         \
    FN_BINARY(NAME##_i16, int16_t, bool, a OP b)                                                                       \
    FN_BINARY(NAME##_i32, int32_t, bool, a OP b)                                                                       \
    FN_BINARY(NAME##_i64, int64_t, bool, a OP b)                                                                       \
    FN_BINARY(NAME##_i128, int128, bool, a OP b)                                                                       \
    FN_BINARY(NAME##_f32, float, bool, a OP b)                                                                         \
    FN_BINARY(NAME##_f64, double, bool, a OP b)                                                                        \
    static void NAME##_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)              \
    {                                                                                                                  \
        FN_EACH_VALID(r, args, 2, i)                                                                                   \
        VECTOR_VALUES(out, bool)[i] = text_order(fn_text(args[0], i), fn_text(args[1], i)) OP 0;                       \
    }                                                                                                                  \
    static void NAME##_any(const struct fn_run *r, const struct vector *const *args, struct vector *out)               \
    {                                                                                                                  \
        FN_EACH_VALID(r, args, 2, i) VECTOR_VALUES(out, bool)[i] = vector_compare(args[0], i, args[1], i) OP 0;        \
    }                                                                                                                  \
    static const struct fn_by_phys NAME##_by_phys[] = {                                                                \
        {P_BOOL, NAME##_bool}, {P_I8, NAME##_i8},     {P_I16, NAME##_i16}, {P_I32, NAME##_i32}, {P_I64, NAME##_i64},    \
        {P_I128, NAME##_i128}, {P_F32, NAME##_f32},   {P_F64, NAME##_f64}, {P_STR, NAME##_text}, {P_TS96, NAME##_any}, \
        {P_LIST, NESTED},      {P_ROW, NESTED},       {0}};                                                            \
    static enum status NAME##_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e) \
    {                                                                                                                  \
        (void)session;                                                                                                 \
        return bind_common(c, a, NAME##_by_phys, e);                                                                   \
    }

static enum status not_comparable(const struct fn_call *c, struct err *e)
{
    err_hint(e, "cast one of them to the type of the other");
    return fn_refuse(c, NULL, e);
}

static bool is_time(const struct type *t)
{
    return t->kind == T_DATE || t->kind == T_TIME || t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ;
}

/* A text beside a time is read as that time; DATE and TIMESTAMP are not compared, as in Flink. */
static const struct type *compared_as(struct arena *a, const struct type *x, const struct type *y)
{
    bool either = x->nullable || y->nullable;

    if (is_time(x) && type_is_string(y)) return type_with_null(a, x, either);
    if (is_time(y) && type_is_string(x)) return type_with_null(a, y, either);
    if (is_time(x) && is_time(y) && (x->kind == T_DATE) != (y->kind == T_DATE)) return NULL;
    return type_common(a, x, y);
}

static enum status bind_common(struct fn_call *c, struct arena *a, const struct fn_by_phys *table, struct err *e)
{
    if (c->count != 2) return err_set(e, E_GRAPH, "'%s' compares two values, not %u", c->def->name, c->count);
    const struct type *common = compared_as(a, c->args[0], c->args[1]);
    bool nullable = c->def->nulls == FN_STRICT && common != NULL && common->nullable;

    if (common == NULL) return not_comparable(c, e);
    for (uint32_t i = 0; i < 2; i++) c->args[i] = type_with_null(a, common, c->args[i]->nullable);
    c->casts_freely = true; /* text may become a time */
    c->result = type_with_null(a, &type_boolean, nullable);
    c->run = fn_for_phys(table, common->phys);
    return c->run != NULL ? S_OK : not_comparable(c, e);
}
COMPARING(eq, ==, eq_any)
COMPARING(ne, !=, ne_any)
COMPARING(lt, <, NULL)
COMPARING(le, <=, NULL)
COMPARING(gt, >, NULL)
COMPARING(ge, >=, NULL)

/* NULL is a value here, equal to itself. */
static bool is_distinct(const struct vector *const *args, uint32_t row)
{
    bool a = vector_is_null(args[0], row), b = vector_is_null(args[1], row);
    return a || b ? a != b : vector_compare(args[0], row, args[1], row) != 0;
}

static void distinct_any(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = is_distinct(args, i);
}

static void same_any(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH(r, i) VECTOR_VALUES(out, bool)[i] = !is_distinct(args, i);
}

#define EVERY_PHYS(KERNEL)                                                                                             \
    {{P_BOOL, KERNEL}, {P_I8, KERNEL},  {P_I16, KERNEL},  {P_I32, KERNEL}, {P_I64, KERNEL}, {P_I128, KERNEL},          \
     {P_F32, KERNEL},  {P_F64, KERNEL}, {P_STR, KERNEL},  {P_TS96, KERNEL}, {P_LIST, KERNEL}, {P_ROW, KERNEL}, {0}}
static const struct fn_by_phys distinct_by_phys[] = EVERY_PHYS(distinct_any), same_by_phys[] = EVERY_PHYS(same_any);

static enum status distinct_bind(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    bool is_not = str_ends(str_of(c->def->name), STR("NOT DISTINCT FROM"));
    return bind_common(c, a, is_not ? same_by_phys : distinct_by_phys, e);
}

#define EXAMPLE(TEXT, RESULT) (const struct fn_example[]){{TEXT, RESULT}, {0}}
static const struct fn_def functions[] = {
    {.name = "=", .doc = "equal", .examples = EXAMPLE("1 = 1", "TRUE"), .bind = eq_bind},
    {.name = "<>", .doc = "not equal", .examples = EXAMPLE("1 <> 2", "TRUE"), .bind = ne_bind},
    {.name = "<", .doc = "less", .examples = EXAMPLE("1 < 2", "TRUE"), .bind = lt_bind},
    {.name = "<=", .doc = "less or equal", .examples = EXAMPLE("1 <= 1", "TRUE"), .bind = le_bind},
    {.name = ">", .doc = "greater", .examples = EXAMPLE("2 > 1", "TRUE"), .bind = gt_bind},
    {.name = ">=", .doc = "greater or equal", .examples = EXAMPLE("2 >= 2", "TRUE"), .bind = ge_bind},
    {.name = "IS DISTINCT FROM", .doc = "different, where NULL equals NULL", .examples = EXAMPLE("1 IS DISTINCT FROM NULL", "TRUE"),
     .nulls = FN_OWN_NULLS, .bind = distinct_bind},
    {.name = "IS NOT DISTINCT FROM", .doc = "equal, where NULL equals NULL", .examples = EXAMPLE("1 IS NOT DISTINCT FROM NULL", "FALSE"),
     .nulls = FN_OWN_NULLS, .bind = distinct_bind},
    {0},
};

const struct fn_type fn_comparison = {.name = "comparison", .doc = "comparisons of two values", .example = "1 < 2", .functions = functions};
