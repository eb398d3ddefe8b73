/* bind_group_calls.c - the calls of aggregates in a SELECT that groups: which they are, their arguments and filters as columns of the Calc
 * below, and the same call of several places once.
 *
 * Not here: what stands for a call above the aggregation (bind_group.c). */
#include "language/sql/bind_group_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_aggregate_parts.h"
#include "language/sql/bind_unknown.h"
#include "language/sql/bind_user_aggregate.h"
#include "language/sql/token.h"

#include <string.h>

/* --- finding calls ----------------------------------------------------------------------------------------------- */
static bool may_aggregate(const struct ast_expr *x)
{
    if (x->kind != AX_CALL || x->op != NULL || x->name.count == 0) return false;
    return x->aggregate == NULL || x->aggregate->over == NULL;
}

static const struct agg_type *aggregate_of(const struct ast_expr *x)
{
    return may_aggregate(x) && x->name.count == 1 ? agg_find(x->name.parts[0]) : NULL;
}

static bool is_aggregate(const struct query_binder *b, const struct ast_expr *x)
{
    if (bind_user_aggregate_named(b, x, false) != NULL) return true;
    return !b->session->has_no_core && (aggregate_of(x) != NULL || (may_aggregate(x) && bind_has_parts(x)));
}

static uint32_t count_in_window(const struct query_binder *b, const struct ast_window *w)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->partition.count; i++) n += aggregate_calls_count(b, w->partition.items[i]);
    for (uint32_t i = 0; i < w->order.count; i++) n += aggregate_calls_count(b, w->order.items[i].x);
    return n;
}

uint32_t aggregate_calls_count(const struct query_binder *b, const struct ast_expr *x)
{
    uint32_t n = 0;

    if (x == NULL) return 0;
    if (is_aggregate(b, x)) return 1;
    for (uint32_t i = 0; i < x->args.count; i++) n += aggregate_calls_count(b, x->args.items[i]);
    if (x->aggregate != NULL && x->aggregate->over != NULL) n += count_in_window(b, x->aggregate->over);
    return n;
}

uint32_t grouping_calls_count(const struct query_binder *b, const struct ast_select *s, const struct ast_orders *by)
{
    uint32_t n = aggregate_calls_count(b, s->having) + aggregate_calls_count(b, s->qualify);

    for (uint32_t i = 0; i < s->item_count; i++) n += aggregate_calls_count(b, s->items[i].x);
    for (uint32_t i = 0; i < s->window_count; i++) n += count_in_window(b, &s->windows[i]);
    for (uint32_t i = 0; i < by->count; i++) n += aggregate_calls_count(b, by->items[i].x);
    return n;
}

const struct ast_expr *aggregate_call_in(const struct query_binder *b, const struct ast_expr *x)
{
    const struct ast_expr *found = NULL;

    if (x == NULL || is_aggregate(b, x)) return x;
    for (uint32_t i = 0; i < x->args.count && found == NULL; i++) found = aggregate_call_in(b, x->args.items[i]);
    return found;
}

bool grouping_is(const struct query_binder *b, const struct ast_select *s, const struct ast_orders *by)
{
    return s->grouped || s->having != NULL || grouping_calls_count(b, s, by) > 0;
}

/* --- binding them ------------------------------------------------------------------------------------------------ */
/* LISTAGG(x, ','): the second argument is a constant text. */
static enum status bind_parameter(struct grouping *g, const struct ast_expr *x, struct agg *a, struct aggregate_call *c)
{
    const struct ast_expr *p = x->args.items[1];
    struct expr *bound;

    if (x->args.count > 2) return bind_wrong_count(&g->binder, x, "1 or 2");
    TRY(bind_expr(&g->binder, p, &bound));
    if (bound->kind != EXPR_CONSTANT || !type_is_string(bound->type) || vector_is_null(bound->constant, 0))
        return grouping_fail(g, p->place, "the separator must be a character literal");
    struct str text = text_str(&VECTOR_VALUES(bound->constant, struct text)[0]);
    a->parameter = c->parameter = arena_strndup(g->b->a, text.data, text.size);
    return S_OK;
}

/* COUNT(a, b) counts where none is NULL: CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN 1 END. */
static enum status bind_together(struct grouping *g, const struct ast_expr *x, struct expr **out)
{
    struct expr_maker *m = &g->binder.m;
    struct expr **tests = ARENA_ARRAY(g->b->a, struct expr *, x->args.count), *branches[3], *argument;

    if (x->aggregate != NULL && x->aggregate->distinct) return grouping_fail(g, x->place, "We now only support the count of one field.");
    for (uint32_t i = 0; i < x->args.count; i++) {
        if (aggregate_calls_count(g->b, x->args.items[i]) > 0) return grouping_fail(g, x->args.items[i]->place, "Aggregate expressions cannot be nested");
        TRY(bind_expr(&g->binder, x->args.items[i], &argument));
        TRY(expr_call(m, STR("IS NOT NULL"), &argument, 1, &tests[i], g->b->e));
    }
    TRY(expr_branch(m, EXPR_AND, tests, x->args.count, &branches[0], g->b->e));
    TRY(expr_constant(m, type_new(g->b->a, T_INT, 0, 0, false), STR("1"), &branches[1], g->b->e));
    branches[2] = expr_null(m, type_new(g->b->a, T_INT, 0, 0, true));
    return expr_branch(m, EXPR_CASE, branches, 3, out, g->b->e);
}

/* Of "sum takes a number" the end, as a hint. */
static const char *agg_takes(const char *text)
{
    static const char word[] = " takes ";
    const char *at = strstr(text, word);

    return at != NULL ? at + sizeof word - 1 : text;
}

static enum status bind_argument(struct grouping *g, const struct ast_expr *x, struct agg *a, struct aggregate_call *c)
{
    struct expr *argument;
    struct err inner = {0};
    bool together = x->args.count > 1 && strcmp(a->type->name, "count") == 0;

    c->argument = -1;
    if (x->args.count == 0 || (x->args.count > 1 && !together && !a->type->has_parameter))
        return bind_wrong_count(&g->binder, x, a->type->has_parameter ? "1 or 2" : "1");
    const struct ast_expr *arg = x->args.items[0];
    if (arg->kind == AX_STAR && strcmp(a->type->name, "count") != 0) return grouping_fail(g, arg->place, "Unknown identifier '*'");
    if (arg->kind == AX_STAR && (together || (x->aggregate != NULL && x->aggregate->distinct))) {
        err_hint(g->b->e, "COUNT(*) counts rows, COUNT(DISTINCT a, b) different values of columns");
        return grouping_fail(g, arg->place, "'*' stands alone in COUNT(*)");
    }
    if (arg->kind != AX_STAR) {
        if (aggregate_calls_count(g->b, arg) > 0) return grouping_fail(g, arg->place, "Aggregate expressions cannot be nested");
        TRY(together ? bind_together(g, x, &argument) : bind_expr(&g->binder, arg, &argument));
        const struct type *t = argument->type;
        a->argument = t->time_kind != TIME_NONE ? type_with_time(g->b->a, t, TIME_NONE) : t;
        c->argument = (int)grouping_column_of(g, argument);
    }
    if (x->args.count > 1 && !together) TRY(bind_parameter(g, x, a, c));
    if (a->type->bind(a, g->b->a, &inner) != S_OK)
        return c->argument >= 0 ? bind_cannot_apply(&g->binder, x, &g->columns[c->argument], 1, arena_strdup(g->b->a, agg_takes(inner.text)))
                                : bind_fail(&g->binder, x->place, &inner);
    c->result = a->result;
    return S_OK;
}

void aggregate_result(struct arena *arena, const struct agg *a, struct aggregate_call *c, bool may_be_empty)
{
    bool sample = strstr(a->type->name, "samp") != NULL || strcmp(a->type->name, "variance") == 0 || strcmp(a->type->name, "stddev") == 0;

    bool needs_key = strcmp(a->type->name, "listagg") != 0; /* Flink's type of it is that of the argument */

    if (a->argument == NULL || a->argument->nullable || (needs_key && may_be_empty) || c->filter >= 0 || sample) return;
    c->result = type_with_null(arena, a->result, false);
    if (a->result->kind == T_ARRAY) c->result = type_list(arena, T_ARRAY, a->argument, NULL, false);
}

/* FILTER (WHERE ..), and IGNORE NULLS, which is a filter, too; `more`: another one, or NULL. */
static enum status bind_filter(struct grouping *g, const struct ast_expr *call, struct expr *more, struct aggregate_call *c)
{
    const struct ast_expr *filter = call->aggregate != NULL ? call->aggregate->filter : NULL;
    struct expr *tests[2], *argument;
    uint32_t n = 0;

    c->filter = -1;
    if (more != NULL) tests[n++] = more;
    if (filter != NULL) {
        if (aggregate_calls_count(g->b, filter) > 0) return grouping_fail(g, filter->place, "FILTER must not contain aggregate expression");
        TRY(bind_expr(&g->binder, filter, &tests[n]));
        if (tests[n++]->type->kind != T_BOOLEAN) return grouping_fail(g, filter->place, "FILTER clause must be a condition");
    }
    if (call->aggregate != NULL && call->aggregate->nulls == KW_IGNORE && c->argument >= 0) {
        argument = g->columns[c->argument];
        TRY(expr_call(&g->binder.m, STR("IS NOT NULL"), &argument, 1, &tests[n++], g->b->e));
    }
    if (n == 2) TRY(expr_branch(&g->binder.m, EXPR_AND, tests, 2, &tests[0], g->b->e));
    if (n > 0) c->filter = (int)grouping_column_of(g, tests[0]);
    return S_OK;
}

static bool same_parameter(const struct aggregate_call *x, const struct aggregate_call *y)
{
    if (x->parameter == NULL || y->parameter == NULL) return x->parameter == y->parameter;
    return strcmp(x->parameter, y->parameter) == 0;
}

static bool same_call(const struct aggregate_call *x, const struct aggregate_call *y)
{
    return same_parameter(x, y) && strcmp(x->function, y->function) == 0 && x->argument == y->argument && x->filter == y->filter &&
           x->distinct == y->distinct;
}

/* The call, or an equal one that is there. */
static void call_add(struct grouping *g, const struct ast_expr *x, struct aggregate_call *c)
{
    uint32_t i = 0;

    while (i < g->call_count && !same_call(&g->calls[i], c)) i++;
    if (i == g->call_count) {
        c->name = arena_printf(g->b->a, "$a%u", i);
        g->calls[g->call_count++] = *c;
    }
    g->uses[g->use_count++] = (struct call_of){.x = x, .number = i};
}

static enum status bind_aggregate(struct grouping *g, const struct ast_expr *x, const struct agg_type *type)
{
    struct agg a = {.type = type};
    struct aggregate_call c = {.function = type->name};

    if (x->aggregate != NULL && (x->aggregate->within.count > 0 || (x->aggregate->nulls != 0 && !type->keeps_null)))
        return grouping_fail(g, x->place, "WITHIN GROUP, ORDER BY, RESPECT NULLS and IGNORE NULLS are not supported in this aggregate");
    TRY(bind_argument(g, x, &a, &c));
    TRY(bind_filter(g, x, NULL, &c));
    c.distinct = x->aggregate != NULL && x->aggregate->distinct && c.argument >= 0;
    aggregate_result(g->b->a, &a, &c, g->key_count == 0 && g->window.x == NULL);
    call_add(g, x, &c);
    return S_OK;
}

static enum status bind_user_aggregate(struct grouping *g, const struct ast_expr *x, const struct fn_def *def)
{
    struct aggregate_call c;
    struct expr *argument;

    for (uint32_t i = 0; i < x->args.count; i++)
        if (aggregate_calls_count(g->b, x->args.items[i]) > 0) return grouping_fail(g, x->args.items[i]->place, "Aggregate expressions cannot be nested");
    TRY(bind_user_aggregate_call(g->b, &g->binder, x, def, &c, &argument));
    if (argument != NULL) c.argument = (int)grouping_column_of(g, argument);
    TRY(bind_filter(g, x, NULL, &c));
    c.distinct = x->aggregate != NULL && x->aggregate->distinct && c.argument >= 0;
    call_add(g, x, &c);
    return S_OK;
}

/* Whose arguments in SQL are not what it is given. */
static enum status bind_parts(struct grouping *g, const struct ast_expr *x)
{
    struct aggregate_parts parts;
    struct err inner = {0};

    for (uint32_t i = 0; i < x->args.count; i++)
        if (aggregate_calls_count(g->b, x->args.items[i]) > 0) return grouping_fail(g, x->args.items[i]->place, "Aggregate expressions cannot be nested");
    TRY(bind_aggregate_parts(g->b, &g->binder, x, false, &parts));
    struct agg a = {.type = parts.type, .argument = parts.argument->type, .parameter = parts.parameter};
    if (a.type->bind(&a, g->b->a, &inner) != S_OK) return bind_fail(&g->binder, x->place, &inner);
    struct aggregate_call c = {.function = a.type->name,
                               .argument = (int)grouping_column_of(g, parts.argument),
                               .distinct = parts.distinct,
                               .parameter = parts.parameter,
                               .result = a.result};
    TRY(bind_filter(g, x, parts.filter, &c));
    call_add(g, x, &c);
    g->uses[g->use_count - 1].above = parts.above;
    return S_OK;
}

static enum status find_calls(struct grouping *g, const struct ast_expr *x);

static enum status find_in_window(struct grouping *g, const struct ast_window *w)
{
    for (uint32_t i = 0; i < w->partition.count; i++) TRY(find_calls(g, w->partition.items[i]));
    for (uint32_t i = 0; i < w->order.count; i++) TRY(find_calls(g, w->order.items[i].x));
    return S_OK;
}

static enum status find_calls(struct grouping *g, const struct ast_expr *x)
{
    if (x == NULL) return S_OK;
    const struct fn_def *user = bind_user_aggregate_named(g->b, x, false);
    if (user != NULL) return bind_user_aggregate(g, x, user);
    const struct agg_type *type = aggregate_of(x);
    enum group_window_part part;
    if (may_aggregate(x) && bind_has_parts(x)) return bind_parts(g, x);
    if (type != NULL) return bind_aggregate(g, x, type);
    g->asks_for_window |= group_window_is_part(x, &part);
    for (uint32_t i = 0; i < x->args.count; i++) TRY(find_calls(g, x->args.items[i]));
    return x->aggregate != NULL && x->aggregate->over != NULL ? find_in_window(g, x->aggregate->over) : S_OK;
}

enum status grouping_bind_calls(struct grouping *g, const struct ast_select *s, const struct ast_orders *by)
{
    for (uint32_t i = 0; i < s->item_count; i++) TRY(find_calls(g, s->items[i].x));
    for (uint32_t i = 0; i < s->window_count; i++) TRY(find_in_window(g, &s->windows[i]));
    for (uint32_t i = 0; i < by->count; i++) TRY(find_calls(g, by->items[i].x));
    TRY(find_calls(g, s->qualify));
    return find_calls(g, s->having);
}
