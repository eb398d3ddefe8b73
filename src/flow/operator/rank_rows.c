/* rank_rows.c - the rows of a partition in their order. Where a row stands, and which one stands at a place, the state says without a walk
 * where rows live for ever; else it walks.
 *
 * Where rows are taken back or replaced, sort keys end in a number of the row's own: those of one sort key can then be told apart, and
 * found (rank_ties.c, rank_keys.c). It grows from the last one of the sort key on, so it keeps them as they came. */
#include "flow/operator/rank_internal.h"

#include <string.h>

/* --- sort keys ----------------------------------------------------------------------------------------------------- */
void rank_rows_open(struct op_cx *cx, struct rank *s)
{
    uint32_t n = cx->plan->inputs[0]->child_count;

    if (!s->has_numbers) return;
    s->number_offset = s->probe.layout.fields[s->order_count].offset;
    s->low = mem_zalloc(cx->mem, s->probe.layout.size);
    s->view = mem_zalloc(cx->mem, sizeof *s->view * (n + 1));
    vector_init(&s->view[n], s->def.sort_key->children[s->order_count], BATCH_ROWS, cx->mem);
    memset(s->view[n].data, 0, sizeof(int64_t) * BATCH_ROWS);
    s->order[s->order_count] = n;
}

void rank_probe(struct rank *s, const struct batch *in)
{
    struct batch view = *in;
    uint16_t all[BATCH_ROWS];

    for (uint32_t i = 0; i < batch_rows(in); i++) all[i] = (uint16_t)batch_row(in, i);
    if (s->has_numbers) {
        memcpy(s->view, in->cols, sizeof *s->view * in->col_count);
        view.cols = s->view;
    }
    state_probe_fill(&s->probe, &view, s->order, all, batch_rows(in));
}

static struct state_probe probe_of(const struct rank *s, char *key)
{
    struct state_probe one = s->probe;

    one.rows = key;
    one.count = 1;
    return one;
}

/* The sort key of row i, which stands, among equal ones, with that number. */
static struct state_probe key_of(const struct rank *s, uint32_t i, int64_t number)
{
    char *key = state_probe_at(&s->probe, i);

    if (s->has_numbers) *state_word(key, s->number_offset) = number;
    return probe_of(s, key);
}

/* The same before all equal ones, beside one of key_of. */
static struct state_probe low_of(const struct rank *s, uint32_t i)
{
    if (!s->has_numbers) return key_of(s, i, 0);
    memcpy(s->low, state_probe_at(&s->probe, i), s->probe.layout.size);
    *state_word(s->low, s->number_offset) = INT64_MIN;
    return probe_of(s, s->low);
}

int64_t rank_number(const struct rank *s, void *row) { return *state_word(state_extra(s->table, row), s->number_offset); }

/* One row of the range. */
static enum status one_of(struct rank *s, uint32_t i, struct state_range *r, void **row)
{
    struct state_scan c = {0};
    struct state_hits hits;

    r->limit = 1;
    enum status st = state_ordered_scan(s->table, 0, &s->heads[i], 1, r, &c, &hits);
    if (st != S_OK && st != S_MORE) return st;
    *row = hits.count > 0 ? hits.row[0] : NULL;
    return S_OK;
}

enum status rank_numbered(struct rank *s, uint32_t i, int64_t number, void **row)
{
    struct state_probe key = key_of(s, i, number);
    struct state_range r = {.from = &key, .to = &key};

    return one_of(s, i, &r, row);
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */
void rank_store(struct rank *s, const struct batch *in, void *row, uint32_t number)
{
    uint16_t sel = (uint16_t)batch_row(in, number);

    for (uint32_t i = 0; i < s->column_count; i++)
        state_rows_store(s->table, 0, &row, 1, s->columns[i].field, &in->cols[s->columns[i].col], &sel);
}

/* Behind the last of its sort key. The lowest bit says whether it has an entry in rank_ties.c: with RANK_WALK others before it. */
static enum status number_find(struct rank *s, uint32_t i, int64_t *number)
{
    struct state_probe key = key_of(s, i, INT64_MAX), low = low_of(s, i);
    struct state_range last = {.from = &low, .to = &key, .descending = true}, at = {.from = &low, .to = &key, .skip = RANK_WALK - 1};
    void *row;

    TRY(one_of(s, i, &last, &row));
    *number = (row != NULL ? rank_number(s, row) / 2 + 1 : 1) * 2;
    if (s->ties == NULL || *number <= 2 * RANK_WALK) return S_OK;
    TRY(one_of(s, i, &at, &row));
    *number += row != NULL;
    return S_OK;
}

enum status rank_insert(struct rank *s, const struct batch *in, uint32_t i)
{
    int64_t number = 0;

    if (s->has_numbers) TRY(number_find(s, i, &number));
    if ((number & 1) != 0) TRY(rank_ties_ready(s, in));
    struct state_probe one = key_of(s, i, number);
    TRY(state_ordered_insert(s->table, 0, &s->heads[i], &one, &s->mine, NULL));
    rank_store(s, in, s->mine, i);
    if ((number & 1) != 0) TRY(rank_ties_add(s, i, number));
    return S_OK;
}

enum status rank_before(struct rank *s, uint32_t i, bool equal, int64_t *count)
{
    struct state_probe bound = equal ? key_of(s, i, INT64_MAX) : low_of(s, i);
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
    struct state_range r = {.skip = (uint32_t)MIN(number, (int64_t)UINT32_MAX)};

    ASSERT_ROW(number >= 0);
    return one_of(s, i, &r, row);
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
/* The first of these rows; their count: none. */
static uint32_t equal_find(struct rank *s, const struct batch *in, uint32_t row, void *const *rows, uint32_t n, const uint32_t *fields,
                           uint32_t count)
{
    batch_clear(s->same);
    for (uint32_t k = 0; k < count; k++)
        state_rows_load(s->table, (const void *const *)rows, n, fields[k], &s->same->cols[fields[k]], 0, &s->same->heap, s->same->mem);
    for (uint32_t r = 0, k; r < n; r++) {
        for (k = 0; k < count; k++)
            if (vector_compare(&s->same->cols[fields[k]], r, &in->cols[s->columns[fields[k]].col], row) != 0) break;
        if (k == count) return r;
    }
    return n;
}

bool rank_is_equal(struct rank *s, const struct batch *in, uint32_t i, void *row, const uint32_t *fields, uint32_t count)
{
    return equal_find(s, in, batch_row(in, i), &row, 1, fields, count) == 0;
}

/* Rows that the batch took back before stay in the order (rank_batch.c), and are none. */
static void live_rows(const struct rank *s, struct state_hits *hits)
{
    uint32_t n = 0;

    for (uint32_t r = 0; r < hits->count; r++)
        if (s->batch == NULL || !rank_batch_is_gone(s, hits->row[r])) hits->row[n++] = hits->row[r];
    hits->count = n;
}

/* Among the first rows of its sort key; where these are few, they are all. *is_all: there are no more. */
static enum status first_find(struct rank *s, const struct batch *in, uint32_t i, void **row, bool *is_all)
{
    struct state_probe key = key_of(s, i, INT64_MAX), low = low_of(s, i);
    struct state_range r = {.from = &low, .to = &key, .limit = RANK_WALK};
    struct state_hits hits;

    do {
        struct state_scan scan = {0};
        enum status st = state_ordered_scan(s->table, 0, &s->heads[i], 1, &r, &scan, &hits);
        if (st != S_OK && st != S_MORE) return st;
        s->worked += hits.count;
        *is_all = hits.count < r.limit;
        r.skip += hits.count;
        live_rows(s, &hits);
        uint32_t at = equal_find(s, in, batch_row(in, i), hits.row, hits.count, s->all, s->column_count);
        *row = at < hits.count ? hits.row[at] : NULL;
        r.limit -= hits.count;
    } while (*row == NULL && !*is_all && r.limit > 0);
    return S_OK;
}

/* How many stand before it among those of its sort key. */
static enum status ties_before(struct rank *s, uint32_t i, void *row, uint32_t *at)
{
    struct state_probe key = key_of(s, i, rank_number(s, row)), low = low_of(s, i);
    struct state_range r = {.from = &low, .to = &key, .to_open = true};

    return state_ordered_count(s->table, 0, &s->heads[i], 1, &r, at);
}

enum status rank_find(struct rank *s, const struct batch *in, uint32_t i, void **row, uint32_t *at)
{
    void *entry = NULL;
    bool is_all;

    TRY(first_find(s, in, i, row, &is_all));
    if ((*row == NULL && !is_all) || (*row != NULL && (rank_number(s, *row) & 1) != 0)) TRY(rank_ties_ready(s, in));
    if (*row == NULL && !is_all) TRY(rank_ties_find(s, in, i, &entry, row));
    else if (*row != NULL && (rank_number(s, *row) & 1) != 0) TRY(rank_ties_entry(s, i, rank_number(s, *row), &entry));
    if (*row == NULL) return S_OK;
    TRY(ties_before(s, i, *row, at));
    if (entry != NULL) rank_ties_drop(s, i, entry);
    return S_OK;
}

/* Places are few here: all of them are looked at. */
static enum status places_find(struct rank *s, const struct batch *in, uint32_t i, void **row, uint32_t *at)
{
    struct state_range all = {0};
    struct state_scan scan = {0};
    struct state_hits hits;
    uint32_t before = 0;
    enum status st;

    *row = NULL;
    do {
        st = state_ordered_scan(s->table, 0, &s->heads[i], 1, &all, &scan, &hits);
        if (st != S_OK && st != S_MORE) return st;
        s->worked += hits.count;
        *at = equal_find(s, in, batch_row(in, i), hits.row, hits.count, s->unique, s->unique_count);
        if (*at < hits.count) *row = hits.row[*at];
        *at += before;
        before += hits.count;
    } while (st == S_MORE && *row == NULL);
    return S_OK;
}

enum status rank_find_key(struct rank *s, const struct batch *in, uint32_t i, void **row, uint32_t *at)
{
    if (s->keys == NULL) return places_find(s, in, i, row, at);
    return rank_keys_find(s, i, row, at);
}
