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
    f->far = f->bounded ? w->from.x : NULL;
    f->ends_elsewhere = w->to.kind != BOUND_CURRENT_ROW ||
                        (w->from.kind != BOUND_PRECEDING && w->from.kind != BOUND_UNBOUNDED_PRECEDING);
    return S_OK;
}

enum status over_frame_find(struct query_binder *b, const struct ast_select *s, const struct ast_window *w,
                            struct over_frame *out)
{
    const struct ast_window *base;
    bool is_name = w->base.size > 0 && w->partition.count == 0 && w->order.count == 0 && !w->framed;

    *out = (struct over_frame){.place = w->place};
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

/* --- how far back ------------------------------------------------------------------------------------------------ */
enum status over_frame_read(struct query_binder *b, struct binder *x, struct over_frame *f, bool time)
{
    static const char no_number[] = "ROWS value must be a non-negative integral constant";
    struct expr *bound;

    if (f->far == NULL) return S_OK;
    TRY(bind_expr(x, f->far, &bound));
    enum type_kind kind = bound->type->kind;
    if (!f->rows && time && kind != T_INTERVAL_SECOND && kind != T_INTERVAL_MONTH)
        return fail(b, f->far->place, "Data Type mismatch between ORDER BY and RANGE clause");
    if (kind == T_INTERVAL_MONTH)
        return fail(b, f->far->place, "INTERVAL_YEAR_MONTH type is not allowed for window boundary");
    if (bound->kind != EXPR_CONSTANT) return fail(b, f->far->place, no_number);
    if (!vector_is_null(bound->constant, 0)) {
        if (kind == T_INT)
            f->preceding = VECTOR_VALUES(bound->constant, int32_t)[0];
        else if (kind == T_BIGINT || kind == T_INTERVAL_SECOND)
            f->preceding = VECTOR_VALUES(bound->constant, int64_t)[0];
        else
            return fail(b, f->far->place, no_number);
    }
    if (f->preceding < 0) return fail(b, f->far->place, f->rows ? no_number : "RANGE value must not be negative");
    if (f->preceding > INT64_MAX / 4) return fail(b, f->far->place, "the window begins too far back");
    return S_OK;
}
