/* window_slices.c - the engine of tumbling and sliding windows.
 *
 * Time is cut into slices of gcd(size, slide); the table `panes` has one namespace per slice (named by its end), so that
 * a slice is dropped whole. A tumbling window is one slice and is answered from it. For sliding windows the table
 * `running` holds the window under way: when it moves by one slide, the slices that enter are merged and those that leave
 * are taken back, so the work depends on the keys that change and not on size/slide.
 *
 * Folds that cannot take back (maxima, floating point, a user's) have two stacks: time is also cut at pivots, multiples of
 * the size, one of which lies in every window. `stacks` holds, per start of a window, all from there up to the pivot, built
 * from the pivot down when the first window reaches over it; `running` holds all from the pivot to the window's end. A
 * window is one of the former with the latter: three merges per key and slide, whatever the size. Where pivots lie depends
 * on time alone, so sums of floating point do not depend on what fired before. A late row below a window's end makes the
 * stack that has its slice stale; the next window builds it anew.
 *
 * Lateness as Flink has it: a row is too late when the last window that holds it is past its end - 1 + lateness; it goes
 * to the side output and is counted. A row for a window that has fired already fires it again at once, row by row.
 *
 * Invariants: on-time rows never belong to a slice that `running` covers; a slice is taken back before it is dropped;
 * windows fire in order of their end; all bounds of windows of rows that are kept are times, less than INT64_MAX. Every loop has its cursor in the struct, so each hook can stop and be called again. */
#include "flow/operator/window_slices.h"

#include "flow/operator/window_assign.h"
#include "ground/base/sort.h"

#include <string.h>

enum fire_phase { FIRE_NEXT, FIRE_BLOCK, FIRE_CARRY, FIRE_ADD, FIRE_JOIN, FIRE_EMIT, FIRE_TAKE_BACK };

struct walk { /* over the entries of one namespace, a chunk at a time */
    struct state_cursor cursor;
    bool loaded, last;
    uint32_t n;
};

struct slices {
    struct op_cx *cx;
    struct slices_plan plan;
    struct window_fold *fold;
    int64_t slice_ms;
    bool tumbling;
    struct state_def panes_def, running_def, stacks_def;
    struct state_table *panes, *running;
    struct state_table *stacks; /* namespace: start of a window; NULL unless sliding windows overlap and cannot take back */
    const struct type *key;
    const uint32_t *key_cols; /* of the input */
    uint32_t key_count;
    uint32_t *plain_cols;   /* 0, 1, 2.. of `keys` */
    uint32_t slices_offset; /* in rows of running: how many slices the key is in */
    /* on_batch */
    int64_t ends[BATCH_ROWS], sort_by[BATCH_ROWS];
    uint32_t order[BATCH_ROWS], order_space[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS], group_hashes[BATCH_ROWS];
    uint16_t group[BATCH_ROWS];
    bool prepared, pane_done;
    bool emitted;       /* in this call: what waits for state now must first let it go */
    uint32_t at;        /* position in order */
    int64_t refire_end; /* next window to fire again for the row at `at` */
    /* firing */
    enum fire_phase phase;
    int64_t time;                  /* windows with end - 1 <= time have fired */
    int64_t end;                   /* the window being fired */
    int64_t cover_low, cover_high; /* running covers the slices in (low, high] */
    int64_t slice;                 /* being merged or taken back */
    int64_t pivot, stack_low;      /* stacks are built for window starts in [stack_low, pivot) */
    int64_t block;                 /* start of the one being built */
    bool stacks_stale, running_stale;
    struct tw_window window; /* that the fold's errors name */
    struct walk walk;
    struct batch *keys; /* keys of the chunk walked */
    void *acc[BATCH_ROWS], *other[BATCH_ROWS];
    uint64_t bits[BATCH_ROWS / 64];
};

/* --- arithmetic of windows ----------------------------------------------------------------------------------------------- */
/* How far a lies behind the last multiple of b. */
static int64_t floor_mod(int128 a, int64_t b)
{
    int64_t r = LIKELY(a == (int64_t)a) ? (int64_t)a % b : (int64_t)(a % b);

    return r < 0 ? r + b : r;
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static int64_t slice_end_of(const struct slices *s, int64_t time)
{
    return time - floor_mod((int128)time - s->plan.offset_ms, s->slice_ms) + s->slice_ms;
}

/* End of the last and of the first window that hold the slice ending at e. */
static int64_t last_window_end(const struct slices *s, int64_t e)
{
    int64_t first = e - s->slice_ms;

    return first - floor_mod((int128)first - s->plan.offset_ms, s->plan.slide_ms) + s->plan.size_ms;
}

static int64_t first_window_end(const struct slices *s, int64_t e)
{
    int64_t past = floor_mod((int128)e - s->plan.offset_ms - s->plan.size_ms, s->plan.slide_ms);

    return past == 0 ? e : window_add(e - past, s->plan.slide_ms);
}

static bool is_cleaned(const struct slices *s, int64_t window_end)
{
    return s->time != TIME_MIN && window_add(window_end - 1, s->plan.lateness_ms) <= s->time;
}

static bool has_fired(const struct slices *s, int64_t window_end) { return window_end - 1 <= s->time; }

/* --- making ------------------------------------------------------------------------------------------------------------------ */
static enum status open_tables(struct slices *s)
{
    struct op_cx *cx = s->cx;
    const struct type *acc = s->fold->acc;
    struct arena *a = cx->plan->arena;

    s->panes_def = (struct state_def){
        .name = "window-panes", .version = 1, .shape = STATE_MAP, .namespaced = true, .key = s->key, .value = acc};
    TRY(state_open(cx->state, &s->panes_def, &s->panes, cx->err));
    if (s->tumbling) return S_OK;
    uint32_t n = acc->child_count;
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = acc->names[i];
        types[i] = acc->children[i];
    }
    names[n] = "slices";
    types[n] = type_new(a, T_BIGINT, 0, 0, false);
    s->running_def = (struct state_def){.name = "window-running",
                                        .version = 1,
                                        .shape = STATE_MAP,
                                        .namespaced = true,
                                        .key = s->key,
                                        .value = type_row(a, n + 1, names, types, false)};
    TRY(state_open(cx->state, &s->running_def, &s->running, cx->err));
    s->slices_offset = s->running->value.fields[n].offset;
    if (s->fold->unmerge != NULL || s->plan.slide_ms >= s->plan.size_ms) return S_OK;
    s->stacks_def = s->panes_def;
    s->stacks_def.name = "window-stacks";
    return state_open(cx->state, &s->stacks_def, &s->stacks, cx->err);
}

static const struct type *key_type(struct op_cx *cx)
{
    const struct op_plan *p = cx->plan;
    const char **names = ARENA_ARRAY(p->arena, const char *, p->key_count[0]);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, p->key_count[0]);

    for (uint32_t i = 0; i < p->key_count[0]; i++) {
        names[i] = p->inputs[0]->names[p->keys[0][i]];
        types[i] = p->inputs[0]->children[p->keys[0][i]];
    }
    return type_row(p->arena, p->key_count[0], names, types, false);
}

enum status slices_create(struct op_cx *cx, const struct slices_plan *plan, struct window_fold *fold,
                          struct slices **out)
{
    struct slices *s = mem_zalloc(cx->mem, sizeof *s);

    ASSERT(plan->size_ms > 0 && plan->slide_ms > 0 && plan->lateness_ms >= 0);
    ASSERT(cx->plan->key_count[0] > 0);
    *out = s;
    s->cx = cx;
    s->plan = *plan;
    s->fold = fold;
    s->slice_ms = gcd(plan->size_ms, plan->slide_ms);
    s->tumbling = plan->size_ms == plan->slide_ms;
    s->time = s->cover_low = s->cover_high = s->pivot = s->stack_low = TIME_MIN;
    s->key = key_type(cx);
    s->key_cols = cx->plan->keys[0];
    s->key_count = cx->plan->key_count[0];
    s->plain_cols = mem_alloc(cx->mem, sizeof *s->plain_cols * s->key_count);
    for (uint32_t i = 0; i < s->key_count; i++) s->plain_cols[i] = i;
    s->keys = batch_create(s->key, cx->batch_rows, cx->mem);
    return open_tables(s);
}

void slices_free(struct slices *s)
{
    if (s == NULL) return;
    state_close(s->panes);
    state_close(s->running);
    state_close(s->stacks);
    batch_free(s->keys);
    mem_free(s->cx->mem, s->plain_cols);
    mem_free(s->cx->mem, s);
}

/* What the fold does next is for these keys: rows of the input, or those walked. end: of their window, or WINDOW_ANY. */
#define WINDOW_ANY INT64_MIN
static void where_set(struct slices *s, const struct batch *keys, int64_t end)
{
    bool is_walked = keys == s->keys;

    if (end != WINDOW_ANY) s->window = (struct tw_window){end - s->plan.size_ms, end};
    s->fold->where = (struct user_where){.keys = keys,
                                         .cols = is_walked ? NULL : s->key_cols,
                                         .rows = is_walked ? NULL : s->group,
                                         .windows = end != WINDOW_ANY ? &s->window : NULL,
                                         .is_one_window = true};
}

/* --- walking the entries of a namespace ------------------------------------------------------------------------------------- */
static void walk_start(struct slices *s) { s->walk = (struct walk){.cursor = {0}}; }

/* The next chunk: keys in s->keys, their accumulators in s->acc. Kept until walk_next, so that it can be asked again. */
static enum status walk_load(struct slices *s, struct state_table *t, int64_t ns)
{
    if (s->walk.loaded) return S_OK;
    batch_clear(s->keys);
    s->walk.n = 0;
    enum status st = state_each(t, ns, &s->walk.cursor, s->keys, NULL, s->acc, &s->walk.n);
    if (st != S_OK && st != S_MORE) return st;
    s->walk.last = st == S_OK;
    s->walk.loaded = true;
    return S_OK;
}

static void walk_next(struct slices *s, struct state_table *t)
{
    state_done(t);
    s->walk.loaded = false;
}

static struct state_keys walked_keys(struct slices *s)
{
    batch_hash(s->keys, s->plain_cols, s->key_count, s->hashes);
    return state_keys_of(s->keys, s->plain_cols, s->key_count, s->hashes);
}

/* --- sliding: moving the running window ---------------------------------------------------------------------------------------- */
static int64_t *slice_count(const struct slices *s, void *row) { return state_word(row, s->slices_offset); }

/* One chunk of (from, from_ns) goes into (to, to_ns); running counts it. */
static enum status merge_walked(struct slices *s, struct state_table *from, int64_t from_ns, struct state_table *to,
                                int64_t to_ns)
{
    TRY(walk_load(s, from, from_ns));
    if (s->walk.n > 0) {
        struct state_keys keys = walked_keys(s);
        TRY(state_resolve(to, to_ns, &keys, STATE_INSERT, s->other, s->bits));
        where_set(s, s->keys, s->end);
        if (s->fold->start != NULL) TRY(s->fold->start(s->fold, to, to_ns, s->other, s->bits, s->walk.n));
        TRY(s->fold->merge(s->fold, to, to_ns, s->other, from, from_ns, s->acc, s->walk.n));
        for (uint32_t i = 0; to == s->running && i < s->walk.n; i++) (*slice_count(s, s->other[i]))++;
        state_done(to);
    }
    walk_next(s, from);
    return S_OK;
}

static enum status merge_chunk(struct slices *s) { return merge_walked(s, s->panes, s->slice, s->running, 0); }
static enum status block_chunk(struct slices *s) { return merge_walked(s, s->panes, s->slice, s->stacks, s->block); }

/* One chunk of slice s->slice leaves running; keys that were only there go. */
static enum status take_back_chunk(struct slices *s)
{
    TRY(walk_load(s, s->panes, s->slice));
    if (s->walk.n > 0) {
        struct state_keys keys = walked_keys(s);
        TRY(state_resolve(s->running, 0, &keys, STATE_UPDATE, s->other, NULL));
        TRY(s->fold->unmerge(s->fold, s->running, 0, s->other, s->panes, s->slice, s->acc, s->walk.n));
        memset(s->bits, 0, sizeof s->bits);
        for (uint32_t i = 0; i < s->walk.n; i++)
            if (--*slice_count(s, s->other[i]) == 0) bit_set(s->bits, i);
        state_remove(s->running, s->bits);
        state_done(s->running);
    }
    walk_next(s, s->panes);
    return S_OK;
}

/* The first live slice in (after, upto], or false. */
static bool next_slice(struct slices *s, int64_t after, int64_t upto, int64_t *slice)
{
    uint32_t count;
    const int64_t *live = state_namespaces(s->panes, &count);

    for (uint32_t i = 0; i < count; i++) {
        if (live[i] <= after) continue;
        *slice = live[i];
        return live[i] <= upto;
    }
    return false;
}

/* Applies `chunk` to every slice in (s->slice, upto]; s->slice is the cursor. S_MORE after each chunk bounds the step. */
static enum status each_slice(struct slices *s, int64_t upto, enum status (*chunk)(struct slices *))
{
    if (!s->walk.loaded && s->walk.last) { /* the slice under way is through */
        s->walk.last = false;
        walk_start(s);
        if (!next_slice(s, s->slice, upto, &s->slice)) return S_OK;
    }
    TRY(chunk(s));
    return S_MORE;
}

/* Makes each_slice begin behind `after`. */
static void each_slice_start(struct slices *s, int64_t after)
{
    s->slice = after;
    s->walk = (struct walk){.last = true};
}

/* --- firing ---------------------------------------------------------------------------------------------------------------------- */
/* The earliest window after s->time, ending by `upto`, that holds a live slice. */
static bool next_window(struct slices *s, int64_t upto, int64_t *end)
{
    uint32_t count;
    const int64_t *live = state_namespaces(s->panes, &count);
    int64_t best = INT64_MAX;

    for (uint32_t i = 0; i < count; i++) {
        int64_t e = first_window_end(s, live[i]);
        if (has_fired(s, e)) { /* the first window that has not: the first end behind s->time + 1 */
            int128 next = (int128)s->time + 1;
            next += s->plan.slide_ms - floor_mod(next - s->plan.offset_ms - s->plan.size_ms, s->plan.slide_ms);
            e = (int64_t)MIN(next, (int128)INT64_MAX);
        }
        if (e <= last_window_end(s, live[i])) best = MIN(best, e);
    }
    *end = best;
    return best != INT64_MAX && best - 1 <= upto;
}

static struct state_table *window_table(struct slices *s)
{
    return s->tumbling ? s->panes : s->stacks != NULL ? s->stacks : s->running;
}
static int64_t window_ns(struct slices *s)
{
    return s->tumbling ? s->end : s->stacks != NULL ? s->end - s->plan.size_ms : 0;
}

/* Emits one chunk of the window's keys. */
static enum status emit_chunk(struct slices *s)
{
    struct state_table *t = window_table(s);
    struct batch *out = op_out(s->cx, 0);

    TRY(walk_load(s, t, window_ns(s)));
    if (s->walk.n > 0) {
        uint32_t first = out->count;
        TRY(s->fold->result(s->fold, t, window_ns(s), s->acc, s->keys, s->walk.n, s->end - s->plan.size_ms, s->end,
                            out));
        batch_use_times(out);
        for (uint32_t i = first; i < out->count; i++) out->times[i] = s->end - 1;
    }
    walk_next(s, t);
    return S_MORE;
}

/* The pivot of the window that ends at `end`: in (end - size, end]. */
static int64_t pivot_of(const struct slices *s, int64_t end)
{
    return end - floor_mod((int128)end - s->plan.offset_ms, s->plan.size_ms);
}

/* The last start of a window before the pivot of the window that ends at `end`. */
static int64_t last_block(const struct slices *s, int64_t end)
{
    int64_t low = end - s->plan.size_ms;

    return low + (pivot_of(s, end) - 1 - low) / s->plan.slide_ms * s->plan.slide_ms;
}

static int64_t block_end(const struct slices *s, int64_t block, int64_t pivot)
{
    return MIN(window_add(block, s->plan.slide_ms), pivot);
}

static void drop_stacks(struct slices *s)
{
    uint32_t count;
    const int64_t *live = state_namespaces(s->stacks, &count);

    while (count > 0) {
        state_drop(s->stacks, live[0]);
        live = state_namespaces(s->stacks, &count);
    }
}

/* What holds of both stacks for the window at hand stays; the rest is built. */
static void start_stacks(struct slices *s)
{
    int64_t pivot = pivot_of(s, s->end), low = s->end - s->plan.size_ms;
    bool moved = pivot != s->pivot;

    if (moved || s->running_stale) {
        state_drop(s->running, 0);
        s->cover_high = pivot;
    }
    if (moved || s->stacks_stale) {
        drop_stacks(s);
        s->stack_low = s->pivot = pivot;
    }
    s->running_stale = s->stacks_stale = false;
    s->cover_low = low;
    s->block = last_block(s, s->end);
    s->phase = s->stack_low <= low ? FIRE_ADD : FIRE_BLOCK;
    each_slice_start(s, s->phase == FIRE_ADD ? s->cover_high : s->block);
}

static enum status fire_block(struct slices *s)
{
    TRY(each_slice(s, block_end(s, s->block, s->pivot), block_chunk));
    s->phase = FIRE_CARRY;
    walk_start(s);
    s->walk.last = block_end(s, s->block, s->pivot) == s->pivot; /* nothing is behind it */
    return S_MORE;
}

static enum status fire_carry(struct slices *s)
{
    if (s->walk.loaded || !s->walk.last) {
        TRY(merge_walked(s, s->stacks, s->block + s->plan.slide_ms, s->stacks, s->block));
        return S_MORE;
    }
    if (s->block > s->cover_low) {
        s->block -= s->plan.slide_ms;
        s->phase = FIRE_BLOCK;
        each_slice_start(s, s->block);
        return S_MORE;
    }
    s->stack_low = s->cover_low;
    s->phase = FIRE_ADD;
    each_slice_start(s, s->cover_high);
    return S_MORE;
}

static enum status fire_join(struct slices *s)
{
    if (s->walk.loaded || !s->walk.last) {
        TRY(merge_walked(s, s->running, 0, s->stacks, s->cover_low));
        return S_MORE;
    }
    s->phase = FIRE_EMIT;
    walk_start(s);
    return S_MORE;
}

static enum status fire_next(struct slices *s, int64_t upto)
{
    if (!next_window(s, upto, &s->end)) return S_END;
    s->phase = s->tumbling ? FIRE_EMIT : FIRE_ADD;
    walk_start(s);
    if (s->tumbling) return S_MORE;
    if (s->stacks != NULL) {
        start_stacks(s);
        return S_MORE;
    }
    if (s->fold->unmerge == NULL || s->cover_low == TIME_MIN) { /* nothing to build on */
        state_drop(s->running, 0);
        s->cover_low = s->cover_high = s->end - s->plan.size_ms;
    }
    each_slice_start(s, MAX(s->cover_high, s->end - s->plan.size_ms));
    return S_MORE;
}

static enum status fire_add(struct slices *s)
{
    TRY(each_slice(s, s->end, merge_chunk));
    s->cover_high = s->end;
    s->phase = s->stacks != NULL ? FIRE_JOIN : FIRE_EMIT;
    walk_start(s);
    return S_MORE;
}

static enum status fire_emit(struct slices *s)
{
    if (s->walk.loaded || !s->walk.last) return emit_chunk(s);
    s->phase = s->tumbling || s->fold->unmerge == NULL ? FIRE_NEXT : FIRE_TAKE_BACK;
    s->time = MAX(s->time, s->end - 1);
    if (s->stacks != NULL) state_drop(s->stacks, s->cover_low);
    each_slice_start(s, s->cover_low);
    return S_MORE;
}

static enum status fire_take_back(struct slices *s)
{
    int64_t low = window_add(s->end - s->plan.size_ms, s->plan.slide_ms);

    TRY(each_slice(s, MIN(low, s->cover_high), take_back_chunk));
    s->cover_low = low;
    s->cover_high = MAX(s->cover_high, low);
    s->phase = FIRE_NEXT;
    return S_MORE;
}

static void drop_cleaned(struct slices *s)
{
    uint32_t count;
    const int64_t *live = state_namespaces(s->panes, &count);

    while (count > 0 && is_cleaned(s, last_window_end(s, live[0]))) {
        state_drop(s->panes, live[0]);
        live = state_namespaces(s->panes, &count);
    }
    if (count > 0 || s->tumbling || s->fold->unmerge != NULL) return;
    state_drop(s->running, 0); /* nothing that is held can reach another window */
    if (s->stacks != NULL) drop_stacks(s);
    s->pivot = TIME_MIN;
}

/* Fires every window with end - 1 <= upto, a chunk per call. */
static enum status fire(struct slices *s, int64_t upto)
{
    enum status st = S_OK;

    switch (s->phase) {
    case FIRE_NEXT: st = fire_next(s, upto); break;
    case FIRE_BLOCK: st = fire_block(s); break;
    case FIRE_CARRY: st = fire_carry(s); break;
    case FIRE_ADD: st = fire_add(s); break;
    case FIRE_JOIN: st = fire_join(s); break;
    case FIRE_EMIT: st = fire_emit(s); break;
    case FIRE_TAKE_BACK: st = fire_take_back(s); break;
    }
    if (st != S_END) return st;
    s->time = MAX(s->time, upto);
    drop_cleaned(s);
    return S_OK;
}

/* Phases that emit nothing follow each other within one call, up to a handful of chunks. */
static enum status fire_some(struct slices *s, int64_t upto)
{
    for (int chunks = 0; chunks < 16; chunks++) {
        bool emits = s->phase == FIRE_EMIT && (s->walk.loaded || !s->walk.last);
        enum status st = fire(s, upto);
        if (st != S_MORE || emits) return st;
    }
    return S_MORE;
}

/* Processing time: come back when the next window ends. */
static void wake_for_next(struct slices *s)
{
    int64_t end;

    (void)next_window(s, INT64_MAX - 1, &end);
    if (end != INT64_MAX) op_wake_at(s->cx, end - 1);
}

enum status slices_on_watermark(struct slices *s, int64_t watermark)
{
    return s->plan.processing_time ? S_OK : fire_some(s, watermark);
}

enum status slices_on_time(struct slices *s, int64_t now_ms)
{
    if (!s->plan.processing_time) return S_OK;
    TRY(fire_some(s, now_ms));
    wake_for_next(s);
    return S_OK;
}

/* --- rows -------------------------------------------------------------------------------------------------------------------------- */
static bool ends_earlier(void *arg, uint32_t a, uint32_t b)
{
    const struct slices *s = arg;

    return s->sort_by[a] < s->sort_by[b];
}

static enum status prepare(struct slices *s, struct batch *in)
{
    uint32_t n = batch_rows(in);
    int64_t now = s->plan.processing_time ? sys_wall_ms(s->cx->sys) : 0;
    bool ordered = true;
    int64_t first = 0, end = 0, by = 0; /* the slice of the row before, [first, end), which is mostly that of this one */

    if (in->times == NULL && !s->plan.processing_time)
        return err_set(s->cx->err, E_GRAPH,
                       "rows have no event time; give the source watermarks, or use processing time");
    for (uint32_t i = 0; i < n; i++) {
        int64_t time = s->plan.processing_time ? now : in->times[batch_row(in, i)];
        if (time == TIME_MIN)
            return err_set(s->cx->err, E_DATA, "a row has no event time; its timestamp is NULL or no assigner saw it");
        if (UNLIKELY(time < first || time >= end)) {
            if (!s->plan.processing_time)
                TRY(window_range_check(s->cx, time, s->plan.offset_ms, s->plan.size_ms, s->plan.slide_ms));
            end = slice_end_of(s, time);
            first = end - s->slice_ms;
            /* Rows for windows that have fired go first, in the order in which they came: each fires them as it finds them. */
            by = has_fired(s, first_window_end(s, end)) ? TIME_MIN : end;
        }
        s->ends[i] = end;
        s->sort_by[i] = by;
        s->order[i] = i;
        ordered &= i == 0 || s->sort_by[i] >= s->sort_by[i - 1];
    }
    if (!ordered) sort_stable(s->order, s->order_space, n, ends_earlier, s);
    batch_hash(in, s->key_cols, s->key_count, s->hashes);
    s->prepared = true;
    s->at = 0;
    return S_OK;
}

/* Rows order[at..at+n) as group; answers n. Rows of one slice, or one row where it must fire by itself. */
static uint32_t take_group(struct slices *s, struct batch *in, bool single)
{
    uint32_t total = batch_rows(in), n = 0;
    int64_t end = s->ends[s->order[s->at]];

    while (s->at + n < total && s->ends[s->order[s->at + n]] == end && (n == 0 || !single)) {
        uint32_t i = s->order[s->at + n];
        s->group[n] = (uint16_t)batch_row(in, i);
        s->group_hashes[n++] = s->hashes[i];
    }
    return n;
}

static enum status resolve_group(struct slices *s, struct state_table *t, int64_t ns, struct batch *in, uint32_t n,
                                 void **acc)
{
    struct state_keys keys = {.batch = in,
                              .cols = s->key_cols,
                              .col_count = s->key_count,
                              .count = n,
                              .sel = s->group,
                              .hashes = s->group_hashes};

    TRY(state_resolve(t, ns, &keys, STATE_INSERT, acc, s->bits));
    where_set(s, in, s->tumbling ? s->ends[s->order[s->at]] : WINDOW_ANY);
    return s->fold->start != NULL ? s->fold->start(s->fold, t, ns, acc, s->bits, n) : S_OK;
}

static enum status too_late(struct slices *s, struct batch *in, uint32_t n)
{
    struct op_metrics *m = s->cx->metrics;

    if (op_port_used(s->cx, s->plan.late_port)) {
        if (op_room(s->cx, s->plan.late_port) < n) return S_MORE;
        batch_append(op_out(s->cx, s->plan.late_port), in, s->group, n);
        s->emitted = true;
    }
    sys_atomic_store(&m->late_dropped, m->late_dropped.value + n);
    s->at += n;
    return S_OK;
}

/* The key's slices in (low, high] into (running, ns), which begins anew. */
static enum status combine_slices(struct slices *s, const struct state_keys *keys, int64_t ns, int64_t low, int64_t high)
{
    int64_t slice = low;

    where_set(s, keys->batch, s->refire_end);
    state_drop(s->running, ns);
    TRY(state_resolve(s->running, ns, keys, STATE_INSERT, s->other, s->bits));
    if (s->fold->start != NULL) TRY(s->fold->start(s->fold, s->running, ns, s->other, s->bits, 1));
    while (next_slice(s, slice, high, &slice)) {
        TRY(state_resolve(s->panes, slice, keys, STATE_READ, s->acc, NULL));
        if (s->acc[0] != NULL) TRY(s->fold->merge(s->fold, s->running, ns, s->other, s->panes, slice, s->acc, 1));
    }
    return S_OK;
}

/* Namespaces of `running` for one key's window. */
enum { ONE_WINDOW = -1, ONE_PART = -3 }; /* ONE_WINDOW takes turns with the one below it */

/* Puts the key's (running, from) behind its (running, to), which s->other[0] is. */
static enum status combine_parts(struct slices *s, const struct state_keys *keys, int64_t to, int64_t from)
{
    void *part;

    TRY(state_resolve(s->running, from, keys, STATE_INSERT, &part, s->bits));
    return s->fold->merge(s->fold, s->running, to, s->other, s->running, from, &part, 1);
}

/* As the stacks have it, so that the same merges make the same result: from the pivot down, then what is above it. */
static enum status combine_stacks(struct slices *s, const struct state_keys *keys, int64_t end, int64_t *ns)
{
    int64_t low = end - s->plan.size_ms, pivot = pivot_of(s, end), to = ONE_WINDOW;

    for (int64_t block = last_block(s, end); block >= low; block -= s->plan.slide_ms) {
        int64_t behind = to;
        to = 2 * ONE_WINDOW - 1 - to; /* the other of the two */
        TRY(combine_slices(s, keys, to, block, block_end(s, block, pivot)));
        if (block_end(s, block, pivot) < pivot) TRY(combine_parts(s, keys, to, behind));
    }
    *ns = to;
    if (pivot == end) return S_OK;
    TRY(combine_slices(s, keys, ONE_PART, pivot, end));
    TRY(state_resolve(s->running, to, keys, STATE_UPDATE, s->other, NULL));
    return combine_parts(s, keys, to, ONE_PART);
}

/* The accumulator of one window and the key of the row in group[0], combined from its slices into s->other[0]. */
static enum status combine_window(struct slices *s, struct batch *in, int64_t end, int64_t *ns)
{
    struct state_keys keys = {.batch = in,
                              .cols = s->key_cols,
                              .col_count = s->key_count,
                              .count = 1,
                              .sel = s->group,
                              .hashes = s->group_hashes};

    if (s->stacks != NULL) return combine_stacks(s, &keys, end, ns);
    *ns = ONE_WINDOW;
    return combine_slices(s, &keys, ONE_WINDOW, end - s->plan.size_ms, end);
}

static enum status emit_one(struct slices *s, struct batch *in, int64_t end, int64_t ns)
{
    struct batch *out = op_out(s->cx, 0);
    struct state_table *t = s->tumbling ? s->panes : s->running;
    uint32_t first = out->count;

    batch_clear(s->keys);
    for (uint32_t k = 0; k < s->key_count; k++)
        vector_copy(&s->keys->cols[k], 0, &in->cols[s->key_cols[k]], s->group, 1, &s->keys->heap, s->keys->mem);
    s->keys->count = 1;
    TRY(s->fold->result(s->fold, t, ns, s->tumbling ? s->acc : s->other, s->keys, 1, end - s->plan.size_ms, end, out));
    s->emitted = true;
    batch_use_times(out);
    for (uint32_t i = first; i < out->count; i++) out->times[i] = end - 1;
    sys_atomic_store(&s->cx->metrics->late_refired, s->cx->metrics->late_refired.value + 1);
    return S_OK;
}

/* A row for windows that have fired: goes in, and each of them fires again. */
static enum status late_row(struct slices *s, struct batch *in)
{
    int64_t slice = s->ends[s->order[s->at]];

    if (!s->pane_done) {
        bool covered = !s->tumbling && s->fold->unmerge != NULL && slice > s->cover_low && slice <= s->cover_high;
        if (covered)
            TRY(resolve_group(s, s->running, 0, in, 1, s->other)); /* before anything changes: it may be pending */
        TRY(resolve_group(s, s->panes, slice, in, 1, s->acc));
        if (covered && bit_get(s->bits, 0)) (*slice_count(s, s->other[0]))++;
        TRY(s->fold->add(s->fold, s->panes, slice, s->acc, in, s->group, 1));
        if (covered) {
            TRY(s->fold->add(s->fold, s->running, 0, s->other, in, s->group, 1));
            state_done(s->running);
        }
        state_done(s->panes);
        if (s->stacks != NULL && slice > s->pivot) s->running_stale = true;
        if (s->stacks != NULL && slice <= s->pivot) s->stacks_stale = true;
        s->pane_done = true;
        s->refire_end = first_window_end(s, slice);
        while (is_cleaned(s, s->refire_end)) s->refire_end = window_add(s->refire_end, s->plan.slide_ms);
    }
    for (; s->refire_end <= last_window_end(s, slice) && has_fired(s, s->refire_end);
         s->refire_end = window_add(s->refire_end, s->plan.slide_ms)) {
        int64_t ns = s->refire_end;
        if (op_room(s->cx, 0) == 0) return S_MORE;
        if (s->tumbling) {
            struct state_keys keys = {.batch = in,
                                      .cols = s->key_cols,
                                      .col_count = s->key_count,
                                      .count = 1,
                                      .sel = s->group,
                                      .hashes = s->group_hashes};
            TRY(state_resolve(s->panes, slice, &keys, STATE_READ, s->acc, NULL));
        } else {
            TRY(combine_window(s, in, s->refire_end, &ns));
        }
        TRY(emit_one(s, in, s->refire_end, ns));
        state_done(s->panes);
        if (s->tumbling) continue;
        state_done(s->running);
        for (int64_t part = ONE_PART; part <= ONE_WINDOW; part++) state_drop(s->running, part);
    }
    s->pane_done = false;
    s->at++;
    return S_OK;
}

/* Between windows that leave gaps: a row belongs to none, and is late when its own time is. */
static enum status gap_row(struct slices *s, struct batch *in)
{
    bool late = !s->plan.processing_time && s->time != TIME_MIN &&
                window_add(in->times[s->group[0]], s->plan.lateness_ms) <= s->time;

    if (late) return too_late(s, in, 1);
    s->at++;
    return S_OK;
}

static enum status next_group(struct slices *s, struct batch *in)
{
    int64_t slice = s->ends[s->order[s->at]];
    int64_t last = last_window_end(s, slice);
    bool fired = has_fired(s, first_window_end(s, slice));
    bool gap = last < slice;
    uint32_t n = take_group(s, in, gap || (fired && !is_cleaned(s, last)));

    if (gap) return gap_row(s, in);
    if (is_cleaned(s, last)) return too_late(s, in, n);
    if (fired) return late_row(s, in);
    TRY(resolve_group(s, s->panes, slice, in, n, s->acc));
    TRY(s->fold->add(s->fold, s->panes, slice, s->acc, in, s->group, n));
    state_done(s->panes);
    s->at += n;
    return S_OK;
}

enum status slices_on_batch(struct slices *s, struct batch *in)
{
    if (!s->prepared) TRY(prepare(s, in));
    s->emitted = false;
    while (s->at < batch_rows(in)) {
        enum status st = next_group(s, in);
        if (st == S_PENDING && s->emitted) return S_MORE;
        if (st != S_OK) return st;
    }
    s->prepared = false;
    if (s->plan.processing_time) wake_for_next(s);
    return S_OK;
}
