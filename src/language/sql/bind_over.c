/* bind_over.c - functions OVER (PARTITION BY ... ORDER BY ...): below the windows a Calc computes what they part and order rows by and
 * what the functions take; above them each call is a column. Equal calls of a window are computed once. Of a stream all calls of a
 * SELECT have the same window; in batch mode each partition and order is a window of its own, and each call has its own frame.
 *
 * A condition on the place of ROW_NUMBER, there or in a query around it, makes a Top-N of the window (bind_rank_bounds.c). What each
 * function takes: bind_over_calls.c. */
#include "language/sql/bind_over.h"
#include "language/sql/bind_over_internal.h"

#include "columns/function/agg.h"
#include "ground/base/str.h"
#include "language/sql/bind_aggregate_parts.h"
#include "language/sql/bind_unknown.h"
#include "language/sql/bind_user_aggregate.h"

#include <string.h>

static const char no_order[] =
    "Over Agg: The window rank function requires order by clause with non-constant fields. please re-check "
    "the over window statement.";
static const char many_windows[] =
    "Over Agg: Unsupported use of OVER windows. All aggregates must be computed on the same window. "
    "please re-check the over window statement.";

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

enum status over_fail(struct windows *g, struct ast_place place, const char *text)
{
    return sql_error(g->b->e, g->b->t, place.at, place.size, "%s", text);
}

/* --- columns below ----------------------------------------------------------------------------------------------- */
uint32_t over_column_of(struct windows *g, struct expr *x)
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

enum status over_column_bind(struct windows *g, const struct ast_expr *x, int *col)
{
    struct expr *bound;
    const struct ast_expr *inner = over_call_in(x);

    if (inner != NULL) return over_fail(g, inner->place, "Aggregate expressions cannot be nested");
    TRY(bind_expr(&g->below, x, &bound));
    *col = (int)over_column_of(g, bound);
    return S_OK;
}

/* --- windows ----------------------------------------------------------------------------------------------------- */
static void order_add(struct over_window *w, uint32_t col, const struct ast_order *o)
{
    for (uint32_t i = 0; i < w->order_count; i++)
        if (w->order[i].col == col) return; /* it is decided already */
    w->order[w->order_count++] = (struct rank_order){
        col, o->descending, o->nulls == NULLS_DEFAULT ? o->descending : o->nulls == NULLS_LAST};
}

static enum status window_bind(struct windows *g, const struct ast_expr *call, struct over_window *w)
{
    struct expr *x;

    *w = (struct over_window){0};
    TRY(over_frame_find(g->b, g->select, call->aggregate->over, &w->frame));
    w->partition = ARENA_ARRAY(g->b->a, uint32_t, w->frame.partition.count + 1);
    w->order = ARENA_ARRAY(g->b->a, struct rank_order, w->frame.order.count + 1);
    for (uint32_t i = 0; i < w->frame.partition.count; i++) {
        int col = 0;
        uint32_t k = 0;
        TRY(over_column_bind(g, w->frame.partition.items[i], &col));
        while (k < w->partition_count && w->partition[k] != (uint32_t)col) k++;
        if (k == w->partition_count) w->partition[w->partition_count++] = (uint32_t)col;
    }
    TRY(bind_keys_fit(g->b, call->place, w->partition_count));
    for (uint32_t i = 0; i < w->frame.order.count; i++) {
        TRY(bind_expr(&g->below, w->frame.order.items[i].x, &x));
        if (x->kind != EXPR_CONSTANT) order_add(w, over_column_of(g, x), &w->frame.order.items[i]);
    }
    const struct type *order = w->order_count == 1 ? g->columns[w->order[0].col]->type : NULL;
    if (g->b->is_batch) return over_bounds_read(g->b, &g->below, &w->frame, w->order_count, order, &g->frame);
    return over_frame_read(g->b, &g->below, &w->frame, order);
}

/* What a function makes of the frame: places have none of their own. */
static enum status frame_of_call(struct windows *g, const struct ast_expr *call, struct over_window *w)
{
    const char *ranking = over_ranking_of(call), *more = over_batch_only(call);
    bool is_place = more != NULL && !str_equal(str_of(more), STR("LEAD")) && !str_equal(str_of(more), STR("NTILE"));

    if (ranking == NULL && over_lookup_of(call) == NULL && more == NULL) return S_OK;
    if (w->frame.framed && (!g->b->is_batch || more == NULL || !str_equal(str_of(more), STR("NTILE"))))
        return over_fail(g, call->place, "ROW/RANGE not allowed with RANK, DENSE_RANK or ROW_NUMBER functions");
    w->frame.rows = ranking != NULL && strcmp(ranking, "row_number") == 0;
    if (g->b->is_batch && is_place && w->order_count == 0)
        return over_fail(g, call->aggregate->over->place, "RANK or DENSE_RANK functions require ORDER BY clause in window specification");
    return ranking != NULL && w->order_count == 0 ? over_fail(g, call->place, no_order) : S_OK;
}

static bool same_order(const struct over_window *x, const struct over_window *y)
{
    bool same = x->partition_count == y->partition_count && x->order_count == y->order_count &&
                memcmp(x->partition, y->partition, sizeof *x->partition * x->partition_count) == 0;

    for (uint32_t i = 0; same && i < x->order_count; i++)
        same = x->order[i].col == y->order[i].col && x->order[i].descending == y->order[i].descending &&
               x->order[i].nulls_last == y->order[i].nulls_last;
    return same;
}

static bool same_frame(const struct over_frame *x, const struct over_frame *y)
{
    return x->rows == y->rows && x->bounded == y->bounded && x->preceding == y->preceding && x->ends_elsewhere == y->ends_elsewhere;
}

/* The window of the call becomes that at hand. */
static enum status window_choose(struct windows *g, const struct ast_expr *call)
{
    struct over_window w;

    TRY(window_bind(g, call, &w));
    TRY(frame_of_call(g, call, &w));
    for (g->now = 0; g->now < g->window_count; g->now++)
        if (same_order(&g->windows[g->now], &w) && (g->b->is_batch || same_frame(&g->windows[g->now].frame, &w.frame))) return S_OK;
    if (g->window_count > 0 && !g->b->is_batch) return over_fail(g, call->place, many_windows);
    g->windows[g->window_count++] = w;
    return S_OK;
}

bool over_may_be_empty(const struct windows *g)
{
    const struct over_bounds *f = &g->frame;

    if (!g->b->is_batch) return g->windows[g->now].frame.bounded;
    return (f->from != INT64_MIN && f->from != 0) || (f->to != INT64_MAX && f->to != 0);
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
static enum status bind_call(struct windows *g, const struct ast_expr *x)
{
    const struct fn_def *user = bind_user_aggregate_named(g->b, x, true);
    const struct agg_type *type = x->op == NULL && x->name.count == 1 ? agg_find(x->name.parts[0]) : NULL;
    bool is_known = type != NULL || bind_has_parts(x) || over_ranking_of(x) != NULL || over_lookup_of(x) != NULL ||
                    over_batch_only(x) != NULL;
    struct expr *nothing;

    if (user == NULL && bind_is_unknown(&g->below, x)) return bind_expr(&g->below, x, &nothing); /* which says so */
    if (user == NULL && g->b->session->has_no_core)
        return over_fail(g, x->place, "functions OVER windows are those of module 'core', which is not loaded");
    if ((user == NULL && !is_known) || x->aggregate->filter != NULL)
        return over_fail(g, x->place, "OVER must be applied to aggregate function");
    if (user == NULL && x->aggregate->nulls != 0 && over_lookup_of(x) == NULL)
        return sql_error(g->b->e, g->b->t, x->place.at, x->place.size,
                         "Cannot specify IGNORE NULLS or RESPECT NULLS following '%.*s'", (int)x->name.parts[0].size,
                         x->name.parts[0].data);
    TRY(window_choose(g, x));
    if (user != NULL) return over_user_bind(g, x, user);
    if (!g->b->is_batch && over_batch_only(x) != NULL)
        return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "%s Function is not supported in stream mode.",
                         over_batch_only(x));
    return over_call_bind(g, x);
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
        const struct over_use *u = &g->uses[i];
        if (u->x != x) continue;
        *done = true;
        if (u->variance != NULL) return over_variance_of(g, u, out);
        *out = expr_column(&b->m, g->row, over_result_column(g, u));
        return u->above != NULL ? u->above(&b->m, *out, out, g->b->e) : S_OK;
    }
    *done = false;
    if (g->below.special == NULL) return S_OK;
    inner.special = g->below.special;
    inner.arg = g->below.arg;
    return g->below.special(&inner, x, out, done);
}

/* The first call of the window. */
static struct ast_place place_of(const struct windows *g, uint32_t window)
{
    for (uint32_t i = 0; i < g->use_count; i++)
        if (g->uses[i].window == window) return g->uses[i].x->place;
    return g->select->place;
}

static struct rel *window_make(struct windows *g, struct rel *input, struct over_window *w)
{
    uint32_t count = w->call_count + w->lag_count;
    struct over_call *calls = ARENA_ARRAY(g->b->a, struct over_call, count + 1);
    struct over_body body = {.partition_count = w->partition_count,
                             .order_count = w->order_count,
                             .call_count = count,
                             .partition = w->partition,
                             .order = w->order,
                             .rows = w->frame.rows,
                             .bounded = w->frame.bounded,
                             .ends_elsewhere = w->frame.ends_elsewhere,
                             .preceding = w->frame.preceding,
                             .calls = calls};

    if (w->call_count > 0) memcpy(calls, w->calls, sizeof *calls * w->call_count);
    if (w->lag_count > 0) memcpy(calls + w->call_count, w->lags, sizeof *calls * w->lag_count);
    w->first_result = input->row->child_count;
    struct rel *r = rel_over(g->b->a, input, &body);
    bind_said(g->b, r, place_of(g, (uint32_t)(w - g->windows)));
    return r;
}

/* The windows over a Calc with the columns that were found. */
static struct rel *windows_make(struct windows *g, struct rel *input, struct expr *condition)
{
    struct query_binder *b = g->b;
    const char **names = ARENA_ARRAY(b->a, const char *, g->column_count);
    struct calc_body calc = {.condition = condition, .count = g->column_count, .columns = g->columns};

    for (uint32_t i = 0; i < g->column_count; i++)
        names[i] = i < g->input_count ? input->row->names[i] : arena_printf(b->a, "$o%u", i);
    struct rel *r = rel_calc(b->a, input, &calc, names);
    for (uint32_t i = 0; i < g->window_count; i++) r = window_make(g, r, &g->windows[i]);
    return r;
}

/* A window that can never be a ranking is refused here, where its place is known. */
static enum status window_refuse(struct windows *g)
{
    const struct over_body *b = g->window_rel->body;
    bool may_be_ranking = b->call_count == 1 && over_ranking_of(g->uses[0].x) != NULL;

    if (g->b->is_batch) return S_OK; /* there all windows are computed */
    const char *hint, *why = rel_over_refused(b, g->window_rel->inputs[0]->row, &hint);

    if (may_be_ranking || why == NULL) return S_OK;
    err_hint(g->b->e, "%s", hint);
    return over_fail(g, g->uses[0].x->place, why);
}

enum status over_bind(struct query_binder *b, const struct ast_select *s, struct bind_source *from,
                      struct expr *condition, struct binder *x)
{
    struct windows *g = ARENA_NEW(b->a, struct windows);
    uint32_t n = from->rel->row->child_count, calls = count_all(s);

    *g = (struct windows){
        .b = b, .below = *x, .select = s, .column_count = n, .input_count = n, .column_capacity = 2 * n + 16};
    g->columns = ARENA_ARRAY(b->a, struct expr *, g->column_capacity);
    g->windows = ARENA_ARRAY(b->a, struct over_window, calls);
    g->uses = ARENA_ARRAY(b->a, struct over_use, calls);
    for (uint32_t i = 0; i < n; i++) g->columns[i] = expr_column(&x->m, from->rel->row, i);
    for (uint32_t i = 0; i < s->item_count; i++) TRY(bind_calls(g, s->items[i].x));
    TRY(bind_calls(g, s->qualify));
    TRY(bind_width(b, s->place, (size_t)g->column_count + g->result_count));
    g->window_rel = from->rel = windows_make(g, from->rel, condition);
    g->row = from->rel->row;
    TRY(window_refuse(g));
    x->special = above;
    x->arg = g;
    x->row = g->row;
    return S_OK;
}
