/* bind_over.c - functions OVER (PARTITION BY ... ORDER BY ...): below the window a Calc computes what it parts and orders rows by and
 * what the functions take; above it each call is a column. All calls of a SELECT have the same window. Equal calls are computed once.
 *
 * A condition on the place of ROW_NUMBER, there or in a query around it, makes a Top-N of the window (bind_rank_bounds.c). */
#include "language/sql/bind_over.h"

#include "columns/function/agg.h"
#include "ground/base/str.h"
#include "language/sql/bind_aggregate_parts.h"
#include "language/sql/bind_user_aggregate.h"
#include "language/sql/bind_group.h"
#include "language/sql/bind_unknown.h"

#include <string.h>

static const char no_order[] =
    "Over Agg: The window rank function requires order by clause with non-constant fields. please re-check "
    "the over window statement.";
static const char many_windows[] =
    "Over Agg: Unsupported use of OVER windows. All aggregates must be computed on the same window. "
    "please re-check the over window statement.";

struct use {
    const struct ast_expr *x;
    uint32_t number; /* of the call; of LAG: among those of LAG */
    bool is_lag;
    const struct variance *variance; /* NULL: the call's own result */
    enum status (*above)(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e); /* NULL: the result is it */
};

/* VAR_POP and its like are computed of SUM(x * x), SUM(x) and COUNT(x), in the type of the result, as in Flink: also of whole numbers. */
struct variance {
    const struct type *type;
    uint32_t squares, sum, count; /* calls */
    bool is_sample, is_root;
};

struct window {
    struct over_frame frame;
    uint32_t partition_count, order_count;
    uint32_t *partition;
    struct rank_order *order;
};

struct windows {
    struct query_binder *b;
    struct binder below; /* what binds all else */
    const struct ast_select *select;
    uint32_t column_count, column_capacity, input_count, call_count, lag_count, use_count;
    struct expr **columns; /* of the Calc below: those of the input, then more */
    struct window window;
    struct over_call *calls, *lags;
    struct use *uses;
    const struct type *row; /* with the results */
    const struct rel *window_rel;
};

/* --- finding calls ----------------------------------------------------------------------------------------------- */
static bool is_over(const struct ast_expr *x)
{
    return x->kind == AX_CALL && x->aggregate != NULL && x->aggregate->over != NULL;
}

const struct ast_expr *over_call_in(const struct ast_expr *x)
{
    const struct ast_expr *found = NULL;

    if (x == NULL || is_over(x)) return x;
    for (uint32_t i = 0; i < x->args.count && found == NULL; i++) found = over_call_in(x->args.items[i]);
    return found;
}

static uint32_t count_calls(const struct ast_expr *x)
{
    uint32_t n = 0;

    if (x == NULL || is_over(x)) return x != NULL;
    for (uint32_t i = 0; i < x->args.count; i++) n += count_calls(x->args.items[i]);
    return n;
}

static uint32_t count_all(const struct ast_select *s)
{
    uint32_t n = count_calls(s->qualify);

    for (uint32_t i = 0; i < s->item_count; i++) n += count_calls(s->items[i].x);
    return n;
}

bool over_is(const struct ast_select *s) { return count_all(s) > 0; }

static const char *one_of(const struct ast_expr *x, const char *const *names, size_t count)
{
    if (x->op != NULL || x->name.count != 1) return NULL;
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(x->name.parts[0], str_of(names[i]))) return names[i];
    return NULL;
}

static const char *ranking_of(const struct ast_expr *x)
{
    static const char *const names[] = {"row_number", "rank", "dense_rank"};

    return one_of(x, names, COUNT_OF(names));
}

/* Functions that Flink has in batch mode only. */
static const char *batch_only(const struct ast_expr *x)
{
    static const char *const names[] = {"LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK"};

    return one_of(x, names, COUNT_OF(names));
}

static bool is_lag(const struct ast_expr *x)
{
    static const char *const names[] = {"LAG"};

    return one_of(x, names, 1) != NULL;
}

static enum status fail(struct windows *g, struct ast_place place, const char *text)
{
    return sql_error(g->b->e, g->b->t, place.at, place.size, "%s", text);
}

/* --- columns below ----------------------------------------------------------------------------------------------- */
static uint32_t column_of(struct windows *g, struct expr *x)
{
    for (uint32_t i = 0; i < g->column_count; i++)
        if (expr_equal(g->columns[i], x)) return i;
    if (g->column_count == g->column_capacity) {
        struct expr **more = ARENA_ARRAY(g->b->a, struct expr *, 2 * (size_t)g->column_capacity);
        memcpy(more, g->columns, sizeof *more * g->column_count);
        g->columns = more;
        g->column_capacity *= 2;
    }
    g->columns[g->column_count] = x;
    return g->column_count++;
}

static enum status column_bind(struct windows *g, const struct ast_expr *x, int *col)
{
    struct expr *bound;
    const struct ast_expr *inner = over_call_in(x);

    if (inner != NULL) return fail(g, inner->place, "Aggregate expressions cannot be nested");
    TRY(bind_expr(&g->below, x, &bound));
    *col = (int)column_of(g, bound);
    return S_OK;
}

/* --- windows ----------------------------------------------------------------------------------------------------- */
static void order_add(struct window *w, uint32_t col, const struct ast_order *o)
{
    for (uint32_t i = 0; i < w->order_count; i++)
        if (w->order[i].col == col) return; /* it is decided already */
    w->order[w->order_count++] = (struct rank_order){
        col, o->descending, o->nulls == NULLS_DEFAULT ? o->descending : o->nulls == NULLS_LAST};
}

static enum status window_bind(struct windows *g, const struct ast_expr *call, struct window *w)
{
    struct expr *x;

    *w = (struct window){0};
    TRY(over_frame_find(g->b, g->select, call->aggregate->over, &w->frame));
    w->partition = ARENA_ARRAY(g->b->a, uint32_t, w->frame.partition.count + 1);
    w->order = ARENA_ARRAY(g->b->a, struct rank_order, w->frame.order.count + 1);
    for (uint32_t i = 0; i < w->frame.partition.count; i++) {
        int col;
        uint32_t k = 0;
        TRY(column_bind(g, w->frame.partition.items[i], &col));
        while (k < w->partition_count && w->partition[k] != (uint32_t)col) k++;
        if (k == w->partition_count) w->partition[w->partition_count++] = (uint32_t)col;
    }
    TRY(bind_keys_fit(g->b, call->place, w->partition_count));
    for (uint32_t i = 0; i < w->frame.order.count; i++) {
        TRY(bind_expr(&g->below, w->frame.order.items[i].x, &x));
        if (x->kind != EXPR_CONSTANT) order_add(w, column_of(g, x), &w->frame.order.items[i]);
    }
    bool time = w->order_count == 1 && (g->columns[w->order[0].col]->type->kind == T_TIMESTAMP ||
                                        g->columns[w->order[0].col]->type->kind == T_TIMESTAMP_LTZ);
    return over_frame_read(g->b, &g->below, &w->frame, time);
}

/* What a function makes of the frame: places have none of their own. */
static enum status frame_of_call(struct windows *g, const struct ast_expr *call, struct window *w)
{
    const char *ranking = ranking_of(call);

    if (ranking == NULL && !is_lag(call) && batch_only(call) == NULL) return S_OK;
    if (w->frame.framed)
        return fail(g, call->place, "ROW/RANGE not allowed with RANK, DENSE_RANK or ROW_NUMBER functions");
    w->frame.rows = ranking != NULL && strcmp(ranking, "row_number") == 0;
    return ranking != NULL && w->order_count == 0 ? fail(g, call->place, no_order) : S_OK;
}

static bool same_window(const struct window *x, const struct window *y)
{
    bool same = x->partition_count == y->partition_count && x->order_count == y->order_count &&
                x->frame.rows == y->frame.rows && x->frame.bounded == y->frame.bounded &&
                x->frame.preceding == y->frame.preceding && x->frame.ends_elsewhere == y->frame.ends_elsewhere &&
                memcmp(x->partition, y->partition, sizeof *x->partition * x->partition_count) == 0;

    for (uint32_t i = 0; same && i < x->order_count; i++)
        same = x->order[i].col == y->order[i].col && x->order[i].descending == y->order[i].descending &&
               x->order[i].nulls_last == y->order[i].nulls_last;
    return same;
}

static enum status window_check(struct windows *g, const struct ast_expr *call)
{
    struct window w;

    TRY(window_bind(g, call, &w));
    TRY(frame_of_call(g, call, &w));
    if (g->use_count == 0) g->window = w;
    return same_window(&g->window, &w) ? S_OK : fail(g, call->place, many_windows);
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
static bool same_text(const char *x, const char *y) { return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0; }

static bool same_call(const struct over_call *x, const struct over_call *y)
{
    return strcmp(x->call.function, y->call.function) == 0 && x->call.argument == y->call.argument &&
           x->call.distinct == y->call.distinct && same_text(x->call.parameter, y->call.parameter) &&
           x->offset == y->offset && x->otherwise == y->otherwise;
}

static uint32_t call_number(struct windows *g, const struct over_call *call, bool lag)
{
    struct over_call *list = lag ? g->lags : g->calls;
    uint32_t *count = lag ? &g->lag_count : &g->call_count, i = 0;

    while (i < *count && !same_call(&list[i], call)) i++;
    if (i == *count) {
        list[i] = *call;
        list[(*count)++].call.name = arena_printf(g->b->a, "w0$o%u", g->call_count + g->lag_count);
    }
    return i;
}

static void call_add(struct windows *g, const struct ast_expr *x, const struct over_call *call)
{
    bool lag = is_lag(x);

    g->uses[g->use_count++] = (struct use){.x = x, .number = call_number(g, call, lag), .is_lag = lag};
}

static enum status argument_count(struct windows *g, const struct ast_expr *x, uint32_t least, uint32_t most)
{
    if (x->args.count >= least && x->args.count <= most) return S_OK;
    return sql_error(g->b->e, g->b->t, x->place.at, x->place.size,
                     "Invalid number of arguments to function '%.*s'. Was expecting %u arguments",
                     (int)x->name.parts[0].size, x->name.parts[0].data, least);
}

static enum status bind_ranking(struct windows *g, const struct ast_expr *x)
{
    struct over_call c = {.call = {.function = ranking_of(x),
                                   .argument = -1,
                                   .filter = -1,
                                   .result = type_new(g->b->a, T_BIGINT, 0, 0, false)},
                          .otherwise = -1};

    TRY(argument_count(g, x, 0, 0));
    call_add(g, x, &c);
    return S_OK;
}

static const char *type_text(struct windows *g, const struct type *t)
{
    struct mem *mem = g->b->a->mem;
    struct buf text;

    buf_init(&text, mem);
    type_print(t, &text);
    const char *out = arena_strndup(g->b->a, text.data, text.size);
    buf_release(&text);
    return out;
}

static enum status lag_default(struct windows *g, const struct ast_expr *x, struct over_call *c)
{
    const struct type *value = g->columns[c->call.argument]->type, *other;

    TRY(column_bind(g, x, &c->otherwise));
    if (g->columns[c->otherwise]->type->kind == T_NULL) return fail(g, x->place, "Illegal use of 'NULL'");
    other = g->columns[c->otherwise]->type;
    if (type_equal_ignoring_null(other, value)) return S_OK;
    if (type_is_string(other) && type_is_string(value)) {
        struct expr *cast;
        TRY(expr_cast(&g->below.m, g->columns[c->otherwise], type_with_null(g->b->a, value, other->nullable), false,
                      &cast, g->b->e));
        c->otherwise = (int)column_of(g, cast);
        return S_OK;
    }
    return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "Please explicitly cast default value %s to %s.",
                     type_text(g, other), type_text(g, type_with_null(g->b->a, value, other->nullable)));
}

static enum status bind_lag(struct windows *g, const struct ast_expr *x)
{
    struct over_call c = {.call = {.function = "lag", .argument = -1, .filter = -1}, .offset = 1, .otherwise = -1};
    struct expr *offset;

    TRY(argument_count(g, x, 1, 3));
    TRY(column_bind(g, x->args.items[0], &c.call.argument));
    if (x->args.count > 1) {
        TRY(bind_expr(&g->below, x->args.items[1], &offset));
        if (offset->kind != EXPR_CONSTANT || offset->type->kind != T_INT || vector_is_null(offset->constant, 0))
            return fail(g, x->args.items[1]->place, "The offset of LAG must be a constant INT");
        c.offset = VECTOR_VALUES(offset->constant, int32_t)[0];
        if (c.offset < 0)
            return sql_error(g->b->e, g->b->t, x->args.items[1]->place.at, x->args.items[1]->place.size,
                             "Offset(%lld) should be positive.", (long long)c.offset);
    }
    if (x->args.count > 2) TRY(lag_default(g, x->args.items[2], &c));
    const struct type *t = g->columns[c.call.argument]->type;
    if (t->time_kind != TIME_NONE) t = type_with_time(g->b->a, t, TIME_NONE);
    c.call.result = type_with_null(g->b->a, t, true);
    call_add(g, x, &c);
    return S_OK;
}

/* The constant second argument of LISTAGG. */
static enum status bind_parameter(struct windows *g, const struct ast_expr *p, struct agg *a, struct over_call *c)
{
    struct expr *bound;

    TRY(bind_expr(&g->below, p, &bound));
    if (bound->kind != EXPR_CONSTANT || !type_is_string(bound->type) || vector_is_null(bound->constant, 0))
        return fail(g, p->place, "the separator must be a character literal");
    struct str text = text_str(&VECTOR_VALUES(bound->constant, struct text)[0]);
    a->parameter = c->call.parameter = arena_strndup(g->b->a, text.data, text.size);
    return S_OK;
}

/* --- variances --------------------------------------------------------------------------------------------------- */
static enum status variance_call(struct windows *g, const char *function, struct expr *x, bool distinct, uint32_t *number)
{
    struct agg a = {.type = agg_find(str_of(function)), .argument = x->type};
    struct over_call c = {.call = {.function = a.type->name, .argument = (int)column_of(g, x), .filter = -1, .distinct = distinct},
                          .otherwise = -1};

    TRY(a.type->bind(&a, g->b->a, g->b->e));
    c.call.result = a.result;
    aggregate_result(g->b->a, &a, &c.call, g->window.frame.bounded);
    *number = call_number(g, &c, false);
    return S_OK;
}

static enum status bind_variance(struct windows *g, const struct ast_expr *x, const struct agg_type *type, struct expr *argument,
                                 const struct type *result)
{
    struct expr_maker *m = &g->below.m;
    struct variance *v = ARENA_NEW(g->b->a, struct variance);
    struct expr *value, *both[2], *square;
    bool distinct = x->aggregate->distinct;

    *v = (struct variance){.type = result,
                           .is_sample = strstr(type->name, "pop") == NULL,
                           .is_root = strncmp(type->name, "stddev", 6) == 0};
    TRY(expr_cast(m, argument, type_with_null(g->b->a, result, argument->type->nullable), false, &value, g->b->e));
    both[0] = both[1] = value;
    TRY(expr_call(m, STR("*"), both, 2, &square, g->b->e));
    TRY(variance_call(g, "sum", square, distinct, &v->squares));
    TRY(variance_call(g, "sum", value, distinct, &v->sum));
    TRY(variance_call(g, "count", value, distinct, &v->count));
    g->uses[g->use_count++] = (struct use){.x = x, .variance = v};
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
static enum status variance_of(struct windows *g, const struct variance *v, struct expr **out)
{
    struct expr_maker *m = &g->below.m;
    struct expr *sum = expr_column(m, g->row, g->column_count + v->sum), *count = expr_column(m, g->row, g->column_count + v->count);
    struct expr *squares = expr_column(m, g->row, g->column_count + v->squares), *n, *x, *half;
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

    if (x->args.count > 1 && strcmp(type->name, "count") == 0)
        return fail(g, x->place, "We now only support the count of one field.");
    TRY(argument_count(g, x, 1, type->has_parameter ? 2 : 1));
    if (x->args.items[0]->kind != AX_STAR) {
        TRY(column_bind(g, x->args.items[0], &c.call.argument));
        const struct type *t = g->columns[c.call.argument]->type;
        a.argument = t->time_kind != TIME_NONE ? type_with_time(g->b->a, t, TIME_NONE) : t;
    }
    if (x->args.count > 1) TRY(bind_parameter(g, x->args.items[1], &a, &c));
    if (type->bind(&a, g->b->a, &inner) != S_OK) return bind_fail(&g->below, x->place, &inner);
    if (is_variance(type)) return bind_variance(g, x, type, g->columns[c.call.argument], a.result);
    c.call.result = a.result;
    c.call.distinct = x->aggregate->distinct && c.call.argument >= 0;
    aggregate_result(g->b->a, &a, &c.call, g->window.frame.bounded && a.result->kind != T_ARRAY); /* so Flink has it */
    call_add(g, x, &c);
    return S_OK;
}

/* Whose arguments in SQL are not what it is given. */
static enum status bind_parts(struct windows *g, const struct ast_expr *x)
{
    struct over_call c = {.otherwise = -1};
    struct aggregate_parts parts;
    struct err inner = {0};

    TRY(bind_aggregate_parts(g->b, &g->below, x, true, &parts));
    struct agg a = {.type = parts.type, .argument = parts.argument->type, .parameter = parts.parameter};
    if (strncmp(a.type->name, "json", 4) == 0) return fail(g, x->place, "OVER must be applied to aggregate function");
    if (a.type->bind(&a, g->b->a, &inner) != S_OK) return bind_fail(&g->below, x->place, &inner);
    c.call = (struct aggregate_call){.function = a.type->name,
                                     .argument = (int)column_of(g, parts.argument),
                                     .filter = -1,
                                     .distinct = parts.distinct,
                                     .parameter = parts.parameter,
                                     .result = a.result};
    call_add(g, x, &c);
    g->uses[g->use_count - 1].above = parts.above;
    return S_OK;
}

/* A function of a user's. */
static enum status bind_user(struct windows *g, const struct ast_expr *x, const struct fn_def *def)
{
    struct over_call c = {.otherwise = -1};
    struct expr *argument;

    if (x->aggregate->filter != NULL) return fail(g, x->place, "OVER must be applied to aggregate function");
    TRY(window_check(g, x));
    TRY(bind_user_aggregate_call(g->b, &g->below, x, def, &c.call, &argument));
    if (argument != NULL) c.call.argument = (int)column_of(g, argument);
    c.call.distinct = x->aggregate->distinct && c.call.argument >= 0;
    call_add(g, x, &c);
    return S_OK;
}

static enum status bind_call(struct windows *g, const struct ast_expr *x)
{
    const struct fn_def *user = bind_user_aggregate_named(g->b, x, true);
    if (user != NULL) return bind_user(g, x, user);
    if (bind_is_unknown(&g->below, x)) {
        struct expr *nothing;
        return bind_expr(&g->below, x, &nothing); /* which says so */
    }
    const struct agg_type *type = x->op == NULL && x->name.count == 1 ? agg_find(x->name.parts[0]) : NULL;
    if (g->b->session->has_no_core) return fail(g, x->place, "functions OVER windows are those of module 'core', which is not loaded");

    if ((type == NULL && !bind_has_parts(x) && ranking_of(x) == NULL && !is_lag(x) && batch_only(x) == NULL) || x->aggregate->filter != NULL)
        return fail(g, x->place, "OVER must be applied to aggregate function");
    if (x->aggregate->nulls != 0 && !is_lag(x))
        return sql_error(g->b->e, g->b->t, x->place.at, x->place.size,
                         "Cannot specify IGNORE NULLS or RESPECT NULLS following '%.*s'", (int)x->name.parts[0].size,
                         x->name.parts[0].data);
    TRY(window_check(g, x));
    if (batch_only(x) != NULL)
        return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "%s Function is not supported in stream mode.",
                         batch_only(x));
    if (bind_has_parts(x)) return bind_parts(g, x);
    if (ranking_of(x) != NULL) return bind_ranking(g, x);
    return is_lag(x) ? bind_lag(g, x) : bind_aggregate(g, x, type);
}

static enum status bind_calls(struct windows *g, const struct ast_expr *x)
{
    if (x == NULL) return S_OK;
    if (is_over(x)) return bind_call(g, x);
    for (uint32_t i = 0; i < x->args.count; i++) TRY(bind_calls(g, x->args.items[i]));
    return S_OK;
}

/* --- above ------------------------------------------------------------------------------------------------------- */
static enum status above(struct binder *b, const struct ast_expr *x, struct expr **out, bool *done)
{
    struct windows *g = b->arg;
    struct binder inner = *b;

    for (uint32_t i = 0; i < g->use_count; i++) {
        const struct use *u = &g->uses[i];
        if (u->x != x) continue;
        *done = true;
        if (u->variance != NULL) return variance_of(g, u->variance, out);
        *out = expr_column(&b->m, g->row, g->column_count + (u->is_lag ? g->call_count : 0) + u->number);
        return u->above != NULL ? u->above(&b->m, *out, out, g->b->e) : S_OK;
    }
    *done = false;
    if (g->below.special == NULL) return S_OK;
    inner.special = g->below.special;
    inner.arg = g->below.arg;
    return g->below.special(&inner, x, out, done);
}

/* The window over a Calc with the columns that were found. */
static struct rel *window_make(struct windows *g, struct rel *input, struct expr *condition)
{
    struct query_binder *b = g->b;
    const char **names = ARENA_ARRAY(b->a, const char *, g->column_count);
    struct calc_body calc = {.condition = condition, .count = g->column_count, .columns = g->columns};
    struct over_body body = {.partition_count = g->window.partition_count,
                             .order_count = g->window.order_count,
                             .call_count = g->call_count + g->lag_count,
                             .partition = g->window.partition,
                             .order = g->window.order,
                             .rows = g->window.frame.rows,
                             .bounded = g->window.frame.bounded,
                             .ends_elsewhere = g->window.frame.ends_elsewhere,
                             .preceding = g->window.frame.preceding,
                             .calls = g->calls};

    for (uint32_t i = 0; i < g->column_count; i++)
        names[i] = i < g->input_count ? input->row->names[i] : arena_printf(b->a, "$o%u", i);
    memcpy(g->calls + g->call_count, g->lags, sizeof *g->lags * g->lag_count);
    return rel_over(b->a, rel_calc(b->a, input, &calc, names), &body);
}

/* A window that can never be a ranking is refused here, where its place is known. */
static enum status window_refuse(struct windows *g)
{
    const struct over_body *b = g->window_rel->body;
    bool may_be_ranking = b->call_count == 1 && ranking_of(g->uses[0].x) != NULL;
    const char *why = rel_over_refused(b, g->window_rel->inputs[0]->row);

    return may_be_ranking || why == NULL ? S_OK : fail(g, g->uses[0].x->place, why);
}

enum status over_bind(struct query_binder *b, const struct ast_select *s, struct bind_source *from,
                      struct expr *condition, struct binder *x)
{
    struct windows *g = ARENA_NEW(b->a, struct windows);
    uint32_t n = from->rel->row->child_count, calls = count_all(s);

    *g = (struct windows){
        .b = b, .below = *x, .select = s, .column_count = n, .input_count = n, .column_capacity = 2 * n + 16};
    g->columns = ARENA_ARRAY(b->a, struct expr *, g->column_capacity);
    g->calls = ARENA_ARRAY(b->a, struct over_call, 4 * (size_t)calls); /* a variance is three, LAG stands behind them */
    g->lags = ARENA_ARRAY(b->a, struct over_call, calls);
    g->uses = ARENA_ARRAY(b->a, struct use, calls);
    for (uint32_t i = 0; i < n; i++) g->columns[i] = expr_column(&x->m, from->rel->row, i);
    for (uint32_t i = 0; i < s->item_count; i++) TRY(bind_calls(g, s->items[i].x));
    TRY(bind_calls(g, s->qualify));
    TRY(bind_width(b, s->place, (size_t)g->column_count + g->call_count + g->lag_count));
    g->window_rel = from->rel = window_make(g, from->rel, condition);
    g->row = from->rel->row;
    TRY(window_refuse(g));
    x->special = above;
    x->arg = g;
    return S_OK;
}
