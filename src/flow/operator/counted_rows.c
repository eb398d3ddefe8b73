/* counted_rows.c - rows and how often they are there, until all have come.
 *
 * State: whole rows with their counts. When it takes three quarters of its memory, no more rows are made there: those that it has are
 * counted on, all others are put aside, sorted by their hash (hashed_rows.h), their mark says which count changes and how, files and
 * all. At the end they come back with equal rows together: these are counted, come out, and are forgotten before the next ones. What
 * was in memory comes last.
 *
 * Rows in memory come in the order in which they were there first. What is taken back may come before what it takes back: counts may be
 * below zero meanwhile. A row whose counts are zero is forgotten, and comes anew later, in memory or not: its counts add up to the same.
 *
 * Invariants: a row is not forgotten before all that have its hash have come; counts are zero once it came out, so that equal rows of
 * the same stage give nothing. */
#include "flow/operator/counted_rows.h"

#include <string.h>

/* --- opening ----------------------------------------------------------------------------------------------------- */
enum status counted_rows_open(struct counted_rows *s, struct op_cx *cx, const struct counted_plan *plan)
{
    const struct op_plan *p = cx->plan;
    uint32_t rows = MAX(cx->batch_rows, 2u);

    ASSERT(plan->count <= COUNTED_MAX);
    s->counts = plan->count;
    s->times = plan->times;
    s->memory = plan->spill->memory;
    TRY(whole_rows_open(&s->whole, cx, plan->name, plan->counts, plan->count, 0));
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    s->keys = batch_create(whole_rows_type(p), rows, cx->mem);
    if (s->memory > 0) hashed_rows_init(&s->beyond, cx, plan->spill, s->memory / 4, 0, false);
    return S_OK;
}

void counted_rows_close(struct counted_rows *s)
{
    whole_rows_close(&s->whole);
    batch_free(s->out);
    batch_free(s->keys);
    hashed_rows_release(&s->beyond);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static uint64_t mark_of(uint32_t which, enum row_kind kind)
{
    return (uint64_t)which << 1 | (kind == ROW_UPDATE_BEFORE || kind == ROW_DELETE);
}

static bool is_there(const struct counted_rows *s, void *row)
{
    for (uint32_t i = 0; i < s->counts; i++)
        if (*whole_rows_value(&s->whole, row, i) != 0) return true;
    return false;
}

/* The i-th row of the batch that was resolved. */
static void row_count(struct counted_rows *s, uint32_t i, uint64_t mark)
{
    *whole_rows_value(&s->whole, s->whole.rows[i], (uint32_t)(mark >> 1)) += (mark & 1) != 0 ? -1 : 1;
    if (is_there(s, s->whole.rows[i])) state_write(s->whole.table, i);
    else state_erase(s->whole.table, i);
}

/* Rows of the batch that are in memory are counted, the others are those to put aside. */
static enum status known_count(struct counted_rows *s, const struct batch *in, uint32_t which)
{
    TRY(whole_rows_find(&s->whole, in, s->hashes));
    s->rest_count = 0;
    BATCH_EACH(in, i, row)
    {
        uint64_t mark = mark_of(which, batch_kind(in, row));
        if (s->whole.rows[i] != NULL && is_there(s, s->whole.rows[i])) {
            row_count(s, i, mark);
            continue;
        }
        s->hashes[s->rest_count] = s->hashes[i];
        s->marks[s->rest_count] = mark;
        s->rest[s->rest_count++] = (uint16_t)row;
    }
    whole_rows_done(&s->whole);
    return S_OK;
}

static enum status put_aside(struct counted_rows *s, const struct batch *in, uint32_t which)
{
    struct batch view = *in;

    if (!s->beyond.is_adding) TRY(known_count(s, in, which));
    view.sel = s->rest;
    view.sel_count = s->rest_count;
    return s->rest_count == 0 ? S_OK : hashed_rows_add(&s->beyond, &view, s->hashes, s->marks);
}

enum status counted_rows_add(struct counted_rows *s, struct op_cx *cx, const struct batch *in, uint32_t which)
{
    if (s->is_full) return put_aside(s, in, which);
    TRY(whole_rows_resolve(&s->whole, in));
    BATCH_EACH(in, i, row) row_count(s, i, mark_of(which, batch_kind(in, row)));
    whole_rows_done(&s->whole);
    s->is_full = s->memory > 0 && state_host_bytes(cx->state) > (size_t)(s->memory - s->memory / 4);
    return S_OK;
}

/* --- results ----------------------------------------------------------------------------------------------------- */
/* Row i of those at hand as often as there is room for it; false: there is more of it. */
static bool row_give(struct counted_rows *s, const void *config, uint32_t i, bool forgets)
{
    int64_t counts[COUNTED_MAX];
    void *row = s->whole.rows[i];

    for (uint32_t k = 0; k < s->counts; k++) counts[k] = *whole_rows_value(&s->whole, row, k);
    int64_t times = s->times(config, counts), now = MIN(times - s->given, (int64_t)(s->out->capacity - s->out->count));
    for (int64_t k = 0; k < now; k++) s->numbers[s->out->count++] = (uint16_t)i;
    if (now > 0) s->given += now;
    if (s->given < times) return false;
    if (forgets && is_there(s, row)) {
        for (uint32_t k = 0; k < s->counts; k++) *whole_rows_value(&s->whole, row, k) = 0;
        state_erase(s->whole.table, i);
    }
    s->given = 0;
    return true;
}

/* The first n rows of a batch, whose counts are at hand. S_MORE: the output was full. */
static enum status rows_give(struct op_cx *cx, struct counted_rows *s, const struct batch *from, uint32_t n, bool forgets)
{
    batch_clear(s->out);
    while (s->done < n && row_give(s, cx->config, s->done, forgets)) s->done++;
    for (uint32_t i = 0; i < s->out->col_count; i++) {
        struct vector *to = &s->out->cols[i];
        if (to->form != VEC_ABSENT)
            vector_copy(to, 0, &from->cols[i], s->numbers, s->out->count, &s->out->heap, s->out->mem);
    }
    if (s->out->count > 0) op_forward(cx, 0, s->out);
    if (s->done < n) return S_MORE;
    s->done = 0;
    return S_OK;
}

/* The next rows that are in memory. */
static enum status walk_on(struct op_cx *cx, struct counted_rows *s)
{
    uint32_t n = 0;

    if (!s->is_walked) {
        batch_clear(s->keys);
        enum status st = state_each(s->whole.table, 0, &s->cursor, s->keys, s->whole.cols, s->whole.rows, &n);
        if (st != S_OK && st != S_MORE) return st;
        s->is_last = st == S_OK;
        s->is_walked = true;
    }
    TRY(rows_give(cx, s, s->keys, s->keys->count, false));
    state_done(s->whole.table);
    s->is_walked = false;
    return s->is_last ? S_OK : S_MORE;
}

/* --- taking up --------------------------------------------------------------------------------------------------- */
/* All rows of the stage but those whose hash may have more, or some of that one. */
static enum status stage_feed(struct counted_rows *s)
{
    uint32_t whole = hashed_rows_whole(&s->beyond), n = whole > 0 ? whole : s->beyond.stage->count - 1;
    struct batch view = hashed_rows_view(&s->beyond, n);

    TRY(whole_rows_resolve(&s->whole, &view));
    for (uint32_t i = 0; i < n; i++) row_count(s, i, hashed_rows_marks(&s->beyond)[i]);
    s->is_whole = whole > 0;
    s->fed = n;
    s->is_fed = true;
    return S_OK;
}

/* Some of the rows that were put aside. S_OK: there are no more. */
static enum status take_up(struct op_cx *cx, struct counted_rows *s)
{
    TRY(hashed_rows_next(&s->beyond));
    if (s->beyond.stage->count == 0) return S_OK;
    if (!s->is_fed) TRY(stage_feed(s));
    struct batch view = hashed_rows_view(&s->beyond, s->fed);
    if (s->is_whole) TRY(rows_give(cx, s, &view, s->fed, true));
    whole_rows_done(&s->whole);
    hashed_rows_take(&s->beyond, s->fed);
    s->is_fed = false;
    return S_MORE;
}

enum status counted_rows_give(struct counted_rows *s, struct op_cx *cx)
{
    if (s->beyond.count > 0 && !s->is_over) {
        TRY(take_up(cx, s));
        s->is_over = true;
    }
    return walk_on(cx, s);
}
