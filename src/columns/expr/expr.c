/* expr.c - making nodes: columns, constants, bound calls with their arguments cast, branches. A call of constants becomes a
 * constant at once, unless that would fail: then the error belongs to the row that reaches it. */
#include "columns/expr/expr.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <string.h>

static struct expr *node_new(const struct expr_maker *m, enum expr_kind kind, const struct type *type, struct expr *const *args,
                             uint32_t count)
{
    struct expr *x = ARENA_NEW(m->a, struct expr);

    x->kind = (uint8_t)kind;
    x->type = type;
    x->count = count;
    x->args = ARENA_ARRAY(m->a, struct expr *, MAX(count, 1u));
    for (uint32_t i = 0; i < count; i++) {
        x->args[i] = args[i];
        x->det = MAX(x->det, args[i]->det);
        x->may_fail |= args[i]->may_fail;
    }
    return x;
}

struct expr *expr_column(const struct expr_maker *m, const struct type *row, uint32_t col)
{
    ASSERT(row->kind == T_ROW && col < row->child_count);
    struct expr *x = node_new(m, EXPR_COLUMN, row->children[col], NULL, 0);
    x->col = col;
    x->text = str_of(row->names[col]);
    return x;
}

/* --- constants --------------------------------------------------------------------------------------------------- */
/* The fields, or the lists, under a NULL: NULL or zero as well, so that whoever walks them finds one row. */
static struct vector *children_of_null(const struct expr_maker *m, const struct type *type)
{
    struct vector *children = ARENA_ARRAY(m->a, struct vector, type->child_count);

    for (uint32_t i = 0; i < type->child_count; i++) {
        const struct type *t = type->children[i];
        struct vector *v = &children[i];
        *v = (struct vector){.type = t, .form = VEC_FLAT, .phys = t->phys, .child_count = (uint16_t)t->child_count, .capacity = 1};
        v->data = arena_zalloc(m->a, 16);
        v->validity_space = ARENA_NEW(m->a, uint64_t);
        if (t->nullable) v->validity = v->validity_space;
        if (t->child_count > 0) v->children = children_of_null(m, t);
    }
    return children;
}

/* One value in memory of the arena. Nested values but NULL are never constants: they are made anew, once per batch. */
static struct expr *constant_node(const struct expr_maker *m, const struct type *type, bool valid, const void *value)
{
    struct vector *v = ARENA_NEW(m->a, struct vector);
    struct expr *x = node_new(m, EXPR_CONSTANT, type, NULL, 0);
    size_t width = phys_width((enum phys)type->phys);

    ASSERT(!valid || (type->phys != P_LIST && type->phys != P_ROW));
    *v = (struct vector){.type = type, .form = VEC_CONST, .phys = type->phys, .capacity = 1};
    v->data = arena_zalloc(m->a, MAX(width, (size_t)16));
    v->validity_space = ARENA_NEW(m->a, uint64_t);
    if (valid) memcpy(v->data, value, width);
    else v->validity = v->validity_space;
    if (type->child_count > 0) {
        v->child_count = (uint16_t)type->child_count;
        v->children = children_of_null(m, type);
    }
    x->constant = v;
    return x;
}

struct expr *expr_constant_of(const struct expr_maker *m, const struct vector *from, uint32_t row)
{
    bool valid = !vector_is_null(from, row);
    const struct vector *values = vector_values(from);
    const char *at = (const char *)values->data + phys_width((enum phys)from->phys) * vector_at(from, row);
    const struct type *type = type_with_null(m->a, from->type, !valid);

    if (!valid || from->phys != P_STR) return constant_node(m, type, valid, at);
    struct str s = text_str((const struct text *)(const void *)at);
    struct text t = text_view(arena_strndup(m->a, s.data, s.size), s.size);
    return constant_node(m, type, true, &t);
}

struct expr *expr_null(const struct expr_maker *m, const struct type *type)
{
    return constant_node(m, type_with_null(m->a, type, true), false, NULL);
}

/* A text as a constant of type STRING; from there a cast makes the value of every other type. */
static struct expr *text_constant(const struct expr_maker *m, struct str text)
{
    struct text t = text_view(arena_strndup(m->a, text.data, text.size), text.size);
    return constant_node(m, type_with_null(m->a, &type_string, false), true, &t);
}

static enum status no_such_value(const struct type *type, struct str text, struct err *e)
{
    struct type plain = *type;
    struct mem mem;
    struct buf name;

    plain.nullable = true; /* whether it may be NULL is not what is wrong */
    mem_init(&mem, "expr", 0);
    buf_init(&name, &mem);
    type_print(&plain, &name);
    err_set(e, E_GRAPH, "'%.*s' is not a value of type %s", (int)MIN(text.size, (size_t)100), text.data, buf_text(&name));
    buf_release(&name);
    mem_release(&mem);
    return E_GRAPH;
}

struct expr_maker expr_maker_folding(const struct expr_maker *m)
{
    struct expr_maker out = *m;

    if (m->session == NULL || !m->session->plain) return out;
    struct fn_session *session = ARENA_NEW(m->a, struct fn_session);
    *session = *m->session;
    session->plain = false;
    out.session = session;
    return out;
}

enum status expr_constant(const struct expr_maker *m, const struct type *type, struct str text, struct expr **out, struct err *e)
{
    const struct type *to = type_with_null(m->a, type, false);
    struct expr *x = text_constant(m, text);

    *out = x;
    x->text = (struct str){arena_strndup(m->a, text.data, text.size), text.size};
    if (to->kind == T_VARCHAR && to->precision == VARCHAR_MAX) return S_OK;
    if (!type_casts(x->type, to)) return no_such_value(to, text, e);
    const struct expr_maker folding = expr_maker_folding(m);
    TRY(expr_cast(&folding, x, to, false, out, e));
    if ((*out)->kind != EXPR_CONSTANT) return no_such_value(to, text, e);
    (*out)->text = x->text;
    return S_OK;
}

/* --- folding ----------------------------------------------------------------------------------------------------- */
/* The value of a node whose arguments are constants; the node itself when it fails or is not fixed. */
static struct expr *fold(const struct expr_maker *m, struct expr *x)
{
    struct batch nothing = {.count = 1, .capacity = 1};
    const struct vector *v;
    struct expr *out = x;

    if (m->session != NULL && m->session->plain) return x;
    if (x->kind == EXPR_CALL && (x->call->def->flags & FN_ASYNC) != 0) return x;
    if (x->det != FN_PURE || x->type->phys == P_LIST || x->type->phys == P_ROW) return x;
    for (uint32_t i = 0; i < x->count; i++)
        if (x->args[i]->kind != EXPR_CONSTANT) return x;
    struct mem mem;
    mem_init(&mem, "fold", 0);
    struct expr_run *run = expr_run_create(x, m->session, 1, &mem);
    if (expr_eval(run, &nothing, 0, &v, NULL) == S_OK) {
        out = expr_constant_of(m, v, 0);
        out->text = x->text;
        bool stays = x->kind == EXPR_CALL && (x->call->def->flags & FN_MAY_BE_NULL) != 0; /* whatever the value: as Flink's TYPEOF */
        for (uint32_t i = 0; i < x->count; i++) stays |= x->kind == EXPR_CALL && x->args[i]->type->nullable;
        bool nullable = out->type->nullable || (stays && x->type->nullable);
        out->type = x->type->nullable && !nullable ? out->type : type_with_null(m->a, x->type, nullable);
    }
    expr_run_free(run);
    mem_release(&mem);
    return out;
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
static struct fn_call *call_new(const struct expr_maker *m, const struct fn_def *def, struct expr *const *args, uint32_t count)
{
    struct fn_call *c = ARENA_NEW(m->a, struct fn_call);

    c->def = def;
    c->count = count;
    c->args = ARENA_ARRAY(m->a, const struct type *, MAX(count, 1u));
    c->constants = ARENA_ARRAY(m->a, const struct vector *, MAX(count, 1u));
    for (uint32_t i = 0; i < count; i++) {
        c->args[i] = args[i]->type;
        c->constants[i] = args[i]->kind == EXPR_CONSTANT ? args[i]->constant : NULL;
    }
    return c;
}

static struct expr *call_node(const struct expr_maker *m, struct fn_call *c, struct expr *const *args)
{
    struct expr *x = node_new(m, EXPR_CALL, c->result, args, c->count);

    x->call = c;
    x->det = MAX(x->det, c->def->det);
    x->may_fail |= (c->def->flags & FN_MAY_FAIL) != 0 && !c->try_mode;
    return fold(m, x);
}

enum status expr_call(const struct expr_maker *m, struct str name, struct expr *const *args, uint32_t count, struct expr **out,
                      struct err *e)
{
    const struct fn_users *users = m->session != NULL ? m->session->users : NULL;
    const struct fn_def *def = fn_find(name);

    if (def == NULL && users != NULL) def = users->identified(users->arg, name);
    if (def == NULL) {
        const char *near = fn_nearest(name);
        if (near != NULL) err_hint(e, "did you mean '%s'?", near);
        return err_set(e, E_GRAPH, "unknown function '%.*s'", (int)name.size, name.data);
    }
    return expr_call_of(m, def, args, count, out, e);
}

enum status expr_call_of(const struct expr_maker *m, const struct fn_def *def, struct expr *const *args, uint32_t count,
                         struct expr **out, struct err *e)
{
    if (count > FN_ARGS_MAX) return err_set(e, E_GRAPH, "'%s' has %u arguments; at most %d are taken", def->name, count, FN_ARGS_MAX);
    struct fn_call *c = call_new(m, def, args, count);
    TRY(fn_bind(c, m->a, m->session, e));
    struct expr **cast = ARENA_ARRAY(m->a, struct expr *, MAX(count, 1u));
    for (uint32_t i = 0; i < count; i++)
        TRY(c->casts_freely ? expr_cast(m, args[i], c->args[i], false, &cast[i], e) : expr_coerce(m, args[i], c->args[i], &cast[i], e));
    *out = call_node(m, c, cast);
    return S_OK;
}

static enum status cast_call(const struct expr_maker *m, struct expr *x, const struct type *to, bool try_mode, struct expr **out,
                             struct err *e)
{
    struct fn_call *c = call_new(m, fn_find(STR("CAST")), &x, 1);
    c->result = type_with_null(m->a, to, x->type->nullable || try_mode);
    c->try_mode = try_mode;
    TRY(fn_bind(c, m->a, m->session, e));
    *out = call_node(m, c, &x);
    (*out)->text = x->text;
    return S_OK;
}

enum status expr_cast(const struct expr_maker *m, struct expr *x, const struct type *to, bool try_mode, struct expr **out, struct err *e)
{
    *out = x;
    /* whether the parts of nested types may be NULL is part of what they are */
    if (type_equal(type_with_null(m->a, x->type, to->nullable), to)) return S_OK;
    return cast_call(m, x, to, try_mode, out, e);
}

enum status expr_materialize(const struct expr_maker *m, struct expr *x, struct expr **out, struct err *e)
{
    *out = x;
    if (x->type->time_kind == TIME_NONE) return S_OK;
    return cast_call(m, x, type_with_time(m->a, x->type, TIME_NONE), false, out, e);
}

enum status expr_coerce(const struct expr_maker *m, struct expr *x, const struct type *to, struct expr **out, struct err *e)
{
    if (type_casts_implicitly(x->type, to)) return expr_cast(m, x, to, false, out, e);
    struct mem mem;
    struct buf text;
    mem_init(&mem, "expr", 0);
    buf_init(&text, &mem);
    type_print(x->type, &text);
    buf_append_text(&text, " where ");
    type_print(to, &text);
    err_set(e, E_GRAPH, "a value of type %s is expected; write CAST(... AS ...) if that is meant", buf_text(&text));
    buf_release(&text);
    mem_release(&mem);
    return E_GRAPH;
}

/* --- branches ---------------------------------------------------------------------------------------------------- */
/* CASE: even arguments but the last are conditions. */
static bool is_condition(enum expr_kind kind, uint32_t i, uint32_t count)
{
    return kind == EXPR_AND || kind == EXPR_OR || (kind == EXPR_CASE && i % 2 == 0 && i + 1 < count);
}

static enum status branch_type(const struct expr_maker *m, enum expr_kind kind, struct expr *const *args, uint32_t count,
                               const struct type **out, struct err *e)
{
    bool nullable = kind == EXPR_COALESCE;

    *out = kind == EXPR_AND || kind == EXPR_OR ? &type_boolean : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (kind == EXPR_COALESCE) nullable &= args[i]->type->nullable;
        else nullable |= args[i]->type->nullable && (*out == &type_boolean || !is_condition(kind, i, count));
        if (is_condition(kind, i, count)) continue;
        *out = *out == NULL ? args[i]->type : type_common(m->a, *out, args[i]->type);
        if (*out == NULL) return err_set(e, E_GRAPH, "the branches of %s have no common type", kind == EXPR_CASE ? "CASE" : "COALESCE");
    }
    *out = type_with_null(m->a, *out, nullable);
    return S_OK;
}

enum status expr_branch(const struct expr_maker *m, enum expr_kind kind, struct expr *const *args, uint32_t count, struct expr **out,
                        struct err *e)
{
    const struct type *type;
    struct expr **cast = ARENA_ARRAY(m->a, struct expr *, count);

    ASSERT(count > 0 && (kind != EXPR_CASE || count % 2 == 1));
    TRY(branch_type(m, kind, args, count, &type, e));
    for (uint32_t i = 0; i < count; i++) {
        if (is_condition(kind, i, count) && args[i]->type->kind != T_BOOLEAN && args[i]->type->kind != T_NULL)
            return err_set(e, E_GRAPH, "a condition must be BOOLEAN");
        TRY(expr_cast(m, args[i], is_condition(kind, i, count) ? &type_boolean : type, false, &cast[i], e));
    }
    *out = fold(m, node_new(m, kind, type, cast, count));
    return S_OK;
}

void expr_columns(const struct expr *x, uint64_t *needed)
{
    if (x->kind == EXPR_COLUMN) bit_set(needed, x->col);
    for (uint32_t i = 0; i < x->count; i++) expr_columns(x->args[i], needed);
}

bool expr_is_async(const struct expr *x)
{
    if (x == NULL) return false;
    if (x->kind == EXPR_CALL && (x->call->def->flags & FN_ASYNC) != 0) return true;
    for (uint32_t i = 0; i < x->count; i++)
        if (expr_is_async(x->args[i])) return true;
    return false;
}

void expr_uses(const struct expr *x, uint32_t *uses)
{
    if (x->kind == EXPR_COLUMN) uses[x->col]++;
    for (uint32_t i = 0; i < x->count; i++) expr_uses(x->args[i], uses);
}

struct expr *expr_substitute(struct arena *a, const struct expr *x, struct expr *const *columns)
{
    if (x->kind == EXPR_COLUMN) return columns[x->col];
    if (x->count == 0) return (struct expr *)x;
    struct expr *copy = ARENA_NEW(a, struct expr);
    *copy = *x;
    copy->args = ARENA_ARRAY(a, struct expr *, x->count);
    for (uint32_t i = 0; i < x->count; i++) {
        copy->args[i] = expr_substitute(a, x->args[i], columns);
        copy->det = MAX(copy->det, copy->args[i]->det);
        copy->may_fail |= copy->args[i]->may_fail;
    }
    return copy;
}

struct expr *expr_replace(struct arena *a, const struct expr *x, struct expr *(*leaf)(void *arg, const struct expr *x), void *arg)
{
    struct expr *other = x->count == 0 ? leaf(arg, x) : NULL;

    if (x->count == 0) return other != NULL ? other : (struct expr *)x;
    struct expr *copy = ARENA_NEW(a, struct expr);
    *copy = *x;
    copy->args = ARENA_ARRAY(a, struct expr *, x->count);
    for (uint32_t i = 0; i < x->count; i++) {
        copy->args[i] = expr_replace(a, x->args[i], leaf, arg);
        copy->det = MAX(copy->det, copy->args[i]->det);
        copy->may_fail |= copy->args[i]->may_fail;
    }
    return copy;
}

struct outer_of {
    struct arena *a;
    uint32_t scope;
};

static struct expr *column_outer(void *arg, const struct expr *x)
{
    struct outer_of *o = arg;

    if (x->kind != EXPR_COLUMN) return NULL;
    struct expr *copy = ARENA_NEW(o->a, struct expr);
    *copy = *x;
    copy->kind = EXPR_OUTER;
    copy->scope = o->scope;
    return copy;
}

struct expr *expr_outer(struct arena *a, const struct expr *x, uint32_t scope)
{
    return expr_replace(a, x, column_outer, &(struct outer_of){a, scope});
}

bool expr_has_outer(const struct expr *x, uint32_t scope)
{
    if (x == NULL) return false;
    if (x->kind == EXPR_OUTER) return x->scope == scope;
    for (uint32_t i = 0; i < x->count; i++)
        if (expr_has_outer(x->args[i], scope)) return true;
    return false;
}

bool expr_equal(const struct expr *a, const struct expr *b)
{
    if (a == b) return true;
    if (a->kind != b->kind || a->count != b->count || a->col != b->col || a->scope != b->scope || !type_equal(a->type, b->type)) return false;
    if (a->kind == EXPR_CONSTANT && vector_compare(a->constant, 0, b->constant, 0) != 0) return false;
    if (a->kind == EXPR_CALL && (a->call->def != b->call->def || a->call->try_mode != b->call->try_mode)) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!expr_equal(a->args[i], b->args[i])) return false;
    return true;
}
