/* window_graph.c - what is known of windows when the graph is made: which configurations cannot be, which columns they read,
 * and whether their functions may block. Not here: the work (window_engine.c), what operators around it want (op_window*.c). */
#include "flow/operator/window_internal.h"

static enum status check_trigger(const struct window_config *c, struct err *e)
{
    const struct function_ref *f = &c->trigger_function;
    enum tw_trigger_kind kind = window_trigger_kind(c);

    if (c->trigger < 0 || c->trigger > TW_TRIGGER_CUSTOM || c->trigger_nested < 0 ||
        c->trigger_nested > TW_TRIGGER_CUSTOM)
        return err_set(e, E_GRAPH, "there is no trigger of kind %lld", (long long)c->trigger);
    if (kind == TW_TRIGGER_CUSTOM) TRY(user_need_hook(f, f->fn && f->fn->on_element, "on_element", e));
    if (c->trigger_nested == TW_TRIGGER_PROCESSING_TIMEOUT || c->trigger_nested == TW_TRIGGER_CUSTOM)
        return err_set(e, E_GRAPH, "a timeout trigger cannot be around a timeout or a custom trigger");
    if ((kind == TW_TRIGGER_COUNT || c->trigger_nested == TW_TRIGGER_COUNT) && c->trigger_count <= 0)
        return err_set(e, E_GRAPH, "a count trigger needs a positive number of rows");
    bool timed = kind == TW_TRIGGER_CONTINUOUS_EVENT_TIME || kind == TW_TRIGGER_CONTINUOUS_PROCESSING_TIME ||
                 kind == TW_TRIGGER_PROCESSING_TIMEOUT;
    if (timed && c->trigger_interval_ms <= 0) return err_set(e, E_GRAPH, "the trigger needs a positive interval");
    if (window_is_merging(c) && !window_trigger_merges(c)) {
        err_hint(e, "sessions take event time, processing time, continuous, count and custom triggers with .on_merge");
        return err_set(e, E_GRAPH,
                       "a merging window assigner cannot be used with a trigger that does not support merging");
    }
    return S_OK;
}

/* Deltas compare rows of whatever input with each other. */
static enum status check_delta(const struct op_plan *p, const struct function_ref *f, struct err *e)
{
    TRY(user_need_hook(f, f->fn && f->fn->delta, "delta", e));
    if (p->input_count < 2 || f->fn->in2 == NULL || f->fn->in2 == f->fn->in) return S_OK;
    err_hint(e, "leave out .in2 and let .in name columns that both inputs have");
    return err_set(e, E_GRAPH, "function '%s' compares rows of both inputs, so it must read them as one type, not as %s and %s",
                   f->name, f->fn->in->name, f->fn->in2->name);
}

static enum status check_part(const struct op_plan *p, const struct function_ref *f, struct err *e)
{
    if (!function_given(f) || f->fn == NULL) return S_OK;
    for (uint32_t i = 0; i < p->input_count; i++) {
        struct user_row bound;
        const struct tw_row *row = window_part_in(f->fn, i);
        if (row == NULL)
            return err_set(e, E_GRAPH, "function '%s' does not say what it reads: .in is missing", f->name);
        TRY(user_row_bind(p->arena, row, p->inputs[i], p->input_names[i], &bound, e));
    }
    return S_OK;
}

enum status window_engine_derive(const struct op_plan *p, const struct window_config *c, struct err *e)
{
    const struct function_ref *a = &c->assign, *v = &c->evictor_function;

    if (c->assigner < 0 || c->assigner > TW_CUSTOM_WINDOWS)
        return err_set(e, E_GRAPH, "there is no window assigner of kind %lld", (long long)c->assigner);
    if (c->assigner == TW_CUSTOM_WINDOWS) TRY(user_need_hook(a, a->fn && a->fn->assign, "assign", e));
    if (c->assigner == TW_SESSION && function_given(a))
        TRY(user_need_hook(a, a->fn && a->fn->session_gap, "session_gap", e));
    TRY(check_trigger(c, e));
    if (window_trigger_kind(c) == TW_TRIGGER_DELTA || c->trigger_nested == TW_TRIGGER_DELTA)
        TRY(check_delta(p, &c->trigger_function, e));
    if (c->evictor < 0 || c->evictor > TW_EVICT_DELTA)
        return err_set(e, E_GRAPH, "there is no evictor of kind %lld", (long long)c->evictor);
    if (c->evictor == TW_EVICT_DELTA) TRY(check_delta(p, v, e));
    if (c->evictor == TW_EVICT_COUNT && c->evictor_count < 0)
        return err_set(e, E_GRAPH, "a count evictor cannot keep fewer than no rows");
    TRY(check_part(p, &c->assign, e));
    TRY(check_part(p, &c->trigger_function, e));
    return check_part(p, &c->evictor_function, e);
}

static void part_needs(const struct op_plan *p, const struct function_ref *f, uint32_t input, uint64_t *needed)
{
    if (f->fn != NULL) user_row_needs(window_part_in(f->fn, input), p->inputs[input], needed);
}

void window_engine_needs(const struct op_plan *p, const struct window_config *c, uint32_t input, uint64_t *needed)
{
    part_needs(p, &c->assign, input, needed);
    part_needs(p, &c->trigger_function, input, needed);
    part_needs(p, &c->evictor_function, input, needed);
    if (!c->all) user_cols_needs(p->keys[input], p->key_count[input], needed);
}

void window_engine_kept(const struct op_plan *p, const struct window_config *c, uint32_t input, uint64_t *kept)
{
    part_needs(p, &c->evictor_function, input, kept);
}

static bool blocks(const struct function_ref *f) { return f->fn != NULL && (f->fn->flags & TW_BLOCKING) != 0; }
bool window_engine_blocks(const struct window_config *c)
{
    return blocks(&c->assign) || blocks(&c->trigger_function) || blocks(&c->evictor_function);
}
