/* row_sort.c - sorts row numbers: stretches of STRETCH rows at first, then pairs of stretches are merged until there is one. Where it
 * stands is kept, so that no call takes long. */
#include "flow/operator/row_sort.h"

#include "ground/base/sort.h"

#include <string.h>

enum {
    STRETCH = 512,
    WORK_MAX = 4096, /* rows that are compared in one call */
};

void row_sort_init(struct row_sort *s, const struct type *schema, const uint64_t *needed, const struct order_column *by, uint32_t by_count,
                   struct mem *mem)
{
    *s = (struct row_sort){.by = by, .by_count = by_count};
    kept_rows_init(&s->rows, schema, needed, mem);
}

void row_sort_release(struct row_sort *s)
{
    struct mem *mem = s->rows.mem;

    if (mem == NULL) return;
    mem_free(mem, s->prefixes);
    mem_free(mem, s->numbers);
    mem_free(mem, s->space);
    kept_rows_release(&s->rows);
    *s = (struct row_sort){0};
}

enum status row_sort_add(struct row_sort *s, const struct batch *in, struct err *e)
{
    ASSERT(s->width == 0 && !s->is_sorted);
    if (kept_rows_add(&s->rows, in) == S_OK) return S_OK;
    return err_set(e, E_BUDGET, "more than %u rows in one partition", KEPT_ROWS_MAX);
}

static bool is_before(void *arg, uint32_t a, uint32_t b)
{
    const struct row_sort *s = arg;
    uint32_t row_a, row_b;

    if (s->prefixes[a] != s->prefixes[b]) return s->prefixes[a] < s->prefixes[b];
    const struct batch *x = kept_rows_at(&s->rows, a, &row_a), *y = kept_rows_at(&s->rows, b, &row_b);
    return order_columns_compare(s->by, s->by_count, x, row_a, y, row_b) < 0;
}

/* --- sorting ----------------------------------------------------------------------------------------------------- */
static void sort_begin(struct row_sort *s)
{
    uint32_t n = s->rows.count;

    s->prefixes = mem_alloc(s->rows.mem, sizeof *s->prefixes * n);
    s->numbers = mem_alloc(s->rows.mem, sizeof *s->numbers * n);
    s->space = mem_alloc(s->rows.mem, sizeof *s->space * n);
    s->width = STRETCH;
    s->first = 0;
}

/* The stretches from s->first on. */
static enum status stretches_sort(struct row_sort *s)
{
    for (uint32_t worked = 0; s->first < s->rows.count; worked += STRETCH) {
        uint32_t n = MIN(s->rows.count - s->first, (uint32_t)STRETCH);
        if (worked >= WORK_MAX) return S_MORE;
        for (uint32_t i = s->first; i < s->first + n; i++) {
            uint32_t row;
            const struct batch *b = kept_rows_at(&s->rows, i, &row);
            s->numbers[i] = i;
            s->prefixes[i] = order_columns_prefix(&s->by[0], b, row);
        }
        sort_stable(s->numbers + s->first, s->space + s->first, n, is_before, s);
        s->first += n;
    }
    return S_OK;
}

static void pair_begin(struct row_sort *s, uint32_t first)
{
    s->first = s->left = s->to = first;
    s->right = (uint32_t)MIN((uint64_t)first + s->width, s->rows.count);
}

/* Two stretches that are in order already. */
static void pair_copy(struct row_sort *s, uint32_t middle, uint32_t end)
{
    if (s->to > s->first || middle == end || is_before(s, s->numbers[middle], s->numbers[middle - 1])) return;
    memcpy(s->space + s->first, s->numbers + s->first, sizeof *s->space * (end - s->first));
    s->left = middle;
    s->right = end;
}

/* Merges pairs of stretches into the other half. */
static enum status pass_run(struct row_sort *s)
{
    uint32_t n = s->rows.count, worked = 0;

    while (s->first < n) {
        uint32_t middle = (uint32_t)MIN((uint64_t)s->first + s->width, n), end = (uint32_t)MIN((uint64_t)s->first + 2 * (uint64_t)s->width, n);
        pair_copy(s, middle, end);
        while (s->left < middle || s->right < end) {
            if (worked++ == WORK_MAX) return S_MORE;
            bool takes_right = s->left == middle || (s->right < end && is_before(s, s->numbers[s->right], s->numbers[s->left]));
            s->space[s->to++] = s->numbers[takes_right ? s->right++ : s->left++];
        }
        pair_begin(s, end);
    }
    return S_OK;
}

static enum status sort_go_on(struct row_sort *s)
{
    if (s->is_sorted) return S_OK;
    if (s->width == 0) {
        if (s->rows.count > 0 && s->by_count > 0) sort_begin(s);
        else s->is_sorted = true;
        return S_MORE;
    }
    if (s->width == STRETCH && s->to == 0 && s->right == 0) { /* no pair was begun */
        TRY(stretches_sort(s));
        pair_begin(s, 0);
    }
    while (s->width < s->rows.count) {
        TRY(pass_run(s));
        uint32_t *merged = s->space;
        s->space = s->numbers;
        s->numbers = merged;
        s->width = s->width > UINT32_MAX / 2 ? UINT32_MAX : s->width * 2;
        pair_begin(s, 0);
    }
    s->is_sorted = true;
    return S_OK;
}

/* --- giving back ------------------------------------------------------------------------------------------------- */
enum status row_sort_next(struct row_sort *s, struct batch *out, uint32_t room)
{
    const struct batch *from;
    uint16_t rows[BATCH_ROWS];

    TRY(sort_go_on(s));
    while (s->at < s->rows.count) {
        uint32_t as_came[BATCH_ROWS], n = MIN(MIN(room, s->rows.count - s->at), (uint32_t)BATCH_ROWS);
        if (n == 0) return S_MORE;
        for (uint32_t i = 0; s->numbers == NULL && i < n; i++) as_came[i] = s->at + i;
        n = kept_rows_run(&s->rows, s->numbers != NULL ? s->numbers + s->at : as_came, n, &from, rows);
        batch_append(out, from, rows, n);
        s->at += n;
        room -= n;
    }
    return S_OK;
}
