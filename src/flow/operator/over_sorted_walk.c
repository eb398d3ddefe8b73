/* over_sorted_walk.c - operator over_sorted: the rows of a partition that the row in work may change, those of its value and behind, and
 * what is read of them. Before it only the last one counts; but DISTINCT sees all of lesser values, as they are walked.
 *
 * A walk works on some rows at a time, and answers S_MORE. */
#include "flow/operator/over_sorted_internal.h"

#include <string.h>

/* --- the rows of a partition ------------------------------------------------------------------------------------- */
static void walk_add(struct op_cx *cx, struct over_sorted *s, void *const *rows, uint32_t count)
{
    while (s->walk_count + count > s->walk_capacity) {
        s->walk_capacity = MAX(s->walk_capacity * 2, 64u);
        s->walk = mem_realloc(cx->mem, s->walk, sizeof *s->walk * s->walk_capacity);
    }
    if (count > 0) memcpy(s->walk + s->walk_count, rows, sizeof *rows * count);
    s->walk_count += count;
    s->worked += count;
}

/* Appends rows of its partition to the walk, of those before only the last; or shows all lesser ones to DISTINCT. S_MORE: time is up. */
static enum status walk_rows(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    enum over_sorted_where where = (enum over_sorted_where)s->walking;
    struct state_probe bound = s->probe;
    struct state_range r = {.from = where > WALK_BEFORE ? &bound : NULL,
                            .to = where != WALK_BEHIND ? &bound : NULL,
                            .from_open = where == WALK_BEHIND,
                            .to_open = where <= WALK_BEFORE,
                            .descending = where == WALK_BEFORE,
                            .limit = where == WALK_BEFORE ? 1 : 0};
    struct state_hits hits;
    enum status st;

    bound.rows = state_probe_at(&s->probe, s->done);
    bound.count = 1;
    do {
        if (s->worked >= OVER_SORTED_WORK) return S_MORE;
        st = state_ordered_scan(s->table, 0, &s->heads[s->done], 1, &r, &s->scan, &hits);
        if (st != S_OK && st != S_MORE) return st;
        if (where != WALK_LESSER) {
            walk_add(cx, s, hits.row, hits.count);
            continue;
        }
        TRY(over_distinct_before(&s->distinct, s->table, hits.row, hits.count, s->work, in, batch_row(in, s->done)));
        s->worked += hits.count;
    } while (st == S_MORE);
    memset(&s->scan, 0, sizeof s->scan);
    return S_OK;
}

void over_sorted_load(struct op_cx *cx, struct over_sorted *s, const struct batch *in, uint32_t i)
{
    const struct op_plan *p = cx->plan;
    uint32_t first = i > 0 ? i - 1 : 0, n = MIN(s->walk_count - first, (uint32_t)BATCH_ROWS);
    uint16_t rows[BATCH_ROWS];

    if (s->work_count > 0 && i >= s->work_first && i < s->work_first + s->work_count) return;
    batch_clear(s->work);
    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_load(s->table, (const void *const *)s->walk + first, n, f, &s->work->cols[s->cols[f]], 0,
                        &s->work->heap, s->work->mem);
    for (uint32_t k = 0; k < n; k++) rows[k] = (uint16_t)batch_row(in, s->done);
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        vector_copy(&s->work->cols[p->keys[0][k]], 0, &in->cols[p->keys[0][k]], rows, n, &s->work->heap, s->work->mem);
    s->work_first = first;
    s->work_count = n;
}

int64_t over_sorted_find(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    uint32_t row = batch_row(in, s->done);

    for (uint32_t i = 0, f; i < s->peers; i++) {
        over_sorted_load(cx, s, in, i);
        for (f = 0; f < s->col_count; f++)
            if (vector_compare(&s->work->cols[s->cols[f]], i - s->work_first, &in->cols[s->cols[f]], row) != 0) break;
        if (f == s->col_count) return i;
    }
    return -1;
}

void over_sorted_walk_insert(struct op_cx *cx, struct over_sorted *s, void *row, uint32_t at)
{
    walk_add(cx, s, &row, 1);
    memmove(s->walk + at + 1, s->walk + at, sizeof *s->walk * (s->walk_count - 1 - at));
    s->walk[at] = row;
}

enum status over_sorted_walk(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    if (s->walking == WALK_LESSER) {
        if (s->scan.step == 0) over_distinct_begin(&s->distinct);
        if (s->distinct.count > 0) TRY(walk_rows(cx, s, in));
        s->walk_count = s->work_count = 0;
        s->walking = WALK_BEFORE;
    }
    if (s->walking == WALK_BEFORE) {
        TRY(walk_rows(cx, s, in));
        s->before = s->walk_count > 0 ? s->walk[0] : NULL;
        s->walk_count = 0;
        s->walking = WALK_EQUAL;
    }
    if (s->walking == WALK_EQUAL) {
        TRY(walk_rows(cx, s, in));
        s->peers = s->walk_count;
        s->walking = WALK_BEHIND;
    }
    TRY(walk_rows(cx, s, in));
    s->walking = WALK_LESSER;
    return S_OK;
}
