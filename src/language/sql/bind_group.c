/* bind_group.c - GROUP BY: below the aggregation a Calc computes the grouped expressions, the arguments and the filters of aggregate
 * calls; above it each of these calls, and each expression that is grouped, is a column. Equal calls are computed once. */
#include "language/sql/bind_group.h"

#include "columns/function/agg.h"
#include "ground/base/str.h"

#include <string.h>

struct call_of {
    const struct ast_expr *x;
    uint32_t number; /* of the call */
};

struct grouping {
    struct query_binder *b;
    struct bind_scope below; /* the names of FROM */
    struct binder binder;    /* over them */
    uint32_t key_count, column_count, call_count, use_count;
    struct expr **columns;   /* of the Calc below: keys, then arguments and filters */
    struct aggregate_call *calls;
    struct call_of *uses;
    const struct type *row;  /* of the aggregation */
};

/* --- finding calls ----------------------------------------------------------------------------------------------- */
static const struct agg_type *aggregate_of(const struct ast_expr *x)
{
    if (x->kind != AX_CALL || x->op != NULL || x->name.count != 1) return NULL;
    if (x->aggregate != NULL && x->aggregate->over != NULL) return NULL;
    return agg_find(x->name.parts[0]);
}

static uint32_t count_calls(const struct ast_expr *x)
{
    uint32_t n = 0;

    if (x == NULL) return 0;
    if (aggregate_of(x) != NULL) return 1;
    for (uint32_t i = 0; i < x->args.count; i++) n += count_calls(x->args.items[i]);
    return n;
}

static uint32_t count_all(const struct ast_select *s)
{
    uint32_t n = count_calls(s->having);

    for (uint32_t i = 0; i < s->item_count; i++) n += count_calls(s->items[i].x);
    return n;
}

bool grouping_is(const struct ast_select *s) { return s->grouped || s->having != NULL || count_all(s) > 0; }

/* --- below ------------------------------------------------------------------------------------------------------- */
static uint32_t column_of(struct grouping *g, struct expr *x)
{
    for (uint32_t i = 0; i < g->column_count; i++)
        if (expr_equal(g->columns[i], x)) return i;
    g->columns[g->column_count] = x;
    return g->column_count++;
}

static enum status fail(struct grouping *g, struct ast_place place, const char *text)
{
    return sql_error(g->b->e, g->b->t, place.at, place.size, "%s", text);
}

static enum status bind_argument(struct grouping *g, const struct ast_expr *x, struct agg *a, struct aggregate_call *c)
{
    struct expr *argument;
    struct err inner = {0};

    c->argument = -1;
    if (x->args.count > 1) return fail(g, x->place, "an aggregate of several arguments is not supported yet");
    if (x->args.count == 0) return fail(g, x->place, "the aggregate needs an argument");
    const struct ast_expr *arg = x->args.items[0];
    if (arg->kind != AX_STAR) {
        if (count_calls(arg) > 0) return fail(g, arg->place, "Aggregate expressions cannot be nested");
        TRY(bind_expr(&g->binder, arg, &argument));
        a->argument = argument->type;
        c->argument = (int)column_of(g, argument);
    }
    if (a->type->bind(a, g->b->a, &inner) != S_OK) return bind_fail(&g->binder, x->place, &inner);
    c->result = a->result;
    return S_OK;
}

static enum status bind_filter(struct grouping *g, const struct ast_expr *filter, struct aggregate_call *c)
{
    struct expr *x;

    c->filter = -1;
    if (filter == NULL) return S_OK;
    if (count_calls(filter) > 0) return fail(g, filter->place, "FILTER must not contain aggregate expression");
    TRY(bind_expr(&g->binder, filter, &x));
    if (x->type->kind != T_BOOLEAN) return fail(g, filter->place, "FILTER expression must be of type BOOLEAN");
    c->filter = (int)column_of(g, x);
    return S_OK;
}

static enum status bind_aggregate(struct grouping *g, const struct ast_expr *x, const struct agg_type *type)
{
    struct agg a = {.type = type};
    struct aggregate_call c = {.function = type->name};
    uint32_t i = 0;

    if (x->aggregate != NULL && (x->aggregate->within.count > 0 || x->aggregate->nulls != 0))
        return fail(g, x->place, "WITHIN GROUP, RESPECT NULLS and IGNORE NULLS are not supported yet");
    TRY(bind_argument(g, x, &a, &c));
    TRY(bind_filter(g, x->aggregate != NULL ? x->aggregate->filter : NULL, &c));
    c.distinct = x->aggregate != NULL && x->aggregate->distinct && c.argument >= 0;
    while (i < g->call_count && (strcmp(g->calls[i].function, c.function) != 0 || g->calls[i].argument != c.argument ||
                                 g->calls[i].filter != c.filter || g->calls[i].distinct != c.distinct))
        i++;
    if (i == g->call_count) {
        c.name = arena_printf(g->b->a, "$a%u", i);
        g->calls[g->call_count++] = c;
    }
    g->uses[g->use_count++] = (struct call_of){x, i};
    return S_OK;
}

static enum status find_calls(struct grouping *g, const struct ast_expr *x)
{
    if (x == NULL) return S_OK;
    const struct agg_type *type = aggregate_of(x);
    if (type != NULL) return bind_aggregate(g, x, type);
    for (uint32_t i = 0; i < x->args.count; i++) TRY(find_calls(g, x->args.items[i]));
    return S_OK;
}

static enum status bind_keys(struct grouping *g, const struct ast_select *s)
{
    for (uint32_t i = 0; i < s->group.count; i++) {
        const struct ast_expr *x = s->group.items[i];
        struct expr *key;
        if (x->kind == AX_LIST && x->args.count == 0) continue; /* () */
        if (count_calls(x) > 0) return fail(g, x->place, "Aggregate expression is illegal in GROUP BY clause");
        TRY(bind_expr(&g->binder, x, &key));
        column_of(g, key);
    }
    g->key_count = g->column_count;
    return S_OK;
}

static enum status bind_calls(struct grouping *g, const struct ast_select *s)
{
    for (uint32_t i = 0; i < s->item_count; i++) TRY(find_calls(g, s->items[i].x));
    return find_calls(g, s->having);
}

/* --- above ------------------------------------------------------------------------------------------------------- */
static enum status not_grouped(struct grouping *g, const struct ast_expr *x)
{
    char name[256] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < x->name.count && used + x->name.parts[i].size + 2 < sizeof name; i++) {
        if (i > 0) name[used++] = '.';
        memcpy(name + used, x->name.parts[i].data, x->name.parts[i].size);
        used += x->name.parts[i].size;
    }
    err_hint(g->b->e, "add it to GROUP BY, or put it into an aggregate");
    return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "Expression '%s' is not being grouped", name);
}

/* Is it one of the grouped expressions? What does not bind below stands for something else. */
static int key_of(struct grouping *g, const struct ast_expr *x)
{
    struct err inner = {0};
    struct binder quiet = g->binder;
    struct expr *bound;

    quiet.e = &inner;
    if (count_calls(x) > 0 || bind_expr(&quiet, x, &bound) != S_OK) return -1;
    for (uint32_t i = 0; i < g->key_count; i++)
        if (expr_equal(g->columns[i], bound)) return (int)i;
    return -1;
}

static enum status above(struct binder *b, const struct ast_expr *x, struct expr **out, bool *done)
{
    struct grouping *g = b->arg;
    struct expr *below;

    *done = true;
    for (uint32_t i = 0; i < g->use_count; i++) {
        if (g->uses[i].x != x) continue;
        *out = expr_column(&b->m, g->row, g->key_count + g->uses[i].number);
        return S_OK;
    }
    int key = x->kind == AX_LITERAL ? -1 : key_of(g, x);
    if (key >= 0) {
        *out = expr_column(&b->m, g->row, (uint32_t)key);
        return S_OK;
    }
    if (x->kind == AX_NAME) {
        TRY(bind_expr(&g->binder, x, &below)); /* an unknown name is said to be unknown */
        return not_grouped(g, x);
    }
    *done = false;
    return S_OK;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
/* Columns keep the names of plain columns, others are $f<number>. */
static struct rel *calc_below(struct grouping *g, struct rel *input, struct expr *condition)
{
    const char **names = ARENA_ARRAY(g->b->a, const char *, MAX(g->column_count, 1u));

    for (uint32_t i = 0; i < g->column_count; i++)
        names[i] = g->columns[i]->kind == EXPR_COLUMN ? input->row->names[g->columns[i]->col] : arena_printf(g->b->a, "$f%u", i);
    if (g->column_count == 0) { /* COUNT(*) of everything reads no column, but rows there must be */
        g->columns[0] = expr_column(&g->binder.m, input->row, 0);
        names[0] = input->row->names[0];
        g->column_count = 1;
    }
    struct calc_body c = {.condition = condition, .count = g->column_count, .columns = g->columns};
    return rel_calc(g->b->a, input, &c, names);
}

enum status grouping_bind(struct query_binder *b, const struct ast_select *s, struct bind_source *from, struct expr *condition,
                          struct binder *x, struct grouping **out)
{
    struct grouping *g = ARENA_NEW(b->a, struct grouping);
    uint32_t calls = count_all(s);

    *g = (struct grouping){.b = b, .below = from->scope, .binder = *x};
    g->binder.scope = &g->below;
    g->columns = ARENA_ARRAY(b->a, struct expr *, s->group.count + 2 * (size_t)calls + 1);
    g->calls = ARENA_ARRAY(b->a, struct aggregate_call, calls + 1);
    g->uses = ARENA_ARRAY(b->a, struct call_of, calls + 1);
    TRY(bind_keys(g, s));
    TRY(bind_calls(g, s));
    uint32_t *keys = ARENA_ARRAY(b->a, uint32_t, g->key_count + 1);
    for (uint32_t i = 0; i < g->key_count; i++) keys[i] = i;
    struct aggregate_body body = {.key_count = g->key_count, .call_count = g->call_count, .keys = keys, .calls = g->calls};
    from->rel = rel_aggregate(b->a, calc_below(g, from->rel, condition), &body);
    g->row = from->rel->row;
    x->special = above;
    x->arg = g;
    *out = g;
    return S_OK;
}
