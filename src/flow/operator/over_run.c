/* over_run.c - runs the steps of windows: rows are taken up and let go in order, and behind each group the accumulators are copied, so
 * that the result hooks run once over all copies. Values that are kept have no copies: their results are written at once.
 *
 * Steps are loaded into the output batch as they come, all of one group in one batch where they fit; what is not emitted is left out
 * by a selection. Rows of a window that keeps none go the short way: the input's own columns and the results are handed on. */
#include "flow/operator/over.h"

#include <string.h>

/* --- loading ----------------------------------------------------------------------------------------------------- */
/* As many steps as go together: whole groups, else as many as there is room for. */
static uint32_t chunk_of(const struct over *s)
{
    uint32_t left = s->step_count - s->done, n = MIN(left, s->out->capacity), whole = n;

    if (n == left) return n;
    while (whole > 0 && (s->steps[s->done + whole - 1].kind & OVER_ENDS) == 0) whole--;
    return whole > 0 ? whole : n;
}

static void chunk_load(struct op_cx *cx, struct over *s, uint32_t n)
{
    const struct op_plan *p = cx->plan;
    struct batch *out = s->out;
    bool takes_back = false;

    batch_clear(out);
    out->sel = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const struct over_step *step = &s->steps[s->done + i];
        s->from[i] = step->row;
        s->numbers[i] = (uint16_t)batch_row(s->source, step->key);
        s->state[i] = s->acc_rows[step->entry];
        takes_back |= (step->kind & OVER_TAKE_BACK) != 0;
    }
    for (uint32_t k = 0; k < p->key_count[0]; k++) {
        const struct vector *v = &s->source->cols[s->is_waiting ? k : p->keys[0][k]];
        if (out->cols[p->keys[0][k]].form != VEC_ABSENT)
            vector_copy(&out->cols[p->keys[0][k]], 0, v, s->numbers, n, &out->heap, out->mem);
    }
    for (uint32_t i = 0; i < s->col_count; i++)
        state_rows_load(s->rows, s->from, n, s->fields[i], &out->cols[s->cols[i]], 0, &out->heap, out->mem);
    if (s->time_col >= 0 && out->cols[s->time_col].form != VEC_ABSENT)
        state_extra_load(s->rows, s->from, n, 0, &out->cols[s->time_col], 0, &out->heap, out->mem);
    out->count = n;
    if (!takes_back) return;
    batch_use_kinds(out);
    for (uint32_t i = 0; i < n; i++)
        if ((s->steps[s->done + i].kind & OVER_TAKE_BACK) != 0) out->kinds[i] = ROW_DELETE;
}

/* --- accumulators ------------------------------------------------------------------------------------------------ */
/* Rows first..first+n of the batch, all of one kind; acc: their accumulators. */
static enum status plain_apply(struct over *s, const struct batch *b, void *const *acc, uint32_t first, uint32_t n,
                               bool adds)
{
    uint16_t rows[BATCH_ROWS];

    for (uint32_t i = 0; i < n; i++) rows[i] = (uint16_t)batch_row(b, first + i);
    for (uint32_t c = 0; c < s->call_count; c++) {
        const struct agg *a = &s->calls[c].agg;
        const struct vector *v = a->argument != NULL ? &b->cols[a->col] : NULL;
        if (adds)
            a->type->add(a, acc + first, v, rows, n);
        else
            a->type->retract(a, acc + first, v, rows, n);
    }
    return group_calls_check(s->calls, s->call_count);
}

static enum status apply(struct over *s, const struct batch *b, uint32_t first, uint32_t n, bool adds)
{
    if (s->is_plain) return plain_apply(s, b, s->state, first, n, adds);
    for (uint32_t i = 0; adds && i < n; i++) TRY(over_lags_add(s, b, first + i));
    return group_calls_apply(s->calls, s->call_count, b, s->state, first, n);
}

static void *snapshot(struct over *s, uint32_t i, const void *state)
{
    char *copy = s->snapshots + (size_t)i * s->accs->value.size;

    memcpy(copy, state, s->accs->value.size);
    return copy;
}

/* Results of values that are kept, of the i-th key of b as things stand, into a row of the output. */
static void kept_result(struct over *s, const struct batch *b, uint32_t i, uint32_t row)
{
    struct batch *out = s->out;

    for (uint32_t c = 0; c < s->call_count; c++)
        if (s->calls[c].keep != NULL && out->cols[s->first_result + c].form != VEC_ABSENT)
            group_keep_result(s->calls[c].keep, i, out, s->first_result + c, row);
    over_lags_result(s, b, i, row);
}

static void words_result(struct over *s, uint32_t n)
{
    for (uint32_t c = 0; c < s->call_count; c++) {
        if (s->calls[c].keep == NULL && s->out->cols[s->first_result + c].form != VEC_ABSENT)
            group_call_results(&s->calls[c], s->acc, n, s->out, s->first_result + c, 0);
    }
}

static enum status calls_resolve(struct op_cx *cx, struct over *s, const struct batch *b)
{
    const struct op_plan *p = cx->plan;

    if (s->is_plain) return S_OK;
    batch_hash(b, p->keys[0], p->key_count[0], s->chunk_hashes);
    struct state_keys keys = state_keys_of(b, p->keys[0], p->key_count[0], s->chunk_hashes);
    TRY(group_calls_resolve(s->calls, s->call_count, 0, b, &keys, NULL, NULL, NULL));
    return over_lags_resolve(s, &keys);
}

static void calls_done(struct over *s)
{
    if (s->is_plain) return;
    group_calls_done(s->calls, s->call_count);
    over_lags_done(s);
}

/* --- steps ------------------------------------------------------------------------------------------------------- */
/* The emitted rows of a group that ends at row `last`. */
static void group_end(struct over *s, uint32_t first, uint32_t last)
{
    void *copy = snapshot(s, first, s->state[last]);

    for (uint32_t i = first; i <= last; i++) {
        s->acc[i] = copy;
        if (!s->is_plain && (s->steps[s->done + i].kind & OVER_EMIT) != 0) kept_result(s, s->out, last, i);
    }
}

static enum status chunk_run(struct over *s, uint32_t n)
{
    const struct over_step *steps = s->steps + s->done;
    uint32_t group = 0, i = 0;

    while (i < n) {
        uint32_t first = i;
        uint8_t kind = steps[i].kind & (OVER_ADD | OVER_TAKE_BACK);
        while ((steps[i].kind & OVER_ENDS) == 0 && i + 1 < n &&
               (steps[i + 1].kind & (OVER_ADD | OVER_TAKE_BACK)) == kind)
            i++;
        i++;
        if (kind != 0) TRY(apply(s, s->out, first, i - first, kind == OVER_ADD));
        if ((steps[i - 1].kind & OVER_ENDS) == 0 && i < n) continue;
        group_end(s, group, i - 1);
        group = i;
    }
    return S_OK;
}

static uint32_t select_emitted(struct over *s, uint32_t n)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++)
        if ((s->steps[s->done + i].kind & OVER_EMIT) != 0) s->selection[count++] = (uint16_t)i;
    if (count == n) return count;
    s->out->sel = s->selection;
    s->out->sel_count = count;
    return count;
}

static void put_times(struct over *s, uint32_t n)
{
    if (s->time_col < 0) return;
    batch_use_times(s->out);
    for (uint32_t i = 0; i < n; i++) s->out->times[i] = s->times[s->steps[s->done + i].entry];
}

enum status over_run(struct op_cx *cx, struct over *s)
{
    if (s->chunk == 0) {
        uint32_t n = chunk_of(s);
        chunk_load(cx, s, n);
        s->chunk = n;
    }
    uint32_t n = s->chunk;
    TRY(calls_resolve(cx, s, s->out));
    TRY(chunk_run(s, n));
    calls_done(s);
    words_result(s, n);
    TRY(group_calls_check(s->calls, s->call_count));
    s->out->kinds = NULL;
    put_times(s, n);
    if (select_emitted(s, n) > 0) op_forward(cx, 0, s->out);
    s->done += n;
    s->chunk = 0;
    if (s->done == s->step_count) over_steps_clear(s);
    return S_OK;
}

/* --- without steps ----------------------------------------------------------------------------------------------- */
/* Columns of the input beside those of the results. */
static void view_make(struct over *s, const struct batch *in)
{
    struct vector *cols = s->view.cols;

    s->view = *s->out;
    s->view.cols = cols;
    memcpy(cols, in->cols, sizeof *cols * s->first_result);
    memcpy(cols + s->first_result, s->out->cols + s->first_result,
           sizeof *cols * (s->out->col_count - s->first_result));
    s->view.count = in->count;
    s->view.sel = in->sel;
    s->view.sel_count = in->sel_count;
    s->view.times = in->times;
}

enum status over_run_batch(struct op_cx *cx, struct over *s, const struct batch *in)
{
    uint32_t n = batch_rows(in);

    TRY(calls_resolve(cx, s, in));
    batch_clear(s->out);
    for (uint32_t i = 0; i < in->count; i++) s->acc[i] = s->empty;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = batch_row(in, i);
        TRY(apply(s, in, i, 1, true));
        s->acc[row] = snapshot(s, row, s->state[i]);
        if (!s->is_plain) kept_result(s, in, i, row);
    }
    calls_done(s);
    words_result(s, in->count);
    TRY(group_calls_check(s->calls, s->call_count));
    view_make(s, in);
    op_forward(cx, 0, &s->view);
    return S_OK;
}
