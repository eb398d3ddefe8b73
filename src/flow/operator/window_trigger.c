/* window_trigger.c - Flink's triggers: each a few short hooks in one table. A purging trigger is a flag that turns FIRE
 * into FIRE_AND_PURGE; a processing timeout asks the nested trigger first.
 *
 * State of a trigger is a handful of words beside the window's contents (enum window_word); they go where the contents go
 * when windows merge, which adds up counts and takes the earlier of two times. A custom trigger's declared states are
 * kept per (key, window) by its own context. Timers that a window needs once are asked for when the window is new.
 *
 * Not here: what a result does to the window (window_engine.c). */
#include "flow/operator/window_internal.h"

struct call {
    struct window_engine *e;
    const struct window_item *item;
    const struct tw_window *window;
    uint32_t slot, named;
    bool is_event; /* the timer */
    bool is_new;   /* the window has no rows yet, or is another than before */
};

struct trigger {
    enum status (*on_element)(const struct call *c, int *result);
    enum status (*on_timer)(const struct call *c, int *result);
    enum status (*on_merge)(const struct call *c);
    enum status (*clear)(const struct call *c);
    uint32_t words;
    bool merges;
};

static const struct trigger triggers[];

static int64_t last_of(const struct call *c) { return window_last_at(c->e, c->window); }
static int64_t *word(const struct call *c, enum window_word w) { return window_word(c->e, c->slot, w); }
static enum status set_timer(const struct call *c, int64_t time, bool event)
{
    return window_timer(c->e, c->named, time, event, false);
}

/* A timer that has fired needs no deletion, and deleting it would disturb those that are being fired. */
static enum status drop_timer(const struct call *c, int64_t time, bool event)
{
    if (time <= window_fired(c->e, c->item, event)) return S_OK;
    return window_timer(c->e, c->named, time, event, true);
}

/* --- event time: at the window's end; late rows at once ----------------------------------------------------------- */
static enum status event_on_element(const struct call *c, int *result)
{
    if (last_of(c) <= c->e->op->watermark) {
        *result = TW_FIRE;
        return S_OK;
    }
    return c->is_new ? set_timer(c, last_of(c), true) : S_OK;
}

static bool is_end(const struct call *c, bool event)
{
    return c->is_event == event && c->item->time == window_timer_time(last_of(c));
}

static enum status event_on_timer(const struct call *c, int *result)
{
    if (is_end(c, true)) *result = TW_FIRE;
    return S_OK;
}

static enum status event_on_merge(const struct call *c)
{
    return last_of(c) > c->e->op->watermark ? set_timer(c, last_of(c), true) : S_OK;
}

static enum status event_clear(const struct call *c) { return drop_timer(c, last_of(c), true); }

/* --- processing time ---------------------------------------------------------------------------------------------- */
static enum status processing_on_element(const struct call *c, int *result)
{
    (void)result;
    return c->is_new ? set_timer(c, last_of(c), false) : S_OK;
}

static enum status processing_on_timer(const struct call *c, int *result)
{
    if (!c->is_event) *result = TW_FIRE;
    return S_OK;
}

static enum status processing_on_merge(const struct call *c)
{
    return last_of(c) > c->e->now_ms ? set_timer(c, last_of(c), false) : S_OK;
}

static enum status processing_clear(const struct call *c) { return drop_timer(c, last_of(c), false); }

/* --- continuous: at multiples of the interval, and at the window's end ------------------------------------------------------ */
/* The end of the window is a time to fire too, once. A window of event time may lie in the past of the trigger's clock: a
 * timer at its end would be due at once and for ever (Flink's is), so its end does not count. */
static enum status next_interval(const struct call *c, int64_t from, bool event)
{
    struct window_engine *e = c->e;
    int64_t time = window_add(from, e->config->trigger_interval_ms);
    bool past = !event && e->is_event_time && MAX(from, e->now_ms) >= last_of(c);

    if (!event && !e->is_event_time && from >= last_of(c)) return S_OK; /* the window goes with the timer at hand */
    *word(c, WORD_TIME) = past ? time : MIN(time, last_of(c));
    *word(c, WORD_HAS_TIME) = 1;
    return set_timer(c, *word(c, WORD_TIME), event);
}

static enum status first_interval(const struct call *c, int64_t now, bool event)
{
    if (*word(c, WORD_HAS_TIME)) return S_OK;
    return next_interval(c, now - now % c->e->config->trigger_interval_ms, event);
}

static bool is_due(const struct call *c, bool event)
{
    return c->is_event == event && *word(c, WORD_HAS_TIME) && c->item->time == window_timer_time(*word(c, WORD_TIME));
}

static enum status continuous_event_on_element(const struct call *c, int *result)
{
    TRY(event_on_element(c, result));
    return *result == TW_FIRE ? S_OK : first_interval(c, c->item->time, true);
}

static enum status continuous_event_on_timer(const struct call *c, int *result)
{
    TRY(event_on_timer(c, result));
    if (*result == TW_FIRE || !is_due(c, true)) return S_OK;
    *result = TW_FIRE;
    return next_interval(c, c->item->time, true);
}

static enum status continuous_processing_on_element(const struct call *c, int *result)
{
    (void)result;
    return first_interval(c, c->e->now_ms, false);
}

static enum status continuous_processing_on_timer(const struct call *c, int *result)
{
    if (!is_due(c, false)) return S_OK;
    *result = TW_FIRE;
    return next_interval(c, c->item->time, false);
}

static enum status interval_clear(const struct call *c, bool event)
{
    if (c->slot == WINDOW_NONE || !*word(c, WORD_HAS_TIME)) return S_OK;
    *word(c, WORD_HAS_TIME) = 0;
    return drop_timer(c, *word(c, WORD_TIME), event);
}

static enum status continuous_event_clear(const struct call *c) { return interval_clear(c, true); }
static enum status continuous_processing_clear(const struct call *c) { return interval_clear(c, false); }

static enum status interval_on_merge(const struct call *c, bool event)
{
    return *word(c, WORD_HAS_TIME) ? set_timer(c, *word(c, WORD_TIME), event) : S_OK;
}

static enum status continuous_event_on_merge(const struct call *c) { return interval_on_merge(c, true); }
static enum status continuous_processing_on_merge(const struct call *c) { return interval_on_merge(c, false); }

/* --- count -------------------------------------------------------------------------------------------------------- */
static enum status count_on_element(const struct call *c, int *result)
{
    if (++*word(c, WORD_COUNT) < c->e->config->trigger_count) return S_OK;
    *word(c, WORD_COUNT) = 0;
    *result = TW_FIRE;
    return S_OK;
}

static enum status count_clear(const struct call *c)
{
    if (c->slot != WINDOW_NONE) *word(c, WORD_COUNT) = 0;
    return S_OK;
}

/* The words have been added up already. */
static enum status nothing_on_merge(const struct call *c)
{
    (void)c;
    return S_OK;
}

/* --- delta: when a row is too far from the row of the latest firing ----------------------------------------------- */
static int64_t *delta_is_set(const struct call *c)
{
    const struct state_layout *l = &c->e->last->value;

    return state_word(c->e->lasts[c->slot], l->fields[l->field_count - 1].offset);
}

static enum status delta_on_element(const struct call *c, int *result)
{
    struct window_engine *e = c->e;
    struct tw_context *cx = &e->trigger.cx;
    struct user_home home = {.table = e->last};
    void *last = e->lasts[c->slot], *old;
    const char *row;
    double delta = 0;

    TRY(window_part_row(&e->trigger, c->item->at, &row));
    window_part_at(&e->trigger, NULL, 0, c->window);
    if (*delta_is_set(c)) {
        old = arena_alloc(cx->op->scratch, e->last_value.size);
        memset(old, 0, e->last_value.size);
        user_value_load(&e->last_value, &e->last->value, &home, last, old, &cx->loaded);
        TRY(user_check(cx, cx->fn->delta(cx, old, row, &delta)));
        if (!(delta > e->config->trigger_threshold)) return S_OK;
        *result = TW_FIRE;
    }
    TRY(user_value_accept(cx, &e->last_value, row));
    user_value_store(&e->last_value, &e->last->value, &home, last, row, cx->op->scratch);
    *delta_is_set(c) = 1;
    return S_OK;
}

static enum status delta_clear(const struct call *c)
{
    if (c->slot != WINDOW_NONE) *delta_is_set(c) = 0;
    return S_OK;
}

/* --- end of stream ------------------------------------------------------------------------------------------------ */
static enum status end_on_element(const struct call *c, int *result)
{
    (void)result;
    return c->is_new ? set_timer(c, last_of(c), true) : S_OK;
}

/* --- custom ------------------------------------------------------------------------------------------------------- */
/* The window that the trigger's context sees: its key, its states, its timers. */
static struct tw_context *custom_at(const struct call *c)
{
    struct tw_context *cx = &c->e->trigger.cx;

    cx->keys = c->e->named->batch;
    cx->keys_at = c->named;
    cx->begun = true;
    c->e->trigger_where = (struct user_where){
        .keys = cx->keys, .windows = c->window, .is_one_window = true};
    cx->where = &c->e->trigger_where;
    cx->where_at = c->named;
    return cx;
}

static enum status custom_end(struct tw_context *cx, enum status st)
{
    cx->begun = false;
    cx->keys = NULL;
    cx->where = NULL;
    return st;
}

static enum status custom_on_element(const struct call *c, int *result)
{
    struct tw_context *cx = &c->e->trigger.cx;
    enum tw_trigger_result r = TW_CONTINUE;
    const char *row;

    cx->keys = NULL;
    TRY(window_part_row(&c->e->trigger, c->item->at, &row));
    if (cx->fn->on_element == NULL) return S_OK;
    custom_at(c);
    c->e->trigger_where.is_row = true;
    TRY(custom_end(cx, user_check(cx, cx->fn->on_element(cx, row, c->item->time, c->window, &r))));
    *result = (int)r;
    return S_OK;
}

/* What custom_on_element does for one row after the other of a batch: only what differs from row to row is set, and
 * window_trigger_rows_end takes it back. */
enum status window_trigger_row(struct window_engine *e, uint32_t at, uint32_t named, int64_t time, const struct tw_window *w)
{
    struct window_part *p = &e->trigger;
    struct tw_context *cx = &p->cx;
    enum tw_trigger_result r = TW_CONTINUE;
    const char *row = NULL;

    if (!cx->begun || cx->in[cx->input].structs == NULL || at - p->read_first >= p->read_count) {
        cx->keys = NULL;
        TRY(window_part_row(p, at, &row));
        custom_at(&(struct call){.e = e, .window = w, .named = named});
        e->trigger_where.is_row = true;
    } else {
        row = cx->in[cx->input].structs + (size_t)(at - p->read_first) * cx->in[cx->input].row.conv.size;
        user_at(cx, at, row);
        cx->keys_at = cx->where_at = named;
    }
    TRY(user_check(cx, cx->fn->on_element(cx, row, time, w, &r)));
    e->result = window_trigger_purged(e->config, (int)r);
    return S_OK;
}

void window_trigger_rows_end(struct window_engine *e)
{
    (void)custom_end(&e->trigger.cx, S_OK);
}

static enum status custom_on_timer(const struct call *c, int *result)
{
    struct tw_context *cx = &c->e->trigger.cx;
    enum tw_trigger_result r = TW_CONTINUE;
    enum tw_status (*hook)(struct tw_context *, int64_t, const struct tw_window *,
                           enum tw_trigger_result *) = c->is_event ? cx->fn->on_event_time : cx->fn->on_processing_time;

    if (hook == NULL) return S_OK;
    custom_at(c);
    cx->time = c->item->time;
    TRY(custom_end(cx, user_check(cx, hook(cx, c->item->time, c->window, &r))));
    *result = (int)r;
    return S_OK;
}

static enum status custom_on_merge(const struct call *c)
{
    struct tw_context *cx = custom_at(c);
    uint32_t *merged = arena_alloc(cx->op->scratch, c->item->merged_count * sizeof *merged);

    for (uint32_t i = 0; i < c->item->merged_count; i++) merged[i] = c->e->merged[c->item->merged + i].named;
    cx->hooks.merged = merged;
    cx->hooks.merged_count = c->item->merged_count;
    enum status st = user_check(cx, cx->fn->on_merge(cx, c->window));
    cx->hooks.merged = NULL;
    return custom_end(cx, st);
}

static enum status custom_clear(const struct call *c)
{
    struct tw_context *cx = custom_at(c);

    return custom_end(cx, cx->fn->clear != NULL ? user_check(cx, cx->fn->clear(cx, c->window)) : S_OK);
}

/* --- processing timeout: so long after the first or the latest row, around another trigger ------------------------ */
static const struct trigger *nested_of(const struct window_engine *e)
{
    if (e->config->trigger_nested != TW_TRIGGER_DEFAULT) return &triggers[e->config->trigger_nested];
    return &triggers[e->config->trigger_count > 0 ? TW_TRIGGER_COUNT : TW_TRIGGER_NEVER];
}

static enum status timeout_clear(const struct call *c)
{
    const struct trigger *nested = nested_of(c->e);

    if (*word(c, WORD_HAS_TIMEOUT)) TRY(drop_timer(c, *word(c, WORD_TIMEOUT), false));
    *word(c, WORD_HAS_TIMEOUT) = 0;
    return nested->clear != NULL ? nested->clear(c) : S_OK;
}

static enum status timeout_on_element(const struct call *c, int *result)
{
    const struct trigger *nested = nested_of(c->e);

    if (nested->on_element != NULL) TRY(nested->on_element(c, result));
    if (*result & TW_FIRE) return timeout_clear(c);
    if (*word(c, WORD_HAS_TIMEOUT) && !c->e->config->trigger_reset) return S_OK;
    if (*word(c, WORD_HAS_TIMEOUT)) TRY(drop_timer(c, *word(c, WORD_TIMEOUT), false));
    *word(c, WORD_TIMEOUT) = window_add(c->e->now_ms, c->e->config->trigger_interval_ms);
    *word(c, WORD_HAS_TIMEOUT) = 1;
    return set_timer(c, *word(c, WORD_TIMEOUT), false);
}

/* Fires for any timer, those of the nested trigger included, as Flink does. */
static enum status timeout_on_timer(const struct call *c, int *result)
{
    const struct trigger *nested = nested_of(c->e);

    if (nested->on_timer != NULL) TRY(nested->on_timer(c, result));
    if (!c->e->config->trigger_keep) TRY(timeout_clear(c));
    *result |= TW_FIRE;
    return S_OK;
}

/* --- SQL's emit: at the window's end, and before and after it every row, or so long after the first one and then again and again
 * --- */
static bool emits_late(const struct call *c) { return c->e->is_event_time && c->e->config->trigger_late_ms >= 0; }

/* WORD_COUNT: the window has fired at its end, and those after it are late firings. */
static bool is_after_end(const struct call *c) { return emits_late(c) && *word(c, WORD_COUNT) != 0; }

/* Which words hold the next time. Firings before and after the end that are equally far apart share it, as in Flink. */
static enum window_word emit_word(const struct call *c)
{
    const struct window_config *w = c->e->config;

    return is_after_end(c) && w->trigger_late_ms != w->trigger_early_ms ? WORD_TIMEOUT : WORD_TIME;
}

static int64_t emit_delay(const struct call *c)
{
    return is_after_end(c) ? c->e->config->trigger_late_ms : c->e->config->trigger_early_ms;
}

static enum status emit_next(const struct call *c, int64_t from)
{
    enum window_word w = emit_word(c);

    *word(c, w) = window_add(from, emit_delay(c));
    *word(c, w + 1) = 1;
    return set_timer(c, *word(c, w), false);
}

static enum status emit_on_element(const struct call *c, int *result)
{
    bool event = c->e->is_event_time, is_late = event && last_of(c) <= c->e->op->watermark;

    if (is_late && !is_after_end(c)) {
        *result = TW_FIRE;
        return S_OK;
    }
    if (!is_late && c->is_new) TRY(set_timer(c, last_of(c), event));
    if (emit_delay(c) == 0) *result = TW_FIRE;
    return emit_delay(c) <= 0 || *word(c, emit_word(c) + 1) ? S_OK : emit_next(c, c->e->now_ms);
}

static enum status emit_on_timer(const struct call *c, int *result)
{
    if (is_end(c, c->e->is_event_time) && !is_after_end(c)) {
        *result = TW_FIRE;
        if (emits_late(c)) *word(c, WORD_COUNT) = 1;
        return S_OK;
    }
    enum window_word w = emit_word(c);
    if (c->is_event || emit_delay(c) <= 0 || !*word(c, w + 1) || c->item->time != window_timer_time(*word(c, w))) return S_OK;
    *result = TW_FIRE;
    return emit_next(c, c->item->time);
}

static enum status emit_clear(const struct call *c)
{
    TRY(drop_timer(c, last_of(c), c->e->is_event_time));
    for (int w = WORD_TIME; w <= WORD_TIMEOUT; w += 2) {
        if (*word(c, (enum window_word)(w + 1))) TRY(drop_timer(c, *word(c, (enum window_word)w), false));
        *word(c, (enum window_word)(w + 1)) = 0;
    }
    *word(c, WORD_COUNT) = 0;
    return S_OK;
}

static const struct trigger triggers[] = {
    [TW_TRIGGER_EVENT_TIME] = {event_on_element, event_on_timer, event_on_merge, event_clear, 1, true},
    [TW_TRIGGER_PROCESSING_TIME] = {processing_on_element, processing_on_timer, processing_on_merge, processing_clear,
                                    1, true},
    [TW_TRIGGER_CONTINUOUS_EVENT_TIME] = {continuous_event_on_element, continuous_event_on_timer,
                                          continuous_event_on_merge, continuous_event_clear, 4, true},
    [TW_TRIGGER_CONTINUOUS_PROCESSING_TIME] = {continuous_processing_on_element, continuous_processing_on_timer,
                                               continuous_processing_on_merge, continuous_processing_clear, 4, true},
    [TW_TRIGGER_COUNT] = {count_on_element, NULL, nothing_on_merge, count_clear, 2, true},
    [TW_TRIGGER_DELTA] = {delta_on_element, NULL, NULL, delta_clear, 1, false},
    [TW_TRIGGER_PROCESSING_TIMEOUT] = {timeout_on_element, timeout_on_timer, NULL, timeout_clear, WINDOW_WORDS, false},
    [TW_TRIGGER_NEVER] = {NULL, NULL, NULL, NULL, 1, false},
    [TW_TRIGGER_END_OF_STREAM] = {end_on_element, event_on_timer, NULL, NULL, 1, false},
    [TW_TRIGGER_CUSTOM] = {custom_on_element, custom_on_timer, custom_on_merge, custom_clear, 2, true},
    [WINDOW_TRIGGER_EMIT] = {emit_on_element, emit_on_timer, NULL, emit_clear, WINDOW_WORDS, false},
};

/* --- what the engine calls ---------------------------------------------------------------------------------------- */
enum tw_trigger_kind window_trigger_kind(const struct window_config *c)
{
    if (c->trigger != TW_TRIGGER_DEFAULT) return (enum tw_trigger_kind)c->trigger;
    if (c->assigner == TW_COUNT) return TW_TRIGGER_COUNT;
    if (c->assigner == TW_GLOBAL) return TW_TRIGGER_NEVER;
    return c->processing_time ? TW_TRIGGER_PROCESSING_TIME : TW_TRIGGER_EVENT_TIME;
}

uint32_t window_trigger_words(const struct window_config *c) { return triggers[window_trigger_kind(c)].words; }

bool window_trigger_merges(const struct window_config *c)
{
    if (c->trigger == TW_TRIGGER_CUSTOM) return c->trigger_function.fn->on_merge != NULL;
    return triggers[window_trigger_kind(c)].merges;
}

bool window_trigger_is_lazy(const struct window_config *c)
{
    enum tw_trigger_kind kind = window_trigger_kind(c);

    return kind == TW_TRIGGER_COUNT ||
           kind == (window_is_event_time(c) ? TW_TRIGGER_EVENT_TIME : TW_TRIGGER_PROCESSING_TIME);
}

static const struct trigger *trigger_of(const struct window_engine *e)
{
    return &triggers[window_trigger_kind(e->config)];
}

/* Count windows that do not slide begin anew with each firing. */
int window_trigger_purged(const struct window_config *c, int result)
{
    bool purging = c->trigger_purging ||
                   (c->assigner == TW_COUNT && c->trigger == TW_TRIGGER_DEFAULT && c->count_slide == 0);

    return (result & TW_FIRE) && purging ? TW_FIRE_AND_PURGE : result;
}

static struct call call_of(struct window_engine *e, const struct window_item *item)
{
    return (struct call){.e = e, .item = item, .window = &item->window, .slot = item->slot, .named = item->named};
}

enum status window_trigger_on_element(struct window_engine *e, const struct window_item *item, bool is_new)
{
    const struct trigger *t = trigger_of(e);
    struct call c = call_of(e, item);

    e->result = TW_CONTINUE;
    c.is_new = is_new;
    if (t->on_element != NULL) TRY(t->on_element(&c, &e->result));
    e->result = window_trigger_purged(e->config, e->result);
    return S_OK;
}

enum status window_trigger_on_timer(struct window_engine *e, const struct window_item *item)
{
    const struct trigger *t = trigger_of(e);
    struct call c = call_of(e, item);

    e->result = TW_CONTINUE;
    c.is_event = e->due == e->event;
    if (t->on_timer != NULL) TRY(t->on_timer(&c, &e->result));
    e->result = window_trigger_purged(e->config, e->result);
    return S_OK;
}

enum status window_trigger_on_merge(struct window_engine *e, const struct window_item *item)
{
    const struct trigger *t = trigger_of(e);
    struct call c = call_of(e, item);

    return t->on_merge != NULL ? t->on_merge(&c) : S_OK;
}

enum status window_trigger_clear(struct window_engine *e, const struct window_item *item, const struct tw_window *w,
                                 uint32_t slot, uint32_t named)
{
    const struct trigger *t = trigger_of(e);
    struct call c = {.e = e, .item = item, .window = w, .slot = slot, .named = named};

    return t->clear != NULL ? t->clear(&c) : S_OK;
}
