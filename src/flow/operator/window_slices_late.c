/* window_slices_late.c - late rows of tumbling and sliding windows: a row for windows that have fired goes into its slice,
 * and each of them fires again at once, combined anew for the row's key by the same merges as before, so that sums of
 * floating point come out the same. */
#include "flow/operator/window_slices_internal.h"

/* The key's slices in (low, high] into (running, ns), which begins anew. */
static enum status combine_slices(struct slices *s, const struct state_keys *keys, int64_t ns, int64_t low,
                                  int64_t high)
{
    int64_t slice = low;

    slices_where(s, keys->batch, s->refire_end);
    state_drop(s->running, ns);
    TRY(state_resolve(s->running, ns, keys, STATE_INSERT, s->other, s->bits));
    if (s->fold->start != NULL) TRY(s->fold->start(s->fold, s->running, ns, s->other, s->bits, 1));
    while (slices_next(s, slice, high, &slice)) {
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
    int64_t low = end - s->plan.size_ms, pivot = slices_pivot(s, end), to = ONE_WINDOW;

    for (int64_t block = slices_last_block(s, end); block >= low; block -= s->plan.slide_ms) {
        int64_t behind = to;
        to = 2 * ONE_WINDOW - 1 - to; /* the other of the two */
        TRY(combine_slices(s, keys, to, block, slices_block_end(s, block, pivot)));
        if (slices_block_end(s, block, pivot) < pivot) TRY(combine_parts(s, keys, to, behind));
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
    struct state_keys keys = slices_group_keys(s, in, 1);

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

/* Into its slice, and into whatever has been combined from it. */
static enum status late_add(struct slices *s, struct batch *in, int64_t slice)
{
    bool covered = (s->takes_back || s->plan.cumulates) && slice > s->cover_low && slice <= s->cover_high;
    if (covered)
        TRY(slices_resolve_group(s, s->running, 0, in, 1, s->other)); /* before anything changes: it may be pending */
    TRY(slices_resolve_group(s, s->panes, slice, in, 1, s->acc));
    if (covered && bit_get(s->bits, 0)) (*slices_count_of(s, s->other[0]))++;
    TRY(s->fold->add(s->fold, s->panes, slice, s->acc, in, s->group, 1));
    if (covered) {
        TRY(s->fold->add(s->fold, s->running, 0, s->other, in, s->group, 1));
        state_done(s->running);
    }
    state_done(s->panes);
    if (s->stacks != NULL && slice > s->pivot) s->running_stale = true;
    if (s->stacks != NULL && slice <= s->pivot) s->stacks_stale = true;
    s->pane_done = true;
    s->refire_end = slices_first_end(s, slice);
    if (s->plan.lateness_ms == 0) s->refire_end = window_add(slices_last_end(s, slice), 1); /* those that have fired are over */
    while (slices_is_cleaned(s, s->refire_end)) s->refire_end = window_add(s->refire_end, s->plan.slide_ms);
    return S_OK;
}

/* A row for windows that have fired: goes in, and each of them fires again. */
enum status slices_late_row(struct slices *s, struct batch *in)
{
    int64_t slice = s->ends[s->order[s->at]];

    if (!s->pane_done) TRY(late_add(s, in, slice));
    for (; s->refire_end <= slices_last_end(s, slice) && slices_has_fired(s, s->refire_end);
         s->refire_end = window_add(s->refire_end, s->plan.slide_ms)) {
        int64_t ns = s->refire_end;
        if (op_room(s->cx, 0) == 0) return S_MORE;
        if (s->tumbling) {
            struct state_keys keys = slices_group_keys(s, in, 1);
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
