/* sort_merge.c - two sides in the order of their keys, read side by side: the course of the operator `sort_merge_join` when both have
 * ended.
 *
 * A stage holds the next rows of a side. Where the keys at hand are equal, the right side's rows of that key are a group, and each left
 * row of the key meets all of them: pairs are listed by their numbers, over many keys, and the columns of a full list are filled at once.
 * A group that does not end within a full stage is put into rows of its own, beyond memory into a file (kept_rows.h).
 *
 * Each row of a stage knows whether it has met another. When the stage is done with, those that come alone do, all at once, and it is
 * filled again.
 *
 * An interval join looks at the rows of a group by their times, and lists for each left row those of its interval (sort_merge_times.c).
 *
 * Invariants: a list of pairs is of one left stage and of one batch of the right side, and goes out before either changes. A call lists
 * and forwards at most one batch. */
#include "flow/operator/sort_merge_join.h"

#include <string.h>

enum { WORK_MAX = 4096, /* rows that are compared in one call */ NO_SIDE = -1 };

/* --- keys -------------------------------------------------------------------------------------------------------- */
/* A row of the left stage beside one of a batch of the right side. NULLs come first, and stand before each other where they are not
 * equal: the left row goes then. */
static int keys_compare(const struct sort_merge_join *s, uint32_t left, const struct batch *right, uint32_t row)
{
    const struct merge_side *l = &s->sides[0], *r = &s->sides[1];

    for (uint32_t i = 0; i < s->key_count; i++) {
        const struct vector *x = &l->stage->cols[l->by[i].col], *y = &right->cols[r->by[i].col];
        if (!s->null_safe[i] && vector_is_null(x, left)) return -1;
        if (!s->null_safe[i] && vector_is_null(y, row)) return 1;
        int order = vector_compare(x, left, y, row);
        if (order != 0) return order;
    }
    return 0;
}

static bool is_same_right(const struct sort_merge_join *s, uint32_t row, const struct batch *other, uint32_t other_row)
{
    const struct merge_side *r = &s->sides[1];

    return order_columns_compare(r->by, s->key_count, r->stage, row, other, other_row) == 0;
}

static bool is_through(const struct merge_side *m) { return m->at == m->stage->count; }

/* --- stages ------------------------------------------------------------------------------------------------------ */
/* What is left of the stage moves to its front. */
static void stage_turn(struct merge_side *m)
{
    struct batch *stage = m->stage;
    uint16_t rest[BATCH_ROWS];
    uint32_t n = stage->count - m->at;

    for (uint32_t i = 0; i < n; i++) rest[i] = (uint16_t)(m->at + i);
    batch_append(m->spare, stage, rest, n);
    m->stage = m->spare;
    m->spare = stage;
    batch_clear(stage);
    m->at = 0;
    memset(m->met, 0, sizeof m->met);
    m->is_filling = true;
}

static enum status stage_fill(struct merge_side *m)
{
    if (!m->is_filling) stage_turn(m);
    while (!m->is_over && m->stage->count < m->stage->capacity) {
        uint32_t before = m->stage->count;
        enum status st = row_sort_next(m->sort, m->stage, m->stage->capacity - before);
        if (st != S_OK && st != S_MORE) return st;
        m->is_over = st == S_OK;
        if (st == S_MORE && m->stage->count == before) return S_MORE;
    }
    m->is_filling = false;
    return S_OK;
}

/* --- rows alone -------------------------------------------------------------------------------------------------- */
static bool comes_alone(const struct sort_merge_join *s, const uint64_t *met, uint32_t i)
{
    return bit_get(met, i) == s->plan.kind->matched;
}

/* Rows of one side, n of them, with NULLs beside them. */
static void lone_forward(struct op_cx *cx, struct sort_merge_join *s, uint32_t side, const struct batch *from,
                         const uint16_t *rows, uint32_t n)
{
    struct batch *out = s->out;

    if (n == 0) return;
    batch_clear(out);
    for (uint32_t c = 0; c < out->col_count; c++) {
        struct vector *v = &out->cols[c];
        uint32_t of = c >= s->plan.left;
        if (v->form == VEC_ABSENT) continue;
        if (of == side) vector_copy(v, 0, &from->cols[of == 0 ? c : c - s->plan.left], rows, n, NULL, out->mem);
        for (uint32_t i = 0; of != side && i < n; i++) vector_set_null(v, i);
    }
    out->count = n;
    op_forward(cx, 0, out);
}

/* Of the rows of the stage that are done with. */
static void stage_lone(struct op_cx *cx, struct sort_merge_join *s, uint32_t side)
{
    struct merge_side *m = &s->sides[side];
    uint16_t rows[BATCH_ROWS];
    uint32_t n = 0;

    for (uint32_t i = 0; s->plan.kind->alone[side] && i < m->at; i++)
        if (comes_alone(s, m->met, i)) rows[n++] = (uint16_t)i;
    lone_forward(cx, s, side, m->stage, rows, n);
}

/* Some rows of a group that was put aside. S_OK: that was all. */
static enum status group_lone(struct op_cx *cx, struct sort_merge_join *s)
{
    struct merge_group *g = &s->group;
    const struct batch *from = NULL;
    uint16_t rows[BATCH_ROWS];
    uint32_t n = 0;

    while (s->plan.kind->alone[1] && g->lone < g->rows.count && n < s->out->capacity) {
        uint32_t row;
        const struct batch *b = kept_rows_at(&g->rows, g->lone, &row);
        TRY(kept_rows_failed(&g->rows));
        if (from != NULL && b != from) break;
        from = b;
        for (; row < b->count && n < s->out->capacity; row++, g->lone++)
            if (comes_alone(s, g->met, g->lone)) rows[n++] = (uint16_t)row;
    }
    if (n > 0) lone_forward(cx, s, 1, from, rows, n);
    return s->plan.kind->alone[1] && g->lone < g->rows.count ? S_MORE : S_OK;
}

/* --- pairs ------------------------------------------------------------------------------------------------------- */
static void pairs_fill(const struct sort_merge_join *s, uint32_t n, struct batch *to)
{
    batch_clear(to);
    for (uint32_t c = 0; c < to->col_count; c++) {
        uint32_t side = c >= s->plan.left;
        const struct batch *from = side == 0 ? s->sides[0].stage : s->right;
        if (to->cols[c].form == VEC_ABSENT) continue;
        vector_copy(&to->cols[c], 0, &from->cols[side == 0 ? c : c - s->plan.left], s->rows[side], n, NULL, to->mem);
    }
    to->count = n;
}

/* Those that the condition takes. */
static enum status pairs_select(struct op_cx *cx, struct sort_merge_join *s, uint32_t *n)
{
    uint16_t taken[BATCH_ROWS];

    *n = s->is_timed ? merge_times_same(cx, s, s->count) : s->count;
    if (s->condition == NULL || *n == 0) return S_OK;
    pairs_fill(s, *n, s->tested);
    TRY(expr_select(s->condition, s->tested, sys_wall_ms(cx->sys), taken, n, cx->err));
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < *n; i++) s->rows[side][i] = s->rows[side][taken[i]];
    return S_OK;
}

/* The pairs that are listed come out. */
static enum status pairs_give(struct op_cx *cx, struct sort_merge_join *s)
{
    bool is_kept = s->right != s->sides[1].stage;
    uint64_t *met = is_kept ? s->group.met : s->sides[1].met;
    uint32_t n, first = is_kept ? s->right_first : 0;

    TRY(pairs_select(cx, s, &n));
    for (uint32_t i = 0; i < n; i++) bit_set(s->sides[0].met, s->rows[0][i]);
    for (uint32_t i = 0; s->plan.kind->alone[1] && i < n; i++) bit_set(met, first + s->rows[1][i]);
    s->count = 0;
    if (n == 0 || !s->plan.kind->pairs) return S_OK;
    pairs_fill(s, n, s->out);
    op_forward(cx, 0, s->out);
    return S_OK;
}

/* Pairs of the left row at hand with rows of the group, as many as there is room for. False: the list must go out first. */
static bool pairs_list(struct sort_merge_join *s, const struct batch *right, uint32_t right_first, uint32_t end)
{
    struct merge_group *g = &s->group;
    uint32_t n = s->count, left = s->sides[0].at;

    if (n > 0 && s->right != right) return false;
    s->right = right;
    s->right_first = right_first;
    for (; n < s->out->capacity && g->next < end; n++, g->next++) {
        if (s->is_timed && !merge_times_meets(s, right, g->next - right_first)) {
            g->next = g->end;
            break;
        }
        s->rows[0][n] = (uint16_t)left;
        s->rows[1][n] = (uint16_t)(g->next - right_first);
    }
    s->count = n;
    return true;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */
static void group_open(struct merge_group *g, uint32_t first, uint32_t end, bool is_kept)
{
    g->is_open = g->has_row = true;
    g->is_kept = is_kept;
    g->is_entered = false;
    g->first = g->next = first;
    g->end = end;
    g->lone = 0;
}

static void group_gather_begin(struct sort_merge_join *s)
{
    uint16_t row = (uint16_t)s->sides[1].at;

    batch_clear(s->group.key);
    batch_append(s->group.key, s->sides[1].stage, &row, 1);
    s->group.is_gathering = true;
}

static void group_met_clear(struct sort_merge_join *s)
{
    struct merge_group *g = &s->group;
    uint32_t words = g->rows.count / 64 + 1;

    if (words > g->capacity) {
        mem_free(g->rows.mem, g->met);
        g->met = mem_alloc(g->rows.mem, sizeof *g->met * words);
        g->capacity = words;
    }
    memset(g->met, 0, sizeof *g->met * words);
}

/* The rows of the right stage with the group's key leave it: they come alone with the group, or not at all. */
static enum status group_gather(struct op_cx *cx, struct sort_merge_join *s)
{
    struct merge_side *r = &s->sides[1];
    struct merge_group *g = &s->group;
    struct batch view = *r->stage;
    uint16_t rows[BATCH_ROWS];

    view.sel = rows;
    view.sel_count = 0;
    for (; !is_through(r) && is_same_right(s, r->at, g->key, 0); r->at++) {
        bit_set(r->met, r->at);
        rows[view.sel_count++] = (uint16_t)r->at;
    }
    enum status st = view.sel_count > 0 ? kept_rows_add(&g->rows, &view) : S_OK;
    if (st == E_BUDGET) return err_set(cx->err, E_BUDGET, "more than %u rows of one key in a join", KEPT_ROWS_MAX);
    TRY(st);
    if (is_through(r) && !r->is_over) {
        s->wants = 1;
        return S_OK;
    }
    g->is_gathering = false;
    group_met_clear(s);
    group_open(g, 0, g->rows.count, true);
    return S_OK;
}

/* The keys at hand are equal. */
static void group_begin(struct sort_merge_join *s)
{
    struct merge_side *r = &s->sides[1];
    uint32_t end = r->at + 1;

    while (end < r->stage->count && is_same_right(s, end, r->stage, r->at)) end++;
    if (end < r->stage->count || r->is_over)
        group_open(&s->group, r->at, end, false);
    else if (r->at > 0)
        s->wants = 1;
    else
        group_gather_begin(s);
}

/* All left rows of the key have met it. False: the list must go out first. */
static enum status group_end(struct op_cx *cx, struct sort_merge_join *s)
{
    struct merge_group *g = &s->group;

    if (g->is_kept) {
        TRY(group_lone(cx, s));
        kept_rows_clear(&g->rows);
    } else {
        s->sides[1].at = g->end;
    }
    g->is_open = false;
    return S_OK;
}

/* --- the course -------------------------------------------------------------------------------------------------- */
/* To the next equal keys. False: a stage must be filled, or there are no more rows. */
static bool keys_find(struct sort_merge_join *s)
{
    struct merge_side *l = &s->sides[0], *r = &s->sides[1];

    for (uint32_t side = 0; side < 2; side++) {
        if (!is_through(&s->sides[side]) || s->sides[side].is_over) continue;
        s->wants = (int)side;
        return false;
    }
    s->is_done = is_through(l) && is_through(r);
    if (s->is_done) return false;
    int order = is_through(l) ? 1 : is_through(r) ? -1 : keys_compare(s, l->at, r->stage, r->at);
    if (order < 0) l->at++;
    if (order > 0) r->at++;
    if (order == 0) group_begin(s);
    return s->wants == NO_SIDE;
}

/* Is the left row at hand one of the group's key? False, too, when the stage must be filled first. */
static bool has_row(struct sort_merge_join *s)
{
    struct merge_side *l = &s->sides[0];
    struct merge_group *g = &s->group;

    if (g->has_row) return true;
    if (is_through(l)) {
        if (!l->is_over) s->wants = 0;
        return false;
    }
    g->has_row = keys_compare(s, l->at, g->is_kept ? g->key : s->sides[1].stage, g->is_kept ? 0 : s->sides[1].at) == 0;
    return g->has_row;
}

static void row_end(struct sort_merge_join *s)
{
    s->sides[0].at++;
    s->group.next = s->group.first;
    s->group.has_row = s->group.is_entered = false;
}

/* The left row at hand meets the group. False: the list must go out first. */
static enum status row_meet(struct sort_merge_join *s, bool *goes_on)
{
    struct merge_group *g = &s->group;
    const struct batch *right = s->sides[1].stage;
    uint32_t first = 0, end = g->end, row;

    if (!s->plan.kind->pairs && s->condition == NULL) {
        bit_set(s->sides[0].met, s->sides[0].at);
        row_end(s);
        return S_OK;
    }
    if (s->is_timed && !g->is_entered) TRY(merge_times_enter(s, goes_on));
    if (!*goes_on) return S_OK;
    if (g->is_kept && g->next < g->end) {
        right = kept_rows_at(&g->rows, g->next, &row);
        TRY(kept_rows_failed(&g->rows));
        first = g->next - row;
        end = first + right->count;
    }
    if (g->next < g->end) *goes_on = pairs_list(s, right, first, end);
    if (g->next == g->end) row_end(s);
    return S_OK;
}

/* Lists pairs until the list is full, or something else must be done first. */
static enum status pairs_find(struct op_cx *cx, struct sort_merge_join *s)
{
    struct merge_group *g = &s->group;
    bool goes_on = true;

    for (uint32_t worked = 0; goes_on && worked < WORK_MAX && s->count < s->out->capacity; worked++) {
        if (g->is_gathering)
            TRY(group_gather(cx, s));
        else if (!g->is_open)
            goes_on = keys_find(s);
        else if (has_row(s))
            TRY(row_meet(s, &goes_on));
        else if (s->wants == NO_SIDE && g->is_kept)
            return S_OK;
        else if (s->wants == NO_SIDE)
            TRY(group_end(cx, s));
        goes_on &= s->wants == NO_SIDE;
    }
    return S_OK;
}

/* Has a group that was put aside met all its left rows? */
static bool is_met(const struct sort_merge_join *s)
{
    const struct merge_group *g = &s->group;
    const struct merge_side *l = &s->sides[0];

    if (!g->is_open || !g->is_kept || g->has_row || s->wants != NO_SIDE) return false;
    return is_through(l) ? l->is_over : keys_compare(s, l->at, g->key, 0) != 0;
}

/* The stage of a side is done with. */
static enum status stage_next(struct op_cx *cx, struct sort_merge_join *s)
{
    if (!s->is_told) {
        stage_lone(cx, s, (uint32_t)s->wants);
        s->is_told = true;
        return S_MORE;
    }
    TRY(stage_fill(&s->sides[s->wants]));
    s->wants = NO_SIDE;
    s->is_told = false;
    return S_MORE;
}

enum status sort_merge_run(struct op_cx *cx, struct sort_merge_join *s)
{
    if (s->count == 0 && s->wants == NO_SIDE && !s->is_done && !is_met(s)) TRY(pairs_find(cx, s));
    if (s->count > 0) {
        TRY(pairs_give(cx, s));
        return S_MORE;
    }
    if (s->wants != NO_SIDE) return stage_next(cx, s);
    if (is_met(s)) {
        TRY(group_end(cx, s));
        return S_MORE;
    }
    if (!s->is_done) return S_MORE;
    stage_lone(cx, s, s->ending++);
    return s->ending < 2 ? S_MORE : S_OK;
}
