/* stateful_windows.c - windows of every kind: each assigner, trigger and evictor, with folds, with all rows and with both,
 * both engines, joins of windows; the states of window functions and of triggers. */
#include "support/stateful.h"

#include <thalweg/window.h>

#include <string.h>

static int64_t v_of(const void *in) { return ((const struct stateful_row *)in)->v; }

/* --- folds --------------------------------------------------------------------------------------------------------------- */
static enum tw_status add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    ((struct stateful_sum *)acc)->n++;
    ((struct stateful_sum *)acc)->total += v_of(in);
    return TW_OK;
}
static enum tw_status merge(struct tw_context *cx, void *acc, const void *other)
{
    (void)cx;
    ((struct stateful_sum *)acc)->n += ((const struct stateful_sum *)other)->n;
    ((struct stateful_sum *)acc)->total += ((const struct stateful_sum *)other)->total;
    return TW_OK;
}
static enum tw_status result(struct tw_context *cx, const void *acc, void *out)
{
    (void)cx;
    memcpy(out, acc, sizeof(struct stateful_sum));
    return TW_OK;
}
static enum tw_status join_rows(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(struct stateful_row *)out = (struct stateful_row){((const struct stateful_row *)a)->k, v_of(a) + v_of(b)};
    return TW_OK;
}
static const struct tw_function sums = {.in = &stateful_row_row,
                                        .acc = &stateful_sum_row,
                                        .out = &stateful_sum_row,
                                        .add = add,
                                        .merge = merge,
                                        .result = result};
static const struct tw_function reduction = {.in = &stateful_row_row, .reduce = join_rows};

/* --- functions over windows ----------------------------------------------------------------------------------------------- */
static enum tw_status over_rows(struct tw_context *cx, const struct tw_window *w, struct tw_elements *rows)
{
    struct stateful_sum out = {.n = tw_element_count(rows), .total = w->start == INT64_MIN ? 0 : w->start};

    for (const struct stateful_row *r; (r = tw_next(rows)) != NULL;) out.total = (int64_t)((uint64_t)out.total * 31 + (uint64_t)r->v);
    tw_collect(cx, &out);
    return TW_OK;
}
static enum tw_status over_sum(struct tw_context *cx, const struct tw_window *w, struct tw_elements *rows)
{
    struct stateful_sum out = *(const struct stateful_sum *)tw_next(rows);

    out.total = (int64_t)((uint64_t)out.total * 1000 + (uint64_t)(w->end % 1000));
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function listed = {.in = &stateful_row_row, .out = &stateful_sum_row, .window = over_rows};
static const struct tw_function told = {.in = &stateful_sum_row, .out = &stateful_sum_row, .window = over_sum};

/* With state of the key and of the window: how often either fired. */
static const struct tw_state firings = {.name = "firings", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state of_window = {.name = "of window", .kind = TW_LIST, .value = "BIGINT", .per_window = true};
static enum tw_status over_states(struct tw_context *cx, const struct tw_window *w, struct tw_elements *rows)
{
    const struct stateful_key *key = tw_key(cx);
    int64_t count = tw_element_count(rows);
    struct stateful_sum out = {.n = tw_value_long(cx, &firings, 0) + 1};

    (void)w;
    tw_list_add(cx, &of_window, &count);
    tw_value_set_long(cx, &firings, out.n);
    out.total = tw_list_size(cx, &of_window) * 1000 + count * 100 + key->k.data[0];
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function with_states = {.in = &stateful_row_row,
                                               .out = &stateful_sum_row,
                                               .key = &stateful_key_row,
                                               .states = {&firings, &of_window},
                                               .window = over_states};

/* --- assigners, triggers, evictors ------------------------------------------------------------------------------------------ */
static enum tw_status gap_of(struct tw_context *cx, const void *in, int64_t *gap_ms)
{
    (void)cx;
    *gap_ms = 2 + v_of(in) % 5;
    return TW_OK;
}
static enum tw_status assign_two(struct tw_context *cx, const void *in, int64_t time, struct tw_window *windows,
                                 uint32_t max, uint32_t *count)
{
    (void)cx, (void)max;
    windows[0] = (struct tw_window){time, time + 1 + v_of(in) % 8};
    windows[1] = (struct tw_window){time + 20, time + 24};
    *count = 1 + v_of(in) % 2;
    return TW_OK;
}
static enum tw_status difference(struct tw_context *cx, const void *a, const void *b, double *out)
{
    (void)cx;
    *out = (double)(v_of(b) - v_of(a));
    return TW_OK;
}
static const struct tw_function gap = {.in = &stateful_row_row, .session_gap = gap_of};
static const struct tw_function assigning = {.in = &stateful_row_row, .assign = assign_two};
static const struct tw_function delta = {.in = &stateful_row_row, .delta = difference};

/* Every third row fires; a timer of each domain fires too; what windows hold goes over when they merge. */
static enum tw_status add_two(struct tw_context *cx, const void *a, const void *b, void *out)
{
    (void)cx;
    *(int64_t *)out = *(const int64_t *)a + *(const int64_t *)b;
    return TW_OK;
}
static const struct tw_function adding = {.reduce = add_two};
static const struct tw_state seen = {.name = "seen", .kind = TW_REDUCING, .value = "BIGINT", .function = &adding};
static enum tw_status on_element(struct tw_context *cx, const void *in, int64_t time, const struct tw_window *w,
                                 enum tw_trigger_result *r)
{
    int64_t one = 1, n = 0;

    (void)time;
    tw_reducing_add(cx, &seen, &one);
    tw_reducing_get(cx, &seen, &n);
    tw_register_trigger_timer(cx, w->end - 1, true);
    if (v_of(in) % 4 == 0) tw_register_trigger_timer(cx, tw_now_ms(cx) + 5, false);
    *r = n % 3 == 0 ? TW_FIRE : TW_CONTINUE;
    return TW_OK;
}
static enum tw_status on_any_time(struct tw_context *cx, int64_t time, const struct tw_window *w,
                                  enum tw_trigger_result *r)
{
    (void)cx;
    *r = time == w->end - 1 ? TW_FIRE_AND_PURGE : TW_FIRE;
    return TW_OK;
}
static enum tw_status on_merge(struct tw_context *cx, const struct tw_window *w)
{
    tw_merge_state(cx, &seen);
    tw_register_trigger_timer(cx, w->end - 1, true);
    return TW_OK;
}
static enum tw_status on_clear(struct tw_context *cx, const struct tw_window *w)
{
    tw_delete_trigger_timer(cx, w->end - 1, true);
    tw_state_clear(cx, &seen);
    return TW_OK;
}
static const struct tw_function thirds = {.in = &stateful_row_row,
                                          .states = {&seen},
                                          .on_element = on_element,
                                          .on_event_time = on_any_time,
                                          .on_processing_time = on_any_time,
                                          .on_merge = on_merge,
                                          .clear = on_clear};

/* --- pairs and groups ------------------------------------------------------------------------------------------------------- */
static enum tw_status on_pair(struct tw_context *cx, const void *left, const void *right)
{
    struct stateful_sum out = {v_of(left), v_of(right)};

    tw_collect(cx, &out);
    return TW_OK;
}
static enum tw_status on_groups(struct tw_context *cx, struct tw_elements *left, struct tw_elements *right)
{
    struct stateful_sum out = {tw_element_count(left) * 100 + tw_element_count(right), 0};

    for (const struct stateful_row *r; (r = tw_next(left)) != NULL;) out.total = (int64_t)((uint64_t)out.total * 31 + (uint64_t)r->v);
    for (const struct stateful_row *r; (r = tw_next(right)) != NULL;) out.total = (int64_t)((uint64_t)out.total * 31 + (uint64_t)r->v);
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function pairs = {
    .in = &stateful_row_row, .in2 = &stateful_row_row, .out = &stateful_sum_row, .join = on_pair};
static const struct tw_function groups = {
    .in = &stateful_row_row, .in2 = &stateful_row_row, .out = &stateful_sum_row, .co_group = on_groups};

/* --- the cases -------------------------------------------------------------------------------------------------------------- */
#define CONFIG(f, ...) .config = &(const struct window_config){.function = STATEFUL_FN(f), __VA_ARGS__}, .functions = {&f}
#define WITH(f, ...)                                                                                                   \
    .config = &(const struct window_config){.function = STATEFUL_FN(told), .pre = STATEFUL_FN(f), __VA_ARGS__},        \
    .functions = {&told, &f}
#define COLUMNS(...) .config = &(const struct window_config){.aggregates = {aggregates, COUNT_OF(aggregates)}, __VA_ARGS__}
#define TUMBLING .assigner = TW_TUMBLING, .size_ms = 10
#define SLIDING .assigner = TW_SLIDING, .size_ms = 12, .slide_ms = 5, .offset_ms = 2
#define SESSION .assigner = TW_SESSION, .gap_ms = 4
/* As the API does: an assigner, a trigger and perhaps an evictor. */
#define COUNTED(n) .assigner = TW_COUNT, .count = (n), .trigger_count = (n)
#define GLOBAL .assigner = TW_GLOBAL
#define CUSTOM .assigner = TW_CUSTOM_WINDOWS, .assign = STATEFUL_FN(assigning)
#define TRIGGER(what) .trigger = TW_TRIGGER_##what
#define OWN_TRIGGER TRIGGER(CUSTOM), .trigger_function = STATEFUL_FN(thirds)
#define CLOCK .processing_time = true
#define LATE .lateness_ms = 15

static const char *const aggregates[] = {"count(*) AS n", "sum(v) AS total", "min(v) AS low", "max(v) AS high",
                                         "avg(v) AS mean", "var_pop(v) AS a", "var_samp(v) AS b", "variance(v) AS c",
                                         "stddev_pop(v) AS d", "stddev_samp(v) AS e", "stddev(v) AS f"},
                         *const can_be_taken_back[] = {"count(*) AS n", "sum(v) AS total"};
static const struct window_config taken_back = {.aggregates = {can_be_taken_back, 2}, SLIDING, LATE};

static const struct stateful_case cases[] = {
    /* Slices. */
    {"window", "tumbling, aggregate", CONFIG(sums, TUMBLING)},
    {"window", "tumbling, reduce, late", CONFIG(reduction, TUMBLING, LATE)},
    {"window", "tumbling, aggregate and function", WITH(sums, TUMBLING, LATE)},
    {"window", "sliding, aggregate", CONFIG(sums, SLIDING)},
    {"window", "sliding, reduce, late", CONFIG(reduction, SLIDING, LATE)},
    {"window", "tumbling by the clock", CONFIG(sums, TUMBLING, CLOCK)},
    {"window", "sliding by the clock", CONFIG(sums, SLIDING, CLOCK)},
    /* The general engine: assigners. */
    {"window", "tumbling, all rows", CONFIG(listed, TUMBLING, LATE)},
    {"window", "tumbling, staggered", CONFIG(listed, TUMBLING, .stagger = TW_NATURAL)},
    {"window", "sliding, all rows", CONFIG(listed, SLIDING, LATE)},
    {"window", "tumbling, states", CONFIG(with_states, TUMBLING, LATE)},
    {"window", "tumbling by the clock, all rows", CONFIG(listed, TUMBLING, CLOCK)},
    {"window", "sessions, aggregate", CONFIG(sums, SESSION, LATE)},
    {"window", "sessions, reduce", CONFIG(reduction, SESSION)},
    {"window", "sessions, all rows", CONFIG(listed, SESSION, LATE)},
    {"window", "sessions, aggregate and function", WITH(sums, SESSION)},
    {"window", "sessions with a gap per row", CONFIG(listed, .assigner = TW_SESSION, .assign = STATEFUL_FN(gap))},
    {"window", "sessions by the clock", CONFIG(sums, SESSION, CLOCK)},
    {"window", "counted", CONFIG(listed, COUNTED(4))},
    {"window", "counted, reduce", CONFIG(reduction, COUNTED(3))},
    {"window", "counted, sliding", CONFIG(listed, COUNTED(2), .count_slide = 2, .evictor = TW_EVICT_COUNT, .evictor_count = 5)},
    {"window", "custom", CONFIG(listed, CUSTOM, LATE)},
    {"window", "custom that merge", CONFIG(listed, CUSTOM, LATE, .merging = true)},
    {"window", "custom that merge, aggregate", CONFIG(sums, CUSTOM, .merging = true)},
    {"window", "all, tumbling", CONFIG(sums, TUMBLING, .all = true), .unkeyed = true},
    {"window", "all, sessions of rows", CONFIG(listed, SESSION, .all = true), .unkeyed = true},
    {"window", "all, counted", CONFIG(listed, COUNTED(7), .all = true), .unkeyed = true},
    /* Triggers. */
    {"window", "event time, named", CONFIG(sums, TUMBLING, TRIGGER(EVENT_TIME), LATE)},
    {"window", "event time, purging", CONFIG(listed, SLIDING, TRIGGER(EVENT_TIME), LATE, .trigger_purging = true)},
    {"window", "processing time", CONFIG(listed, TUMBLING, CLOCK, TRIGGER(PROCESSING_TIME))},
    {"window", "again and again",
     CONFIG(sums, TUMBLING, TRIGGER(CONTINUOUS_EVENT_TIME), .trigger_interval_ms = 3)},
    {"window", "again and again in sessions",
     CONFIG(listed, SESSION, TRIGGER(CONTINUOUS_EVENT_TIME), .trigger_interval_ms = 3)},
    {"window", "again and again by the clock",
     CONFIG(listed, SESSION, CLOCK, TRIGGER(CONTINUOUS_PROCESSING_TIME), .trigger_interval_ms = 3)},
    {"window", "by count", CONFIG(listed, TUMBLING, TRIGGER(COUNT), .trigger_count = 2)},
    {"window", "by count in sessions", CONFIG(sums, SESSION, TRIGGER(COUNT), .trigger_count = 3, .trigger_purging = true)},
    {"window", "by delta",
     CONFIG(listed, GLOBAL, TRIGGER(DELTA), .trigger_threshold = 20, .trigger_function = STATEFUL_FN(delta))},
    {"window", "by timeout",
     CONFIG(listed, GLOBAL, TRIGGER(PROCESSING_TIMEOUT), .trigger_interval_ms = 6, .trigger_count = 3, .trigger_purging = true)},
    {"window", "by timeout set anew",
     CONFIG(sums, GLOBAL, TRIGGER(PROCESSING_TIMEOUT), .trigger_interval_ms = 4, .trigger_reset = true)},
    {"window", "by timeout around event time",
     CONFIG(sums, TUMBLING, TRIGGER(PROCESSING_TIMEOUT), .trigger_interval_ms = 6, .trigger_nested = TW_TRIGGER_EVENT_TIME)},
    {"window", "never", CONFIG(listed, GLOBAL, TRIGGER(NEVER)), .silent = true},
    {"window", "at the end", CONFIG(listed, GLOBAL, TRIGGER(END_OF_STREAM))},
    {"window", "own trigger", CONFIG(listed, TUMBLING, LATE, OWN_TRIGGER)},
    {"window", "own trigger in sessions", CONFIG(sums, SESSION, OWN_TRIGGER)},
    /* Evictors. */
    {"window", "evict by count", CONFIG(listed, SLIDING, .evictor = TW_EVICT_COUNT, .evictor_count = 2)},
    {"window", "evict by count, after", CONFIG(listed, GLOBAL, TRIGGER(COUNT), .trigger_count = 3, .evictor = TW_EVICT_COUNT,
                                               .evictor_count = 2, .evictor_after = true)},
    {"window", "evict by time", CONFIG(listed, SESSION, .evictor = TW_EVICT_TIME, .evictor_ms = 3)},
    {"window", "evict by delta", CONFIG(listed, TUMBLING, LATE, .evictor = TW_EVICT_DELTA, .evictor_threshold = 15,
                                        .evictor_function = STATEFUL_FN(delta))},
    {"window", "evict before a fold", CONFIG(sums, TUMBLING, .evictor = TW_EVICT_COUNT, .evictor_count = 2)},
    {"window", "evict before a reduce", CONFIG(reduction, SESSION, .evictor = TW_EVICT_COUNT, .evictor_count = 2)},
    /* Built-in aggregates. */
    {"window_columns", "tumbling", COLUMNS(TUMBLING, LATE)},
    {"window_columns", "sliding by two stacks", COLUMNS(SLIDING)},
    {"window_columns", "sliding, taken back", .config = &taken_back},
    {"window_columns", "by the clock", COLUMNS(SLIDING, CLOCK)},
    {"window_columns", "sessions", COLUMNS(SESSION, LATE)},
    {"window_columns", "counted", COLUMNS(COUNTED(3))},
    {"window_columns", "global", COLUMNS(GLOBAL, TRIGGER(COUNT), .trigger_count = 4)},
    {"window_columns", "all", COLUMNS(TUMBLING, .all = true), .unkeyed = true},
    /* Two streams. */
    {"window_join", "tumbling", CONFIG(pairs, TUMBLING), .second_keyed = true},
    {"window_join", "sliding, late", CONFIG(pairs, SLIDING, LATE), .second_keyed = true},
    {"window_join", "sessions", CONFIG(pairs, SESSION), .second_keyed = true},
    {"window_join", "global, by count", CONFIG(pairs, GLOBAL, TRIGGER(COUNT), .trigger_count = 6, .trigger_purging = true),
     .second_keyed = true},
    {"window_join", "evict by time", CONFIG(pairs, TUMBLING, .evictor = TW_EVICT_TIME, .evictor_ms = 4), .second_keyed = true},
    {"window_join", "groups, tumbling", CONFIG(groups, TUMBLING, LATE, .co_group = true), .second_keyed = true},
    {"window_join", "groups, sessions", CONFIG(groups, SESSION, .co_group = true), .second_keyed = true},
    {"window_join", "groups by the clock", CONFIG(groups, TUMBLING, CLOCK, .co_group = true), .second_keyed = true},
};

struct stateful_list stateful_windows(void) { return (struct stateful_list){cases, COUNT_OF(cases)}; }
