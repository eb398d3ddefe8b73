/* bind_rank.c - ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...): below the ranking a Calc computes what it parts and orders rows
 * by, above it the place is a column. A condition on that column, there or in a query around it, becomes the ranking's bounds: that
 * is what makes it a Top-N.
 *
 * Not here: aggregates OVER, several windows. */
#include "language/sql/bind_rank.h"

#include "ground/base/str.h"

#include <string.h>

static const char no_order[] = "Over Agg: The window rank function requires order by clause with non-constant fields. please re-check "
                               "the over window statement.";
static const char many_windows[] = "Over Agg: Unsupported use of OVER windows. All aggregates must be computed on the same window. "
                                   "please re-check the over window statement.";

struct ranking {
    struct query_binder *b;
    struct binder below; /* what binds all else */
    const struct ast_select *select;
    const char *function;
    uint32_t column_count, input_count, partition_count, order_count;
    struct expr **columns; /* of the Calc below: those of the input, then more */
    uint32_t *partition;
    struct rank_order *order;
    const struct type *row; /* of the ranking */
};

/* --- finding calls ----------------------------------------------------------------------------------------------- */
static const char *ranking_of(const struct ast_expr *x)
{
    static const char *const names[] = {"ROW_NUMBER", "RANK", "DENSE_RANK"};

    if (x->kind != AX_CALL || x->op != NULL || x->name.count != 1 || x->aggregate == NULL || x->aggregate->over == NULL) return NULL;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(x->name.parts[0], str_of(names[i]))) return names[i];
    return NULL;
}

static const struct ast_expr *find_call(const struct ast_expr *x)
{
    const struct ast_expr *found = NULL;

    if (x == NULL || ranking_of(x) != NULL) return x;
    for (uint32_t i = 0; i < x->args.count && found == NULL; i++) found = find_call(x->args.items[i]);
    return found;
}

static const struct ast_expr *first_call(const struct ast_select *s)
{
    const struct ast_expr *found = find_call(s->qualify);

    for (uint32_t i = 0; i < s->item_count && found == NULL; i++) found = find_call(s->items[i].x);
    return found;
}

bool ranking_is(const struct ast_select *s) { return first_call(s) != NULL; }

/* --- windows ----------------------------------------------------------------------------------------------------- */
static enum status fail(struct ranking *g, struct ast_place place, const char *text)
{
    return sql_error(g->b->e, g->b->t, place.at, place.size, "%s", text);
}

static enum status named_window(struct ranking *g, const struct ast_window *w, const struct ast_window **out)
{
    *out = NULL;
    if (w->base.size == 0) return S_OK;
    for (uint32_t i = 0; i < g->select->window_count && *out == NULL; i++)
        if (str_equal(g->select->windows[i].name, w->base)) *out = &g->select->windows[i];
    if (*out != NULL) return S_OK;
    return sql_error(g->b->e, g->b->t, w->place.at, w->place.size, "Window '%.*s' not found", (int)w->base.size, w->base.data);
}

/* The partition and order of a window: its own, or those of the window that it names. */
static enum status window_parts(struct ranking *g, const struct ast_window *w, struct ast_list *partition, struct ast_orders *order)
{
    const struct ast_window *base;

    *partition = w->partition;
    *order = w->order;
    for (uint32_t depth = 0; depth <= g->select->window_count; depth++) {
        TRY(named_window(g, w, &base));
        if (base == NULL) return S_OK;
        if (partition->count == 0) *partition = base->partition;
        if (order->count == 0) *order = base->order;
        w = base;
    }
    return fail(g, w->place, "the window names itself");
}

static uint32_t column_of(struct ranking *g, struct expr *x)
{
    for (uint32_t i = 0; i < g->column_count; i++)
        if (expr_equal(g->columns[i], x)) return i;
    g->columns[g->column_count] = x;
    return g->column_count++;
}

static void order_add(struct rank_order *order, uint32_t *count, uint32_t col, const struct ast_order *o)
{
    for (uint32_t i = 0; i < *count; i++)
        if (order[i].col == col) return; /* it is decided already */
    order[(*count)++] = (struct rank_order){col, o->descending, o->nulls == NULLS_DEFAULT ? o->descending : o->nulls == NULLS_LAST};
}

static enum status window_bind(struct ranking *g, const struct ast_expr *call, const struct ast_list *partition,
                               const struct ast_orders *order)
{
    struct expr *x;

    for (uint32_t i = 0; i < partition->count; i++) {
        TRY(bind_expr(&g->below, partition->items[i], &x));
        uint32_t col = column_of(g, x), k = 0;
        while (k < g->partition_count && g->partition[k] != col) k++;
        if (k == g->partition_count) g->partition[g->partition_count++] = col;
    }
    for (uint32_t i = 0; i < order->count; i++) {
        TRY(bind_expr(&g->below, order->items[i].x, &x));
        if (x->kind != EXPR_CONSTANT) order_add(g->order, &g->order_count, column_of(g, x), &order->items[i]);
    }
    return g->order_count == 0 ? fail(g, call->place, no_order) : S_OK;
}

/* Another call must say the same. */
static enum status call_check(struct ranking *g, const struct ast_expr *call)
{
    struct ranking other = *g;
    struct ast_list partition;
    struct ast_orders order;

    TRY(window_parts(g, call->aggregate->over, &partition, &order));
    other.columns = ARENA_ARRAY(g->b->a, struct expr *, g->column_count + partition.count + order.count);
    memcpy(other.columns, g->columns, sizeof *g->columns * g->column_count);
    other.partition = ARENA_ARRAY(g->b->a, uint32_t, partition.count + 1);
    other.order = ARENA_ARRAY(g->b->a, struct rank_order, order.count + 1);
    other.partition_count = other.order_count = 0;
    TRY(window_bind(&other, call, &partition, &order));
    bool same = other.partition_count == g->partition_count && other.order_count == g->order_count &&
                memcmp(other.partition, g->partition, sizeof *g->partition * g->partition_count) == 0;
    for (uint32_t i = 0; same && i < g->order_count; i++)
        same = other.order[i].col == g->order[i].col && other.order[i].descending == g->order[i].descending &&
               other.order[i].nulls_last == g->order[i].nulls_last;
    if (!same) return fail(g, call->place, many_windows);
    return ranking_of(call) == g->function ? S_OK : fail(g, call->place, "several rank functions in one SELECT are not supported yet");
}

/* --- above ------------------------------------------------------------------------------------------------------- */
static enum status above(struct binder *b, const struct ast_expr *x, struct expr **out, bool *done)
{
    struct ranking *g = b->arg;
    struct binder inner = *b;

    if (ranking_of(x) != NULL) {
        TRY(call_check(g, x));
        *out = expr_column(&b->m, g->row, g->row->child_count - 1);
        *done = true;
        return S_OK;
    }
    *done = false;
    if (g->below.special == NULL) return S_OK;
    inner.special = g->below.special;
    inner.arg = g->below.arg;
    return g->below.special(&inner, x, out, done);
}

enum status ranking_bind(struct query_binder *b, const struct ast_select *s, struct bind_source *from, struct expr *condition,
                         struct binder *x)
{
    const struct ast_expr *call = first_call(s);
    struct ranking *g = ARENA_NEW(b->a, struct ranking);
    uint32_t n = from->rel->row->child_count;
    struct ast_list partition;
    struct ast_orders order;

    *g = (struct ranking){.b = b, .below = *x, .select = s, .function = ranking_of(call), .column_count = n, .input_count = n};
    TRY(window_parts(g, call->aggregate->over, &partition, &order));
    if (call->args.count > 0) return fail(g, call->place, "a rank function takes no argument");
    g->columns = ARENA_ARRAY(b->a, struct expr *, n + partition.count + order.count);
    g->partition = ARENA_ARRAY(b->a, uint32_t, partition.count + 1);
    g->order = ARENA_ARRAY(b->a, struct rank_order, order.count + 1);
    for (uint32_t i = 0; i < n; i++) g->columns[i] = expr_column(&x->m, from->rel->row, i);
    TRY(window_bind(g, call, &partition, &order));
    const char **names = ARENA_ARRAY(b->a, const char *, g->column_count);
    for (uint32_t i = 0; i < g->column_count; i++) names[i] = i < n ? from->rel->row->names[i] : arena_printf(b->a, "$o%u", i);
    struct calc_body calc = {.condition = condition, .count = g->column_count, .columns = g->columns};
    struct rank_body body = {.partition_count = g->partition_count, .order_count = g->order_count, .partition = g->partition,
                             .order = g->order, .first = 1, .last = RANK_UNBOUNDED, .function = g->function, .number = "w0$o0"};
    from->rel = rel_rank(b->a, rel_calc(b->a, from->rel, &calc, names), &body);
    g->row = from->rel->row;
    x->special = above;
    x->arg = g;
    return S_OK;
}
