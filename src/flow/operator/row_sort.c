/* row_sort.c - sorts row numbers: stretches of STRETCH rows at first, then pairs of stretches are merged until there is one. Where it
 * stands is kept, so that no call takes long.
 *
 * When the rows in memory take more than they may, they are sorted and written as a run, and memory is empty again. At the end what is
 * left becomes a run, too; more runs than files may be open are merged into fewer, in passes: the first of those that are left of a pass,
 * as many as may be open or as are too many, become one behind all others. So neighbours come together, equal rows stay as they came,
 * and no row is written again before all others were. */
#include "flow/operator/row_sort.h"

#include "ground/base/sort.h"

#include <string.h>

enum {
    STRETCH = 512,
    WORK_MAX = 4096, /* rows that are compared in one call */
    COPIED_PER_WORK = 32, /* rows that are copied count as one that is compared */
    FETCHED = 32,    /* rows that are on their way from memory at once */
    BLOCKS_MAX = 4,  /* blocks that are written in one call */
};

/* What sorting takes beside the rows, see sort_begin. */
static size_t sorted_row_bytes(const struct row_sort *s) { return sizeof(uint64_t) * s->prefix_count + 2 * sizeof(uint32_t); }

void row_sort_init(struct row_sort *s, struct op_cx *cx, const struct spill_config *spill, const struct type *schema, const uint64_t *needed,
                   const struct order_column *by, uint32_t by_count)
{
    *s = (struct row_sort){.by = by, .by_count = by_count};
    s->prefix_count = by_count > 1 && order_columns_prefix_is_value(&by[0], schema) ? 2 : 1;
    kept_rows_init(&s->rows, schema, needed, cx->mem);
    row_runs_init(&s->runs, cx, spill, schema, needed, by, by_count);
}

static void numbers_free(struct row_sort *s)
{
    mem_free(s->rows.mem, s->prefixes);
    mem_free(s->rows.mem, s->numbers);
    mem_free(s->rows.mem, s->space);
    s->prefixes = NULL;
    s->numbers = s->space = NULL;
}

void row_sort_release(struct row_sort *s)
{
    if (s->rows.mem == NULL) return;
    numbers_free(s);
    kept_rows_release(&s->rows);
    row_runs_release(&s->runs);
    batch_free(s->block);
    *s = (struct row_sort){0};
}

static bool is_before(void *arg, uint32_t a, uint32_t b)
{
    const struct row_sort *s = arg;
    const uint64_t *prefix_a = s->prefixes + (size_t)a * s->prefix_count, *prefix_b = s->prefixes + (size_t)b * s->prefix_count;
    uint32_t row_a, row_b;

    for (uint32_t i = 0; i < s->prefix_count; i++)
        if (prefix_a[i] != prefix_b[i]) return prefix_a[i] < prefix_b[i];
    const struct batch *x = kept_rows_at(&s->rows, a, &row_a), *y = kept_rows_at(&s->rows, b, &row_b);
    return order_columns_compare(s->by, s->by_count, x, row_a, y, row_b) < 0;
}

/* --- sorting ----------------------------------------------------------------------------------------------------- */
static void sort_begin(struct row_sort *s)
{
    uint32_t n = s->rows.count;

    s->prefixes = mem_alloc(s->rows.mem, sizeof *s->prefixes * n * s->prefix_count);
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
            for (uint32_t k = 0; k < s->prefix_count; k++)
                s->prefixes[(size_t)i * s->prefix_count + k] = order_columns_prefix(&s->by[k], b, row);
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

/* Two stretches that are in order already. Answers what that counts. */
static uint32_t pair_copy(struct row_sort *s, uint32_t middle, uint32_t end)
{
    if (s->to > s->first || middle == end || is_before(s, s->numbers[middle], s->numbers[middle - 1])) return 0;
    memcpy(s->space + s->first, s->numbers + s->first, sizeof *s->space * (end - s->first));
    s->left = middle;
    s->right = end;
    return 1 + (end - s->first) / COPIED_PER_WORK;
}

/* Merges pairs of stretches into the other half. */
static enum status pass_run(struct row_sort *s)
{
    uint32_t n = s->rows.count, worked = 0;

    while (s->first < n) {
        uint32_t middle = (uint32_t)MIN((uint64_t)s->first + s->width, n), end = (uint32_t)MIN((uint64_t)s->first + 2 * (uint64_t)s->width, n);
        if (worked >= WORK_MAX) return S_MORE;
        worked += pair_copy(s, middle, end);
        while (s->left < middle || s->right < end) {
            if (worked++ >= WORK_MAX) return S_MORE;
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

/* The next few rows, which may lie anywhere. */
static void fetch(struct row_sort *s)
{
    uint32_t n = MIN(s->rows.count - s->at, (uint32_t)FETCHED);

    kept_rows_prefetch(&s->rows, s->numbers + s->at, n);
    s->fetched = s->at + n;
}

/* The next rows in memory, which are sorted. */
static enum status memory_next(struct row_sort *s, struct batch *out, uint32_t room)
{
    const struct batch *from;
    uint16_t rows[BATCH_ROWS];

    while (s->at < s->rows.count) {
        uint32_t as_came[BATCH_ROWS], n = MIN(MIN(room, s->rows.count - s->at), (uint32_t)BATCH_ROWS);
        if (n == 0) return S_MORE;
        if (s->numbers != NULL && s->at >= s->fetched) fetch(s);
        for (uint32_t i = 0; s->numbers == NULL && i < n; i++) as_came[i] = s->at + i;
        n = kept_rows_run(&s->rows, s->numbers != NULL ? s->numbers + s->at : as_came, n, &from, rows);
        batch_append(out, from, rows, n);
        s->at += n;
        room -= n;
    }
    return S_OK;
}

/* --- files ------------------------------------------------------------------------------------------------------- */
static void memory_clear(struct row_sort *s)
{
    numbers_free(s);
    kept_rows_clear(&s->rows);
    s->bytes = 0;
    s->width = s->first = s->left = s->right = s->to = s->at = s->fetched = 0;
    s->is_sorted = s->is_spilling = s->is_writing = false;
}

static enum status write_begin(struct row_sort *s)
{
    if (s->block == NULL) s->block = batch_create_needed(s->rows.schema, s->rows.needed, RUN_BLOCK_ROWS, s->rows.mem);
    TRY(row_runs_begin(&s->runs));
    s->is_writing = true;
    return S_OK;
}

/* The rows in memory become a run. */
static enum status spill_go_on(struct row_sort *s)
{
    TRY(sort_go_on(s));
    if (!s->is_writing) TRY(write_begin(s));
    for (uint32_t blocks = 0; s->at < s->rows.count; blocks++) {
        if (blocks == BLOCKS_MAX) return S_MORE;
        batch_clear(s->block);
        enum status st = memory_next(s, s->block, s->block->capacity);
        if (st != S_OK && st != S_MORE) return st;
        TRY(row_runs_write(&s->runs, s->block));
    }
    row_runs_finish(&s->runs);
    memory_clear(s);
    return S_OK;
}

enum status row_sort_add(struct row_sort *s, const struct batch *in)
{
    int64_t memory = s->runs.config->memory;

    if (!s->is_spilling) {
        ASSERT(s->width == 0 && !s->is_sorted);
        if (kept_rows_add(&s->rows, in) != S_OK)
            return err_set(s->runs.cx->err, E_BUDGET, "more than %u rows in one partition", KEPT_ROWS_MAX);
        s->bytes += batch_bytes(in) + sorted_row_bytes(s) * batch_rows(in);
        s->is_spilling = memory > 0 && s->bytes > (size_t)memory && s->rows.count > 0;
    }
    return s->is_spilling ? spill_go_on(s) : S_OK;
}

/* More runs than may be open. *is_one: of this pass one is left, which stays as it is. */
static enum status merge_begin(struct row_sort *s, bool *is_one)
{
    uint32_t count = s->runs.count, files = row_runs_files(&s->runs);

    if (s->pass_left == 0) s->pass_left = count;
    s->merged = MIN(MIN(files, s->pass_left), count - files + 1);
    *is_one = s->merged == 1;
    if (*is_one) return S_OK;
    TRY(row_runs_merge(&s->runs, s->merged));
    TRY(write_begin(s));
    s->is_merging = true;
    return S_OK;
}

/* The pass is over when few enough are left; those that it did not come to stand behind what it made. */
static void merge_end(struct row_sort *s)
{
    s->pass_left -= s->merged;
    if (s->runs.count > row_runs_files(&s->runs)) return;
    row_runs_turn(&s->runs, s->pass_left);
    s->pass_left = 0;
}

/* The first runs become one. */
static enum status pass_merge(struct row_sort *s)
{
    enum status st = S_MORE;
    bool is_one = false;

    if (!s->is_merging) TRY(merge_begin(s, &is_one));
    if (is_one) {
        row_runs_turn(&s->runs, 1);
        s->pass_left = 0;
        return S_MORE;
    }
    for (uint32_t blocks = 0; st == S_MORE; blocks++) {
        if (blocks == BLOCKS_MAX) return S_MORE;
        batch_clear(s->block);
        st = row_runs_next(&s->runs, s->block, s->block->capacity);
        if (st != S_OK && st != S_MORE) return st;
        if (s->block->count > 0) TRY(row_runs_write(&s->runs, s->block));
    }
    row_runs_finish(&s->runs);
    row_runs_merged(&s->runs);
    s->is_merging = s->is_writing = false;
    merge_end(s);
    return S_MORE;
}

/* --- giving back ------------------------------------------------------------------------------------------------- */
enum status row_sort_next(struct row_sort *s, struct batch *out, uint32_t room)
{
    if (s->runs.count == 0) {
        TRY(sort_go_on(s));
        return memory_next(s, out, room);
    }
    if (s->rows.count > 0) TRY(spill_go_on(s));
    if (s->runs.count - s->is_writing > row_runs_files(&s->runs)) return pass_merge(s);
    if (!s->is_merging) {
        TRY(row_runs_merge(&s->runs, s->runs.count));
        s->is_merging = true;
    }
    return row_runs_next(&s->runs, out, room);
}
