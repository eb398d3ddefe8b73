/* window_reach.c - stretches of time that windows cover, and what of an ordered table lies there.
 *
 * The idea: a key may have a million open sessions, and rows out of order may meet any of them, but a batch meets few.
 * Windows that overlap or touch are one stretch, and each stretch is a range of its own of the table: one search per
 * stretch instead of all that lies between the earliest and the latest row. What a row joins ends in its own stretch or is
 * the next behind it, as sessions in state do not touch each other.
 *
 * Rows mostly come in order, so stretches mostly do, and are not sorted. Not here: which windows need to look at all. */
#include "flow/operator/window_reach.h"

#include "ground/base/sort.h"

void window_reach_add(struct window_reaches *r, uint32_t g, const struct tw_window *w)
{
    uint32_t tip = r->tip[g];

    if (tip < r->count && r->group[tip] == g) {
        if (w->start <= r->to[tip] && w->end >= r->from[tip]) {
            r->is_sorted &= w->start >= r->from[tip];
            r->from[tip] = MIN(r->from[tip], w->start);
            r->to[tip] = MAX(r->to[tip], w->end);
            return;
        }
    }
    ASSERT(r->count < BATCH_ROWS);
    if (r->count > 0) {
        uint32_t last = r->count - 1;
        r->is_sorted &= g > r->group[last] || (g == r->group[last] && w->start > r->to[last]);
    }
    r->group[r->count] = (uint16_t)g;
    r->from[r->count] = w->start;
    r->to[r->count] = w->end;
    r->tip[g] = r->count++;
}

static bool is_less(void *arg, uint32_t a, uint32_t b)
{
    const struct window_reaches *r = arg;

    return r->group[a] != r->group[b] ? r->group[a] < r->group[b] : r->from[a] < r->from[b];
}

/* By group and time; those that touch become one. */
static void sort(struct window_reaches *r, struct arena *scratch)
{
    uint32_t *order = arena_alloc(scratch, 2 * BATCH_ROWS * sizeof *order), n = 0;
    struct window_reaches *to = arena_alloc(scratch, sizeof *to);

    for (uint32_t i = 0; i < r->count; i++) order[i] = i;
    sort_stable(order, order + BATCH_ROWS, r->count, is_less, r);
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t at = order[i];
        if (n > 0 && to->group[n - 1] == r->group[at] && r->from[at] <= to->to[n - 1]) {
            to->to[n - 1] = MAX(to->to[n - 1], r->to[at]);
            continue;
        }
        to->group[n] = r->group[at];
        to->from[n] = r->from[at];
        to->to[n++] = r->to[at];
    }
    r->count = n;
    r->is_sorted = true;
    memcpy(r->group, to->group, n * sizeof *r->group);
    memcpy(r->from, to->from, n * sizeof *r->from);
    memcpy(r->to, to->to, n * sizeof *r->to);
}

/* The walk: the row given last, so that what ends one stretch is not given again at the next. */
struct walk {
    window_reach_fn each;
    void *arg, *last;
};

static void give(struct walk *w, uint32_t g, void *row)
{
    if (row == NULL || row == w->last) return;
    w->last = row;
    w->each(w->arg, g, row);
}

/* behind[i]: the first row behind stretch i, or NULL. */
static enum status load_behind(const struct window_reaches *r, struct state_table *t, void *const *heads,
                               struct state_hits *hits, void **behind)
{
    struct state_range range = {.from_word = r->to, .from_open = true, .limit = 1};
    struct state_scan scan = {0};
    enum status st;

    do {
        st = state_ordered_scan(t, 0, heads, r->count, &range, &scan, hits);
        if (st != S_OK && st != S_MORE) return st;
        for (uint32_t i = 0; i < hits->count; i++) behind[hits->key[i]] = hits->row[i];
    } while (st == S_MORE);
    return S_OK;
}

enum status window_reach_load(struct window_reaches *r, struct state_table *t, void *const *heads, struct arena *scratch,
                              window_reach_fn each, void *arg)
{
    if (r->count == 0) return S_OK;
    if (!r->is_sorted) sort(r, scratch);
    struct state_hits *hits = arena_alloc(scratch, sizeof *hits);
    void **mine = arena_alloc(scratch, BATCH_ROWS * sizeof *mine), **next = arena_zalloc(scratch, BATCH_ROWS * sizeof *next);
    struct state_range within = {.from_word = r->from, .to_word = r->to};
    struct walk w = {.each = each, .arg = arg};
    struct state_scan scan = {0};
    uint32_t at = 0;
    enum status st;

    for (uint32_t i = 0; i < r->count; i++) mine[i] = heads[r->group[i]];
    TRY(load_behind(r, t, mine, hits, next));
    do {
        st = state_ordered_scan(t, 0, mine, r->count, &within, &scan, hits);
        if (st != S_OK && st != S_MORE) return st;
        for (uint32_t i = 0; i < hits->count; i++) {
            for (; at < hits->key[i]; at++) give(&w, r->group[at], next[at]);
            give(&w, r->group[at], hits->row[i]);
        }
    } while (st == S_MORE);
    for (; at < r->count; at++) give(&w, r->group[at], next[at]);
    return S_OK;
}
