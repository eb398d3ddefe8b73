/* fn_in.c - IN over many constants: a set is made when the call is bound, and each row probes it once. The binder calls it for
 * lists whose values all compare with the left side in one type (bind_expr.c); other lists are chains of '='.
 *
 * NULL on the left is NULL. A value that is not found is NULL, not FALSE, when the list has a NULL. Equal is what the canonical
 * hash and vector_compare say: -0 is 0, and NaN is found. Whole numbers up to 64 bits are probed by their value alone. */
#include "columns/function/fn_kernels.h"

#include "columns/column/type_rules.h"
#include "columns/function/fn_text.h"
#include "ground/base/hash.h"

/* Open addressing; slots hold the number of an argument, 0 = free. */
struct in_set {
    const struct vector **values; /* by argument */
    const int64_t *numbers;       /* the same, of whole numbers */
    uint32_t mask;
    bool has_null;
    uint32_t *slots;
};

static const struct in_set *set_of(const struct fn_run *r) { return r->call->plan; }

static bool found_number(const struct in_set *s, int64_t v)
{
    for (uint32_t k = (uint32_t)hash64_u64((uint64_t)v) & s->mask; s->slots[k] != 0; k = (k + 1) & s->mask)
        if (s->numbers[s->slots[k]] == v) return true;
    return false;
}

static bool found_value(const struct in_set *s, const struct vector *v, uint32_t row)
{
    for (uint32_t k = (uint32_t)vector_hash(v, row) & s->mask; s->slots[k] != 0; k = (k + 1) & s->mask)
        if (vector_compare(s->values[s->slots[k]], 0, v, row) == 0) return true;
    return false;
}

static bool found_text(const struct in_set *s, const struct text *t)
{
    for (uint32_t k = (uint32_t)hash64(text_data(t), t->size) & s->mask; s->slots[k] != 0; k = (k + 1) & s->mask)
        if (text_equal(VECTOR_VALUES(s->values[s->slots[k]], struct text), t)) return true;
    return false;
}

static void answer(const struct in_set *s, struct vector *out, uint32_t row, bool found)
{
    VECTOR_VALUES(out, bool)[row] = found;
    if (!found && s->has_null) vector_set_null(out, row);
}

#define IN_KERNEL(NAME, FOUND)                                                                                         \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        const struct in_set *s = set_of(r);                                                                            \
        FN_EACH(r, i)                                                                                                  \
        if (vector_is_null(args[0], i))                                                                                \
            vector_set_null(out, i);                                                                                   \
        else                                                                                                           \
            answer(s, out, i, FOUND);                                                                                  \
    }
#define IN_NUMBERS(NAME, T) IN_KERNEL(NAME, found_number(s, VECTOR_VALUES(args[0], T)[vector_at(args[0], i)]))
IN_NUMBERS(in_bool, uint8_t)
IN_NUMBERS(in_i8, int8_t)
IN_NUMBERS(in_i16, int16_t)
IN_NUMBERS(in_i32, int32_t)
IN_NUMBERS(in_i64, int64_t)
IN_KERNEL(in_text, found_text(s, fn_text(args[0], i)))
IN_KERNEL(in_any, found_value(s, args[0], i))

static const struct fn_by_phys by_phys[] = {{P_BOOL, in_bool},
                                            {P_I8, in_i8},
                                            {P_I16, in_i16},
                                            {P_I32, in_i32},
                                            {P_I64, in_i64},
                                            {P_I128, in_any},
                                            {P_F32, in_any},
                                            {P_F64, in_any},
                                            {P_STR, in_text},
                                            {P_TS96, in_any},
                                            {0}};

static int64_t number_of(const struct vector *v)
{
    switch ((enum phys)v->phys) {
    case P_BOOL: return VECTOR_VALUES(v, uint8_t)[0];
    case P_I8: return VECTOR_VALUES(v, int8_t)[0];
    case P_I16: return VECTOR_VALUES(v, int16_t)[0];
    case P_I32: return VECTOR_VALUES(v, int32_t)[0];
    default: return v->phys == P_I64 ? VECTOR_VALUES(v, int64_t)[0] : 0;
    }
}

static void set_make(struct in_set *s, const struct fn_call *c, struct arena *a)
{
    uint32_t size = 8;
    int64_t *numbers = ARENA_ARRAY(a, int64_t, c->count);

    while (size < c->count * 2) size *= 2;
    s->mask = size - 1;
    s->slots = ARENA_ARRAY(a, uint32_t, size);
    s->values = c->constants;
    s->numbers = numbers;
    for (uint32_t i = 1; i < c->count; i++) {
        const struct vector *v = c->constants[i];
        bool null = vector_is_null(v, 0);
        s->has_null |= null;
        if (null) continue;
        numbers[i] = number_of(v);
        uint32_t k = (uint32_t)vector_hash(v, 0) &
                     s->mask; /* of a whole number and of text: what found_number and found_text take */
        while (s->slots[k] != 0) k = (k + 1) & s->mask;
        s->slots[k] = i;
    }
}

/* Texts compare whatever their lengths; everything else has one type already. */
static bool same_values(const struct type *a, const struct type *b)
{
    return type_equal_ignoring_null(a, b) || (type_is_string(a) && type_is_string(b)) || b->kind == T_NULL;
}

static enum status bind_in(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct in_set *s = ARENA_NEW(a, struct in_set);
    bool fits = c->count > 1 && fn_for_phys(by_phys, c->args[0]->phys) != NULL && c->args[0]->kind != T_NULL;

    (void)session;
    for (uint32_t i = 1; fits && i < c->count; i++)
        fits = c->constants[i] != NULL && same_values(c->args[0], c->args[i]);
    if (!fits) return err_set(e, E_GRAPH, "IN takes a value, and constants of its type");
    set_make(s, c, a);
    c->plan = s;
    c->run = fn_for_phys(by_phys, c->args[0]->phys);
    c->result = type_with_null(a, &type_boolean, c->args[0]->nullable || s->has_null);
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "IN",
     .usage = "value IN (value, ...)",
     .doc = "written a IN (b, c, ...): is the value one of these? NULL when it is not found and one of them is NULL",
     .nulls = FN_OWN_NULLS,
     .bind = bind_in,
     .examples = FN_EXAMPLES({"3 IN (1, 2, 3, 4)", "TRUE"}, {"'x' NOT IN ('a', 'b', 'c', 'd')", "TRUE"})},
    {0},
};

const struct fn_type fn_in = {
    .name = "in", .doc = "one of many constants", .example = "3 IN (1, 2, 3, 4)", .functions = functions};
