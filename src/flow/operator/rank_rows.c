/* rank_rows.c - the rows of a partition in their order. Where a row stands, and which one stands at a place, the state says without a walk
 * where rows live for ever; else it walks. */
#include "flow/operator/rank_internal.h"

static struct state_probe key_of(const struct rank *s, uint32_t i)
{
    struct state_probe one = s->probe;

    one.rows = state_probe_at(&s->probe, i);
    one.count = 1;
    return one;
}

void rank_store(struct rank *s, const struct batch *in, void *row, uint32_t number)
{
    uint16_t sel = (uint16_t)batch_row(in, number);

    for (uint32_t i = 0; i < s->column_count; i++)
        state_rows_store(s->table, 0, &row, 1, s->columns[i].field, &in->cols[s->columns[i].col], &sel);
}

enum status rank_insert(struct rank *s, const struct batch *in, uint32_t i)
{
    struct state_probe one = key_of(s, i);

    TRY(state_ordered_insert(s->table, 0, &s->heads[i], &one, &s->mine, NULL));
    rank_store(s, in, s->mine, i);
    return S_OK;
}

enum status rank_before(struct rank *s, uint32_t i, bool equal, int64_t *count)
{
    struct state_probe bound = key_of(s, i);
    struct state_range r = {.to = &bound, .to_open = !equal};
    uint32_t rows;

    TRY(state_ordered_count(s->table, 0, &s->heads[i], 1, &r, &rows));
    *count = rows;
    return S_OK;
}

enum status rank_total(struct rank *s, uint32_t i, int64_t *count)
{
    struct state_range all = {0};
    uint32_t rows = state_head_rows(s->heads[i]);

    if (s->forgets) TRY(state_ordered_count(s->table, 0, &s->heads[i], 1, &all, &rows));
    *count = rows;
    return S_OK;
}

enum status rank_at(struct rank *s, uint32_t i, int64_t number, void **row)
{
    struct state_range r = {.skip = (uint32_t)MIN(number, (int64_t)UINT32_MAX), .limit = 1};
    struct state_scan c = {0};
    struct state_hits hits;

    ASSERT_ROW(number >= 0);
    TRY(state_ordered_scan(s->table, 0, &s->heads[i], 1, &r, &c, &hits));
    *row = hits.count > 0 ? hits.row[0] : NULL;
    return S_OK;
}

/* --- one after the other ----------------------------------------------------------------------------------------- */
void rank_cursor_open(struct rank_cursor *c, int64_t from, int64_t end)
{
    c->range.skip = (uint32_t)MIN(from, (int64_t)UINT32_MAX);
    c->range.limit = (uint32_t)MIN(MAX(end - from, 0), (int64_t)UINT32_MAX);
    c->scan = (struct state_scan){0};
    c->is_read = c->range.limit == 0;
    c->hits.count = c->at = 0;
}

enum status rank_cursor_next(struct rank *s, struct rank_cursor *c, void *head, void **row)
{
    if (c->at == c->hits.count && !c->is_read) {
        enum status st = state_ordered_scan(s->table, 0, &head, 1, &c->range, &c->scan, &c->hits);
        if (st != S_OK && st != S_MORE) return st;
        c->at = 0;
        c->is_read = st == S_OK;
        s->worked += c->hits.count;
    }
    *row = c->at < c->hits.count ? c->hits.row[c->at++] : NULL;
    return S_OK;
}

/* --- one that equals --------------------------------------------------------------------------------------------- */
/* The first of these rows; their count: none. Rows that the batch took back before stay in the order (rank_batch.c). */
static uint32_t equal_find(struct rank *s, const struct batch *in, uint32_t row, const struct state_hits *hits, const uint32_t *fields,
                           uint32_t count)
{
    batch_clear(s->same);
    for (uint32_t k = 0; k < count; k++)
        state_rows_load(s->table, (const void *const *)hits->row, hits->count, fields[k], &s->same->cols[fields[k]], 0, &s->same->heap,
                        s->same->mem);
    for (uint32_t r = 0, k; r < hits->count; r++) {
        if (s->batch != NULL && rank_batch_is_gone(s, hits->row[r])) continue;
        for (k = 0; k < count; k++)
            if (vector_compare(&s->same->cols[fields[k]], r, &in->cols[s->columns[fields[k]].col], row) != 0) break;
        if (k == count) return r;
    }
    return hits->count;
}

bool rank_is_equal(struct rank *s, const struct batch *in, uint32_t i, void *row, const uint32_t *fields, uint32_t count)
{
    struct state_hits one;

    one.count = 1;
    one.row[0] = row;
    return equal_find(s, in, batch_row(in, i), &one, fields, count) == 0;
}

enum status rank_find(struct rank *s, const struct batch *in, uint32_t i, bool with_key, const uint32_t *fields, uint32_t count, void **row,
                      uint32_t *at)
{
    struct state_probe bound = key_of(s, i);
    struct state_range r = {.from = with_key ? &bound : NULL, .to = with_key ? &bound : NULL};
    struct state_hits hits;
    enum status st = S_MORE;

    if (!s->is_finding) {
        s->finding = (struct state_scan){0};
        s->found_at = 0;
        s->is_finding = true;
    }
    for (*row = NULL; st == S_MORE && *row == NULL; s->found_at += *at) {
        if (s->worked >= RANK_WORK_MAX) return S_MORE;
        st = state_ordered_scan(s->table, 0, &s->heads[i], 1, &r, &s->finding, &hits);
        if (st != S_OK && st != S_MORE) return st;
        *at = equal_find(s, in, batch_row(in, i), &hits, fields, count);
        if (*at < hits.count) *row = hits.row[*at];
        s->worked += hits.count;
    }
    *at = s->found_at;
    s->is_finding = false;
    return S_OK;
}
