/* window_rows.c - rows of windows: from the input into a log per key and window, from the log into batches for the function
 * and the evictor, and back when some were evicted. Behind the columns kept stand the row's event time, unless
 * nobody asks for it, and with two inputs its place in the window's order of arrival, for the evictor. */
#include "flow/operator/window_internal.h"

void window_rows_init(struct window_rows *r, const struct type *schema, const uint64_t *kept, struct mem *mem)
{
    *r = (struct window_rows){.mem = mem, .schema = schema, .kept = kept};
}

void window_rows_release(struct window_rows *r)
{
    for (uint32_t i = 0; i < r->capacity; i++) {
        batch_free(r->batches[i]);
        mem_free(r->mem, r->selections[i]);
        mem_free(r->mem, r->arrivals[i]);
    }
    mem_free(r->mem, r->structs);
    if (r->capacity > 0) {
        mem_free(r->mem, r->batches);
        mem_free(r->mem, r->selections);
        mem_free(r->mem, r->arrivals);
    }
    *r = (struct window_rows){0};
}

/* An empty batch at the end; those of former windows are used again. */
static struct batch *batch_next(struct window_rows *r)
{
    if (r->count == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 2;
        r->batches = mem_realloc(r->mem, r->batches, r->capacity * sizeof *r->batches);
        r->selections = mem_realloc(r->mem, r->selections, r->capacity * sizeof *r->selections);
        r->arrivals = mem_realloc(r->mem, r->arrivals, r->capacity * sizeof *r->arrivals);
        for (uint32_t i = r->count; i < r->capacity; i++) {
            r->batches[i] = batch_create_needed(r->schema, r->kept, BATCH_ROWS, r->mem);
            r->selections[i] = mem_alloc(r->mem, BATCH_ROWS * sizeof(uint16_t));
            r->arrivals[i] = mem_alloc(r->mem, BATCH_ROWS * sizeof(int64_t));
        }
    }
    batch_clear(r->batches[r->count]);
    r->batches[r->count]->sel = NULL;
    return r->batches[r->count++];
}

enum status window_rows_next(void *arg, const struct batch **out)
{
    struct window_rows *r = arg;

    while (r->at < r->count && batch_rows(r->batches[r->at]) == 0) r->at++;
    *out = r->at < r->count ? r->batches[r->at++] : NULL;
    if (*out == NULL) r->at = 0;
    return S_OK;
}

bool window_rows_look_alike(const struct window_log *log, const struct rowconv *c)
{
    const struct state_layout *l = &log->table->value;

    if (c->null_offset != ROWCONV_NO_NULLS || c->size > l->size) return false;
    for (uint32_t f = 0; f < c->field_count; f++) {
        const struct rowconv_field *field = &c->fields[f];
        uint32_t k = 0;
        while (k < log->col_count && log->cols[k] != field->col) k++;
        if (k == log->col_count || field->phys != P_I64 || !field->not_null || l->fields[k].nullable) return false;
        if (l->fields[k].phys != P_I64 || l->fields[k].form != STATE_WORD || l->fields[k].offset != field->offset)
            return false;
    }
    return true;
}

static void take_structs(struct window_rows *r, const struct state_hits *hits)
{
    if (r->total + hits->count > r->struct_capacity) {
        r->struct_capacity = MAX(r->struct_capacity * 2, (uint32_t)BATCH_ROWS);
        r->structs = mem_realloc(r->mem, r->structs, r->struct_capacity * sizeof *r->structs);
    }
    memcpy(r->structs + r->total, hits->row, hits->count * sizeof *r->structs);
    r->total += hits->count;
}

static void take(struct window_log *log, const struct state_hits *hits)
{
    struct batch *b = batch_next(&log->rows);
    const struct state_field *fields = log->table->value.fields;
    const void *const *rows = (const void *const *)hits->row;
    int64_t *arrivals = log->rows.arrivals[log->rows.count - 1];

    for (uint32_t f = 0; f < log->col_count; f++)
        state_rows_load(log->table, rows, hits->count, f, &b->cols[log->cols[f]], 0, &b->heap, b->mem);
    b->count = hits->count;
    log->rows.total += hits->count;
    if (!log->has_times) return;
    batch_use_times(b);
    for (uint32_t i = 0; i < hits->count; i++) {
        b->times[i] = *state_word(hits->row[i], fields[log->col_count].offset);
        arrivals[i] = log->has_arrivals ? *state_word(hits->row[i], fields[log->col_count + 1].offset) : 0;
    }
}

enum status window_rows_load(struct window_log *log, uint32_t slot)
{
    struct state_hits *hits = &log->hits;
    enum status st;

    if (log->is_loaded) return S_OK;
    if (!log->is_loading) {
        log->rows.count = log->rows.total = log->rows.at = 0;
        log->scan = (struct state_scan){0};
    }
    log->is_loading = true;
    st = state_head_rows(log->heads[slot]) > 0 ? state_scan(log->table, 0, &log->heads[slot], 1, &log->scan, hits) : S_OK;
    if (st != S_OK && st != S_MORE) return st;
    if (state_head_rows(log->heads[slot]) > 0 && hits->count > 0) {
        if (log->rows.are_structs)
            take_structs(&log->rows, hits);
        else
            take(log, hits);
    }
    log->is_loaded = st == S_OK;
    log->is_loading = !log->is_loaded;
    return st;
}

/* The batch's columns as the log's: the words behind them are set afterwards. */
static void probe_fill(struct window_engine *e, struct window_log *log, const struct batch *in, const uint16_t *rows,
                       uint32_t n, const int64_t *times, const int64_t *arrivals)
{
    const struct state_layout *l = &log->probe.layout;
    struct batch view = *in;
    uint32_t *cols = arena_alloc(e->op->scratch, (log->col_count + 2) * sizeof *cols);
    int64_t *zero = arena_alloc(e->op->scratch, sizeof *zero);

    view.cols = arena_alloc(e->op->scratch, (in->col_count + 1) * sizeof *view.cols);
    memcpy(view.cols, in->cols, in->col_count * sizeof *view.cols);
    *zero = 0;
    view.cols[in->col_count] = (struct vector){
        .type = l->type->children[log->col_count], .form = VEC_CONST, .phys = P_I64, .capacity = 1, .data = zero};
    memcpy(cols, log->cols, log->col_count * sizeof *cols);
    cols[log->col_count] = cols[log->col_count + 1] = in->col_count; /* the second if there is one */
    state_probe_fill(&log->probe, &view, cols, rows, n);
    for (uint32_t i = 0; log->has_times && i < n; i++) {
        void *row = state_probe_at(&log->probe, i);
        *state_word(row, l->fields[log->col_count].offset) = times[i];
        if (log->has_arrivals) *state_word(row, l->fields[log->col_count + 1].offset) = arrivals[i];
    }
}

enum status window_log_append(struct window_engine *e, struct window_log *log, const struct batch *in,
                              const uint16_t *rows, uint32_t n, void *const *heads, const int64_t *times,
                              const int64_t *arrivals)
{
    if (n == 0) return S_OK;
    probe_fill(e, log, in, rows, n, times, arrivals);
    return state_log_append(log->table, 0, heads, &log->probe, NULL, NULL);
}

/* Were the first rows taken away and no others? Then `first` of them. */
static bool is_rest(const struct window_rows *r, uint32_t *first)
{
    bool any = false;

    *first = 0;
    for (uint32_t b = 0; b < r->count; b++) {
        const struct batch *batch = r->batches[b];
        uint32_t gone = batch->count - batch_rows(batch);
        if (gone > 0 && (any || (gone < batch->count && batch_row(batch, 0) != gone))) return false;
        any |= gone < batch->count;
        *first += gone;
    }
    return true;
}

enum status window_rows_store(struct window_engine *e, struct window_log *log, uint32_t slot)
{
    struct window_rows *r = &log->rows;
    uint32_t first;
    void **heads = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *heads);
    int64_t *times = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *times);
    int64_t *arrivals = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *arrivals);
    uint16_t *rows = arena_alloc(e->op->scratch, BATCH_ROWS * sizeof *rows);

    if (log->heads[slot] == NULL) return S_OK;
    if (is_rest(r, &first)) {
        state_log_drop(log->table, 0, log->heads[slot], first);
        return S_OK;
    }
    state_head_clear(log->table, 0, log->heads[slot]);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) heads[i] = log->heads[slot];
    for (uint32_t b = 0; b < r->count; b++) {
        const struct batch *batch = r->batches[b];
        uint32_t n = batch_rows(batch);
        for (uint32_t i = 0; i < n; i++) {
            rows[i] = (uint16_t)batch_row(batch, i);
            times[i] = batch_time(batch, rows[i]);
            arrivals[i] = r->arrivals[b][rows[i]];
        }
        TRY(window_log_append(e, log, batch, rows, n, heads, times, arrivals));
    }
    return S_OK;
}
