/* rank_row.c - operator rank row by row, in the sequence of Flink's operators: what a row that comes or goes does to the places of its
 * partition.
 *
 * The row is counted into its place, and put into the state or taken out of it. Where places are numbered those behind it move by one and
 * are told one by one, from there or from the first place that counts to the last; else only the rows on the edges are: the one that falls
 * out of first..last, and the one that comes in. So a change costs log n steps, and what is told.
 *
 * What is asked of the state before the row is changed may be pending, and is asked again; what is asked behind that (the rows that are
 * told) is asked again from where it stood (`telling`). */
#include "flow/operator/rank_internal.h"

/* --- rows behind mine move by one place ---------------------------------------------------------------------------- */
/* From that place on: rows below number `end` are told. The rows at hand begin with what stands at that place, unless that is mine. */
void rank_shift_begin(struct rank *s, int64_t place, int64_t place_last, int64_t end)
{
    int64_t next = s->is_added ? place : place - 1, from = MAX(place, s->first);

    s->telling = TELL_SHIFT;
    s->place = from;
    s->place_last = place_last;
    s->is_moving = false;
    s->hold = from == place ? s->mine : NULL;
    rank_cursor_open(&s->cursor, from == place ? next : next + (from - place) - 1, end);
}

/* The row that rises is taken back at its old place, the last one, before the first one is told. */
static void rise(struct rank *s, const void *next, bool emit_before)
{
    if (emit_before && next != NULL && rank_is_told(s, s->place)) rank_put(s, next, ROW_UPDATE_BEFORE, s->place);
    if (emit_before && s->risen != NULL && rank_is_told(s, s->place_last)) rank_put(s, s->risen, ROW_UPDATE_BEFORE, s->place_last);
    if (rank_is_told(s, s->place)) rank_put(s, s->hold, ROW_UPDATE_AFTER, s->place);
    s->risen = NULL;
}

/* Behind the rows that moved is a new place, or one less. */
static void shift_end(struct rank *s, bool emit_before)
{
    if (s->is_moving && s->is_added) rise(s, NULL, emit_before);
    else if (!s->is_moving && rank_is_told(s, s->place)) rank_put(s, s->hold, s->is_added ? ROW_INSERT : ROW_DELETE, s->place);
}

/* S_MORE: the output is full. */
static enum status shift(struct rank *s, bool emit_before)
{
    void *next;

    for (; s->place <= s->place_last; s->place++, s->hold = next) {
        if (!rank_has_room(s)) return S_MORE;
        if (s->hold == NULL) TRY(rank_cursor_next(s, &s->cursor, s->heads[s->done], &s->hold));
        if (s->hold == NULL) return S_OK;
        TRY(rank_cursor_next(s, &s->cursor, s->heads[s->done], &next));
        if (next == NULL) {
            shift_end(s, emit_before);
            return S_OK;
        }
        if (s->is_moving && s->is_added) rise(s, next, emit_before);
        else rank_put_update(s, s->is_added ? next : s->hold, s->is_added ? s->hold : next, s->place, emit_before);
    }
    return S_OK;
}

/* --- rows on the edges --------------------------------------------------------------------------------------------- */
/* `before` rows stand before mine; *out leaves first..last, *in comes in. NULL: no row does. */
static enum status edges_find(struct rank *s, void **out, void **in)
{
    uint32_t i = s->done;

    *out = *in = NULL;
    if (s->is_added) {
        if (s->total >= s->last) TRY(rank_at(s, i, s->last, out));
        if (s->before + 1 >= s->first) *in = s->mine;
        else if (s->total + 1 >= s->first) TRY(rank_at(s, i, s->first - 1, in));
        return S_OK;
    }
    if (s->before + 1 >= s->first) *out = s->mine;
    else if (s->total + 1 >= s->first) TRY(rank_at(s, i, s->first - 2, out));
    if (s->total >= s->last) TRY(rank_at(s, i, s->last - 1, in));
    return S_OK;
}

static enum status edges_tell(struct rank *s, bool emit_before)
{
    void *out, *in;

    TRY(edges_find(s, &out, &in));
    if (out != NULL && in != NULL && s->last == 1 && (!s->keeps_all || s->replaces)) { /* the one place has another row: an update */
        rank_put_update(s, out, in, 1, emit_before);
        return S_OK;
    }
    if (out != NULL) rank_put(s, out, ROW_DELETE, 0);
    if (in != NULL) rank_put(s, in, ROW_INSERT, 0);
    return S_OK;
}

/* --- a row --------------------------------------------------------------------------------------------------------- */
/* Its place is known, and the state has changed. */
static void tell_begin(struct rank *s)
{
    if (s->before >= s->last) return;
    if (!s->is_numbered) s->telling = TELL_EDGES;
    else if (s->is_added) rank_shift_begin(s, s->before + 1, s->last, MIN(s->last, s->total) + 1);
    else rank_shift_begin(s, s->before + 1, s->last, MIN(s->last, s->total));
}

static enum status added_begin(struct rank *s, const struct batch *in)
{
    uint32_t i = s->done;

    s->before = 0;
    TRY(rank_total(s, i, &s->total));
    if (s->is_numbered || s->first > 1 || s->total >= s->last) TRY(rank_before(s, i, true, &s->before));
    if (!s->keeps_all && s->before >= s->last) return S_OK; /* it never comes to stand in a place */
    if (!s->keeps_all && s->total >= s->last) s->fallen = state_ordered_edge(s->table, 0, s->heads[i], true);
    TRY(rank_insert(s, in, i));
    s->is_added = true;
    tell_begin(s);
    return S_OK;
}

/* What is not there cannot be taken back: as if nothing had come. */
static enum status removed_begin(struct rank *s, const struct batch *in)
{
    uint32_t i = s->done, at;

    TRY(rank_total(s, i, &s->total));
    TRY(rank_before(s, i, false, &s->before));
    TRY(rank_find(s, in, i, &s->mine, &at));
    if (s->mine == NULL) return S_OK;
    s->before += at;
    s->total--;
    state_row_remove(s->table, 0, s->heads[i], s->mine);
    s->is_added = false;
    tell_begin(s);
    return S_OK;
}

static enum status row_begin(struct rank *s, const struct batch *in, bool emit_before)
{
    enum row_kind kind = batch_kind(in, batch_row(in, s->done));

    s->telling = TELL_NOTHING;
    s->fallen = NULL;
    if (s->replaces) return rank_update_begin(s, in, emit_before);
    return kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? added_begin(s, in) : removed_begin(s, in);
}

/* S_MORE: the output is full, or time is up. */
enum status rank_row_work(struct rank *s, const struct batch *in, bool emit_before)
{
    for (uint32_t n = batch_rows(in); s->done < n; s->done++) {
        if (!s->is_begun) {
            if (!rank_has_room(s)) return S_MORE;
            TRY(row_begin(s, in, emit_before));
            s->is_begun = true;
        }
        if (s->telling == TELL_EDGES) TRY(edges_tell(s, emit_before));
        if (s->telling == TELL_SHIFT) TRY(shift(s, emit_before));
        if (s->fallen != NULL && s->keys != NULL) rank_keys_forget(s, in, s->done, s->fallen);
        if (s->fallen != NULL) state_row_remove(s->table, 0, s->heads[s->done], s->fallen);
        s->is_begun = false;
    }
    return s->keys != NULL ? rank_keys_end(s) : S_OK;
}
