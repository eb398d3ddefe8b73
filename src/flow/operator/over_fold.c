/* over_fold.c - aggregates of frames. Bounds go forward only, so rows are taken up as the far one passes them, and let go as the near
 * one does:
 *
 *     words that can give back    rows that leave are taken back; where that is not exact (sums of DOUBLE) all are taken up anew
 *     FIRST, LAST                 one position
 *     LEAST, GREATEST             positions that may become the result when those before them leave, in order
 *     ALL, COUNTED                the values of the frame, for each row */
#include "flow/operator/over_partition.h"

#include "columns/function/agg_numeric.h"

#include <string.h>

enum { STRETCH = 256, NONE = UINT32_MAX };

static bool keeps_list(const struct agg *a) { return a->keep == AGG_KEEP_ALL || a->keep == AGG_KEEP_COUNTED; }
static bool keeps_edge(const struct agg *a) { return a->keep == AGG_KEEP_LEAST || a->keep == AGG_KEEP_GREATEST; }
static size_t words_size(const struct agg *a) { return sizeof(int64_t) * MAX(a->words, 1u); }

enum status over_fold_open(struct op_cx *cx, struct over_partition *s, struct part_call *c)
{
    struct agg *a = &c->call.agg;
    bool is_real = a->argument != NULL && agg_is_real(a->argument);

    c->call.err = cx->err;
    if (a->type->open != NULL) TRY(a->type->open(a, cx->mem, cx->err));
    if (a->keep == AGG_KEEP_NOTHING && a->type->retract == NULL && c->frame.from != OVER_ALL_BEFORE) a->keep = a->type->keep;
    c->takes_back = a->type->retract != NULL && (a->type->open != NULL || (a->type->unmerge != NULL && !is_real));
    a->offset = 0;
    if (a->keep == AGG_KEEP_NOTHING) {
        c->acc = mem_zalloc(cx->mem, words_size(a));
        c->copies = mem_alloc(cx->mem, words_size(a) * s->out->capacity);
    }
    return S_OK;
}

void over_fold_close(struct op_cx *cx, struct over_partition *s, struct part_call *c)
{
    struct agg *a = &c->call.agg;

    (void)s;
    if (c->place == NULL && a->type != NULL && a->type->close != NULL) a->type->close(a, cx->mem);
    mem_free(cx->mem, c->acc);
    mem_free(cx->mem, c->copies);
    mem_free(cx->mem, c->queue);
}

void over_fold_begin(struct part_call *c, uint32_t first)
{
    c->from = c->to = c->lo = c->hi = first;
    c->best = NONE;
    c->queue_first = c->queue_count = 0;
    if (c->acc != NULL) memset(c->acc, 0, words_size(&c->call.agg));
}

static const struct vector *value_at(const struct over_partition *s, const struct part_call *c, uint32_t position, uint32_t *row)
{
    return &kept_rows_at(&s->rows, position, row)->cols[c->call.agg.col];
}

static bool is_null(const struct over_partition *s, const struct part_call *c, uint32_t position)
{
    uint32_t row;
    const struct vector *v = value_at(s, c, position, &row);

    return vector_is_null(v, row);
}

/* --- words ------------------------------------------------------------------------------------------------------- */
/* Rows from..to, or as many of them as lie in one batch; answers how many. */
static uint32_t rows_apply(struct over_partition *s, struct part_call *c, uint32_t from, uint32_t to, bool adds)
{
    const struct agg *a = &c->call.agg;
    uint32_t row;
    const struct batch *b = kept_rows_at(&s->rows, from, &row);
    const struct vector *v = a->argument != NULL ? &b->cols[a->col] : NULL;
    uint32_t n = MIN(to - from, b->count - row);
    uint16_t rows[BATCH_ROWS];

    for (uint32_t i = 0; i < n; i++) {
        rows[i] = (uint16_t)(row + i);
        s->accs[i] = c->acc;
    }
    if (adds) a->type->add(a, s->accs, v, rows, n);
    else a->type->retract(a, s->accs, v, rows, n);
    s->worked += n;
    return n;
}

static void words_let_go(struct over_partition *s, struct part_call *c)
{
    bool is_exact = c->takes_back && c->from < c->hi;

    while (is_exact && c->lo < c->from) c->lo += rows_apply(s, c, c->lo, c->from, false);
    if (c->lo >= c->from) return;
    memset(c->acc, 0, words_size(&c->call.agg));
    c->lo = c->hi = c->from;
}

static enum status words_move(struct over_partition *s, struct part_call *c)
{
    words_let_go(s, c);
    while (c->hi < c->to) {
        if (s->worked > OVER_WORK_MAX) return S_MORE;
        c->hi += rows_apply(s, c, c->hi, c->to, true);
    }
    return S_OK;
}

/* --- one value --------------------------------------------------------------------------------------------------- */
/* The first position from lo on with a value, or the last one before hi. */
static void end_find(struct over_partition *s, struct part_call *c)
{
    bool keeps_null = c->call.agg.type->keeps_null;

    if (c->call.agg.keep == AGG_KEEP_LAST) {
        for (; c->hi < c->to; c->hi++, s->worked++)
            if (keeps_null || !is_null(s, c, c->hi)) c->best = c->hi;
        if (c->best != NONE && c->best < c->from) c->best = NONE;
        return;
    }
    for (c->lo = MAX(c->lo, c->from); c->lo < c->to && !keeps_null && is_null(s, c, c->lo); c->lo++) s->worked++;
    c->best = c->lo < c->to ? c->lo : NONE;
}

static bool is_better(const struct over_partition *s, const struct part_call *c, uint32_t position, uint32_t than)
{
    uint32_t a, b;
    const struct vector *x = value_at(s, c, position, &a), *y = value_at(s, c, than, &b);
    int order = vector_compare(x, a, y, b);

    return c->call.agg.keep == AGG_KEEP_LEAST ? order < 0 : order > 0;
}

static void queue_add(struct over_partition *s, struct part_call *c, uint32_t position)
{
    if (is_null(s, c, position)) return;
    while (c->queue_count > 0 && is_better(s, c, position, c->queue[c->queue_first + c->queue_count - 1])) c->queue_count--;
    if (c->frame.from == OVER_ALL_BEFORE && c->queue_count > 0) return; /* what is best now stays */
    if (c->queue_first + c->queue_count == c->queue_capacity) {
        if (c->queue_count > 0) memmove(c->queue, c->queue + c->queue_first, sizeof *c->queue * c->queue_count);
        c->queue_first = 0;
    }
    if (c->queue_count >= c->queue_capacity / 2) { /* so that moving stays rare */
        c->queue_capacity = MAX(c->queue_capacity * 2, 64u);
        c->queue = mem_realloc(s->out->mem, c->queue, sizeof *c->queue * c->queue_capacity);
    }
    c->queue[c->queue_first + c->queue_count++] = position;
}

static void edge_find(struct over_partition *s, struct part_call *c)
{
    for (; c->hi < c->to; c->hi++, s->worked++) queue_add(s, c, c->hi);
    while (c->queue_count > 0 && c->queue[c->queue_first] < c->from) {
        c->queue_first++;
        c->queue_count--;
    }
    c->best = c->queue_count > 0 ? c->queue[c->queue_first] : NONE;
}

static void best_put(struct over_partition *s, struct part_call *c, struct vector *out)
{
    uint32_t row;

    if (c->best == NONE || c->best >= c->to) {
        vector_set_null(out, s->base + s->row);
        return;
    }
    const struct vector *v = value_at(s, c, c->best, &row);
    uint16_t which = (uint16_t)row;
    vector_copy(out, s->base + s->row, v, &which, 1, &s->out->heap, s->out->mem);
}

/* --- lists ------------------------------------------------------------------------------------------------------- */
struct reading {
    struct agg_values values;
    struct over_partition *s;
    const struct part_call *c;
    uint32_t at, end;
    const uint32_t *positions; /* NULL: all from at on */
    uint32_t counts[STRETCH];
};

static bool values_next(struct agg_values *values)
{
    struct reading *r = (struct reading *)values;
    struct over_partition *s = r->s;

    vector_clear(&s->stretch);
    for (values->count = 0; values->count < STRETCH && r->at < r->end; r->at++) {
        uint32_t position = r->positions != NULL ? r->positions[r->at] : r->at, row;
        const struct vector *v = value_at(s, r->c, position, &row);
        uint16_t which = (uint16_t)row;
        if (!r->c->call.agg.type->keeps_null && vector_is_null(v, row)) continue;
        if (r->positions != NULL) r->counts[values->count] = s->counts[r->at];
        vector_copy(&s->stretch, values->count++, v, &which, 1, &s->stage->heap, s->out->mem);
    }
    return values->count > 0;
}

/* Clears a table for so many values, whatever room there is: frames may be small behind a large one. Answers its mask. */
static uint32_t unique_begin(struct over_partition *s, uint32_t rows)
{
    struct mem *mem = s->out->mem;
    uint32_t capacity = 64;

    while (capacity < rows) capacity *= 2;
    if (capacity > s->unique_capacity) {
        s->unique = mem_realloc(mem, s->unique, sizeof *s->unique * capacity);
        s->counts = mem_realloc(mem, s->counts, sizeof *s->counts * capacity);
        s->table = mem_realloc(mem, s->table, sizeof *s->table * 2 * capacity);
        s->unique_capacity = capacity;
    }
    memset(s->table, 0, sizeof *s->table * 2 * capacity);
    return 2 * capacity - 1;
}

/* Different values of the frame, in the order in which they come; answers how many. */
static uint32_t unique_find(struct over_partition *s, const struct part_call *c)
{
    uint32_t n = 0, mask = unique_begin(s, c->to - c->from);

    for (uint32_t i = c->from; i < c->to; i++) {
        uint32_t row, other;
        const struct vector *v = value_at(s, c, i, &row), *w;
        if (vector_is_null(v, row) && !c->call.agg.type->keeps_null) continue;
        uint32_t at = (uint32_t)vector_hash(v, row) & mask;
        for (; s->table[at] != 0; at = (at + 1) & mask) {
            w = value_at(s, c, s->unique[s->table[at] - 1], &other);
            if (vector_compare(v, row, w, other) == 0) break;
        }
        if (s->table[at] == 0) {
            s->unique[n] = i;
            s->counts[n] = 0;
            s->table[at] = ++n;
        }
        s->counts[s->table[at] - 1]++;
    }
    return n;
}

static void list_put(struct over_partition *s, struct part_call *c, struct vector *out)
{
    struct reading r = {.s = s, .c = c, .at = c->from, .end = c->to};
    bool is_counted = c->call.agg.keep == AGG_KEEP_COUNTED;

    if (c->to < c->from) r.end = r.at;
    if (is_counted && c->to > c->from) {
        r.at = 0;
        r.end = unique_find(s, c);
        r.positions = s->unique;
    }
    s->worked += c->to > c->from ? c->to - c->from : 0;
    r.values = (struct agg_values){.next = values_next, .v = &s->stretch, .counts = is_counted ? r.counts : NULL};
    if (s->stretch.type != NULL && s->stretch.type != c->call.agg.argument) vector_release(&s->stretch, s->out->mem);
    if (s->stretch.type != c->call.agg.argument) vector_init(&s->stretch, c->call.agg.argument, STRETCH, s->out->mem);
    batch_clear(s->stage); /* its heap holds the values */
    buf_clear(&s->scratch);
    c->call.agg.type->fold(&c->call.agg, &r.values, &(struct agg_place){out, s->base + s->row, &s->out->heap, s->out->mem, &s->scratch});
}

/* --- rows of a chunk --------------------------------------------------------------------------------------------- */
static enum status row_run(struct over_partition *s, struct part_call *c, struct vector *out)
{
    const struct agg *a = &c->call.agg;

    over_frame_of(s, c, s->at + s->row);
    if (keeps_list(a)) {
        list_put(s, c, out);
    } else if (a->keep != AGG_KEEP_NOTHING) {
        if (keeps_edge(a)) edge_find(s, c);
        else end_find(s, c);
        best_put(s, c, out);
    } else {
        TRY(words_move(s, c));
        memcpy(c->copies + words_size(a) * s->row, c->acc, words_size(a));
    }
    return S_OK;
}

enum status over_fold_run(struct op_cx *cx, struct over_partition *s, struct part_call *c, uint32_t col)
{
    const struct agg *a = &c->call.agg;

    (void)cx;
    for (; s->row < s->chunk; s->row++) {
        if (s->worked > OVER_WORK_MAX) return S_MORE;
        TRY(row_run(s, c, &s->out->cols[col]));
    }
    if (a->keep == AGG_KEEP_NOTHING) {
        for (uint32_t i = 0; i < s->chunk; i++) s->accs[i] = c->copies + words_size(a) * i;
        group_call_results(&c->call, s->accs, s->chunk, s->out, col, s->base);
    }
    return group_calls_check(&c->call, 1);
}
