/* bind_frame.c - OVER (...): which window a call has, with what the windows of the WINDOW clause add to it, and where its frame begins
 * and ends.
 *
 * As in Flink the frame of a window that names another one says ROWS or RANGE, but not where it begins. */
#include "language/sql/bind_over.h"

#include "ground/base/str.h"

static enum status fail(struct query_binder *b, struct ast_place place, const char *text)
{
    return sql_error(b->e, b->t, place.at, place.size, "%s", text);
}

static enum status named_window(struct query_binder *b, const struct ast_select *s, const struct ast_window *w,
                                const struct ast_window **out)
{
    *out = NULL;
    for (uint32_t i = 0; i < s->window_count && *out == NULL; i++)
        if (str_equal(s->windows[i].name, w->base)) *out = &s->windows[i];
    if (*out != NULL) return S_OK;
    return sql_error(b->e, b->t, w->place.at, w->place.size, "Window '%.*s' not found", (int)w->base.size,
                     w->base.data);
}

/* --- the frame of one window ------------------------------------------------------------------------------------- */
static enum status bounds_check(struct query_binder *b, const struct ast_window *w)
{
    enum ast_bound_kind from = w->from.kind, to = w->to.kind;

    if (from == BOUND_UNBOUNDED_FOLLOWING)
        return fail(b, w->place, "UNBOUNDED FOLLOWING cannot be specified for the lower frame boundary");
    if (to == BOUND_UNBOUNDED_PRECEDING)
        return fail(b, w->place, "UNBOUNDED PRECEDING cannot be specified for the upper frame boundary");
    if (from == BOUND_CURRENT_ROW && to == BOUND_PRECEDING)
        return fail(b, w->place, "Upper frame boundary cannot be PRECEDING when lower boundary is CURRENT ROW");
    if (from == BOUND_FOLLOWING && to == BOUND_CURRENT_ROW)
        return fail(b, w->place, "Upper frame boundary cannot be CURRENT ROW when lower boundary is FOLLOWING");
    if (from == BOUND_FOLLOWING && to == BOUND_PRECEDING)
        return fail(b, w->place, "Upper frame boundary cannot be PRECEDING when lower boundary is FOLLOWING");
    return S_OK;
}

static enum status frame_take(struct query_binder *b, const struct ast_window *w, bool is_based, struct over_frame *f)
{
    if (!w->framed) return S_OK;
    TRY(bounds_check(b, w));
    f->framed = true;
    f->rows = w->rows;
    if (is_based) return S_OK;
    f->bounded = w->from.kind == BOUND_PRECEDING;
    f->first = w->from;
    f->last = w->to;
    f->ends_elsewhere = w->to.kind != BOUND_CURRENT_ROW ||
                        (w->from.kind != BOUND_PRECEDING && w->from.kind != BOUND_UNBOUNDED_PRECEDING);
    return S_OK;
}

enum status over_frame_find(struct query_binder *b, const struct ast_select *s, const struct ast_window *w,
                            struct over_frame *out)
{
    const struct ast_window *base;
    bool is_name = w->base.size > 0 && w->partition.count == 0 && w->order.count == 0 && !w->framed;

    *out = (struct over_frame){.place = w->place, .first = {BOUND_UNBOUNDED_PRECEDING, NULL}, .last = {BOUND_CURRENT_ROW, NULL}};
    if (is_name) { /* OVER w */
        TRY(named_window(b, s, w, &base));
        w = base;
    }
    TRY(frame_take(b, w, w->base.size > 0, out));
    out->partition = w->partition;
    out->order = w->order;
    for (uint32_t depth = 0; w->base.size > 0; depth++, w = base) {
        if (depth > s->window_count) return fail(b, w->place, "the window names itself");
        TRY(named_window(b, s, w, &base));
        if (base->framed) return fail(b, w->place, "Referenced window cannot have framing declarations");
        if (w->partition.count > 0) return fail(b, w->place, "PARTITION BY not allowed with existing window reference");
        if (out->order.count > 0 && base->order.count > 0)
            return fail(b, w->place, "ORDER BY not allowed in both base and referenced windows");
        if (base->partition.count > 0) out->partition = base->partition;
        if (base->order.count > 0) out->order = base->order;
    }
    return S_OK;
}

/* --- how far ----------------------------------------------------------------------------------------------------- */
static bool is_time(const struct type *t)
{
    return t != NULL && (t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ);
}

/* A distance of rows, or of values of the order. */
static enum status distance_read(struct query_binder *b, struct binder *x, const struct ast_expr *far, bool rows, const struct type *order,
                                 int64_t *out)
{
    static const char no_number[] = "ROWS value must be a non-negative integral constant";
    struct expr *bound;

    *out = 0;
    TRY(bind_expr(x, far, &bound));
    enum type_kind kind = bound->type->kind;
    if (!rows && is_time(order) && kind != T_INTERVAL_SECOND && kind != T_INTERVAL_MONTH)
        return fail(b, far->place, "Data Type mismatch between ORDER BY and RANGE clause");
    if (kind == T_INTERVAL_MONTH) return fail(b, far->place, "INTERVAL_YEAR_MONTH type is not allowed for window boundary");
    if (bound->kind != EXPR_CONSTANT) return fail(b, far->place, no_number);
    if (!vector_is_null(bound->constant, 0)) {
        if (kind == T_INT)
            *out = VECTOR_VALUES(bound->constant, int32_t)[0];
        else if (kind == T_BIGINT || kind == T_INTERVAL_SECOND)
            *out = VECTOR_VALUES(bound->constant, int64_t)[0];
        else
            return fail(b, far->place, no_number);
    }
    if (*out < 0) return fail(b, far->place, rows ? no_number : "RANGE value must not be negative");
    return !rows && *out > INT64_MAX / 4 ? fail(b, far->place, "the window begins too far back") : S_OK; /* values may lie as far apart */
}

enum status over_frame_read(struct query_binder *b, struct binder *x, struct over_frame *f, const struct type *order)
{
    return f->bounded ? distance_read(b, x, f->first.x, f->rows, order, &f->preceding) : S_OK;
}

/* --- in batch mode ----------------------------------------------------------------------------------------------- */
/* What values have distances, and which. */
static enum status range_check(struct query_binder *b, const struct over_frame *f, const struct ast_bound *bound, uint32_t order_count,
                               const struct type *order)
{
    if (f->rows || bound->x == NULL) return S_OK;
    if (order_count == 0) return fail(b, f->place, "Window specification must contain an ORDER BY clause");
    if (order_count > 1) return fail(b, f->place, "RANGE clause cannot be used with compound ORDER BY clause");
    if (!type_is_numeric(order) && !is_time(order) && order->kind != T_DATE && order->kind != T_TIME)
        return fail(b, bound->x->place, "Data type of ORDER BY prohibits use of RANGE clause");
    return S_OK;
}

static enum status bound_read(struct query_binder *b, struct binder *x, const struct over_frame *f, const struct ast_bound *bound,
                              uint32_t order_count, const struct type *order, int64_t *out)
{
    struct expr *far;

    *out = bound->kind == BOUND_UNBOUNDED_PRECEDING ? INT64_MIN : bound->kind == BOUND_UNBOUNDED_FOLLOWING ? INT64_MAX : 0;
    if (bound->x == NULL) return S_OK;
    TRY(range_check(b, f, bound, order_count, order));
    TRY(bind_expr(x, bound->x, &far));
    if (!f->rows && type_is_numeric(far->type) != type_is_numeric(order))
        return fail(b, bound->x->place, "Data Type mismatch between ORDER BY and RANGE clause");
    TRY(distance_read(b, x, bound->x, f->rows, order, out));
    if (bound->kind == BOUND_PRECEDING) *out = -*out;
    return S_OK;
}

enum status over_bounds_read(struct query_binder *b, struct binder *x, const struct over_frame *f, uint32_t order_count,
                             const struct type *order, struct over_bounds *out)
{
    out->rows = f->rows;
    TRY(bound_read(b, x, f, &f->first, order_count, order, &out->from));
    TRY(bound_read(b, x, f, &f->last, order_count, order, &out->to));
    if (order_count > 0) return S_OK;
    out->from = INT64_MIN; /* without an order Flink takes all rows, whatever the frame says */
    out->to = INT64_MAX;
    return S_OK;
}
