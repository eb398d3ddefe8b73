/* sort_merge_times.c - interval joins in batch mode, on the course of sort_merge.c. Both sides are sorted by the hash of their keys, whatever
 * types these have, and by time; a group is the right side's rows of one hash. Left rows of a group come by time, too: the first right
 * row that may be met only moves on, and what is met is a stretch from there. So work follows the pairs, and not the rows of a key.
 *
 * Without keys all rows are one group. Rows without a key (NULL) come alone or not at all: each side has a hash of its own for them.
 *
 * Invariants: no row without a time; times that leave the range stop at its ends. Rows whose hashes are equal are told apart by their
 * keys, pair by pair. */
#include "flow/operator/row_time.h"
#include "flow/operator/sort_merge_join.h"

enum { STEPS_MAX = 4096 /* rows that are passed over in one call */ };

enum status merge_times_read(const struct op_plan *p, const struct sort_merge_join_config *c, int cols[2], struct err *e)
{
    TRY(row_time_column(p, 0, c->left_time, &cols[0], e));
    TRY(row_time_column(p, 1, c->right_time, &cols[1], e));
    if ((cols[0] < 0) == (cols[1] < 0)) return S_OK;
    return err_set(e, E_CONFIG, "both sides of an interval join have times, or none has");
}

enum status merge_times_check(struct op_cx *cx, const struct merge_side *m, const struct batch *in)
{
    const struct vector *v = &in->cols[m->time_col];

    BATCH_EACH(in, i, row)
        if (vector_is_null(v, row)) return row_time_missing(cx, in, row);
    return S_OK;
}

enum status merge_times_add(struct op_cx *cx, struct sort_merge_join *s, uint32_t input, const struct batch *in)
{
    const struct sort_merge_join_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS], no_key[BATCH_ROWS / 64];

    batch_hash(in, p->keys[input], p->key_count[input], hashes);
    join_no_keys(p, &c->null_safe, input, in, no_key);
    for (uint32_t i = 0; i < batch_rows(in); i++)
        if (bit_get(no_key, i)) hashes[i] = input;
    return hashed_rows_add(&s->sides[input].hashed, in, hashes, NULL);
}

static int64_t time_of(const struct merge_side *m, const struct batch *b, uint32_t row)
{
    return VECTOR_VALUES(&b->cols[m->time_col], int64_t)[row];
}

enum status merge_times_enter(struct sort_merge_join *s, bool *goes_on)
{
    const struct merge_side *left = &s->sides[0], *right = &s->sides[1];
    struct merge_group *g = &s->group;
    int64_t time = time_of(left, left->stage, left->at);

    s->from = time_minus(time, s->upper_ms);
    s->to = time_minus(time, s->lower_ms);
    for (uint32_t steps = 0; g->first < g->end; g->first++, steps++) {
        const struct batch *b = right->stage;
        uint32_t row = g->first;
        if (g->is_kept) b = kept_rows_at(&g->rows, g->first, &row);
        TRY(kept_rows_failed(&g->rows));
        if (time_of(right, b, row) >= s->from) break;
        *goes_on = steps < STEPS_MAX && (s->count == 0 || s->right == b); /* what is listed stays in memory until it goes out */
        if (!*goes_on) return S_OK;
    }
    g->next = g->first;
    g->is_entered = true;
    return S_OK;
}

/* Of the pairs that are listed. */
static uint32_t same_by(struct sort_merge_join *s, uint32_t n, const struct vector *x, const struct vector *y)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint16_t left = s->rows[0][i], right = s->rows[1][i];
        s->rows[0][kept] = left;
        s->rows[1][kept] = right;
        kept += vector_compare(x, left, y, right) == 0;
    }
    return kept;
}

uint32_t merge_times_same(const struct op_cx *cx, struct sort_merge_join *s, uint32_t n)
{
    const struct op_plan *p = cx->plan;

    for (uint32_t k = 0; k < p->key_count[0]; k++)
        n = same_by(s, n, &s->sides[0].stage->cols[p->keys[0][k]], &s->right->cols[p->keys[1][k]]);
    return n;
}
