/* job_window_kinds.c - windows that are not slices: sessions with a gap per row, counted rows, a delta trigger, evictors, and
 * functions over all rows of a window. */
#include "sim/sim_rows.h"

#include <thalweg/window.h>

struct window_total {
    int64_t key, rows, total, first, last;
};
TW_ROW(window_total, TW_FIELD(window_total, key, "BIGINT NOT NULL"), TW_FIELD(window_total, rows, "BIGINT NOT NULL"),
       TW_FIELD(window_total, total, "BIGINT NOT NULL"), TW_FIELD(window_total, first, "BIGINT NOT NULL"),
       TW_FIELD(window_total, last, "BIGINT NOT NULL"));

static enum tw_status over_all(struct tw_context *cx, const struct tw_window *w, struct tw_elements *rows)
{
    struct window_total out = {.rows = tw_element_count(rows), .first = -1};

    (void)w;
    for (const struct sim_event *e; (e = tw_next(rows)) != NULL;) {
        out.key = e->key;
        out.total += e->number;
        out.last = e->number;
        if (out.first < 0) out.first = e->number;
    }
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(window_kinds_total) = {.in = &sim_event_row, .out = &window_total_row, .window = over_all};

static enum tw_status gap_of(struct tw_context *cx, const void *in, int64_t *gap_ms)
{
    (void)cx;
    *gap_ms = 1000 + ((const struct sim_event *)in)->number % 4 * 1000;
    return TW_OK;
}
TW_FUNCTION(window_kinds_gap) = {.in = &sim_event_row, .session_gap = gap_of};

static enum tw_status delta_of(struct tw_context *cx, const void *old_row, const void *new_row, double *out)
{
    (void)cx;
    *out = (double)(((const struct sim_event *)new_row)->number - ((const struct sim_event *)old_row)->number);
    return TW_OK;
}
TW_FUNCTION(window_kinds_delta) = {.in = &sim_event_row, .delta = delta_of};

/* The rows of a key come from one place in order, so windows without times have a result too. */
static int run(struct tw_env *env)
{
    struct tw_stream *s = tw_key_by(sim_events(env), "key");
    struct tw_trigger by_delta = {.kind = TW_TRIGGER_DELTA, .threshold = 20, .function = &window_kinds_delta};
    struct tw_trigger often = {.kind = TW_TRIGGER_COUNT, .count = 3};
    struct tw_evictor by_count = {.kind = TW_EVICT_COUNT, .count = 4};
    struct tw_windowing kinds[] = {
        TW_SESSIONS(0, .function = &window_kinds_gap),
        TW_COUNT_WINDOW(5),
        TW_COUNT_WINDOW(6, .count_slide = 2),
        TW_GLOBAL_WINDOW(.trigger = by_delta, .evictor = by_count),
        TW_TUMBLE(20000, .trigger = often, .evictor = {.kind = TW_EVICT_TIME, .window_ms = 8000}),
    };

    struct tw_stream *all = NULL;
    for (uint32_t i = 0; i < COUNT_OF(kinds); i++) {
        struct tw_stream *one = tw_window_process(s, kinds[i], &window_kinds_total, NULL);
        all = all == NULL ? one : tw_union(all, one);
    }
    tw_print(all);
    return tw_execute(env, "kinds of windows");
}

const struct sim_job job_window_kinds = {.name = "window_kinds",
                                         .doc = "sessions, counted rows, delta, evictors, all rows of a window",
                                         .compare = SIM_ANY_ORDER,
                                         .run = run,
                                         .survives = true};
