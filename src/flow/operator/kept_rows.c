/* kept_rows.c - rows held back, in batches of their own.
 *
 * Grouping: a table of row numbers by key hash gives each row the number of its group, in the order in which the groups
 * first came, and one counting pass puts the rows of a group together. Sorting is a stable merge sort of row numbers. */
#include "flow/operator/kept_rows.h"

#include "flow/operator/kept_pages.h"

#include "ground/base/sort.h"

void kept_rows_init(struct kept_rows *k, const struct type *schema, const uint64_t *needed, struct mem *mem)
{
    *k = (struct kept_rows){.mem = mem, .schema = schema, .needed = needed};
}

void kept_rows_release(struct kept_rows *k)
{
    if (k->mem == NULL) return;
    for (uint32_t i = 0; i < k->made; i++) batch_free(k->batches[i]);
    mem_free(k->mem, k->batches);
    mem_free(k->mem, k->firsts);
    kept_pages_free(k->pages);
    *k = (struct kept_rows){0};
}

void kept_rows_page(struct kept_rows *k, struct op_cx *cx, const struct spill_config *spill)
{
    if (spill->memory > 0) k->pages = kept_pages_create(cx, spill);
}

enum status kept_rows_failed(const struct kept_rows *k) { return k->pages != NULL ? k->pages->failed : S_OK; }

void kept_rows_clear(struct kept_rows *k)
{
    for (uint32_t i = 0; i < k->batch_count; i++)
        if (k->batches[i] != NULL) batch_clear(k->batches[i]);
    k->batch_count = k->count = 0;
    if (k->pages != NULL) kept_pages_clear(k->pages);
}

static enum status open_batch(struct kept_rows *k, struct batch **out)
{
    struct batch *last = k->batch_count > 0 ? k->batches[k->batch_count - 1] : NULL;

    *out = last;
    if (last && last->count < last->capacity && last->heap.used < BATCH_BYTES) return S_OK;
    *out = NULL;
    if (k->pages != NULL) TRY(kept_pages_next(k, out));
    if (k->batch_count == k->batch_capacity) {
        k->batch_capacity = k->batch_capacity ? k->batch_capacity * 2 : 8;
        k->batches = mem_realloc(k->mem, k->batches, sizeof(struct batch *) * k->batch_capacity);
        k->firsts = mem_realloc(k->mem, k->firsts, sizeof *k->firsts * k->batch_capacity);
    }
    k->firsts[k->batch_count] = k->count;
    if (k->batch_count == k->made) k->batches[k->made++] = NULL;
    struct batch **place = &k->batches[k->batch_count++];
    if (*place != NULL) {
        batch_free(*out);
        *out = *place;
    }
    if (*out == NULL) *out = batch_create_needed(k->schema, k->needed, BATCH_ROWS, k->mem);
    *place = *out;
    return S_OK;
}

enum status kept_rows_add(struct kept_rows *k, const struct batch *in)
{
    uint32_t rows = batch_rows(in);
    uint16_t list[BATCH_ROWS];

    if (rows > KEPT_ROWS_MAX - k->count) return E_BUDGET;
    for (uint32_t i = 0; i < rows; i++) list[i] = (uint16_t)batch_row(in, i);
    for (uint32_t at = 0; at < rows;) {
        struct batch *b;
        TRY(open_batch(k, &b));
        uint32_t n = MIN(rows - at, b->capacity - b->count);
        batch_append(b, in, list + at, n);
        at += n;
        k->count += n;
    }
    return S_OK;
}

static uint32_t batch_index(const struct kept_rows *k, uint32_t number)
{
    uint32_t low = 0, high = k->batch_count;

    ASSERT_ROW(number < k->count);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (k->firsts[middle] <= number) low = middle;
        else high = middle;
    }
    return low;
}

const struct batch *kept_rows_at(const struct kept_rows *k, uint32_t number, uint32_t *row)
{
    uint32_t i = batch_index(k, number);

    *row = number - k->firsts[i];
    if (LIKELY(k->pages == NULL)) return k->batches[i];
    const struct batch *b = kept_pages_get(k, i);
    if (k->pages->failed != S_OK) *row = 0;
    return b;
}

void kept_rows_prefetch(const struct kept_rows *k, const uint32_t *numbers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = batch_index(k, numbers[i]);
        const struct batch *b = k->batches[at];
        for (uint32_t c = 0; c < b->col_count; c++) {
            const struct vector *v = &b->cols[c];
            if (v->form == VEC_FLAT && v->data != NULL)
                __builtin_prefetch((const char *)v->data + (size_t)(numbers[i] - k->firsts[at]) * phys_width((enum phys)v->phys));
        }
    }
}

uint32_t kept_rows_run(const struct kept_rows *k, const uint32_t *numbers, uint32_t n, const struct batch **batch, uint16_t *rows)
{
    uint32_t i = batch_index(k, numbers[0]), first = k->firsts[i], count = 0;

    ASSERT(n > 0);
    *batch = k->batches[i];
    n = MIN(n, BATCH_ROWS);
    while (count < n && numbers[count] >= first && numbers[count] - first < (*batch)->count) {
        if (count > 0 && numbers[count] <= numbers[count - 1]) break; /* a selection ascends */
        rows[count] = (uint16_t)(numbers[count] - first);
        count++;
    }
    return count;
}

/* --- groups --------------------------------------------------------------------------------------------------------- */
struct grouping {
    const struct kept_rows *k;
    const uint32_t *cols;
    uint32_t col_count;
    uint64_t *hashes;          /* per row */
    uint32_t *group_of;        /* per row */
    uint32_t *table, table_size; /* first row of a group + 1; 0 = free */
    uint32_t group_count;
};

static bool keys_equal(const struct grouping *g, uint32_t a, uint32_t b)
{
    uint32_t row_a, row_b;
    const struct batch *x = kept_rows_at(g->k, a, &row_a), *y = kept_rows_at(g->k, b, &row_b);

    if (g->hashes[a] != g->hashes[b]) return false;
    for (uint32_t c = 0; c < g->col_count; c++)
        if (vector_compare(&x->cols[g->cols[c]], row_a, &y->cols[g->cols[c]], row_b) != 0) return false;
    return true;
}

static void group_find(struct grouping *g, uint32_t row)
{
    uint32_t at = (uint32_t)g->hashes[row] & (g->table_size - 1);

    while (g->table[at] != 0 && !keys_equal(g, g->table[at] - 1, row)) at = (at + 1) & (g->table_size - 1);
    if (g->table[at] == 0) {
        g->table[at] = row + 1;
        g->group_of[row] = g->group_count++;
    } else {
        g->group_of[row] = g->group_of[g->table[at] - 1];
    }
}

static void hashes_fill(struct grouping *g)
{
    for (uint32_t i = 0; i < g->k->batch_count; i++) batch_hash(g->k->batches[i], g->cols, g->col_count, g->hashes + g->k->firsts[i]);
}

/* Counting sort by group: numbers and group_ends of out. */
static void groups_gather(const struct grouping *g, struct kept_order *out)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < g->k->count; i++) out->group_ends[g->group_of[i]]++;
    for (uint32_t i = 0; i < g->group_count; i++) {
        uint32_t n = out->group_ends[i];
        out->group_ends[i] = total;
        total += n;
    }
    for (uint32_t i = 0; i < g->k->count; i++) out->numbers[out->group_ends[g->group_of[i]]++] = i;
}

static void groups_make(const struct kept_rows *k, const uint32_t *cols, uint32_t col_count, struct kept_order *out)
{
    struct grouping g = {.k = k, .cols = cols, .col_count = col_count, .table_size = 16};

    while (g.table_size / 2 < k->count && g.table_size < UINT32_C(1) << 31) g.table_size *= 2;
    g.hashes = mem_alloc(k->mem, sizeof *g.hashes * k->count);
    g.group_of = mem_alloc(k->mem, sizeof *g.group_of * k->count);
    g.table = mem_zalloc(k->mem, sizeof *g.table * g.table_size);
    hashes_fill(&g);
    for (uint32_t i = 0; i < k->count; i++) group_find(&g, i);
    out->group_count = g.group_count;
    out->group_ends = mem_zalloc(k->mem, sizeof *out->group_ends * g.group_count);
    groups_gather(&g, out);
    mem_free(k->mem, g.hashes);
    mem_free(k->mem, g.group_of);
    mem_free(k->mem, g.table);
}

/* --- sorting ----------------------------------------------------------------------------------------------------------- */
struct sorting {
    const struct kept_rows *k;
    const struct order_column *by;
    uint32_t count;
    uint64_t *prefixes; /* by row number: rows whose first values differ enough are told apart without looking at them */
};

static bool sorts_before(void *arg, uint32_t a, uint32_t b)
{
    const struct sorting *s = arg;
    uint32_t row_a, row_b;

    if (s->prefixes[a] != s->prefixes[b]) return s->prefixes[a] < s->prefixes[b];
    const struct batch *x = kept_rows_at(s->k, a, &row_a), *y = kept_rows_at(s->k, b, &row_b);
    return order_columns_compare(s->by, s->count, x, row_a, y, row_b) < 0;
}

static void prefixes_fill(struct sorting *s)
{
    for (uint32_t i = 0; i < s->k->batch_count; i++)
        for (uint32_t row = 0; row < s->k->batches[i]->count; row++)
            s->prefixes[s->k->firsts[i] + row] = order_columns_prefix(&s->by[0], s->k->batches[i], row);
}

static void groups_sort(struct sorting *s, struct kept_order *out)
{
    uint32_t *space = mem_alloc(s->k->mem, sizeof *space * s->k->count), first = 0;

    s->prefixes = mem_alloc(s->k->mem, sizeof *s->prefixes * s->k->count);
    prefixes_fill(s);
    for (uint32_t g = 0; g < out->group_count; first = out->group_ends[g++])
        sort_stable(out->numbers + first, space, out->group_ends[g] - first, sorts_before, s);
    mem_free(s->k->mem, s->prefixes);
    mem_free(s->k->mem, space);
}

void kept_rows_order(const struct kept_rows *k, const uint32_t *cols, uint32_t col_count, const struct order_column *by, uint32_t by_count,
                     struct kept_order *out)
{
    *out = (struct kept_order){0};
    if (k->count == 0) return;
    out->numbers = mem_alloc(k->mem, sizeof *out->numbers * k->count);
    if (col_count > 0) {
        groups_make(k, cols, col_count, out);
    } else {
        for (uint32_t i = 0; i < k->count; i++) out->numbers[i] = i;
        out->group_count = 1;
        out->group_ends = mem_alloc(k->mem, sizeof *out->group_ends);
        out->group_ends[0] = k->count;
    }
    if (by_count > 0) groups_sort(&(struct sorting){.k = k, .by = by, .count = by_count}, out);
}

void kept_order_release(struct kept_order *o, struct mem *mem)
{
    mem_free(mem, o->numbers);
    mem_free(mem, o->group_ends);
    *o = (struct kept_order){0};
}
