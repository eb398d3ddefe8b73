/* bind_over_calls.c - what functions take OVER windows: places of rows, LAG and LEAD, aggregates, variances, functions of users. */
#include "language/sql/bind_over_internal.h"

#include "columns/function/agg.h"
#include "ground/base/str.h"
#include "language/sql/bind_aggregate_parts.h"
#include "language/sql/bind_group.h"
#include "language/sql/bind_user_aggregate.h"

#include <string.h>

static const char *one_of(const struct ast_expr *x, const char *const *names, size_t count)
{
    if (x->op != NULL || x->name.count != 1) return NULL;
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(x->name.parts[0], str_of(names[i]))) return names[i];
    return NULL;
}

const char *over_ranking_of(const struct ast_expr *x)
{
    static const char *const names[] = {"row_number", "rank", "dense_rank"};

    return one_of(x, names, COUNT_OF(names));
}

const char *over_batch_only(const struct ast_expr *x)
{
    static const char *const names[] = {"LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK"};

    return one_of(x, names, COUNT_OF(names));
}

const char *over_lookup_of(const struct ast_expr *x)
{
    static const char *const names[] = {"LAG", "LEAD"};

    return one_of(x, names, COUNT_OF(names));
}

/* --- adding ------------------------------------------------------------------------------------------------------ */
static bool same_text(const char *x, const char *y) { return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0; }

static bool same_call(const struct over_call *x, const struct over_call *y)
{
    return strcmp(x->call.function, y->call.function) == 0 && x->call.argument == y->call.argument &&
           x->call.distinct == y->call.distinct && same_text(x->call.parameter, y->call.parameter) &&
           x->offset == y->offset && x->otherwise == y->otherwise && x->frame.rows == y->frame.rows && x->frame.from == y->frame.from &&
           x->frame.to == y->frame.to;
}

static uint32_t call_number(struct windows *g, const struct over_call *given, bool lag)
{
    struct over_window *w = &g->windows[g->now];
    struct over_call call = *given, **list = lag ? &w->lags : &w->calls;
    uint32_t *count = lag ? &w->lag_count : &w->call_count, *capacity = lag ? &w->lag_capacity : &w->call_capacity, i = 0;

    if (g->b->is_batch) call.frame = g->frame;
    while (i < *count && !same_call(&(*list)[i], &call)) i++;
    if (i < *count) return i;
    if (*count == *capacity) {
        struct over_call *more = ARENA_ARRAY(g->b->a, struct over_call, MAX(2 * *capacity, 4u));
        if (*count > 0) memcpy(more, *list, sizeof *more * *count);
        *list = more;
        *capacity = MAX(2 * *capacity, 4u);
    }
    call.call.name = arena_printf(g->b->a, "w0$o%u", g->result_count++);
    (*list)[(*count)++] = call;
    return i;
}

/* Of a stream LAG is no aggregate: it stands behind them. */
static void call_add(struct windows *g, const struct ast_expr *x, const struct over_call *call)
{
    bool lag = over_lookup_of(x) != NULL && !g->b->is_batch;

    g->uses[g->use_count++] = (struct over_use){.x = x, .window = g->now, .number = call_number(g, call, lag), .is_lag = lag};
}

static uint32_t result_at(const struct windows *g, uint32_t window, uint32_t number) { return g->windows[window].first_result + number; }

uint32_t over_result_column(const struct windows *g, const struct over_use *u)
{
    return result_at(g, u->window, (u->is_lag ? g->windows[u->window].call_count : 0) + u->number);
}

static enum status argument_count(struct windows *g, const struct ast_expr *x, uint32_t least, uint32_t most)
{
    if (x->args.count >= least && x->args.count <= most) return S_OK;
    return sql_error(g->b->e, g->b->t, x->place.at, x->place.size,
                     "Invalid number of arguments to function '%.*s'. Was expecting %u arguments",
                     (int)x->name.parts[0].size, x->name.parts[0].data, least);
}

/* --- places ------------------------------------------------------------------------------------------------------ */
static enum status bind_place(struct windows *g, const struct ast_expr *x, const char *function, bool is_double)
{
    struct over_call c = {.call = {.function = function,
                                   .argument = -1,
                                   .filter = -1,
                                   .result = type_new(g->b->a, is_double ? T_DOUBLE : T_BIGINT, 0, 0, false)},
                          .otherwise = -1};

    TRY(argument_count(g, x, 0, 0));
    call_add(g, x, &c);
    return S_OK;
}

static enum status bind_ntile(struct windows *g, const struct ast_expr *x)
{
    struct over_call c = {.call = {.function = "ntile", .argument = -1, .filter = -1, .result = type_new(g->b->a, T_BIGINT, 0, 0, false)},
                          .otherwise = -1};
    struct expr *groups;

    TRY(argument_count(g, x, 1, 1));
    TRY(bind_expr(&g->below, x->args.items[0], &groups));
    if (groups->kind != EXPR_CONSTANT || vector_is_null(groups->constant, 0))
        return over_fail(g, x->place, "Argument to function 'NTILE' must be a literal");
    if (groups->type->kind == T_INT) c.offset = VECTOR_VALUES(groups->constant, int32_t)[0];
    else if (groups->type->kind == T_BIGINT) c.offset = VECTOR_VALUES(groups->constant, int64_t)[0];
    if (c.offset < 1) return over_fail(g, x->place, "Argument to function 'NTILE' must be a positive integer literal");
    call_add(g, x, &c);
    return S_OK;
}

static enum status lookup_default(struct windows *g, const struct ast_expr *x, struct over_call *c)
{
    const struct type *value = g->columns[c->call.argument]->type, *other;

    TRY(over_column_bind(g, x, &c->otherwise));
    if (g->columns[c->otherwise]->type->kind == T_NULL) return over_fail(g, x->place, "Illegal use of 'NULL'");
    other = g->columns[c->otherwise]->type;
    if (type_equal_ignoring_null(other, value)) return S_OK;
    if (type_is_string(other) && type_is_string(value)) {
        struct expr *cast;
        TRY(expr_cast(&g->below.m, g->columns[c->otherwise], type_with_null(g->b->a, value, other->nullable), false,
                      &cast, g->b->e));
        c->otherwise = (int)over_column_of(g, cast);
        return S_OK;
    }
    return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "Please explicitly cast default value %s to %s.",
                     type_text(g->b->a, other), type_text(g->b->a, type_with_null(g->b->a, value, other->nullable)));
}

/* How far it looks; in batch mode less than nothing is as far in the other direction. */
static enum status lookup_offset(struct windows *g, const struct ast_expr *x, struct over_call *c)
{
    struct expr *offset;

    TRY(bind_expr(&g->below, x, &offset));
    if (offset->kind != EXPR_CONSTANT || offset->type->kind != T_INT || vector_is_null(offset->constant, 0))
        return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "The offset of %s must be a constant INT",
                         c->call.function[1] == 'a' ? "LAG" : "LEAD");
    c->offset = VECTOR_VALUES(offset->constant, int32_t)[0];
    if (c->offset >= 0 || g->b->is_batch) return S_OK;
    return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "Offset(%lld) should be positive.", (long long)c->offset);
}

static enum status bind_lookup(struct windows *g, const struct ast_expr *x)
{
    struct over_call c = {.call = {.function = str_equal(str_of(over_lookup_of(x)), STR("LAG")) ? "lag" : "lead", .argument = -1, .filter = -1},
                          .offset = 1, .otherwise = -1};

    TRY(argument_count(g, x, 1, 3));
    TRY(over_column_bind(g, x->args.items[0], &c.call.argument));
    if (x->args.count > 1) TRY(lookup_offset(g, x->args.items[1], &c));
    if (x->args.count > 2) TRY(lookup_default(g, x->args.items[2], &c));
    const struct type *t = g->columns[c.call.argument]->type;
    if (t->time_kind != TIME_NONE) t = type_with_time(g->b->a, t, TIME_NONE);
    c.call.result = type_with_null(g->b->a, t, true);
    call_add(g, x, &c);
    return S_OK;
}

/* --- aggregates --------------------------------------------------------------------------------------------------- */
static const char no_distinct[] = "Distinct not supported in Windowing function!";

/* The constant second argument of LISTAGG. */
static enum status bind_parameter(struct windows *g, const struct ast_expr *p, struct agg *a, struct over_call *c)
{
    struct expr *bound;

    TRY(bind_expr(&g->below, p, &bound));
    if (bound->kind != EXPR_CONSTANT || !type_is_string(bound->type) || vector_is_null(bound->constant, 0))
        return over_fail(g, p->place, "the separator must be a character literal");
    struct str text = text_str(&VECTOR_VALUES(bound->constant, struct text)[0]);
    a->parameter = c->call.parameter = arena_strndup(g->b->a, text.data, text.size);
    return S_OK;
}

/* --- variances --------------------------------------------------------------------------------------------------- */
static enum status variance_call(struct windows *g, const char *function, struct expr *x, bool distinct, uint32_t *number)
{
    struct agg a = {.type = agg_find(str_of(function)), .argument = x->type};
    struct over_call c = {.call = {.function = a.type->name, .argument = (int)over_column_of(g, x), .filter = -1, .distinct = distinct},
                          .otherwise = -1};

    TRY(a.type->bind(&a, g->b->a, g->b->e));
    c.call.result = a.result;
    aggregate_result(g->b->a, &a, &c.call, over_may_be_empty(g));
    *number = call_number(g, &c, false);
    return S_OK;
}

static enum status bind_variance(struct windows *g, const struct ast_expr *x, const struct agg_type *type, struct expr *argument,
                                 const struct type *result)
{
    struct expr_maker *m = &g->below.m;
    struct over_variance *v = ARENA_NEW(g->b->a, struct over_variance);
    struct expr *value, *both[2], *square;
    bool distinct = x->aggregate->distinct;

    *v = (struct over_variance){.type = result,
                           .is_sample = strstr(type->name, "pop") == NULL,
                           .is_root = strncmp(type->name, "stddev", 6) == 0};
    TRY(expr_cast(m, argument, type_with_null(g->b->a, result, argument->type->nullable), false, &value, g->b->e));
    both[0] = both[1] = value;
    TRY(expr_call(m, STR("*"), both, 2, &square, g->b->e));
    TRY(variance_call(g, "sum", square, distinct, &v->squares));
    TRY(variance_call(g, "sum", value, distinct, &v->sum));
    TRY(variance_call(g, "count", value, distinct, &v->count));
    g->uses[g->use_count++] = (struct over_use){.x = x, .window = g->now, .variance = v};
    return S_OK;
}

static enum status operation(struct windows *g, const char *op, struct expr *left, struct expr *right, struct expr **out)
{
    struct expr *args[] = {left, right};

    return expr_call(&g->below.m, str_of(op), args, 2, out, g->b->e);
}

/* How many values, less one: NULL of one value. */
static enum status one_less(struct windows *g, struct expr *count, struct expr **out)
{
    struct expr_maker *m = &g->below.m;
    struct expr *one, *branches[3];

    TRY(expr_constant(m, type_new(g->b->a, T_BIGINT, 0, 0, false), STR("1"), &one, g->b->e));
    TRY(operation(g, "=", count, one, &branches[0]));
    branches[1] = expr_null(m, type_new(g->b->a, T_BIGINT, 0, 0, true));
    TRY(operation(g, "-", count, one, &branches[2]));
    return expr_branch(m, EXPR_CASE, branches, 3, out, g->b->e);
}

/* (squares - sum * sum / count) / count, or of a sample / (count - 1). */
enum status over_variance_of(struct windows *g, const struct over_use *u, struct expr **out)
{
    const struct over_variance *v = u->variance;
    struct expr_maker *m = &g->below.m;
    struct expr *sum = expr_column(m, g->row, result_at(g, u->window, v->sum));
    struct expr *count = expr_column(m, g->row, result_at(g, u->window, v->count));
    struct expr *squares = expr_column(m, g->row, result_at(g, u->window, v->squares)), *n, *x, *half;
    const struct type *type = type_with_null(g->b->a, v->type, true);

    TRY(expr_cast(m, count, type_with_null(g->b->a, v->type, false), false, &n, g->b->e));
    TRY(operation(g, "*", sum, sum, &x));
    TRY(operation(g, "/", x, n, &x));
    TRY(operation(g, "-", squares, x, &x));
    if (v->is_sample) TRY(one_less(g, count, &n));
    TRY(operation(g, "/", x, n, &x));
    TRY(expr_cast(m, x, type, false, out, g->b->e));
    if (!v->is_root) return S_OK;
    TRY(expr_constant(m, type_new(g->b->a, T_DECIMAL, 2, 1, false), STR("0.5"), &half, g->b->e));
    TRY(operation(g, "POWER", *out, half, &x));
    return expr_cast(m, x, type, false, out, g->b->e);
}

static bool is_variance(const struct agg_type *type) { return strncmp(type->name, "var", 3) == 0 || strncmp(type->name, "stddev", 6) == 0; }

static enum status bind_aggregate(struct windows *g, const struct ast_expr *x, const struct agg_type *type)
{
    struct agg a = {.type = type};
    struct over_call c = {.call = {.function = type->name, .argument = -1, .filter = -1}, .otherwise = -1};
    struct err inner = {0};

    if (x->aggregate->distinct && g->b->is_batch) return over_fail(g, x->place, no_distinct);
    if (x->args.count > 1 && strcmp(type->name, "count") == 0)
        return over_fail(g, x->place, "We now only support the count of one field.");
    TRY(argument_count(g, x, 1, type->has_parameter ? 2 : 1));
    if (x->args.items[0]->kind != AX_STAR) {
        TRY(over_column_bind(g, x->args.items[0], &c.call.argument));
        const struct type *t = g->columns[c.call.argument]->type;
        a.argument = t->time_kind != TIME_NONE ? type_with_time(g->b->a, t, TIME_NONE) : t;
    }
    if (x->args.count > 1) TRY(bind_parameter(g, x->args.items[1], &a, &c));
    if (type->bind(&a, g->b->a, &inner) != S_OK) return bind_fail(&g->below, x->place, &inner);
    if (is_variance(type)) return bind_variance(g, x, type, g->columns[c.call.argument], a.result);
    c.call.result = a.result;
    c.call.distinct = x->aggregate->distinct && c.call.argument >= 0;
    aggregate_result(g->b->a, &a, &c.call, over_may_be_empty(g) && a.result->kind != T_ARRAY); /* so Flink has it */
    call_add(g, x, &c);
    return S_OK;
}

/* Whose arguments in SQL are not what it is given. */
static enum status bind_parts(struct windows *g, const struct ast_expr *x)
{
    struct over_call c = {.otherwise = -1};
    struct aggregate_parts parts;
    struct err inner = {0};

    if (x->aggregate->distinct && g->b->is_batch) return over_fail(g, x->place, no_distinct);
    TRY(bind_aggregate_parts(g->b, &g->below, x, true, &parts));
    struct agg a = {.type = parts.type, .argument = parts.argument->type, .parameter = parts.parameter};
    if (strncmp(a.type->name, "json", 4) == 0) return over_fail(g, x->place, "OVER must be applied to aggregate function");
    if (a.type->bind(&a, g->b->a, &inner) != S_OK) return bind_fail(&g->below, x->place, &inner);
    c.call = (struct aggregate_call){.function = a.type->name,
                                     .argument = (int)over_column_of(g, parts.argument),
                                     .filter = -1,
                                     .distinct = parts.distinct,
                                     .parameter = parts.parameter,
                                     .result = a.result};
    call_add(g, x, &c);
    g->uses[g->use_count - 1].above = parts.above;
    return S_OK;
}

enum status over_user_bind(struct windows *g, const struct ast_expr *x, const struct fn_def *def)
{
    struct over_call c = {.otherwise = -1};
    struct expr *argument;

    if (x->aggregate->distinct && g->b->is_batch) return over_fail(g, x->place, no_distinct);
    TRY(bind_user_aggregate_call(g->b, &g->below, x, def, &c.call, &argument));
    if (argument != NULL) c.call.argument = (int)over_column_of(g, argument);
    c.call.distinct = x->aggregate->distinct && c.call.argument >= 0;
    call_add(g, x, &c);
    return S_OK;
}

enum status over_call_bind(struct windows *g, const struct ast_expr *x)
{
    const char *more = over_batch_only(x);

    if (over_ranking_of(x) != NULL) return bind_place(g, x, over_ranking_of(x), false);
    if (over_lookup_of(x) != NULL) return bind_lookup(g, x);
    if (more != NULL && str_equal(str_of(more), STR("NTILE"))) return bind_ntile(g, x);
    if (more != NULL) return bind_place(g, x, str_equal(str_of(more), STR("CUME_DIST")) ? "cume_dist" : "percent_rank", true);
    if (bind_has_parts(x)) return bind_parts(g, x);
    return bind_aggregate(g, x, agg_find(x->name.parts[0]));
}
