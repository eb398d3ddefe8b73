/* window_slices_fire.c - when time passes, windows of slices fire in order of their end.
 *
 * A tumbling window is answered from its slice. For sliding windows `running` is moved to the window at hand, by merging the
 * slices that enter and taking back those that left; or, where nothing can be taken back, the stacks are built down to its
 * start (window_slices.c says why). Each call does one chunk of one phase, so that a step stays short. */
#include "flow/operator/window_slices_internal.h"

#include <string.h>

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

/* --- moving the running window ------------------------------------------------------------------------------------- */
/* One chunk of (from, from_ns) goes into (to, to_ns); running counts it. */
static enum status merge_walked(struct slices *s, struct state_table *from, int64_t from_ns, struct state_table *to,
                                int64_t to_ns)
{
    TRY(walk_load(s, from, from_ns));
    if (s->walk.n > 0) {
        struct state_keys keys = walked_keys(s);
        TRY(state_resolve(to, to_ns, &keys, STATE_INSERT, s->other, s->bits));
        slices_where(s, s->keys, s->end);
        if (s->fold->start != NULL) TRY(s->fold->start(s->fold, to, to_ns, s->other, s->bits, s->walk.n));
        TRY(s->fold->merge(s->fold, to, to_ns, s->other, from, from_ns, s->acc, s->walk.n));
        for (uint32_t i = 0; to == s->running && i < s->walk.n; i++) (*slices_count_of(s, s->other[i]))++;
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
        slices_where(s, s->keys, WINDOW_ANY);
        TRY(s->fold->unmerge(s->fold, s->running, 0, s->other, s->panes, s->slice, s->acc, s->walk.n));
        memset(s->bits, 0, sizeof s->bits);
        for (uint32_t i = 0; i < s->walk.n; i++)
            if (--*slices_count_of(s, s->other[i]) == 0) bit_set(s->bits, i);
        state_remove(s->running, s->bits);
        state_done(s->running);
    }
    walk_next(s, s->panes);
    return S_OK;
}

/* The first live slice in (after, upto], or false. */
bool slices_next(struct slices *s, int64_t after, int64_t upto, int64_t *slice)
{
    uint32_t count, low = 0;
    const int64_t *live = state_namespaces(s->panes, &count);

    for (uint32_t high = count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (live[middle] <= after) low = middle + 1;
        else high = middle;
    }
    if (low == count || live[low] > upto) return false;
    *slice = live[low];
    return true;
}

/* Applies `chunk` to every slice in (s->slice, upto]; s->slice is the cursor. S_MORE after each chunk bounds the step. */
static enum status each_slice(struct slices *s, int64_t upto, enum status (*chunk)(struct slices *))
{
    if (!s->walk.loaded && s->walk.last) { /* the slice under way is through */
        s->walk.last = false;
        walk_start(s);
        if (!slices_next(s, s->slice, upto, &s->slice)) return S_OK;
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

/* --- firing -------------------------------------------------------------------------------------------------------- */
/* The first end of a window behind s->time + 1. */
static int64_t end_after_time(const struct slices *s)
{
    int128 next = (int128)s->time + 1;

    next += s->plan.slide_ms - floor_mod(next - s->plan.offset_ms - s->plan.size_ms, s->plan.slide_ms);
    return (int64_t)MIN(next, (int128)INT64_MAX);
}

/* The earliest window after s->time, ending by `upto`, that holds a live slice: one of the last slice whose first window has
 * fired, or the first window of the next slice. */
static bool next_window(struct slices *s, int64_t upto, int64_t *end)
{
    uint32_t count, low = 0;
    const int64_t *live = state_namespaces(s->panes, &count);
    int64_t best = INT64_MAX;

    for (uint32_t high = count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (slices_is_behind(s, slices_first_end(s, live[middle]))) low = middle + 1;
        else high = middle;
    }
    if (low < count && slices_first_end(s, live[low]) <= slices_last_end(s, live[low])) best = slices_first_end(s, live[low]);
    if (low > 0) {
        int64_t next = end_after_time(s);
        if (next <= slices_last_end(s, live[low - 1])) best = MIN(best, next);
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
        slices_where(s, s->keys, s->end);
        TRY(s->fold->result(s->fold, t, window_ns(s), s->acc, s->keys, s->walk.n, slices_start_of(s, s->end), s->end, out));
        batch_use_times(out);
        int64_t time = s->plan.zone != NULL ? window_zone_instant(s->plan.zone, s->end - 1) : s->end - 1;
        for (uint32_t i = first; i < out->count; i++) out->times[i] = time;
    }
    walk_next(s, t);
    return S_MORE;
}

static void drop_stacks(struct slices *s)
{
    uint32_t count;
    const int64_t *live = state_namespaces(s->stacks, &count);

    while (count > 0) {
        slices_drop(s, s->stacks, live[0]);
        live = state_namespaces(s->stacks, &count);
    }
}

/* What holds of both stacks for the window at hand stays; the rest is built. */
static void start_stacks(struct slices *s)
{
    int64_t pivot = slices_pivot(s, s->end), low = s->end - s->plan.size_ms;
    bool moved = pivot != s->pivot;

    if (moved || s->running_stale) {
        slices_drop(s, s->running, 0);
        s->cover_high = pivot;
    }
    if (moved || s->stacks_stale) {
        drop_stacks(s);
        s->stack_low = s->pivot = pivot;
    }
    s->running_stale = s->stacks_stale = false;
    s->cover_low = low;
    s->block = slices_last_block(s, s->end);
    s->phase = s->stack_low <= low ? FIRE_ADD : FIRE_BLOCK;
    each_slice_start(s, s->phase == FIRE_ADD ? s->cover_high : s->block);
}

static enum status fire_block(struct slices *s)
{
    TRY(each_slice(s, slices_block_end(s, s->block, s->pivot), block_chunk));
    s->phase = FIRE_CARRY;
    walk_start(s);
    s->walk.last = slices_block_end(s, s->block, s->pivot) == s->pivot; /* nothing is behind it */
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
    int64_t low = slices_start_of(s, s->end);
    if (s->plan.cumulates ? s->cover_low != low : !s->takes_back || s->cover_low == TIME_MIN) { /* nothing to build on */
        slices_drop(s, s->running, 0);
        s->cover_low = s->cover_high = low;
    }
    each_slice_start(s, MAX(s->cover_high, low));
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
    s->phase = s->takes_back ? FIRE_TAKE_BACK : FIRE_NEXT;
    s->time = MAX(s->time, s->end - 1);
    if (s->tumbling && (s->plan.lateness_ms == 0 || s->plan.processing_time)) slices_drop(s, s->panes, s->end);
    if (s->stacks != NULL) slices_drop(s, s->stacks, s->cover_low);
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

/* Nothing that is held can reach another window: what was put together goes, too. */
static void combined_drop(struct slices *s)
{
    if (s->tumbling || s->takes_back) return;
    slices_drop(s, s->running, 0);
    if (s->plan.cumulates) s->cover_low = s->cover_high = TIME_MIN;
    if (s->stacks != NULL) drop_stacks(s);
    s->pivot = TIME_MIN;
}

/* What no window needs any more; false: there is more of it. */
static bool drop_cleaned(struct slices *s)
{
    enum { DROPS_AT_ONCE = 256 };
    uint32_t count, drops = 0;
    const int64_t *live = state_namespaces(s->panes, &count);

    while (count > 0 && slices_is_cleaned(s, slices_last_end(s, live[0]))) {
        if (drops++ == DROPS_AT_ONCE) return false;
        slices_drop(s, s->panes, live[0]);
        live = state_namespaces(s->panes, &count);
    }
    if (count == 0) combined_drop(s);
    return true;
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
    return drop_cleaned(s) ? S_OK : S_MORE;
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

/* Up to which time windows have ended. */
static int64_t passed(const struct slices *s, int64_t instant)
{
    return s->plan.zone != NULL ? window_zone_passed(s->plan.zone, instant) : instant;
}

/* Processing time: come back when the next window ends. */
void slices_wake(struct slices *s)
{
    int64_t end;

    (void)next_window(s, INT64_MAX - 1, &end);
    if (end != INT64_MAX) op_wake_at(s->cx, s->plan.zone != NULL ? window_zone_timer(s->plan.zone, end - 1) : end - 1);
}

enum status slices_on_watermark(struct slices *s, int64_t watermark)
{
    return s->plan.processing_time ? S_OK : fire_some(s, passed(s, watermark));
}

enum status slices_on_time(struct slices *s, int64_t now_ms)
{
    if (!s->plan.processing_time) return S_OK;
    TRY(fire_some(s, passed(s, now_ms)));
    slices_wake(s);
    return S_OK;
}
