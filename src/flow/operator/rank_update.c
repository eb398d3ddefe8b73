/* rank_update.c - operator rank where a row replaces the one with its unique key, and rows never go nor fall back in the order: counts
 * that only grow, from the greatest on. Then what is behind the last place never comes back but with a row of its own, and the state
 * holds the places alone (Flink's UpdateFastStrategy).
 *
 * A row whose sort key stays keeps its place and is written over; one whose sort key changes goes where a new one would, and those
 * between move by one. (Should it fall back, as counts do that were forgotten and begin anew, that is told too.) */
#include "flow/operator/rank_internal.h"

static enum status row_new(struct rank *s, const struct batch *in)
{
    uint32_t i = s->done;
    bool is_full = s->total >= s->last;

    if (is_full && s->before >= s->last) return S_OK;
    if (is_full) s->fallen = state_ordered_edge(s->table, 0, s->heads[i], true);
    TRY(rank_insert(s, in, i));
    if (s->keys != NULL) rank_keys_set(s, in, i, rank_number(s, s->mine));
    s->is_added = true;
    if (s->is_numbered) rank_shift_begin(s, s->before + 1, s->last, MIN(s->last, s->total) + 1);
    else s->telling = TELL_EDGES;
    return S_OK;
}

/* The row stays where it is. */
static void row_rewrite(struct rank *s, const struct batch *in, void *old, int64_t at, bool emit_before)
{
    int64_t place = s->is_numbered ? at + 1 : 1;

    if (emit_before && place >= s->first) rank_put(s, old, ROW_UPDATE_BEFORE, place);
    rank_load(s);
    rank_store(s, in, old, s->done);
    state_row_write(s->table, 0, s->heads[s->done], old);
    if (s->keys != NULL) rank_keys_touch(s, s->done);
    if (place >= s->first) rank_put(s, old, ROW_UPDATE_AFTER, place);
}

/* Those between its old place and its new one move. `before` counts the old row, where it stands before. A row that rises to before the
 * first place is taken back before anything else, as Flink does. */
static void move_begin(struct rank *s, void *old, int64_t at, bool emit_before)
{
    int64_t place = at + 1;

    s->is_added = s->before <= at;
    if (s->is_added) {
        rank_shift_begin(s, s->before + 1, place, place);
        s->risen = s->hold != NULL ? old : NULL;
        if (emit_before && s->hold == NULL && rank_is_told(s, place)) rank_put(s, old, ROW_UPDATE_BEFORE, place);
    } else {
        s->mine = old;
        rank_shift_begin(s, place, s->before, s->before);
    }
    s->is_moving = true;
}

static enum status row_move(struct rank *s, const struct batch *in, void *old, int64_t at, bool emit_before)
{
    TRY(rank_insert(s, in, s->done));
    if (s->keys != NULL) rank_keys_set(s, in, s->done, rank_number(s, s->mine));
    state_row_remove(s->table, 0, s->heads[s->done], old);
    if (s->is_numbered) move_begin(s, old, at, emit_before);
    else rank_put_update(s, old, s->mine, 1, emit_before);
    return S_OK;
}

enum status rank_update_begin(struct rank *s, const struct batch *in, bool emit_before)
{
    uint32_t i = s->done, at;
    void *old;

    TRY(rank_total(s, i, &s->total));
    TRY(rank_before(s, i, true, &s->before));
    TRY(rank_find_key(s, in, i, &old, &at));
    if (old == NULL) return row_new(s, in);
    if (!rank_is_equal(s, in, i, old, s->sort, s->sort_count)) return row_move(s, in, old, at, emit_before);
    row_rewrite(s, in, old, at, emit_before);
    return S_OK;
}
