/* window.h - windows, triggers, evictors. Times are ms; a window [start, end) holds rows with start <= time < end. */
#pragma once
#include <thalweg/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tw_assigner { TW_TUMBLING, TW_SLIDING, TW_SESSION, TW_GLOBAL, TW_COUNT, TW_CUSTOM_WINDOWS };
enum tw_stagger { TW_ALIGNED, TW_RANDOM, TW_NATURAL };

enum tw_trigger_kind {
    TW_TRIGGER_DEFAULT, /* the assigner's own: event time, processing time, or never for global windows */
    TW_TRIGGER_EVENT_TIME,
    TW_TRIGGER_PROCESSING_TIME,
    TW_TRIGGER_CONTINUOUS_EVENT_TIME,      /* interval_ms */
    TW_TRIGGER_CONTINUOUS_PROCESSING_TIME, /* interval_ms */
    TW_TRIGGER_COUNT,                      /* count */
    TW_TRIGGER_DELTA,                      /* delta, threshold */
    /* interval_ms after the first (or last, when reset) element, around `count` when set */
    TW_TRIGGER_PROCESSING_TIMEOUT,
    TW_TRIGGER_NEVER,
    TW_TRIGGER_END_OF_STREAM,
    /* function: on_element, on_event_time, on_processing_time, on_merge, clear */
    TW_TRIGGER_CUSTOM,
};

struct tw_trigger {
    enum tw_trigger_kind kind;
    bool purging; /* PurgingTrigger around it: FIRE becomes FIRE_AND_PURGE */
    bool reset_timer;          /* timeout: every row sets the timer anew */
    bool keep_on_timeout;      /* timeout: the nested trigger's state stays (shouldClearOnTimeout = false) */
    enum tw_trigger_kind nested; /* timeout: the trigger inside; default: `count` when set, else none */
    int64_t count, interval_ms;
    double threshold;
    const struct tw_function *function;
};

enum tw_evictor_kind { TW_NO_EVICTOR, TW_EVICT_COUNT, TW_EVICT_TIME, TW_EVICT_DELTA };
struct tw_evictor {
    enum tw_evictor_kind kind;
    bool after; /* after the window function instead of before */
    int64_t count, window_ms;
    double threshold;
    const struct tw_function *function; /* delta */
};

struct tw_windowing {
    enum tw_assigner assigner;
    bool processing_time;
    /* TW_CUSTOM_WINDOWS: windows that overlap or touch become one, as sessions do */
    bool merging;
    int64_t size_ms, slide_ms, offset_ms, gap_ms;
    int64_t count, count_slide;         /* TW_COUNT: size and slide in rows; count_slide 0 = tumbling */
    enum tw_stagger stagger;
    const struct tw_function *function; /* session_gap or assign */
    int64_t allowed_lateness_ms;
    bool all;                           /* windowAll: the stream is not keyed, parallelism 1 */
    struct tw_trigger trigger;
    struct tw_evictor evictor;
};

#define TW_TUMBLE(size, ...) ((struct tw_windowing){.assigner = TW_TUMBLING, .size_ms = (size), __VA_ARGS__})
#define TW_HOP(size, slide, ...)                                                                                       \
    ((struct tw_windowing){.assigner = TW_SLIDING, .size_ms = (size), .slide_ms = (slide), __VA_ARGS__})
#define TW_SESSIONS(gap, ...) ((struct tw_windowing){.assigner = TW_SESSION, .gap_ms = (gap), __VA_ARGS__})
#define TW_COUNT_WINDOW(n, ...) ((struct tw_windowing){.assigner = TW_COUNT, .count = (n), __VA_ARGS__})
#define TW_GLOBAL_WINDOW(...) ((struct tw_windowing){.assigner = TW_GLOBAL, __VA_ARGS__})

/* Windows over a keyed stream (or any stream with .all). Output rows of "aggregate" have row type out; columns
 * `window_start`, `window_end` and the key columns are filled in when out has fields of these names left untouched.
 * Global and count windows have no bounds: these two columns are NULL there, and must be nullable.
 * Late rows beyond the allowed lateness go to side "late".
 *   aggregate: f->add/result (merge for sessions and sliding windows)
 *   reduce:    f->reduce
 *   process:   f->window over all rows of the window; with `pre` = an aggregate or reduce function, over its one
 * result */
TW_API struct tw_stream *tw_window_at(struct tw_stream *s, struct tw_windowing w, const struct tw_function *f,
                                      const struct tw_function *pre, struct tw_here h);
#define tw_window_aggregate(s, w, f) tw_window_at(s, w, f, NULL, TW_HERE)
#define tw_window_reduce(s, w, f) tw_window_at(s, w, f, NULL, TW_HERE)
#define tw_window_process(s, w, f, pre) tw_window_at(s, w, f, pre, TW_HERE)
/* Built-in aggregates as columns, the fastest form: "count(*) AS n", "sum(price) AS total", min, max, avg; plus the key
 * columns, window_start and window_end (NULL for global and count windows) in front. Rows whose key is NULL are one group, as in
 * SQL's GROUP BY; windows with functions, like all functions with a key, refuse such rows instead. */
TW_API struct tw_stream *tw_window_columns_at(struct tw_stream *s, struct tw_windowing w,
                                              const char *const *aggregates, uint32_t count, struct tw_here h);
#define tw_window_columns(s, w, ...)                                                                                   \
    tw_window_columns_at(s, w, (const char *const[]){__VA_ARGS__},                                                     \
                         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), TW_HERE)
/* Both streams keyed alike: rows of one window and key, joined pairwise or as two groups. */
TW_API struct tw_stream *tw_window_join_at(struct tw_stream *a, struct tw_stream *b, struct tw_windowing w,
                                           const struct tw_function *f, bool co_group, struct tw_here h);
#define tw_window_join(a, b, w, f) tw_window_join_at(a, b, w, f, false, TW_HERE)
#define tw_co_group(a, b, w, f) tw_window_join_at(a, b, w, f, true, TW_HERE)

#ifdef __cplusplus
}
#endif
