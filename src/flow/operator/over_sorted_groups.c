/* over_sorted_groups.c - operator over_sorted, a row in work: it is put among the rows of its value or taken out of them, and then groups
 * of rows are done, one after the other, until one has the words that it had. With RANGE a group is the rows of one value, with ROWS one
 * row.
 *
 * Each step is taken up again where it stood: the walk, values that DISTINCT has to see before the first group, a group whose changes did
 * not fit the output. */
#include "flow/operator/over_sorted_internal.h"

#include <string.h>

/* The results at hand are those of the row from now on. */
static void results_store(struct over_sorted *s, void *row)
{
    memcpy(over_sorted_words(s, row), s->acc, s->words);
    over_values_store(&s->values, s->table, row);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */
/* Do rows i - 1 and i of the walk belong to one group? */
static bool is_together(struct op_cx *cx, struct over_sorted *s, const struct batch *in, uint32_t i)
{
    if (s->config->rows || i >= s->walk_count) return false;
    over_sorted_load(cx, s, in, i);
    return vector_compare(&s->work->cols[s->order], i - 1 - s->work_first, &s->work->cols[s->order],
                          i - s->work_first) == 0;
}

/* MIN and MAX count their values; nothing is taken back here, and with a count no row would ever leave them as they were. */
static void words_settle(struct over_sorted *s)
{
    for (uint32_t c = 0; c < s->call_count; c++) {
        const struct agg *a = &s->calls[c].agg;
        if (a->keep != AGG_KEEP_NOTHING || (strcmp(a->type->name, "min") != 0 && strcmp(a->type->name, "max") != 0))
            continue;
        int64_t *count = agg_word(a, s->acc, 1);
        *count = *count > 0;
    }
}

/* The i-th row of the walk, which stands in the batch `work`. */
static enum status row_add(struct over_sorted *s, const struct batch *in, uint32_t i)
{
    uint16_t row = (uint16_t)(i - s->work_first);
    bool is_mine = s->walk[i] == s->mine;
    void *acc = s->acc;

    if (is_mine && !s->is_added) return S_OK;
    TRY(over_distinct_add(&s->distinct, s->work, row, in, batch_row(in, s->done), is_mine, s->left_out));
    for (uint32_t c = 0; c < s->call_count; c++) {
        const struct agg *a = &s->calls[c].agg;
        if (a->keep == AGG_KEEP_NOTHING && !s->left_out[c])
            a->type->add(a, &acc, a->argument != NULL ? &s->work->cols[a->col] : NULL, &row, 1);
    }
    over_values_add(&s->values, s->work, row, s->left_out);
    return S_OK;
}

/* Adds the rows of the group that begins at s->group; sets where it ends. S_MORE: time is up. */
static enum status group_sum(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    if (!s->is_summing) s->end = s->step = s->group;
    s->is_summing = true;
    do {
        if (s->worked >= OVER_SORTED_WORK) return S_MORE;
        over_sorted_load(cx, s, in, s->end);
        TRY(row_add(s, in, s->end));
        s->end++;
        s->worked++;
    } while (is_together(cx, s, in, s->end));
    words_settle(s);
    s->is_summing = false;
    return S_OK;
}

/* Did the words of the group's rows stay what they were? True where there is none but the row in work. */
static bool is_same(struct over_sorted *s)
{
    if (!over_distinct_settled(&s->distinct)) return false;
    for (uint32_t i = s->group; i < s->end; i++)
        if (s->walk[i] != s->mine)
            return memcmp(over_sorted_words(s, s->walk[i]), s->acc, s->words) == 0 &&
                   over_values_same(&s->values, s->table, s->walk[i]);
    return true;
}

static void put_mine(struct over_sorted *s, enum row_kind kind)
{
    if (!s->is_added) {
        over_sorted_put(s, s->mine, ROW_DELETE, true);
        return;
    }
    results_store(s, s->mine);
    over_sorted_put(s, s->mine, kind, false);
}

/* S_MORE: the output is full. */
static enum status group_emit(struct over_sorted *s, enum row_kind kind, bool same)
{
    for (; s->step < s->end; s->step++) {
        void *row = s->walk[s->step];
        if (row != s->mine && same) continue;
        if (!over_sorted_has_room(s)) return S_MORE;
        if (row == s->mine) {
            put_mine(s, kind);
            continue;
        }
        if (s->config->calls.emit_before) over_sorted_put(s, row, ROW_UPDATE_BEFORE, true);
        results_store(s, row);
        state_row_write(s->table, 0, s->heads[s->done], row);
        over_sorted_put(s, row, ROW_UPDATE_AFTER, false);
    }
    return S_OK;
}

/* With ROWS those of its own value that stand before it are before, too. S_MORE: time is up. */
static enum status distinct_begin(struct over_sorted *s, const struct batch *in)
{
    uint32_t row = batch_row(in, s->done);

    for (uint32_t n; s->distinct.count > 0 && s->distinct_at < s->group; s->distinct_at += n) {
        if (s->worked >= OVER_SORTED_WORK) return S_MORE;
        n = MIN(s->group - s->distinct_at, (uint32_t)BATCH_ROWS);
        TRY(over_distinct_before(&s->distinct, s->table, s->walk + s->distinct_at, n, s->work, in, row));
        s->worked += n;
    }
    over_distinct_ready(&s->distinct, in, row);
    s->is_ready = true;
    s->work_count = 0;
    return S_OK;
}

/* Group after group until nothing changes any more. */
static enum status groups_go(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    enum row_kind kind = batch_kind(in, batch_row(in, s->done));

    if (!s->is_ready) TRY(distinct_begin(s, in));
    for (;;) {
        if (!s->is_emitting) {
            if (!over_sorted_has_room(s)) return S_MORE;
            TRY(group_sum(cx, s, in));
            s->is_same = is_same(s);
            s->is_emitting = true;
        }
        TRY(group_emit(s, kind, s->is_same));
        s->is_emitting = false;
        bool has_mine = s->mine_at >= s->group && s->mine_at < s->end;
        s->group = s->end;
        if (s->group >= s->walk_count || (s->is_same && !has_mine)) return S_OK;
    }
}

/* --- a row ------------------------------------------------------------------------------------------------------- */
/* Where the first group begins, and the words before it: with ROWS they are those of the row before. */
static void groups_begin(struct over_sorted *s, void *before)
{
    s->group = s->config->rows ? s->mine_at : 0;
    if (s->group > 0) before = s->walk[s->group - 1];
    over_values_begin(&s->values, s->table, before);
    if (before != NULL)
        memcpy(s->acc, over_sorted_words(s, before), s->words);
    else
        memset(s->acc, 0, s->words);
    s->is_emitting = s->is_summing = s->is_ready = false;
    s->distinct_at = 0;
    s->work_count = 0;
}

static void row_store(struct over_sorted *s, const struct batch *in)
{
    uint16_t row = (uint16_t)batch_row(in, s->done);

    for (uint32_t i = 0; i < s->col_count; i++)
        state_rows_store(s->table, 0, &s->mine, 1, i, &in->cols[s->cols[i]], &row);
}

/* A row that is taken back and is not there is passed over: *is_there. */
static enum status row_begin(struct op_cx *cx, struct over_sorted *s, const struct batch *in, bool *is_there)
{
    enum row_kind kind = batch_kind(in, batch_row(in, s->done));
    struct state_probe one = s->probe;

    TRY(over_sorted_walk(cx, s, in));
    s->is_added = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
    *is_there = true;
    if (s->is_added) {
        one.rows = state_probe_at(&s->probe, s->done);
        one.count = 1;
        TRY(state_ordered_insert(s->table, 0, &s->heads[s->done], &one, &s->mine, NULL));
        row_store(s, in);
        over_sorted_walk_insert(cx, s, s->mine, s->peers);
        s->mine_at = s->peers;
    } else {
        int64_t at = over_sorted_find(cx, s, in);
        *is_there = at >= 0;
        if (at < 0) return S_OK;
        s->mine_at = (uint32_t)at;
        s->mine = s->walk[at];
        state_row_remove(s->table, 0, s->heads[s->done], s->mine);
    }
    groups_begin(s, s->before);
    return S_OK;
}

enum status over_sorted_work(struct op_cx *cx, struct over_sorted *s, const struct batch *in)
{
    for (uint32_t n = batch_rows(in); s->done < n; s->done++) {
        if (!s->is_begun) {
            bool is_there;
            if (!over_sorted_has_room(s)) return S_MORE;
            TRY(row_begin(cx, s, in, &is_there));
            if (!is_there) continue;
            s->is_begun = true;
        }
        TRY(groups_go(cx, s, in));
        s->is_begun = false;
    }
    return S_OK;
}

