/* bind_group_window.c - GROUP BY TUMBLE(ts, INTERVAL '1' HOUR): Flink's older window functions. The time is any timestamp; rows belong to
 * windows by it, and windows end when the watermark, or the clock for a processing time, passes them. */
#include "language/sql/bind_group_window.h"

#include "ground/base/str.h"

#include <string.h>

static const struct {
    const char *name;
    uint8_t kind;
    uint32_t arguments;
} functions[] = {{"TUMBLE", WINDOW_TUMBLE, 2}, {"HOP", WINDOW_HOP, 3}, {"SESSION", WINDOW_SESSION, 2}};

static const struct {
    const char *name;
    enum group_window_part part;
} parts[] = {{"_START", GROUP_WINDOW_START},
             {"_END", GROUP_WINDOW_END},
             {"_ROWTIME", GROUP_WINDOW_ROWTIME},
             {"_PROCTIME", GROUP_WINDOW_PROCTIME}};

static bool is_plain_call(const struct ast_expr *x) { return x->kind == AX_CALL && x->op == NULL && x->name.count == 1; }

/* Which function the name begins with; -1: none. rest: what is behind it. */
static int function_of(const struct ast_expr *x, struct str *rest)
{
    if (!is_plain_call(x)) return -1;
    struct str name = x->name.parts[0];
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        size_t n = strlen(functions[i].name);
        if (name.size < n || !str_equal_nocase((struct str){name.data, n}, str_of(functions[i].name))) continue;
        *rest = (struct str){name.data + n, name.size - n};
        return (int)i;
    }
    return -1;
}

bool group_window_is(const struct ast_expr *x)
{
    struct str rest;

    return function_of(x, &rest) >= 0 && rest.size == 0;
}

bool group_window_is_part(const struct ast_expr *x, enum group_window_part *part)
{
    struct str rest;

    if (function_of(x, &rest) < 0) return false;
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (str_equal_nocase(rest, str_of(parts[i].name))) {
            *part = parts[i].part;
            return true;
        }
    return false;
}

static enum status fail(struct query_binder *b, struct ast_place place, const char *text)
{
    return sql_error(b->e, b->t, place.at, place.size, "%s", text);
}

static enum status bad_arguments(struct query_binder *b, const struct ast_expr *x, const char *name, struct expr *const *args, uint32_t n)
{
    const char *given = "", *wanted = "";

    for (uint32_t i = 0; i < n; i++) {
        given = arena_printf(b->a, "%s%s<%s>", given, i > 0 ? ", " : "", type_text(b->a, type_with_null(b->a, args[i]->type, true)));
        wanted = arena_printf(b->a, "%s%s", wanted, i == 0 ? "<DATETIME>" : ", <DATETIME_INTERVAL>");
    }
    return fail(b, x->place,
                arena_printf(b->a, "Cannot apply '$%s' to arguments of type '$%s(%s)'. Supported form(s): '$%s(%s)'", name, name, given,
                             name, wanted));
}

static enum status bind_interval(struct query_binder *b, const struct ast_expr *x, const struct expr *bound, int64_t *ms)
{
    if (bound->type->kind == T_INTERVAL_MONTH)
        return fail(b, x->place,
                    "Window aggregate only support SECOND, MINUTE, HOUR, DAY as the time unit. MONTH and YEAR time unit are not "
                    "supported yet.");
    if (bound->kind != EXPR_CONSTANT || vector_is_null(bound->constant, 0))
        return fail(b, x->place, "Only constant window intervals are supported.");
    *ms = VECTOR_VALUES(bound->constant, int64_t)[0];
    return S_OK;
}

static enum status check_bounds(struct query_binder *b, const struct ast_expr *x, const struct rel_window *w)
{
    if (w->size_ms > 0 && (w->kind != WINDOW_HOP || w->slide_ms > 0)) return S_OK;
    return fail(b, x->place,
                w->kind == WINDOW_TUMBLE ? "TumblingWindowAssigner parameters must satisfy size > 0"
                : w->kind == WINDOW_HOP  ? "SlidingWindowAssigner parameters must satisfy slide > 0 and size > 0"
                                         : "SessionWindowAssigner parameters must satisfy 0 < size");
}

static enum status bind_arguments(struct query_binder *b, struct binder *below, const struct ast_expr *x, uint32_t count,
                                  struct group_window *w)
{
    struct expr *args[3];
    bool fits = true;

    if (x->args.count == count + 1) return fail(b, x->place, arena_printf(b->a, "%s window with alignment is not supported yet.", w->name));
    if (x->args.count != count)
        return fail(b, x->place,
                    arena_printf(b->a, "Invalid number of arguments to function '$%s'. Was expecting %u arguments", w->name, count));
    for (uint32_t i = 0; i < count; i++) {
        TRY(bind_expr(below, x->args.items[i], &args[i]));
        enum type_kind kind = args[i]->type->kind;
        fits &= i == 0 ? kind == T_TIMESTAMP || kind == T_TIMESTAMP_LTZ : kind == T_INTERVAL_SECOND || kind == T_INTERVAL_MONTH;
    }
    if (!fits) return bad_arguments(b, x, w->name, args, count);
    if (args[0]->type->precision > 3) {
        err_hint(b->e, "CAST it to TIMESTAMP(3)");
        return fail(b, x->args.items[0]->place, "windows are over times of at most 3 digits");
    }
    w->time = args[0];
    TRY(bind_interval(b, x->args.items[count - 1], args[count - 1], &w->window.size_ms));
    return count == 3 ? bind_interval(b, x->args.items[1], args[1], &w->window.slide_ms) : S_OK;
}

static enum status delay_missing(struct query_binder *b, const struct ast_expr *x, const char *early, const char *key)
{
    err_hint(b->e, "SET 'table.exec.emit.%s-fire.delay' = '1 min'; 0 is at every row", key);
    return fail(b, x->place,
                arena_printf(b->a, "%s-fire delay should not be null or negative value whenenable %s-fire emit strategy.", early, key));
}

static enum status check_emit(struct query_binder *b, const struct ast_expr *x, const struct group_window *w, int64_t lateness)
{
    const struct emit_settings *s = &b->settings->emit;

    if (w->window.kind == WINDOW_SESSION && (s->is_early || s->is_late))
        return fail(b, x->place, "Session window doesn't support EMIT strategy currently.");
    if (!w->window.processing_time && s->is_late && lateness == 0) {
        err_hint(b->e, "SET 'table.exec.emit.allow-lateness' = '1 min', or 'table.exec.state.ttl'");
        return fail(b, x->place,
                    "The 'AFTER WATERMARK' emit strategy requires set 'allow-lateness' or 'minIdleStateRetentionTime' in table config.");
    }
    if (s->is_early && s->early_ms < 0) return delay_missing(b, x, "Early", "early");
    if (s->is_late && s->late_ms < 0) return delay_missing(b, x, "Late", "late");
    if (!s->is_late || lateness >= s->late_ms) return S_OK;
    return fail(b, x->place,
                arena_printf(b->a, "Allow-lateness [%lldms] should not be smaller than Late-fire delay [%lldms] when enable late-fire "
                                   "emit strategy.", (long long)lateness, (long long)s->late_ms));
}

/* table.exec.emit.*, which batch mode does not look at. Lateness without late fire does nothing, in Flink too. */
static enum status bind_emit(struct query_binder *b, const struct ast_expr *x, struct group_window *w)
{
    const struct emit_settings *s = &b->settings->emit;
    bool is_session = w->window.kind == WINDOW_SESSION, event = !w->window.processing_time;
    int64_t lateness = is_session || !s->is_late ? 0 : s->lateness_ms >= 0 ? s->lateness_ms : b->settings->ttl_ms;

    w->emit = (struct window_emit){.early_ms = -1, .late_ms = -1};
    if (b->settings->is_batch) return S_OK;
    TRY(check_emit(b, x, w, lateness));
    if (s->is_early) w->emit.early_ms = s->early_ms;
    if (s->is_late) w->emit.late_ms = s->late_ms;
    if (event) w->emit.lateness_ms = lateness;
    w->emit.updates = s->is_early || (event && s->is_late);
    return S_OK;
}

enum status group_window_bind(struct query_binder *b, struct binder *below, const struct ast_expr *x, struct group_window *out)
{
    struct str rest;
    int f = function_of(x, &rest);

    ASSERT(f >= 0);
    *out = (struct group_window){.x = x, .name = functions[f].name};
    out->window.kind = functions[f].kind;
    out->window.start = out->window.end = out->window.time = -1;
    TRY(bind_arguments(b, below, x, functions[f].arguments, out));
    TRY(check_bounds(b, x, &out->window));
    const struct type *time = out->time->type;
    bool is_attribute = time->time_kind != TIME_NONE;
    out->window.processing_time = time->time_kind == TIME_PROCTIME;
    out->window.time_type = type_with_time(b->a, type_new(b->a, time->kind, 3, 0, true), is_attribute ? time->time_kind : TIME_ROWTIME);
    return bind_emit(b, x, out);
}

enum status group_window_check_part(struct query_binder *b, struct binder *below, const struct ast_expr *x, const struct group_window *w)
{
    struct group_window other = {0};
    struct err inner = {0};
    struct binder quiet = *below;
    struct query_binder silent = *b;

    quiet.e = silent.e = &inner;
    bool same = w->x != NULL && group_window_bind(&silent, &quiet, x, &other) == S_OK && strcmp(other.name, w->name) == 0 &&
                other.window.size_ms == w->window.size_ms && other.window.slide_ms == w->window.slide_ms &&
                expr_equal(other.time, w->time);
    if (same) return S_OK;
    struct str rest, name = x->name.parts[0];
    int f = function_of(x, &rest);
    err_hint(b->e, "write the call of GROUP BY with the same arguments");
    return fail(b, x->place,
                arena_printf(b->a,
                             "Call to auxiliary group function '%.*s' must have matching call to group function '$%s' in GROUP BY "
                             "clause",
                             (int)name.size, name.data, functions[f].name));
}
