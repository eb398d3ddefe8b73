/* window_fields.c - how a window's configuration is encoded and shown, and the checks that need no stream. */
#include "flow/operator/window_fields.h"

#include <thalweg/window.h>

#define FIELD(member, kind, doc) {#member, kind, offsetof(struct window_config, member), doc}

const struct config_field window_config_fields[] = {
    FIELD(function, CONF_FUNCTION, "aggregate, reduce, window, join or co_group function"),
    FIELD(pre, CONF_FUNCTION, "aggregate or reduce function in front of a window function"),
    FIELD(aggregates, CONF_TEXTS, "built-in aggregates"),
    FIELD(assigner, CONF_INT, "0 tumbling, 1 sliding, 2 session, 3 global, 4 count, 5 custom"),
    FIELD(size_ms, CONF_INT, "window size, ms"),
    FIELD(slide_ms, CONF_INT, "window slide, ms"),
    FIELD(offset_ms, CONF_INT, "window offset, ms"),
    FIELD(gap_ms, CONF_INT, "session gap, ms"),
    FIELD(count, CONF_INT, "rows of a count window"),
    FIELD(count_slide, CONF_INT, "slide of a count window, rows"),
    FIELD(stagger, CONF_INT, "0 aligned, 1 random, 2 natural"),
    FIELD(lateness_ms, CONF_INT, "allowed lateness, ms"),
    FIELD(processing_time, CONF_BOOL, "windows of processing time"),
    FIELD(all, CONF_BOOL, "one window for all rows, not per key"),
    FIELD(co_group, CONF_BOOL, "groups instead of pairs"),
    FIELD(merging, CONF_BOOL, "custom windows merge"),
    FIELD(assign, CONF_FUNCTION, "session gap or window assigner"),
    FIELD(trigger, CONF_INT, "enum tw_trigger_kind"),
    FIELD(trigger_count, CONF_INT, "rows of a count trigger"),
    FIELD(trigger_interval_ms, CONF_INT, "interval of a continuous or timeout trigger, ms"),
    FIELD(trigger_threshold, CONF_DOUBLE, "threshold of a delta trigger"),
    FIELD(trigger_purging, CONF_BOOL, "every firing purges"),
    FIELD(trigger_reset, CONF_BOOL, "timeout counts from the latest row"),
    FIELD(trigger_keep, CONF_BOOL, "a timeout keeps the nested trigger's state"),
    FIELD(trigger_nested, CONF_INT, "trigger inside a timeout, enum tw_trigger_kind"),
    FIELD(trigger_function, CONF_FUNCTION, "custom trigger or delta"),
    FIELD(evictor, CONF_INT, "enum tw_evictor_kind"),
    FIELD(evictor_count, CONF_INT, "rows kept by a count evictor"),
    FIELD(evictor_ms, CONF_INT, "time kept by a time evictor, ms"),
    FIELD(evictor_threshold, CONF_DOUBLE, "threshold of a delta evictor"),
    FIELD(evictor_after, CONF_BOOL, "evict behind the window function"),
    FIELD(evictor_function, CONF_FUNCTION, "delta of an evictor"),
    {0},
};

enum status window_config_check(const struct window_config *w, struct err *e)
{
    bool timed = w->assigner == TW_TUMBLING || w->assigner == TW_SLIDING;

    if (timed && w->size_ms <= 0) return err_set(e, E_GRAPH, "a window's size is %lld ms; it must be positive", (long long)w->size_ms);
    if (w->assigner == TW_SLIDING && w->slide_ms <= 0) return err_set(e, E_GRAPH, "a sliding window's slide must be positive");
    int64_t within = w->assigner == TW_SLIDING ? w->slide_ms : w->size_ms;
    if (timed && (w->offset_ms <= -within || w->offset_ms >= within))
        return err_set(e, E_GRAPH, "a window's offset is %lld ms; it must be smaller than the window's %s of %lld ms",
                       (long long)w->offset_ms, w->assigner == TW_SLIDING ? "slide" : "size", (long long)within);
    if (w->stagger != TW_ALIGNED && w->assigner != TW_TUMBLING)
        return err_set(e, E_GRAPH, "only tumbling windows can be staggered");
    if (w->assigner == TW_SESSION && w->gap_ms <= 0 && w->assign.name == NULL && w->assign.fn == NULL)
        return err_set(e, E_GRAPH, "a session window needs a gap, or a session_gap function");
    if (w->assigner == TW_COUNT && w->count <= 0) return err_set(e, E_GRAPH, "a count window needs a positive number of rows");
    if (w->lateness_ms < 0) return err_set(e, E_GRAPH, "allowed lateness must not be negative");
    return S_OK;
}
