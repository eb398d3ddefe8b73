/* rank_update.c - operator rank where a row replaces the one with its unique key, and rows never go nor fall back in the order: counts
 * that only grow, from the greatest on. Then what is behind the last place never comes back but with a row of its own, and the state
 * holds the places alone (Flink's UpdateFastStrategy).
 *
 * A row whose sort key stays keeps its place and is written over; one whose sort key changes goes where a new one would, and those
 * between move by one. (Should it fall back, as counts do that were forgotten and begin anew, that is told too.) Partitions hold as
 * many rows as there are places, which are walked. */
#include "flow/operator/rank_internal.h"

/* The one place has another row: an update. */
static bool is_one_place(const struct rank *s) { return s->last == 1 && !s->is_numbered; }

static enum status row_new(struct rank *s, const struct batch *in, uint32_t behind, bool emit_before)
{
    bool is_full = s->walk_count >= s->last;
    void *fallen = is_full ? s->walk[s->last - 1] : NULL;

    if (is_full && behind >= s->last) return S_OK;
    TRY(rank_insert(s, in, s->done));
    if (fallen != NULL) state_row_remove(s->table, 0, s->heads[s->done], fallen);
    s->is_added = true;
    if (s->is_numbered) {
        rank_shift_begin(s, behind, (int64_t)behind + 1);
        return S_OK;
    }
    if (fallen != NULL && is_one_place(s)) {
        rank_put_update(s, fallen, s->mine, 1, emit_before);
        return S_OK;
    }
    if (fallen != NULL) rank_put(s, fallen, ROW_DELETE, 0);
    rank_put(s, s->mine, ROW_INSERT, 0);
    return S_OK;
}

/* The row stays where it is. */
static void row_rewrite(struct op_cx *cx, struct rank *s, const struct batch *in, void *old, uint32_t at, bool emit_before)
{
    int64_t place = s->is_numbered ? (int64_t)at + 1 : 1;

    if (emit_before && place >= s->first) rank_put(s, old, ROW_UPDATE_BEFORE, place);
    rank_load(cx, s);
    rank_store(s, in, old, s->done);
    state_row_write(s->table, 0, s->heads[s->done], old);
    if (place >= s->first) rank_put(s, old, ROW_UPDATE_AFTER, place);
}

/* Those between its old place and its new one move. */
static void move_begin(struct rank *s, void *old, uint32_t at, uint32_t behind)
{
    s->is_added = behind <= at;
    s->moved = s->mine;
    if (s->is_added) {
        s->walk_count = at + 1;
        rank_shift_begin(s, behind, (int64_t)behind + 1);
    } else {
        s->mine = old;
        s->walk_count = behind;
        rank_shift_begin(s, at + 1, (int64_t)at + 1);
    }
    s->is_moving = true;
}

static enum status row_move(struct rank *s, const struct batch *in, void *old, uint32_t at, uint32_t behind, bool emit_before)
{
    TRY(rank_insert(s, in, s->done));
    state_row_remove(s->table, 0, s->heads[s->done], old);
    if (s->is_numbered) move_begin(s, old, at, behind);
    else rank_put_update(s, old, s->mine, 1, emit_before);
    return S_OK;
}

/* Does row i of the batch have the sort key of this row? */
static bool has_sort_key(struct rank *s, const struct batch *in, uint32_t i, void *old)
{
    void **walk = s->walk;
    uint32_t count = s->walk_count;

    s->walk = &old;
    s->walk_count = 1;
    bool has = rank_equal_find(s, in, i, s->sort, s->sort_count) != NULL;
    s->walk = walk;
    s->walk_count = count;
    return has;
}

enum status rank_update_begin(struct op_cx *cx, struct rank *s, const struct batch *in, bool emit_before)
{
    uint32_t i = s->done;

    TRY(rank_walk(cx, s, i, false, true, 1));
    const void *next = s->walk_count > 0 ? s->walk[0] : NULL;
    TRY(rank_walk(cx, s, i, false, false, 0));
    uint32_t behind = next != NULL ? rank_walk_find(s, next) : s->walk_count;
    void *old = rank_equal_find(s, in, i, s->unique, s->unique_count);
    if (old == NULL) return row_new(s, in, behind, emit_before);
    uint32_t at = rank_walk_find(s, old);
    if (!has_sort_key(s, in, i, old)) return row_move(s, in, old, at, behind, emit_before);
    row_rewrite(cx, s, in, old, at, emit_before);
    return S_OK;
}
