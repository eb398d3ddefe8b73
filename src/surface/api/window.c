/* window.c - the window calls: struct tw_windowing becomes an operator's configuration. */
#include "surface/api/api_internal.h"

static void fill(struct tw_env *env, struct window_config *c, const struct tw_windowing *w, struct tw_here h)
{
    c->assigner = w->assigner;
    c->size_ms = w->size_ms;
    c->slide_ms = w->slide_ms;
    c->offset_ms = w->offset_ms;
    c->gap_ms = w->gap_ms;
    c->count = w->count;
    c->count_slide = w->count_slide;
    c->stagger = w->stagger;
    c->lateness_ms = w->allowed_lateness_ms;
    c->processing_time = w->processing_time;
    c->all = w->all;
    c->assign = api_function(env, w->function, h);
    c->trigger = w->trigger.kind;
    c->trigger_count = w->trigger.kind == TW_TRIGGER_DEFAULT && w->assigner == TW_COUNT
                           ? (w->count_slide > 0 ? w->count_slide : w->count)
                           : w->trigger.count;
    c->trigger_interval_ms = w->trigger.interval_ms;
    c->trigger_threshold = w->trigger.threshold;
    c->trigger_purging = w->trigger.purging;
    c->trigger_reset = w->trigger.reset_timer;
    c->trigger_keep = w->trigger.keep_on_timeout;
    c->trigger_nested = w->trigger.nested;
    c->merging = w->merging;
    c->trigger_function = api_function(env, w->trigger.function, h);
    c->evictor = w->assigner == TW_COUNT && w->count_slide > 0 && w->evictor.kind == TW_NO_EVICTOR ? TW_EVICT_COUNT
                                                                                                   : w->evictor.kind;
    c->evictor_count = w->assigner == TW_COUNT && w->evictor.kind == TW_NO_EVICTOR ? w->count : w->evictor.count;
    c->evictor_ms = w->evictor.window_ms;
    c->evictor_threshold = w->evictor.threshold;
    c->evictor_after = w->evictor.after;
    c->evictor_function = api_function(env, w->evictor.function, h);
}

/* windowAll: all rows go to one subtask, which is the only one. */
static struct tw_stream *gathered(struct tw_stream *s, const struct tw_windowing *w, struct tw_here h)
{
    return w->all ? tw_partition_at(s, "global", h) : s;
}

struct tw_stream *tw_window_at(struct tw_stream *s, struct tw_windowing w, const struct tw_function *f,
                               const struct tw_function *pre, struct tw_here h)
{
    struct graph_node *n = api_node(api_env(s, h), "window", "Window", gathered(s, &w, h), NULL, h);

    if (n == NULL) return api_broken(s->env);
    if (f == NULL) return api_mistake(s->env, h, "a window needs a function");
    struct window_config *c = n->config;
    fill(s->env, c, &w, h);
    c->function = api_function(s->env, f, h);
    c->pre = api_function(s->env, pre, h);
    n->single = w.all;
    return api_stream(s->env);
}

struct tw_stream *tw_window_columns_at(struct tw_stream *s, struct tw_windowing w, const char *const *aggregates,
                                       uint32_t count, struct tw_here h)
{
    struct graph_node *n = api_node(api_env(s, h), "window_columns", "Window", gathered(s, &w, h), NULL, h);

    if (n == NULL) return api_broken(s->env);
    struct window_config *c = n->config;
    fill(s->env, c, &w, h);
    c->aggregates = api_texts(s->env, aggregates, count);
    n->single = w.all;
    return api_stream(s->env);
}

struct tw_stream *tw_window_join_at(struct tw_stream *a, struct tw_stream *b, struct tw_windowing w,
                                    const struct tw_function *f, bool co_group, struct tw_here h)
{
    struct graph_node *n = api_node(api_env(a, h), "window_join", co_group ? "Co Group" : "Window Join", a, b, h);

    if (n == NULL) return api_broken(a->env);
    if (f == NULL) return api_mistake(a->env, h, "a %s needs a function", co_group ? "co-group" : "window join");
    struct window_config *c = n->config;
    fill(a->env, c, &w, h);
    c->function = api_function(a->env, f, h);
    c->co_group = co_group;
    return api_stream(a->env);
}
