/* window_spans_fire.c - sessions whose end the watermark has passed (window_spans.h).
 *
 * A batch of timers names keys. Each key's sessions come in the order of their ends: those that lie in `others` a few at a
 * time, the latest behind them. The earliest of all are taken, at most a batch: mostly a key has one, and these are in
 * order already; keys that have more wait in a heap. Of one end they go in the order that timers have, whatever the timers'
 * own times were. So a round ends where timers that were not taken begin, or
 * where it is full, and every key is looked at again when its next session ends, which may be at once.
 *
 * So a key with a million sessions that are due fires them in rounds, and a round costs what it fires. */
#include "flow/operator/window_spans.h"

#include "ground/base/sort.h"

/* Sessions of one key may lie far apart: a round of few keys is short. */
enum { FIRES_LOOK_EVERY = 16, FIRES_AT_ONCE = 256, FIRES_PER_KEY = 12, RUN_FIRST_MIN = 2, RUN_MAX = 64 };

/* Sessions of one key in `others` that were looked up and not yet taken. */
struct span_run {
    uint32_t at, end; /* in finder.rows */
    uint32_t size;    /* how many were asked for last */
    int64_t behind;   /* the end of the last one: further ones are asked for from there */
    bool is_all;      /* there are no further ones */
};

struct ending {
    int64_t end;
    uint32_t at; /* timer */
};

struct finder {
    struct window_engine *e;
    int64_t limit;
    struct span_run *runs; /* per timer */
    void **rows;
    uint32_t row_count, row_capacity;
    struct state_hits *hits;
    struct span_due *next; /* per timer: the session of its key that comes next */
    struct ending *firsts; /* timers with something due, in the order of that */
    struct ending *heap;   /* timers that have given their first and have more, the earliest first */
    uint32_t first_count, heap_count;
};

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

/* The timers, as groups. Answers how many have others than the latest. */
static uint32_t group_timers(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    uint32_t n = 0;

    s->group_count = e->item_count;
    s->due_count = s->due_at = s->timer_count = 0;
    memset(s->needs_head, 0, sizeof s->needs_head);
    for (uint32_t i = 0; i < e->item_count; i++) {
        void *row = s->item_rows[i];
        bool is_live = row != NULL && span_is_set(s, row);
        s->rows[i] = is_live ? row : NULL;
        s->heads[i] = NULL;
        s->item_of[i] = (uint16_t)i;
        s->again[i] = INT64_MAX;
        if (!is_live || *span_others(s, row) == 0) continue;
        bit_set(s->needs_head, i);
        n++;
    }
    return n;
}

/* --- sessions of a key, one after the other ----------------------------------------------------------------------- */
static void run_add(struct finder *f, uint32_t i, void *const *rows, uint32_t n)
{
    struct span_run *run = &f->runs[i];

    ASSERT(f->row_count + n <= f->row_capacity);
    run->at = f->row_count;
    for (uint32_t k = 0; k < n; k++) f->rows[f->row_count++] = rows[k];
    run->end = f->row_count;
    run->is_all = n < run->size;
    if (n > 0) run->behind = *span_word(f->e->spans, rows[n - 1], SPAN_END);
}

/* The first few of each key at once. Keys to which the answer had no room for are asked for one by one. */
static enum status runs_begin(struct finder *f, uint32_t keys)
{
    struct window_spans *s = f->e->spans;
    struct state_range first = {.limit = MIN(MAX(BATCH_ROWS / keys, (uint32_t)RUN_FIRST_MIN), (uint32_t)RUN_MAX)};
    struct state_scan scan = {0};
    enum status st = state_ordered_scan(s->others, 0, s->heads, s->group_count, &first, &scan, f->hits);
    uint32_t at = 0;

    if (st != S_OK && st != S_MORE) return st;
    for (uint32_t i = 0; i < s->group_count; i++) {
        uint32_t n = 0;
        f->runs[i] = (struct span_run){.size = first.limit, .behind = INT64_MIN, .is_all = s->heads[i] == NULL};
        while (at + n < f->hits->count && f->hits->key[at + n] == i) n++;
        if (n > 0) run_add(f, i, f->hits->row + at, n);
        at += n;
        if (st == S_MORE && at == f->hits->count) f->runs[i].is_all = s->heads[i] == NULL;
    }
    return S_OK;
}

static enum status run_go_on(struct finder *f, uint32_t i)
{
    struct window_spans *s = f->e->spans;
    struct span_run *run = &f->runs[i];
    struct state_range range = {.from_word = &run->behind, .from_open = true, .limit = run->size};
    struct state_scan scan = {0};

    TRY(state_ordered_scan(s->others, 0, &s->heads[i], 1, &range, &scan, f->hits));
    run_add(f, i, f->hits->row, f->hits->count);
    run->size = MIN(2 * run->size, (uint32_t)RUN_MAX);
    return S_OK;
}

static struct span_due due_of(const struct window_engine *e, uint32_t i, void *acc, bool in_latest)
{
    const struct window_spans *s = e->spans;

    return (struct span_due){.start = *span_word(s, acc, SPAN_START),
                             .end = *span_word(s, acc, SPAN_END),
                             .acc = acc,
                             .at = (uint16_t)i,
                             .in_latest = in_latest};
}

/* f->next[i] becomes the key's next session; is_due: there is one up to the limit. */
static enum status advance(struct finder *f, uint32_t i, bool *is_due)
{
    struct window_spans *s = f->e->spans;
    struct span_run *run = &f->runs[i];

    *is_due = false;
    s->again[i] = INT64_MAX;
    if (f->next[i].in_latest) return S_OK; /* that was the last */
    if (run->at == run->end && !run->is_all) TRY(run_go_on(f, i));
    bool in_latest = run->at == run->end;
    f->next[i] = due_of(f->e, i, in_latest ? s->rows[i] : f->rows[run->at++], in_latest);
    s->again[i] = f->next[i].end - 1;
    *is_due = s->again[i] <= f->limit;
    return S_OK;
}

/* --- the earliest of all ------------------------------------------------------------------------------------------ */
/* Of two keys whose next sessions end at once. */
static bool stands_before(const struct finder *f, uint32_t x, uint32_t y)
{
    const struct window_engine *e = f->e;
    bool is_single = e->key_count == 1, x_is_null = is_single && vector_is_null(&e->owners.batch->cols[0], x),
         y_is_null = is_single && vector_is_null(&e->owners.batch->cols[0], y);

    if (x_is_null != y_is_null) return y_is_null;
    return !x_is_null && e->spans->ranks[x] < e->spans->ranks[y];
}

static inline bool comes_first(const struct finder *f, const struct ending *x, const struct ending *y)
{
    if (UNLIKELY(x->end == y->end)) return stands_before(f, x->at, y->at);
    return x->end < y->end;
}

/* The heap has four children per place: searches are short, and which of four comes first is found without a branch but for
 * equal ends. What lies behind the heap's end ends never. */
static inline uint32_t first_child(const struct finder *f, uint32_t at)
{
    uint32_t first = 4 * at + 1, least = first;
    int64_t end = f->heap[first].end;

    for (uint32_t i = first + 1; i < first + 4; i++) {
        if (UNLIKELY(f->heap[i].end == end) && i < f->heap_count && stands_before(f, f->heap[i].at, f->heap[least].at)) least = i;
        bool is_less = f->heap[i].end < end;
        least = is_less ? i : least;
        end = is_less ? f->heap[i].end : end;
    }
    return least;
}

static void sift_down(struct finder *f)
{
    struct ending *heap = f->heap, held = heap[0];
    uint32_t at = 0;

    for (uint32_t i = 0; i < 4; i++) heap[f->heap_count + i].end = INT64_MAX;
    while (4 * at + 1 < f->heap_count) {
        uint32_t least = first_child(f, at);
        if (!comes_first(f, &heap[least], &held)) break;
        heap[at] = heap[least];
        at = least;
    }
    heap[at] = held;
}

static void heap_add(struct finder *f, struct ending next)
{
    uint32_t at = f->heap_count++;

    for (; at > 0 && comes_first(f, &next, &f->heap[(at - 1) / 4]); at = (at - 1) / 4) f->heap[at] = f->heap[(at - 1) / 4];
    f->heap[at] = next;
}

static bool ending_less(void *arg, uint32_t a, uint32_t b)
{
    const struct finder *f = arg;

    return comes_first(f, &f->firsts[a], &f->firsts[b]);
}

/* Mostly they are in order already, by the timers'. */
static void firsts_sort(struct finder *f)
{
    struct arena *a = f->e->op->scratch;
    bool ordered = true;

    for (uint32_t i = 1; i < f->first_count && ordered; i++) ordered = !ending_less(f, i, i - 1);
    if (ordered) return;
    uint32_t *order = arena_alloc(a, 2 * f->first_count * sizeof *order);
    struct ending *firsts = arena_alloc(a, f->first_count * sizeof *firsts);
    for (uint32_t i = 0; i < f->first_count; i++) order[i] = i;
    sort_stable(order, order + f->first_count, f->first_count, ending_less, f);
    for (uint32_t i = 0; i < f->first_count; i++) firsts[i] = f->firsts[order[i]];
    f->firsts = firsts;
}

/* Takes due sessions in order, until there are none or the round is full. */
static enum status take_in_order(struct finder *f)
{
    struct window_spans *s = f->e->spans;
    uint32_t at = 0, most = MIN((uint32_t)BATCH_ROWS, f->e->item_count * (uint32_t)FIRES_PER_KEY + (uint32_t)FIRES_AT_ONCE);

    firsts_sort(f);
    while ((at < f->first_count || f->heap_count > 0) && s->due_count < most) {
        bool is_first = f->heap_count == 0 || (at < f->first_count && comes_first(f, &f->firsts[at], &f->heap[0]));
        uint32_t i = is_first ? f->firsts[at++].at : f->heap[0].at;
        bool is_due;
        s->due[s->due_count++] = f->next[i];
        TRY(advance(f, i, &is_due));
        struct ending next = {f->next[i].end, i};
        if (is_first) {
            if (is_due) heap_add(f, next);
            continue;
        }
        f->heap[0] = is_due ? next : f->heap[--f->heap_count];
        sift_down(f);
    }
    return S_OK;
}

enum status window_spans_find(struct window_engine *e)
{
    struct window_spans *s = e->spans;
    struct arena *a = e->op->scratch;
    struct state_keys keys = window_keys_of(e, &e->owners);
    struct finder f = {.e = e, .limit = limit_of(e), .row_capacity = 6 * BATCH_ROWS};

    TRY(state_resolve(s->latest, 0, &keys, STATE_UPDATE, s->item_rows, NULL));
    timers_ranks(e->event, &keys, s->ranks);
    uint32_t several = group_timers(e);
    f.runs = arena_alloc(a, e->item_count * sizeof *f.runs);
    f.next = arena_alloc(a, e->item_count * sizeof *f.next);
    f.heap = arena_alloc(a, (e->item_count + 4) * sizeof *f.heap);
    f.firsts = arena_alloc(a, e->item_count * sizeof *f.firsts);
    if (several > 0) {
        f.rows = arena_alloc(a, f.row_capacity * sizeof *f.rows);
        f.hits = arena_alloc(a, sizeof *f.hits);
        TRY(window_spans_heads(e, &keys, s->needs_head, STATE_UPDATE));
        TRY(runs_begin(&f, several));
    }
    for (uint32_t i = 0; i < e->item_count; i++) {
        bool is_due;
        if (s->rows[i] == NULL) continue;
        if (several == 0) f.runs[i] = (struct span_run){.is_all = true};
        f.next[i].in_latest = false;
        TRY(advance(&f, i, &is_due));
        if (is_due) f.firsts[f.first_count++] = (struct ending){f.next[i].end, i};
    }
    return take_in_order(&f);
}

/* --- firing ------------------------------------------------------------------------------------------------------- */
static enum status look_again(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    for (uint32_t i = 0; i < e->item_count; i++) {
        if (s->rows[i] == NULL || s->again[i] == INT64_MAX) continue;
        window_spans_timer(s, i, e->owners.hashes[i], i, s->rows[i], window_timer_time(s->again[i]));
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

/* As many as there is room for. */
static enum status fire_some(struct window_engine *e, uint32_t count)
{
    struct window_spans *s = e->spans;
    uint32_t n = MIN(MIN(count, (uint32_t)FIRES_AT_ONCE), op_room(e->op, 0));

    if (n == 0) return S_MORE;
    for (uint32_t i = 0; i < n; i++) {
        const struct span_due *due = &s->due[s->due_at + i];
        e->run_windows[i] = (struct tw_window){due->start, due->end};
        e->run_rows[i] = due->at;
        e->run_acc[i] = due->acc;
    }
    TRY(e->plan.fire_many(e->plan.arg, &(struct window_firings){.count = n,
                                                                .windows = e->run_windows,
                                                                .keys = e->owners.batch,
                                                                .at = e->run_rows,
                                                                .acc = e->run_acc}));
    e->emitted = true;
    s->due_at += n;
    return S_OK;
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
            --*span_others(s, s->rows[due->at]);
        }
    }
    if (any) state_remove(s->latest, gone);
}

enum status window_spans_fire(struct window_engine *e)
{
    struct window_spans *s = e->spans;

    if (e->step == STEP_BEGIN) TRY(look_again(e));
    e->step = STEP_FIRE;
    while (e->plan.fire_many != NULL && s->due_at < s->due_count) {
        TRY(fire_some(e, s->due_count - s->due_at));
        if (s->due_at < s->due_count && window_slice_over(e)) return S_MORE;
    }
    for (; s->due_at < s->due_count; s->due_at++) {
        if (s->due_at % FIRES_LOOK_EVERY == FIRES_LOOK_EVERY - 1 && window_slice_over(e)) return S_MORE;
        if (window_is_full(e)) return S_MORE;
        TRY(fire(e, &s->due[s->due_at]));
    }
    forget(e);
    e->step = STEP_BEGIN;
    return S_OK;
}
