/* window_spans_straight.c - which way a row goes, and rows that only make their key's latest session longer, or begin its sole
 * one: nearly all where keys are many.
 *
 * The idea: such a row needs nothing but its key's row of `latest`, which is at hand: bounds and timer are written in place,
 * row by row, and rows go into accumulators together. There is no list of sessions, no group, and nothing is settled
 * afterwards. A key whose row needs more is a group from that row on, so that rows of one key stay in order: it is planned,
 * or waits for sessions in state (window_spans.c), and its accumulators come behind the straight ones.
 *
 * Invariant: this changes state, so no look-up stands behind it in its phase. Not here: rows that are late, that bring sessions
 * together, or that begin one beside another. */
#include "flow/operator/window_spans.h"

enum {
    ROWS_AHEAD = 8,
};

/* The key's first session. Its timer says that it is there from now on; it is set behind the rows, which may put it off. */
static bool begin(struct window_engine *e, uint32_t i, void *row)
{
    struct window_spans *s = e->spans;
    const struct tw_window *w = &s->windows[i];

    if (UNLIKELY(window_last(w) <= e->op->watermark)) return false;
    int64_t time = window_timer_time(window_last(w));
    *span_word(s, row, SPAN_START) = w->start;
    *span_word(s, row, SPAN_END) = w->end;
    *span_word(s, row, SPAN_LIES) = (int64_t)timer_when(time);
    *span_word(s, row, SPAN_DUE) = time;
    window_spans_timer(s, batch_row(e->in, i), s->hashes[i], i - s->row_first, row, time);
    bit_set(s->begins, e->run_count);
    return true;
}

/* True: the row is in the key's latest session now, and there was nothing else to it. */
static inline bool extend(struct window_engine *e, uint32_t i, void *row)
{
    struct window_spans *s = e->spans;
    const struct tw_window *w = &s->windows[i];
    int64_t *start = span_word(s, row, SPAN_START), *end = span_word(s, row, SPAN_END);

    if (*end <= *start) return begin(e, i, row);
    bool is_alone = *span_others(s, row) == 0;
    if (w->start > *end || *span_word(s, row, SPAN_LIES) == 0) return false;
    if (w->start < *start) {
        if (!is_alone || w->end < *start) return false;
        *start = w->start;
    }
    if (w->end <= *end) return true;
    *end = w->end;
    if (is_alone) *span_word(s, row, SPAN_DUE) = window_timer_time(window_last(w));
    return true;
}

/* In the order of time a row of a group prolongs the session of the row before, or begins the next one. */
static inline void planned(struct window_engine *e, uint32_t i, uint32_t g)
{
    struct window_spans *s = e->spans;
    const struct tw_window *w = &s->windows[i];
    uint32_t n = s->hint[g];

    if (LIKELY(n != WINDOW_NONE)) {
        struct window_span *span = &s->spans[n];
        if (w->start >= span->place.window.start && w->start <= span->place.window.end && span_next(span) == WINDOW_NONE) {
            span->has_new_end |= w->end > span->place.window.end;
            span->place.window.end = MAX(span->place.window.end, w->end);
            window_spans_planned(e, i, n);
            return;
        }
    }
    window_spans_row(e, i, g);
}

/* A row that begins before its key's latest session may meet others in state: it waits until these are there, and with it
 * all further rows of the key. Where gaps are rows' own it may meet any number of them, and has a chunk for itself. */
static bool waits(struct window_engine *e, uint32_t i, uint32_t g)
{
    struct window_spans *s = e->spans;
    void *row = s->rows[g];

    if (UNLIKELY(*span_others(s, row) != 0 && s->windows[i].start < *span_word(s, row, SPAN_START))) {
        if (s->is_dynamic) s->row_end = i == s->row_first ? i + 1 : i;
        if (s->row_end == i) return true;
        bit_set(s->meets, g);
        bit_set(s->needs_head, g);
        window_reach_add(&s->reaches, g, &s->windows[i]);
        if (s->reaches.count == WINDOW_REACHES_AT_ONCE) s->row_end = i + 1; /* these may meet many sessions: the chunk ends early */
    } else if (LIKELY(!bit_get(s->meets, g))) {
        return false;
    }
    s->group_of[s->rest_count] = (uint16_t)g;
    s->rest[s->rest_count++] = (uint16_t)i;
    return true;
}

static void chunk_begin(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    e->run_count = 0;
    if (s->is_bare) s->row_end = s->row_first + 1;
    s->goes_straight &= !s->is_bare;
    s->group_count = s->rest_count = s->planned_count = s->timer_count = s->span_count = s->merge_count = 0;
    window_reach_begin(&s->reaches);
    memset(s->meets, 0, sizeof s->meets);
    memset(s->begins, 0, sizeof s->begins);
    memset(s->is_changed, 0, sizeof s->is_changed);
    memset(s->needs_head, 0, sizeof s->needs_head);
}

void window_spans_straight(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    chunk_begin(e);
    for (uint32_t i = s->row_first; i < s->row_end; i++) {
        void *row = s->item_rows[i];
        uint32_t g = *span_group(s, row);
        if (i + ROWS_AHEAD < s->row_end) __builtin_prefetch(s->item_rows[i + ROWS_AHEAD], 1);
        if (g >= s->group_count || s->rows[g] != row) {
            if (s->goes_straight && LIKELY(extend(e, i, row))) {
                e->run_rows[e->run_count] = (uint16_t)batch_row(e->in, i);
                e->run_acc[e->run_count++] = row;
                continue;
            }
            g = window_spans_group(e, i, row);
        }
        if (!waits(e, i, g)) planned(e, i, g);
    }
    s->straight_timers = s->timer_count;
    s->any_begins = s->timer_count > 0;
}

enum status window_spans_straight_add(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    struct window_fold *f = e->plan.fold;
    uint32_t n = e->run_count;

    if (n == 0) return S_OK;
    for (uint32_t i = 0; e->plan.cx != NULL && i < n; i++)
        e->run_windows[i] = (struct tw_window){*span_word(s, e->run_acc[i], SPAN_START), *span_word(s, e->run_acc[i], SPAN_END)};
    f->where = (struct user_where){
        .keys = e->in, .cols = e->op->plan->keys[e->input], .rows = e->run_rows, .windows = e->run_windows};
    if (f->start != NULL && s->any_begins) TRY(f->start(f, s->latest, 0, e->run_acc, s->begins, n));
    struct batch *in = (struct batch *)(uintptr_t)e->in; /* folds change its selection and put it back */
    return f->add(f, s->latest, 0, e->run_acc, in, e->run_rows, n);
}

void window_spans_straight_timers(struct window_spans *s)
{
    for (uint32_t i = 0; i < s->straight_timers; i++) s->timer_times[i] = *span_word(s, s->timer_latest[i], SPAN_DUE);
}
