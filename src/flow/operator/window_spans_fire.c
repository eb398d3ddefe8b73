/* window_spans_fire.c - sessions whose end the watermark has passed (window_spans.h).
 *
 * A batch of timers names keys. Of each the sessions that are due are collected, and the key is looked at again when the
 * first of the others ends. Then all go out in the order of their ends, of one end in the order that timers have, whatever
 * the timers' own times were. So a round ends where timers that were not taken begin.
 *
 * Timers that were set anew since leave an old one behind: it is known by its time. */
#include "flow/operator/window_spans.h"

enum { FIRES_LOOK_EVERY = 16 };

/* Up to where everything that is due is known: all before the last timer taken, or that instant where it is alone. Very
 * distant times are due when timers of theirs are: at once, or at the end of time. */
static int64_t limit_of(const struct window_engine *e)
{
    const int64_t far = INT64_C(1) << 61;
    uint32_t n = e->item_count;
    int64_t last = e->due_times[n - 1], limit = e->due_upto;

    if (n == BATCH_ROWS) limit = e->due_times[0] == last ? last : last - 1;
    return limit == INT64_MAX ? limit : MAX(-far, MIN(limit, far - 2));
}

static void due_add(struct window_engine *e, uint32_t i, void *acc, bool in_latest)
{
    struct window_spans *s = e->spans;
    struct mem *mem = e->op->mem;

    if (s->due_count == s->due_capacity) {
        s->due_capacity = s->due_capacity ? s->due_capacity * 2 : BATCH_ROWS;
        s->due = mem_realloc(mem, s->due, s->due_capacity * sizeof *s->due);
        s->due_order = mem_realloc(mem, s->due_order, s->due_capacity * sizeof *s->due_order);
        s->due_space = mem_realloc(mem, s->due_space, s->due_capacity * sizeof *s->due_space);
    }
    s->due[s->due_count++] = (struct span_due){.start = *span_word(s, acc, SPAN_START),
                                               .end = *span_word(s, acc, SPAN_END),
                                               .rank = s->ranks[i],
                                               .is_null = e->key_count == 1 &&
                                                          vector_is_null(&e->owners.batch->cols[0], i),
                                               .acc = acc,
                                               .at = (uint16_t)i,
                                               .in_latest = in_latest};
}

/* Timers that still mean something, as groups; the others have no row. */
static bool group_timers(struct window_engine *e, int64_t limit)
{
    struct window_spans *s = e->spans;
    bool any = false;

    s->group_count = e->item_count;
    s->due_count = s->due_at = s->timer_count = 0;
    memset(s->needs_head, 0, sizeof s->needs_head);
    for (uint32_t i = 0; i < e->item_count; i++) {
        void *row = s->item_rows[i];
        bool is_live = row != NULL && span_is_set(s, row) && *span_word(s, row, SPAN_TIMER) == e->due_times[i];
        s->rows[i] = is_live ? row : NULL;
        s->heads[i] = NULL;
        s->item_of[i] = (uint16_t)i;
        s->from[i] = INT64_MAX;
        s->to[i] = window_add(limit, 1);
        if (!is_live || *span_word(s, row, SPAN_OTHERS) == 0) continue;
        bit_set(s->needs_head, i);
        any = true;
    }
    return any;
}

/* Of the others: those that are due (when `behind` is NULL), or when the next one is. */
static enum status scan_others(struct window_engine *e, const struct state_range *range, int64_t *behind)
{
    struct window_spans *s = e->spans;
    struct state_hits *hits = arena_alloc(e->op->scratch, sizeof *hits);
    struct state_scan scan = {0};
    enum status st = S_MORE;

    while (st == S_MORE) {
        st = state_ordered_scan(s->others, 0, s->heads, s->group_count, range, &scan, hits);
        if (st != S_OK && st != S_MORE) return st;
        for (uint32_t i = 0; i < hits->count; i++) {
            if (behind == NULL)
                due_add(e, hits->key[i], hits->row[i], false);
            else
                behind[hits->key[i]] = *span_word(s, hits->row[i], SPAN_END) - 1;
        }
    }
    return S_OK;
}

static inline bool is_earlier(const struct span_due *x, const struct span_due *y)
{
    if (x->end != y->end) return x->end < y->end;
    if (x->is_null != y->is_null) return y->is_null;
    return !x->is_null && x->rank < y->rank;
}

static void runs_merge(const struct span_due *due, const uint32_t *from, uint32_t *to, uint32_t first, uint32_t middle,
                       uint32_t end)
{
    uint32_t a = first, b = middle;

    for (uint32_t i = first; i < end; i++) {
        bool takes_b = a == middle || (b < end && is_earlier(&due[from[b]], &due[from[a]]));
        to[i] = from[takes_b ? b : a];
        a += !takes_b;
        b += takes_b;
    }
}

/* Runs of one, two, four .. merged; mostly one key is due once and all are in order already. */
static void due_sort(struct window_spans *s)
{
    bool ordered = true;

    for (uint32_t i = 0; i < s->due_count; i++) {
        s->due_order[i] = i;
        ordered &= i == 0 || !is_earlier(&s->due[i], &s->due[i - 1]);
    }
    for (uint32_t run = 1; !ordered && run < s->due_count; run *= 2) {
        uint32_t *from = s->due_order;
        for (uint32_t at = 0; at < s->due_count; at += 2 * run)
            runs_merge(s->due, from, s->due_space, at, MIN(at + run, s->due_count), MIN(at + 2 * run, s->due_count));
        s->due_order = s->due_space;
        s->due_space = from;
    }
}

enum status window_spans_find(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    struct state_keys keys = window_keys_of(e, &e->owners);
    int64_t limit = limit_of(e);

    TRY(state_resolve(s->latest, 0, &keys, STATE_UPDATE, s->item_rows, NULL));
    timers_ranks(e->event, &keys, s->ranks);
    if (group_timers(e, limit)) {
        struct state_range within = {.to_word = s->to};
        struct state_range behind = {.from_word = s->to, .from_open = true, .limit = 1};
        TRY(window_spans_heads(e, &keys, s->needs_head, STATE_UPDATE));
        TRY(scan_others(e, &within, NULL));
        TRY(scan_others(e, &behind, s->from));
    }
    for (uint32_t i = 0; i < e->item_count; i++) {
        void *row = s->rows[i];
        if (row == NULL) continue;
        int64_t last = *span_word(s, row, SPAN_END) - 1;
        if (last <= limit)
            due_add(e, i, row, true);
        else
            s->from[i] = MIN(s->from[i], last);
    }
    due_sort(s);
    return S_OK;
}

static enum status look_again(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    for (uint32_t i = 0; i < e->item_count; i++) {
        if (s->rows[i] == NULL || s->from[i] == INT64_MAX) continue;
        *span_word(s, s->rows[i], SPAN_TIMER) = window_timer_time(s->from[i]);
        window_spans_timer(s, i, e->owners.hashes[i], s->from[i]);
    }
    return window_spans_timers_set(e, e->owners.batch, e->cols);
}

static enum status fire(struct window_engine *e, const struct span_due *due)
{
    struct window_spans *s = e->spans;
    struct window_firing f = {.window = {due->start, due->end},
                              .keys = e->owners.batch,
                              .at = due->at,
                              .table = due->in_latest ? s->latest : s->others,
                              .acc = due->acc};

    TRY(e->plan.fire(e->plan.arg, &f));
    e->emitted = true;
    return e->plan.clear != NULL ? e->plan.clear(e->plan.arg, &f) : S_OK;
}

/* A key's last session is gone when all others are. */
static void forget(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    uint64_t *gone = arena_zalloc(e->op->scratch, sizeof s->is_changed);
    bool any = false;

    for (uint32_t i = 0; i < s->due_count; i++) {
        const struct span_due *due = &s->due[i];
        if (due->in_latest) {
            bit_set(gone, due->at);
            any = true;
        } else {
            state_row_remove(s->others, 0, s->heads[due->at], due->acc);
            --*span_word(s, s->rows[due->at], SPAN_OTHERS);
        }
    }
    if (any) state_remove(s->latest, gone);
}

enum status window_spans_fire(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    if (e->step == STEP_BEGIN) TRY(look_again(e));
    e->step = STEP_FIRE;
    for (; s->due_at < s->due_count; s->due_at++) {
        if (s->due_at % FIRES_LOOK_EVERY == FIRES_LOOK_EVERY - 1 && window_slice_over(e)) return S_MORE;
        if (window_is_full(e)) return S_MORE;
        TRY(fire(e, &s->due[s->due_order[s->due_at]]));
    }
    forget(e);
    e->step = STEP_BEGIN;
    return S_OK;
}
