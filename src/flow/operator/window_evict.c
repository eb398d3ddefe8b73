/* window_evict.c - Flink's evictors: CountEvictor keeps the latest rows, TimeEvictor those within a time of the greatest
 * timestamp, DeltaEvictor those less than the threshold from the last row. Rows of two inputs are one sequence, in the
 * order in which they came. What is evicted leaves the selections of the rows; window_rows_store then takes it from state. */
#include "flow/operator/window_internal.h"

struct place {
    struct window_rows *rows;
    uint32_t batch, i; /* i-th selected row */
};

struct sequence {
    struct window_rows *rows[OP_INPUTS_MAX];
    uint32_t input_count, total;
    struct place at[OP_INPUTS_MAX];
};

static void sequence_start(struct window_engine *e, struct sequence *s)
{
    *s = (struct sequence){.input_count = e->op->plan->input_count};
    for (uint32_t i = 0; i < s->input_count; i++) {
        s->rows[i] = &e->logs[i].rows;
        s->at[i].rows = s->rows[i];
        s->total += s->rows[i]->total;
    }
}

static bool place_is_end(struct place *p)
{
    while (p->batch < p->rows->count && p->i == batch_rows(p->rows->batches[p->batch])) {
        p->batch++;
        p->i = 0;
    }
    return p->batch == p->rows->count;
}

static uint32_t row_of(const struct place *p) { return batch_row(p->rows->batches[p->batch], p->i); }
static int64_t time_of(const struct place *p) { return p->rows->batches[p->batch]->times[row_of(p)]; }
static int64_t arrival_of(const struct place *p) { return p->rows->arrivals[p->batch][row_of(p)]; }

/* The next row in the order of arrival, and its input; false at the end. */
static bool sequence_next(struct sequence *s, struct place *out, uint32_t *input)
{
    bool found = false;

    for (uint32_t i = 0; i < s->input_count; i++) {
        if (place_is_end(&s->at[i])) continue;
        if (found && arrival_of(&s->at[i]) >= arrival_of(out)) continue;
        *out = s->at[i];
        *input = i;
        found = true;
    }
    if (found) s->at[*input].i++;
    return found;
}

static enum status read_row(struct window_engine *e, const struct place *p, uint32_t input, const char **row)
{
    window_part_begin(&e->evictor, input, p->rows->batches[p->batch]);
    return window_part_row(&e->evictor, p->i, row);
}

struct decision {
    uint64_t seen, surplus; /* count */
    int64_t cutoff;         /* time */
    bool has_times;
    char *last; /* delta: the last row, as a struct */
};

static enum status decide_start(struct window_engine *e, struct decision *d)
{
    const struct window_config *c = e->config;
    struct sequence s;
    struct place p;
    uint32_t input;
    int64_t greatest = INT64_MIN;

    sequence_start(e, &s);
    d->surplus = s.total > (uint64_t)c->evictor_count ? s.total - (uint64_t)c->evictor_count : 0;
    for (bool first = true; sequence_next(&s, &p, &input); first = false) {
        if (first) d->has_times = time_of(&p) != TIME_MIN;
        greatest = MAX(greatest, time_of(&p));
        if (c->evictor == TW_EVICT_DELTA && s.total == ++d->seen) {
            const char *row;
            TRY(read_row(e, &p, input, &row));
            size_t size = e->evictor.cx.in[input].row.conv.size;
            d->last = arena_alloc(e->op->scratch, size);
            memcpy(d->last, row, size);
        }
    }
    d->seen = 0;
    d->cutoff = window_add(greatest, -c->evictor_ms);
    return S_OK;
}

static enum status decide(struct window_engine *e, struct decision *d, const struct window_item *item,
                          const struct place *p, uint32_t input, bool *evict)
{
    const struct window_config *c = e->config;
    struct tw_context *cx = &e->evictor.cx;
    const char *row;
    double delta = 0;

    switch ((enum tw_evictor_kind)c->evictor) {
    case TW_EVICT_COUNT: *evict = d->seen++ < d->surplus; return S_OK;
    case TW_EVICT_TIME: *evict = d->has_times && time_of(p) <= d->cutoff; return S_OK;
    case TW_EVICT_DELTA:
        TRY(read_row(e, p, input, &row));
        window_part_at(&e->evictor, e->slots->batch, item->slot, &item->window);
        TRY(user_check(cx, cx->fn->delta(cx, row, d->last, &delta)));
        *evict = delta >= c->evictor_threshold;
        return S_OK;
    case TW_NO_EVICTOR: break;
    }
    *evict = false;
    return S_OK;
}

/* Selections without the rows marked, by place in the former selection. */
static void selections_set(struct window_rows *r, uint64_t *const *marks)
{
    r->total = 0;
    for (uint32_t b = 0; b < r->count; b++) {
        struct batch *batch = r->batches[b];
        uint32_t n = batch_rows(batch), kept = 0;
        for (uint32_t i = 0; i < n; i++)
            if (!bit_get(marks[b], i)) r->selections[b][kept++] = (uint16_t)batch_row(batch, i);
        batch->sel = r->selections[b];
        batch->sel_count = kept;
        r->total += kept;
    }
}

/* The first rows of the only input, as many as there are too many. */
static bool evict_oldest(struct window_rows *r, uint64_t surplus)
{
    bool any = surplus > 0;

    for (uint32_t b = 0; b < r->count && surplus > 0; b++) {
        struct batch *batch = r->batches[b];
        uint32_t n = batch_rows(batch), gone = (uint32_t)MIN(surplus, (uint64_t)n);
        for (uint32_t i = gone; i < n; i++) r->selections[b][i - gone] = (uint16_t)batch_row(batch, i);
        batch->sel = r->selections[b];
        batch->sel_count = n - gone;
        r->total -= gone;
        surplus -= gone;
    }
    return any;
}

enum status window_evict(struct window_engine *e, const struct window_item *item, bool *any)
{
    struct decision d = {0};
    struct sequence s;
    struct place p;
    uint32_t input;
    uint64_t **marks[OP_INPUTS_MAX] = {0};

    sequence_start(e, &s);
    if (e->config->evictor == TW_EVICT_COUNT && s.input_count == 1) {
        uint64_t most = (uint64_t)e->config->evictor_count;
        *any |= evict_oldest(s.rows[0], s.total > most ? s.total - most : 0);
        return S_OK;
    }
    TRY(decide_start(e, &d));
    for (uint32_t i = 0; i < s.input_count; i++) {
        marks[i] = arena_alloc(e->op->scratch, (s.rows[i]->count + 1) * sizeof **marks);
        for (uint32_t b = 0; b < s.rows[i]->count; b++) {
            marks[i][b] = arena_alloc(e->op->scratch, BATCH_ROWS / 8);
            memset(marks[i][b], 0, BATCH_ROWS / 8);
        }
    }
    while (sequence_next(&s, &p, &input)) {
        bool evict;
        TRY(decide(e, &d, item, &p, input, &evict));
        if (evict) bit_set(marks[input][p.batch], p.i);
        *any |= evict;
    }
    for (uint32_t i = 0; i < s.input_count; i++) selections_set(s.rows[i], marks[i]);
    return S_OK;
}
