/* window_trigger.c - Flink's triggers. Each is four short hooks in one table; PurgingTrigger is a flag that turns FIRE into
 * FIRE_AND_PURGE. */
#include "flow/operator/window_trigger.h"

struct trigger {
    enum status (*on_element)(const struct trigger_host *, struct trigger_state, const void *row, int64_t time, const struct tw_window *, int *);
    enum status (*on_timer)(const struct trigger_host *, struct trigger_state, int64_t time, bool event_time, const struct tw_window *, int *);
    enum status (*on_merge)(const struct trigger_host *, struct trigger_state, const struct tw_window *);
    enum status (*clear)(const struct trigger_host *, struct trigger_state, const struct tw_window *);
};

static int64_t last_ms(const struct tw_window *w) { return w->end == INT64_MAX ? INT64_MAX : w->end - 1; }
static enum status ask(const struct trigger_host *h, int64_t time, bool event) { return h->timer(h->arg, time, event, false); }
static enum status drop(const struct trigger_host *h, int64_t time, bool event) { return h->timer(h->arg, time, event, true); }

/* --- event time: at the window's end; late rows at once ---------------------------------------------------------------------- */
static enum status event_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    (void)s, (void)row, (void)time;
    if (last_ms(w) > h->watermark) return ask(h, last_ms(w), true);
    *r = TW_FIRE;
    return S_OK;
}

static enum status event_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event, const struct tw_window *w, int *r)
{
    (void)h, (void)s;
    if (event && time == last_ms(w)) *r = TW_FIRE;
    return S_OK;
}

static enum status event_on_merge(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    (void)s;
    return last_ms(w) > h->watermark ? ask(h, last_ms(w), true) : S_OK;
}

static enum status event_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    (void)s;
    return drop(h, last_ms(w), true);
}

/* --- processing time -------------------------------------------------------------------------------------------------------- */
static enum status processing_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    (void)s, (void)row, (void)time, (void)r;
    return ask(h, last_ms(w), false);
}

static enum status processing_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event, const struct tw_window *w, int *r)
{
    (void)h, (void)s;
    if (!event && time == last_ms(w)) *r = TW_FIRE;
    return S_OK;
}

static enum status processing_on_merge(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    (void)s;
    return ask(h, last_ms(w), false);
}

static enum status processing_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    (void)s;
    return drop(h, last_ms(w), false);
}

/* --- continuous: every interval, aligned to multiples of it, and for event time at the end ------------------------------------ */
static enum status next_interval(const struct trigger_host *h, struct trigger_state s, int64_t from, bool event, const struct tw_window *w)
{
    int64_t interval = h->config->trigger_interval_ms, next = from - from % interval + interval;

    *s.time = MIN(next, last_ms(w));
    return ask(h, *s.time, event);
}

static enum status continuous_event_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    TRY(event_on_element(h, s, row, time, w, r));
    return *r == TW_FIRE || *s.time != 0 ? S_OK : next_interval(h, s, time, true, w);
}

static enum status continuous_event_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event, const struct tw_window *w, int *r)
{
    TRY(event_on_timer(h, s, time, event, w, r));
    if (*r == TW_FIRE || !event || time != *s.time) return S_OK;
    *r = TW_FIRE;
    return next_interval(h, s, time, true, w);
}

static enum status continuous_event_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    if (*s.time != 0) TRY(drop(h, *s.time, true));
    return event_clear(h, s, w);
}

static enum status continuous_event_on_merge(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    TRY(event_on_merge(h, s, w));
    return *s.time != 0 ? ask(h, *s.time, true) : S_OK;
}

static enum status continuous_processing_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    (void)row, (void)time, (void)r;
    return *s.time != 0 ? S_OK : next_interval(h, s, h->now_ms, false, w);
}

static enum status continuous_processing_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event, const struct tw_window *w, int *r)
{
    if (event || time != *s.time) return S_OK;
    *r = TW_FIRE;
    return next_interval(h, s, time, false, w);
}

static enum status stored_processing_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    (void)w;
    return *s.time != 0 ? drop(h, *s.time, false) : S_OK;
}

static enum status stored_processing_on_merge(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    (void)w;
    return *s.time != 0 ? ask(h, *s.time, false) : S_OK;
}

/* --- count --------------------------------------------------------------------------------------------------------------------- */
static enum status count_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    (void)row, (void)time, (void)w;
    if (++*s.count < h->config->trigger_count) return S_OK;
    *s.count = 0;
    *r = TW_FIRE;
    return S_OK;
}

/* --- delta: when the distance to the row of the last firing passes the threshold --------------------------------------------------- */
static enum status delta_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    double delta = 0;

    (void)s, (void)time, (void)w;
    if (h->last_row == NULL) return h->keep_row(h->arg);
    TRY(user_check(h->cx, h->config->trigger_function.fn->delta(h->cx, h->last_row, row, &delta)));
    if (delta <= h->config->trigger_threshold) return S_OK;
    *r = TW_FIRE;
    return h->keep_row(h->arg);
}

/* --- processing timeout: so long after the first (or the latest) row, around a count trigger when a count is given -------------------- */
static enum status timeout_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    if (h->config->trigger_count > 0) TRY(count_on_element(h, s, row, time, w, r));
    if (*r == TW_FIRE) {
        TRY(stored_processing_clear(h, s, w));
        *s.time = 0;
        return S_OK;
    }
    if (*s.time != 0 && !h->config->trigger_reset) return S_OK;
    TRY(stored_processing_clear(h, s, w));
    *s.time = h->now_ms + h->config->trigger_interval_ms;
    return ask(h, *s.time, false);
}

static enum status timeout_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event, const struct tw_window *w, int *r)
{
    (void)h, (void)w;
    if (event || time != *s.time) return S_OK;
    *s.time = *s.count = 0;
    *r = TW_FIRE;
    return S_OK;
}

/* --- end of stream: a timer at the end of time --------------------------------------------------------------------------------------- */
static enum status end_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    (void)s, (void)row, (void)time, (void)w, (void)r;
    return ask(h, INT64_MAX, true);
}

static enum status end_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event, const struct tw_window *w, int *r)
{
    (void)h, (void)s, (void)w;
    if (event && time == INT64_MAX) *r = TW_FIRE;
    return S_OK;
}

static enum status end_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    (void)s, (void)w;
    return drop(h, INT64_MAX, true);
}

/* --- custom ------------------------------------------------------------------------------------------------------------------------------ */
static enum status custom_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *r)
{
    const struct tw_function *fn = h->config->trigger_function.fn;
    enum tw_trigger_result result = TW_CONTINUE;

    (void)s;
    if (fn->on_element == NULL) return S_OK;
    TRY(user_check(h->cx, fn->on_element(h->cx, row, time, w, &result)));
    *r = (int)result;
    return S_OK;
}

static enum status custom_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event, const struct tw_window *w, int *r)
{
    const struct tw_function *fn = h->config->trigger_function.fn;
    enum tw_trigger_result result = TW_CONTINUE;
    enum tw_status (*hook)(struct tw_context *, int64_t, const struct tw_window *, enum tw_trigger_result *) = event ? fn->on_event_time : fn->on_processing_time;

    (void)s;
    if (hook == NULL) return S_OK;
    TRY(user_check(h->cx, hook(h->cx, time, w, &result)));
    *r = (int)result;
    return S_OK;
}

static enum status custom_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    const struct tw_function *fn = h->config->trigger_function.fn;

    (void)s;
    return fn->clear == NULL ? S_OK : user_check(h->cx, fn->clear(h->cx, w));
}

static const struct trigger triggers[] = {
    [TW_TRIGGER_EVENT_TIME] = {event_on_element, event_on_timer, event_on_merge, event_clear},
    [TW_TRIGGER_PROCESSING_TIME] = {processing_on_element, processing_on_timer, processing_on_merge, processing_clear},
    [TW_TRIGGER_CONTINUOUS_EVENT_TIME] = {continuous_event_on_element, continuous_event_on_timer, continuous_event_on_merge, continuous_event_clear},
    [TW_TRIGGER_CONTINUOUS_PROCESSING_TIME] = {continuous_processing_on_element, continuous_processing_on_timer, stored_processing_on_merge, stored_processing_clear},
    [TW_TRIGGER_COUNT] = {count_on_element, NULL, NULL, NULL},
    [TW_TRIGGER_DELTA] = {delta_on_element, NULL, NULL, NULL},
    [TW_TRIGGER_PROCESSING_TIMEOUT] = {timeout_on_element, timeout_on_timer, stored_processing_on_merge, stored_processing_clear},
    [TW_TRIGGER_NEVER] = {NULL, NULL, NULL, NULL},
    [TW_TRIGGER_END_OF_STREAM] = {end_on_element, end_on_timer, NULL, end_clear},
    [TW_TRIGGER_CUSTOM] = {custom_on_element, custom_on_timer, NULL, custom_clear},
};

enum tw_trigger_kind trigger_kind(const struct window_config *c)
{
    if (c->trigger != TW_TRIGGER_DEFAULT) return (enum tw_trigger_kind)c->trigger;
    if (c->assigner == TW_COUNT) return TW_TRIGGER_COUNT;
    if (c->assigner == TW_GLOBAL) return TW_TRIGGER_NEVER;
    return c->processing_time ? TW_TRIGGER_PROCESSING_TIME : TW_TRIGGER_EVENT_TIME;
}

static int purged(const struct window_config *c, int result)
{
    bool purging = c->trigger_purging || (c->assigner == TW_COUNT && c->count_slide == 0);

    return result == TW_FIRE && purging ? TW_FIRE_AND_PURGE : result;
}

enum status trigger_on_element(const struct trigger_host *h, struct trigger_state s, const void *row, int64_t time, const struct tw_window *w, int *result)
{
    const struct trigger *t = &triggers[trigger_kind(h->config)];

    *result = TW_CONTINUE;
    if (t->on_element != NULL) TRY(t->on_element(h, s, row, time, w, result));
    *result = purged(h->config, *result);
    return S_OK;
}

enum status trigger_on_timer(const struct trigger_host *h, struct trigger_state s, int64_t time, bool event_time, const struct tw_window *w, int *result)
{
    const struct trigger *t = &triggers[trigger_kind(h->config)];

    *result = TW_CONTINUE;
    if (t->on_timer != NULL) TRY(t->on_timer(h, s, time, event_time, w, result));
    *result = purged(h->config, *result);
    return S_OK;
}

enum status trigger_on_merge(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    const struct trigger *t = &triggers[trigger_kind(h->config)];

    return t->on_merge != NULL ? t->on_merge(h, s, w) : S_OK;
}

enum status trigger_clear(const struct trigger_host *h, struct trigger_state s, const struct tw_window *w)
{
    const struct trigger *t = &triggers[trigger_kind(h->config)];

    return t->clear != NULL ? t->clear(h, s, w) : S_OK;
}
