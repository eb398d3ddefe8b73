/* expr.c - making bound nodes: calls choose the first overload that their arguments reach by widening (integers to INT,
 * BIGINT, DOUBLE; never back), literals take the type that is asked for. */
#include "columns/expr/expr.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"

#include <string.h>

/* Order of widening of numbers; -1 = no number. */
static int width_of(uint8_t phys)
{
    switch (phys) {
    case P_I8: return 0;
    case P_I16: return 1;
    case P_I32: return 2;
    case P_I64: return 3;
    case P_F32: return 4;
    case P_F64: return 5;
    default: return -1;
    }
}

static bool reaches(const struct type *from, uint8_t to)
{
    if (from->kind == T_DECIMAL) return false; /* scaled integers do not compare as integers */
    if (from->phys == to) return true;
    int a = width_of(from->phys), b = width_of(to);
    return a >= 0 && b > a && (type_is_numeric(from) || to == P_I64 || to == P_I32);
}

static struct expr *widen(struct arena *a, struct expr *x, uint8_t to)
{
    if (x->type->phys == to) return x;
    struct expr *w = ARENA_NEW(a, struct expr);
    enum type_kind kind = to == P_I32 ? T_INT : to == P_I64 ? T_BIGINT : T_DOUBLE;
    w->kind = EXPR_WIDEN;
    w->type = type_new(a, kind, 0, 0, x->type->nullable);
    w->text = x->text;
    w->args[0] = x;
    w->arg_count = 1;
    return w;
}

static const struct fn_overload *choose(const struct fn_def *fn, struct expr *const *args, uint32_t count)
{
    for (uint32_t o = 0; o < fn->overload_count; o++) {
        const struct fn_overload *v = &fn->overloads[o];
        bool fits = v->arg_count == count;
        for (uint32_t i = 0; fits && i < count; i++) fits = reaches(args[i]->type, v->args[i]);
        if (fits) return v;
    }
    return NULL;
}

static enum status no_overload(const struct fn_def *fn, struct expr *const *args, uint32_t count, struct err *e)
{
    struct mem mem;
    struct buf text;

    mem_init(&mem, "expr", 0);
    buf_init(&text, &mem);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(&text, ", ");
        type_print(args[i]->type, &text);
    }
    err_set(e, E_GRAPH, "'%s' does not take (%s)", fn->name, buf_text(&text));
    buf_release(&text);
    mem_release(&mem);
    return E_GRAPH;
}

enum status expr_call(struct arena *a, struct str name, struct expr *const *args, uint32_t count, struct expr **out, struct err *e)
{
    const struct fn_def *fn = fn_find(name);
    bool nullable = false;

    if (fn == NULL) return err_set(e, E_GRAPH, "unknown function '%.*s'", (int)name.size, name.data);
    const struct fn_overload *o = count <= FN_ARGS_MAX ? choose(fn, args, count) : NULL;
    if (o == NULL) return no_overload(fn, args, count, e);
    struct expr *x = ARENA_NEW(a, struct expr);
    for (uint32_t i = 0; i < count; i++) {
        x->args[i] = widen(a, args[i], o->args[i]);
        nullable |= args[i]->type->nullable;
    }
    x->kind = EXPR_CALL;
    x->fn = fn;
    x->overload = o;
    x->arg_count = count;
    x->type = type_new(a, (enum type_kind)o->result, 0, 0, nullable);
    *out = x;
    return S_OK;
}

static bool literal_value(struct expr *x, struct str text)
{
    struct ts96 t;
    int32_t whole;

    switch (x->type->kind) {
    case T_BOOLEAN:
        x->integer = str_equal_nocase(text, STR("true"));
        return x->integer == 1 || str_equal_nocase(text, STR("false"));
    case T_FLOAT:
    case T_DOUBLE: return str_to_double(text, &x->real);
    case T_DATE:
        if (!date_parse(text, &whole)) return false;
        x->integer = whole;
        return true;
    case T_TIME:
        if (!time_parse(text, &whole)) return false;
        x->integer = whole;
        return true;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ:
        if (!timestamp_parse(text, &t) || x->type->precision > 6) return false;
        timestamp_store(t, x->type->precision, &x->integer);
        return true;
    default: return x->type->phys == P_STR || (type_is_numeric(x->type) && x->type->kind != T_DECIMAL && str_to_int64(text, &x->integer));
    }
}

static bool literal_fits(const struct expr *x)
{
    switch (x->type->phys) {
    case P_I8: return x->integer >= INT8_MIN && x->integer <= INT8_MAX;
    case P_I16: return x->integer >= INT16_MIN && x->integer <= INT16_MAX;
    case P_I32: return x->integer >= INT32_MIN && x->integer <= INT32_MAX;
    default: return true;
    }
}

enum status expr_literal(struct arena *a, const struct type *type, struct str text, struct expr **out, struct err *e)
{
    struct expr *x = ARENA_NEW(a, struct expr);
    struct mem mem;
    struct buf name;

    x->kind = EXPR_LITERAL;
    x->type = type_with_null(a, type, false);
    x->text = (struct str){arena_strndup(a, text.data, text.size), text.size};
    *out = x;
    if (literal_value(x, text) && literal_fits(x)) return S_OK;
    mem_init(&mem, "expr", 0);
    buf_init(&name, &mem);
    type_print(x->type, &name);
    err_set(e, E_GRAPH, "'%.*s' is not a value of type %s", (int)MIN(text.size, (size_t)100), text.data, buf_text(&name));
    buf_release(&name);
    mem_release(&mem);
    return E_GRAPH;
}

void expr_columns(const struct expr *x, uint64_t *needed)
{
    if (x->kind == EXPR_COLUMN) bit_set(needed, x->col);
    for (uint32_t i = 0; i < x->arg_count; i++) expr_columns(x->args[i], needed);
}
