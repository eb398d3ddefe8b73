/* rows_by_time.c - see the header. Rows go aside when the operator's state takes three quarters of its memory; the sort has the rest.
 *
 * Operators look at the watermark to find what is late (cx->watermark), so it is what has passed of the rows that come back: the last
 * one, which has come already, is theirs when they have all been given. Not here: one window that does not fit. */
#include "flow/operator/rows_by_time.h"

#include "flow/state/state.h"

void rows_by_time_init(struct rows_by_time *r, struct op_cx *cx, const struct spill_config *config, int col)
{
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[0] : NULL;

    *r = (struct rows_by_time){.cx = cx, .spill = *config};
    if (col < 0 || config->memory <= 0) {
        r->spill.memory = 0;
        return;
    }
    r->spill.memory = MAX(config->memory / 4, 1);
    r->by[0].col = (uint32_t)col;
    row_sort_init(&r->sort, cx, &r->spill, cx->plan->inputs[0], needed, r->by, 1);
    r->stage = batch_create_needed(cx->plan->inputs[0], needed, cx->batch_rows, cx->mem);
}

void rows_by_time_release(struct rows_by_time *r)
{
    row_sort_release(&r->sort);
    batch_free(r->stage);
    *r = (struct rows_by_time){0};
}

enum status rows_by_time_add(struct rows_by_time *r, const struct rows_by_time_user *u, struct batch *in)
{
    int64_t quarter = r->spill.memory;

    if (r->is_full) return row_sort_add(&r->sort, in);
    TRY(u->rows(u->self, in));
    r->is_full = quarter > 0 && state_host_bytes(r->cx->state) > 3 * (size_t)quarter;
    return S_OK;
}

/* The rows of the stage, then their time passes: up to that of the last one, which others may have, too. */
static enum status stage_give(struct rows_by_time *r, const struct rows_by_time_user *u)
{
    const struct vector *v = &r->stage->cols[r->by[0].col];
    uint32_t last = r->stage->count - 1;

    if (!r->is_given) TRY(u->rows(u->self, r->stage));
    r->is_given = true;
    int64_t passed = VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, last)] - 1;
    r->cx->watermark = MAX(passed, r->cx->watermark);
    TRY(u->time(u->self, r->cx->watermark));
    batch_clear(r->stage);
    r->is_given = false;
    return S_OK;
}

enum status rows_by_time_pass(struct rows_by_time *r, const struct rows_by_time_user *u, int64_t watermark)
{
    if (watermark != WATERMARK_MAX || !r->is_full || r->is_over) return u->time(u->self, watermark);
    if (!r->is_begun) r->passed = TIME_MIN;
    r->is_begun = true;
    r->cx->watermark = r->passed;
    if (r->stage->count == 0) {
        enum status st = row_sort_next(&r->sort, r->stage, r->stage->capacity);
        if (st != S_OK && st != S_MORE) return st;
        r->is_last = st == S_OK;
    }
    if (r->stage->count > 0) {
        enum status st = stage_give(r, u);
        r->passed = r->cx->watermark;
        if (st != S_OK) return st;
    }
    r->is_over = r->is_last;
    r->cx->watermark = r->is_over ? WATERMARK_MAX : r->passed;
    return S_MORE;
}
