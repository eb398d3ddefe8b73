/* fn_conditional.c - GREATEST, LEAST and TYPEOF. IF, IFNULL, NULLIF, COALESCE and CASE evaluate only what they need: the binder
 * makes branches of them (bind_expr.c, expr_branch.c).
 *
 * All arguments are cast to their common type. The result begins with the first argument; each that follows takes its place in
 * the rows where it is greater (less). NaN is greater than all numbers, and -0.0 less than 0.0, as Java orders them. */
#include "columns/function/fn_kernels.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <math.h>
#include <string.h>

/* --- GREATEST and LEAST ------------------------------------------------------------------------------------------ */
#define WHOLE_ABOVE(a, b) ((a) > (b))
#define REAL_ABOVE(a, b) ((a) > (b) || ((a) != (a) && (b) == (b)) || ((a) == (b) && signbit(b) && !signbit(a)))
#define EXTREME(NAME, T, TAKES)                                                                                        \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        T *restrict best = out->data;                                                                                  \
        for (uint32_t k = 0; k < r->call->count; k++) {                                                                \
            const T *x = args[k]->data;                                                                                \
            bool constant = args[k]->form == VEC_CONST;                                                                \
            for (uint32_t i = 0; i < r->count; i++) {                                                                  \
                const T a = x[constant ? 0 : i];                                                                       \
                best[i] = k == 0 || TAKES(a, best[i]) ? a : best[i];                                                   \
            }                                                                                                          \
        }                                                                                                              \
    }
#define WHOLE_BELOW(a, b) WHOLE_ABOVE(b, a)
#define REAL_BELOW(a, b) REAL_ABOVE(b, a)
#define EXTREMES(PHYS, T, KIND)                                                                                        \
    EXTREME(greatest_##PHYS, T, KIND##ABOVE)                                                                           \
    EXTREME(least_##PHYS, T, KIND##BELOW)
EXTREMES(u8, uint8_t, WHOLE_)
EXTREMES(i8, int8_t, WHOLE_)
EXTREMES(i16, int16_t, WHOLE_)
EXTREMES(i32, int32_t, WHOLE_)
EXTREMES(i64, int64_t, WHOLE_)
EXTREMES(i128, int128, WHOLE_)
EXTREMES(f32, float, REAL_)
EXTREMES(f64, double, REAL_)

/* Texts and nanosecond timestamps, row by row; long text is not copied, the arguments outlive the result. */
static void each_wide(const struct fn_run *r, const struct vector *const *args, struct vector *out, int sign)
{
    size_t width = phys_width((enum phys)out->phys);

    FN_EACH_VALID(r, args, r->call->count, i)
    {
        const struct vector *best = args[0];
        for (uint32_t k = 1; k < r->call->count; k++)
            if (vector_compare(args[k], i, best, i) * sign > 0) best = args[k];
        memcpy((char *)out->data + width * i, (const char *)best->data + width * vector_at(best, i), width);
    }
}

static void greatest_wide(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    each_wide(r, args, out, 1);
}
static void least_wide(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    each_wide(r, args, out, -1);
}

#define BY_PHYS(OP)                                                                                                    \
    static const struct fn_by_phys OP##_by_phys[] = {{P_BOOL, OP##_u8},                                                \
                                                     {P_I8, OP##_i8},                                                  \
                                                     {P_I16, OP##_i16},                                                \
                                                     {P_I32, OP##_i32},                                                \
                                                     {P_I64, OP##_i64},                                                \
                                                     {P_I128, OP##_i128},                                              \
                                                     {P_F32, OP##_f32},                                                \
                                                     {P_F64, OP##_f64},                                                \
                                                     {P_STR, OP##_wide},                                               \
                                                     {P_TS96, OP##_wide},                                              \
                                                     {0}}
BY_PHYS(greatest);
BY_PHYS(least);

static enum status bind_extreme(struct fn_call *c, struct arena *a, const struct fn_by_phys *by_phys, struct err *e)
{
    const struct type *common = c->count == 0 ? NULL : type_common_of(a, c->args, c->count);

    if (common != NULL && common->kind != T_NULL) c->run = fn_for_phys(by_phys, common->phys);
    if (c->run == NULL) {
        return fn_refuse(c, "one or more values that have a common type and an order", e);
    }
    for (uint32_t i = 0; i < c->count; i++)
        c->args[i] = type_with_null(a, common, c->args[i]->nullable || c->args[i]->kind == T_NULL);
    c->result = common;
    return S_OK;
}

static enum status bind_greatest(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_extreme(c, a, greatest_by_phys, e);
}

static enum status bind_least(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    (void)session;
    return bind_extreme(c, a, least_by_phys, e);
}

/* --- TYPEOF ------------------------------------------------------------------------------------------------------ */
static void run_typeof(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct str *name = r->call->plan;
    const struct text t = text_put(r->heap, name->data, name->size);

    (void)args;
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(out, struct text)[i] = t;
}

/* The long names of STRING and BYTES, outside of quoted names of fields. */
static void spell_out(struct str text, struct buf *out)
{
    static const char *const names[][2] = {{"STRING", "VARCHAR(2147483647)"}, {"BYTES", "VARBINARY(2147483647)"}};
    bool quoted = false;

    for (size_t i = 0; i < text.size; i++) {
        size_t skip = 0;
        quoted ^= text.data[i] == '`';
        for (size_t k = 0; !quoted && k < COUNT_OF(names) && skip == 0; k++) {
            if (!str_starts((struct str){text.data + i, text.size - i}, str_of(names[k][0]))) continue;
            buf_append_text(out, names[k][1]);
            skip = strlen(names[k][0]);
        }
        if (skip == 0)
            buf_append_byte(out, (unsigned char)text.data[i]);
        else
            i += skip - 1;
    }
}

static struct str *type_name(const struct type *t, bool serializable, struct arena *a)
{
    struct str *name = ARENA_NEW(a, struct str);
    struct buf text, full;
    struct mem mem;

    mem_init(&mem, "bind", 0);
    buf_init(&text, &mem);
    buf_init(&full, &mem);
    type_print(t, &text);
    spell_out((struct str){buf_text(&text), text.size}, &full);
    const struct buf *chosen = serializable ? &full : &text;
    *name = (struct str){arena_strndup(a, (const char *)chosen->data, chosen->size), chosen->size};
    buf_release(&full);
    buf_release(&text);
    mem_release(&mem);
    return name;
}

static enum status bind_typeof(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    bool two = c->count == 2;

    (void)session;
    if (c->count == 0 || c->count > 2 || (two && (c->args[1]->kind != T_BOOLEAN || c->constants[1] == NULL)))
        return err_set(e, E_GRAPH, "TYPEOF takes a value, and TRUE when the type is to be read back");
    c->plan = type_name(c->args[0], two && VECTOR_VALUES(c->constants[1], bool)[0], a);
    c->result = &type_string;
    c->run = run_typeof;
    return S_OK;
}

#define EXAMPLES(...)                                                                                                  \
    (const struct fn_example[])                                                                                        \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
static const struct fn_def functions[] = {
    {.name = "GREATEST",
     .usage = "GREATEST(value, ...)",
     .doc = "the greatest of the values; NULL when one is NULL",
     .examples = EXAMPLES({"GREATEST(1, 3, 2)", "3"}),
     .bind = bind_greatest},
    {.name = "LEAST",
     .usage = "LEAST(value, ...)",
     .doc = "the least of the values; NULL when one is NULL",
     .examples = EXAMPLES({"LEAST(2, 1, 3)", "1"}),
     .bind = bind_least},
    {.name = "TYPEOF",
     .usage = "TYPEOF(value[, TRUE])",
     .doc = "the type of the value; with TRUE, spelled so that it can be read back",
     .nulls = FN_OWN_NULLS,
     .examples = EXAMPLES({"TYPEOF(1.50)", "DECIMAL(3, 2) NOT NULL"},
                          {"TYPEOF(CAST('a' AS STRING), TRUE)", "VARCHAR(2147483647) NOT NULL"}),
     .bind = bind_typeof},
    {0},
};

const struct fn_type fn_conditional = {.name = "conditional",
                                       .doc = "the greatest, the least, and types",
                                       .example = "GREATEST(1, 3, 2)",
                                       .functions = functions};
