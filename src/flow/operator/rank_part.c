/* rank_part.c - operator rank as the first of two phases, in batch mode: what it holds is the first rows of each partition as far as it
 * has seen them, and it tells of no change. When they take three quarters of its memory, and when the input has ended, they come out,
 * partition by partition in their order, and are forgotten: all rows that rank_sorted behind it could give a place are among those that
 * came out, equal ones as they came.
 *
 * Invariants: the state is empty before the next row comes. Rows that rank_net.c cannot hold pass through. */
#include "flow/operator/rank_internal.h"

bool rank_part_is_full(const struct op_cx *cx, const struct rank_config *c)
{
    return c->memory > 0 && state_host_bytes(cx->state) > (size_t)(c->memory - c->memory / 4);
}

/* Partitions at hand, their rows one by one. false: the output is full. */
static bool heads_give(struct rank *s)
{
    for (; s->done < s->part_count; s->done++, s->part_place = 0) {
        void *head = s->heads[s->done];
        const struct state_place *places = state_places(s->table, head);
        for (; s->part_place < state_head_rows(head); s->part_place++) {
            if (!rank_has_room(s)) return false;
            rank_put(s, state_place_row(s->table, places[s->part_place].row), ROW_INSERT, 0);
        }
    }
    return true;
}

/* Not in the call that put out the last rows: they refer to the state. */
static void state_empty(struct rank *s)
{
    state_drop(s->table, 0);
    rank_net_forget(s);
    s->part_cursor = (struct state_cursor){0};
    s->part_is_out = false;
}

enum status rank_part_give(struct op_cx *cx, struct rank *s)
{
    if (s->part_is_out) {
        state_empty(s);
        return S_OK;
    }
    batch_clear(s->out);
    batch_use_kinds(s->out);
    s->used = s->loaded = s->worked = 0;
    if (!s->part_walked) {
        batch_clear(s->part);
        enum status st = state_each(s->table, 0, &s->part_cursor, s->part, cx->plan->keys[0], s->heads, &s->part_count);
        if (st != S_OK && st != S_MORE) return st;
        s->part_last = st == S_OK;
        s->part_walked = true;
        s->done = s->part_place = 0;
    }
    bool is_whole = heads_give(s);
    rank_emit(cx, s, s->part);
    if (!is_whole) return S_MORE;
    state_done(s->table);
    s->part_walked = false;
    s->done = 0;
    s->part_is_out = s->part_last;
    return S_MORE;
}
