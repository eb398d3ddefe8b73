/* window_ends.c - the groups of a batch by the end of their window (window_ends.h). A stable sort keeps rows of one end in order; where
 * they come ordered, as mostly, there is nothing to sort. */
#include "flow/operator/window_ends.h"

#include "flow/operator/window_late.h"
#include "ground/base/sort.h"

enum status window_ends_init(struct window_ends *w, struct op_cx *cx, const char *zone)
{
    w->cx = cx;
    w->late_dropped = window_late_metric(cx);
    return window_zone_open(&w->zone, zone, cx->err);
}

static bool ends_earlier(void *arg, uint32_t a, uint32_t b)
{
    const struct window_ends *w = arg;

    return w->ends[a] < w->ends[b];
}

static void look_through(struct window_ends *w, const struct batch *in, uint32_t col, const uint32_t *keys,
                         uint32_t key_count)
{
    const struct vector *v = &in->cols[col];
    const int64_t *values = VECTOR_VALUES(vector_values(v), int64_t);
    int64_t passed = window_zone_passed(&w->zone, w->cx->watermark);
    bool ordered = true;

    w->at = w->count = 0;
    BATCH_EACH(in, i, row)
    {
        int64_t end = vector_is_null(v, row) ? TIME_MIN : values[vector_at(v, row)];
        if (end == TIME_MIN || end - 1 <= passed) continue;
        w->ends[i] = end;
        ordered &= w->count == 0 || w->ends[w->order[w->count - 1]] <= end;
        w->order[w->count++] = i;
    }
    if (!ordered) sort_stable(w->order, w->space, w->count, ends_earlier, w);
    if (w->count < batch_rows(in)) window_late_count(w->cx, w->late_dropped, OP_PORTS_MAX, batch_rows(in) - w->count);
    if (w->count > 0) batch_hash(in, keys, key_count, w->hashes);
    w->is_ready = true;
}

bool window_ends_next(struct window_ends *w, const struct batch *in, uint32_t col, const uint32_t *keys,
                      uint32_t key_count)
{
    if (!w->is_ready) look_through(w, in, col, keys, key_count);
    w->n = 0;
    if (w->at == w->count) {
        w->is_ready = false;
        return false;
    }
    w->end = w->ends[w->order[w->at]];
    while (w->at + w->n < w->count && w->ends[w->order[w->at + w->n]] == w->end) {
        uint32_t i = w->order[w->at + w->n];
        w->rows[w->n] = (uint16_t)batch_row(in, i);
        w->row_hashes[w->n++] = w->hashes[i];
    }
    return true;
}
