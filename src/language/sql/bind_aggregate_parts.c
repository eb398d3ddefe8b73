/* bind_aggregate_parts.c - aggregates that SQL calls with more than one column: below the aggregation an expression makes one argument
 * of theirs, what is constant becomes the parameter, and for some an expression above it makes the result.
 *
 *   JSON_ARRAYAGG(x)            each value as its JSON text
 *   JSON_OBJECTAGG(KEY k VALUE v)  ROW(k, JSON text of v); above: keys in order
 *   PERCENTILE(x, p[, weight])  x as DOUBLE, or ROW(x, weight as BIGINT)
 *   APPROX_COUNT_DISTINCT(x)    COUNT(DISTINCT x), which is exact
 *   $SUM0(x)                    COALESCE(SUM(x), 0)
 *
 * One table says which they are. */
#include "language/sql/bind_aggregate_parts.h"

#include "ground/base/str.h"
#include "language/sql/bind_json.h"
#include "language/sql/sql_op.h"

#include <string.h>

struct parts_binder {
    const struct query_binder *b;
    struct binder *below;
    const struct ast_expr *x;
    bool over;
    struct aggregate_parts *out;
};

static enum status fail(const struct parts_binder *p, struct ast_place place, const char *text)
{
    return sql_error(p->b->e, p->b->t, place.at, place.size, "%s", text);
}

static enum status takes(const struct parts_binder *p, const char *what) { return fail(p, p->x->place, what); }

static enum status call(const struct parts_binder *p, struct str name, struct expr **args, uint32_t count,
                        struct expr **out)
{
    struct err inner = {0};

    return expr_call(&p->below->m, name, args, count, out, &inner) == S_OK ? S_OK
                                                                           : bind_fail(p->below, p->x->place, &inner);
}

static enum status cast(const struct parts_binder *p, struct expr *x, enum type_kind kind, struct expr **out)
{
    struct err inner = {0};
    const struct type *to = type_new(p->b->a, kind, 0, 0, x->type->nullable);

    return expr_cast(&p->below->m, x, to, false, out, &inner) == S_OK ? S_OK : bind_fail(p->below, p->x->place, &inner);
}

static enum status row_of(const struct parts_binder *p, struct expr *first, struct expr *second, struct expr **out)
{
    return call(p, STR("ROW"), (struct expr *[]){first, second}, 2, out);
}

/* --- JSON ---------------------------------------------------------------------------------------------------------------- */
static enum status json_array(const struct parts_binder *p)
{
    const struct ast_expr *values[1];
    bool absent = true;

    if (bind_json_values(p->x, values, 1, &absent) != 1) return takes(p, "JSON_ARRAYAGG takes one value");
    TRY(bind_json_text(p->below, values[0], &p->out->argument));
    return absent ? call(p, STR("IS NOT NULL"), &p->out->argument, 1, &p->out->filter) : S_OK;
}

static enum status json_object(const struct parts_binder *p)
{
    const struct ast_expr *values[2];
    struct expr *key, *value;
    bool absent = false;

    if (bind_json_values(p->x, values, 2, &absent) != 2)
        return takes(p, "JSON_OBJECTAGG takes a key and a value: KEY k VALUE v");
    TRY(bind_expr(p->below, values[0], &key));
    if (!type_is_string(key->type)) return fail(p, values[0]->place, "the keys of JSON_OBJECTAGG must be text");
    TRY(bind_json_text(p->below, values[1], &value));
    if (absent) TRY(call(p, STR("IS NOT NULL"), &value, 1, &p->out->filter));
    return row_of(p, key, value, &p->out->argument);
}

static enum status json_entries(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e)
{
    return expr_call(m, STR("$JSON_ENTRIES"), &result, 1, out, e);
}

/* --- PERCENTILE ---------------------------------------------------------------------------------------------------------- */
static enum status percentage_text(const struct parts_binder *p, const struct ast_expr *x, struct buf *out)
{
    struct expr *bound, *real;

    TRY(bind_expr(p->below, x, &bound));
    if (bound->kind != EXPR_CONSTANT || !type_is_numeric(bound->type) || vector_is_null(bound->constant, 0))
        return fail(p, x->place, "the percentages of PERCENTILE must be constants between 0 and 1");
    TRY(cast(p, bound, T_DOUBLE, &real));
    if (real->kind != EXPR_CONSTANT)
        return fail(p, x->place, "the percentages of PERCENTILE must be constants between 0 and 1");
    char text[32];
    buf_append(out, text, str_from_double(VECTOR_VALUES(real->constant, double)[0], text));
    return S_OK;
}

static bool is_array(const struct ast_expr *x)
{
    return x->kind == AX_CALL && x->op != NULL && x->op->form == FORM_BRACKETS && str_equal(x->text, STR("ARRAY"));
}

static enum status percentages(const struct parts_binder *p, const struct ast_expr *x, struct buf *out)
{
    if (!is_array(x)) return percentage_text(p, x, out);
    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < x->args.count; i++) {
        if (i > 0) buf_append_byte(out, ',');
        TRY(percentage_text(p, x->args.items[i], out));
    }
    buf_append_byte(out, ']');
    return S_OK;
}

static enum status percentile(const struct parts_binder *p)
{
    const struct ast_list *args = &p->x->args;
    struct expr *value, *weight;
    struct buf text;

    if (args->count < 2 || args->count > 3)
        return takes(p, "PERCENTILE takes a number, percentages, and at most a weight");
    TRY(bind_expr(p->below, args->items[0], &value));
    if (!type_is_numeric(value->type)) return fail(p, args->items[0]->place, "PERCENTILE takes a number");
    TRY(cast(p, value, T_DOUBLE, &p->out->argument));
    buf_init(&text, p->b->a->mem);
    enum status st = percentages(p, args->items[1], &text);
    p->out->parameter = arena_strndup(p->b->a, text.data, text.size);
    buf_release(&text);
    TRY(st);
    if (args->count == 2) return S_OK;
    TRY(bind_expr(p->below, args->items[2], &weight));
    bool whole = weight->type->kind == T_TINYINT || weight->type->kind == T_SMALLINT || weight->type->kind == T_INT ||
                 weight->type->kind == T_BIGINT;
    if (!whole) return fail(p, args->items[2]->place, "the weight of PERCENTILE must be a whole number");
    TRY(cast(p, weight, T_BIGINT, &weight));
    return row_of(p, p->out->argument, weight, &p->out->argument);
}

/* --- counts and sums ------------------------------------------------------------------------------------------------------ */
static enum status approx_count(const struct parts_binder *p)
{
    struct expr *x;

    if (p->x->args.count != 1) return takes(p, "We now only support the count of one field.");
    if (!p->b->is_batch && !p->over) {
        err_hint(p->b->e, "COUNT(DISTINCT x) is exact, here and in batch mode");
        return takes(p, "APPROX_COUNT_DISTINCT aggregate function does not support yet for streaming.");
    }
    TRY(bind_expr(p->below, p->x->args.items[0], &x));
    bool fits = type_is_numeric(x->type) || type_is_string(x->type) || x->type->kind == T_DATE ||
                x->type->kind == T_TIME || x->type->kind == T_TIMESTAMP || x->type->kind == T_TIMESTAMP_LTZ;
    if (!fits) return takes(p, "APPROX_COUNT_DISTINCT takes a number, a text or a time");
    p->out->distinct = true;
    return expr_materialize(&p->below->m, x, &p->out->argument, p->b->e);
}

static enum status sum0(const struct parts_binder *p)
{
    if (p->x->args.count != 1) return takes(p, "$SUM0 takes a number");
    return bind_expr(p->below, p->x->args.items[0], &p->out->argument);
}

static enum status or_zero(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e)
{
    struct expr *parts[2] = {result};

    TRY(expr_constant(m, result->type, STR("0"), &parts[1], e));
    return expr_branch(m, EXPR_COALESCE, parts, 2, out, e);
}

static const struct {
    const char *name, *aggregate;
    bool may_be_distinct;
    enum status (*bind)(const struct parts_binder *p);
    enum status (*above)(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e);
} kinds[] = {
    {"JSON_ARRAYAGG", "json_arrayagg", false, json_array, NULL},
    {"JSON_OBJECTAGG", "json_objectagg", false, json_object, json_entries},
    {"PERCENTILE", "percentile", true, percentile, NULL},
    {"APPROX_COUNT_DISTINCT", "count", true, approx_count, NULL},
    {"$SUM0", "sum", true, sum0, or_zero},
};

static int kind_of(const struct ast_expr *x)
{
    if (x->kind != AX_CALL || x->op != NULL || x->name.count != 1) return -1;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_equal_nocase(x->name.parts[0], str_of(kinds[i].name))) return (int)i;
    return -1;
}

bool bind_has_parts(const struct ast_expr *x) { return kind_of(x) >= 0; }

enum status bind_aggregate_parts(const struct query_binder *b, struct binder *below, const struct ast_expr *x,
                                 bool over, struct aggregate_parts *out)
{
    const struct parts_binder p = {b, below, x, over, out};
    int kind = kind_of(x);

    ASSERT(kind >= 0);
    *out = (struct aggregate_parts){.type = agg_find(str_of(kinds[kind].aggregate)), .above = kinds[kind].above};
    out->distinct = x->aggregate != NULL && x->aggregate->distinct;
    if (out->distinct && !kinds[kind].may_be_distinct) return takes(&p, "DISTINCT is not allowed here");
    if (x->aggregate != NULL && (x->aggregate->within.count > 0 || x->aggregate->nulls != 0))
        return takes(&p, "WITHIN GROUP, ORDER BY, RESPECT NULLS and IGNORE NULLS are not supported in this aggregate");
    return kinds[kind].bind(&p);
}
