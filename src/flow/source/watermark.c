/* watermark.c - reading event times from a column and generating watermarks from them.
 *
 * Times are read a column at a time, one loop per unit. The greatest time of a run of rows raises the generator's
 * watermark; what that does to others (several splits, idleness, when it is emitted) is the caller's. */
#include "flow/source/watermark.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"

enum { TIME_TEXT_MAX = 200, TIMES_BLOCK = 256 };

static bool type_is_time(const struct type *t)
{
    return t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ || t->kind == T_BIGINT;
}

static enum status time_column(int *col, const char *field, const struct type *row, const char *stream, struct err *e)
{
    *col = op_type_field(row, stream, field, e);
    if (*col < 0) return E_GRAPH;
    if (type_is_time(row->children[*col])) return S_OK;
    err_set(e, E_GRAPH, "field '%s' of stream '%s' cannot be the event time", field, stream != NULL ? stream : "input");
    err_hint(e, "event time is a TIMESTAMP, a TIMESTAMP_LTZ, or a BIGINT of ms since 1970");
    return E_GRAPH;
}

enum status watermark_strategy_init(struct watermark_strategy *s, const struct watermark_config *c,
                                    const struct type *row, const char *stream, struct err *e)
{
    ASSERT(row->kind == T_ROW);
    *s = (struct watermark_strategy){.kind = (enum watermark_kind)c->kind,
                                     .delay_ms = c->kind == WATERMARK_BOUNDED || c->kind == WATERMARK_COLUMN
                                                     ? c->out_of_orderness_ms
                                                     : 0,
                                     .idleness_ms = c->idleness_ms,
                                     .interval_ms = c->periodic_ms,
                                     .every_rows = (uint32_t)c->every_rows,
                                     .time_col = -1,
                                     .watermark_col = -1};
    if (c->kind < WATERMARK_NONE || c->kind > WATERMARK_COLUMN)
        return err_set(e, E_CONFIG, "watermark kind %lld does not exist", (long long)c->kind);
    if (c->out_of_orderness_ms < 0)
        return err_set(e, E_CONFIG, "out-of-orderness is %lld ms, but must not be negative",
                       (long long)c->out_of_orderness_ms);
    if (c->idleness_ms < 0)
        return err_set(e, E_CONFIG, "idleness is %lld ms, but must not be negative", (long long)c->idleness_ms);
    if (c->every_rows < 0 || c->every_rows > INT32_MAX)
        return err_set(e, E_CONFIG, "watermarks every %lld rows: must be between 0 and %d", (long long)c->every_rows,
                       INT32_MAX);
    if (c->kind == WATERMARK_COLUMN) TRY(time_column(&s->watermark_col, c->watermark_field, row, stream, e));
    return c->time_field != NULL ? time_column(&s->time_col, c->time_field, row, stream, e) : S_OK;
}

/* --- times -------------------------------------------------------------------------------------------------------- */
/* What divides a stored value to give ms; 0 = struct ts96. */
static int64_t time_divisor(const struct type *t)
{
    return t->kind == T_BIGINT || t->precision <= 3 ? 1 : t->precision <= 6 ? 1000 : 0;
}

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    int64_t q = value / divisor;

    return q - (value % divisor < 0);
}

static enum status null_time(const struct batch *b, uint32_t row, int col, struct err *e)
{
    struct buf text;

    buf_init(&text, b->mem);
    batch_show_row(b, row, &text);
    err_set(e, E_DATA, "event time '%s' is NULL in row %.*s", b->schema->names[col], TIME_TEXT_MAX, buf_text(&text));
    err_hint(e, "filter such rows before times are assigned, or give them a time");
    buf_release(&text);
    return E_DATA;
}

static inline int64_t time_at(const struct vector *v, const struct vector *base, int64_t divisor, uint32_t row)
{
    uint32_t at = vector_at(v, row);

    if (divisor == 0) return VECTOR_VALUES(base, struct ts96)[at].ms;
    return floor_divide(VECTOR_VALUES(base, int64_t)[at], divisor);
}

static enum status column_times(const struct vector *v, int col, const struct batch *b, uint32_t first, uint32_t n,
                                int64_t *times, struct err *e)
{
    const struct vector *base = vector_values(v);
    int64_t divisor = time_divisor(v->type);

    ASSERT(v->form != VEC_ABSENT);
    for (uint32_t i = first; base->validity != NULL && i < first + n; i++)
        if (vector_is_null(v, batch_row(b, i))) return null_time(b, batch_row(b, i), col, e);
    if (divisor == 1 && v->form == VEC_FLAT && b->sel == NULL) {
        memcpy(times + first, VECTOR_VALUES(v, int64_t) + first, n * sizeof(int64_t));
        return S_OK;
    }
    for (uint32_t i = first; i < first + n; i++) times[batch_row(b, i)] = time_at(v, base, divisor, batch_row(b, i));
    return S_OK;
}

static enum status hook_times(const struct watermark_hooks *h, struct batch *b, uint32_t first, uint32_t n,
                              int64_t *times)
{
    int64_t block[TIMES_BLOCK];

    for (uint32_t i = first, count; i < first + n; i += count) {
        count = MIN(first + n - i, (uint32_t)TIMES_BLOCK);
        TRY(h->times(h->arg, b, i, count, block));
        for (uint32_t k = 0; k < count; k++) times[batch_row(b, i + k)] = block[k];
    }
    return S_OK;
}

enum status watermark_times(const struct watermark_strategy *s, struct batch *b, uint32_t first, uint32_t n,
                            int64_t *times, struct err *e)
{
    ASSERT(first + n <= batch_rows(b));
    if (s->time_col >= 0) return column_times(&b->cols[s->time_col], s->time_col, b, first, n, times, e);
    if (s->hooks.times != NULL) return hook_times(&s->hooks, b, first, n, times);
    if (b->times == times) return S_OK;
    for (uint32_t i = first; i < first + n; i++) {
        uint32_t row = batch_row(b, i);
        times[row] = b->times != NULL ? b->times[row] : TIME_MIN;
    }
    return S_OK;
}

/* --- watermarks --------------------------------------------------------------------------------------------------- */
static int64_t greatest_time(const struct batch *b, uint32_t first, uint32_t n, const int64_t *times)
{
    int64_t greatest = TIME_MIN;

    if (b->sel == NULL) {
        for (uint32_t i = first; i < first + n; i++) greatest = MAX(greatest, times[i]);
    } else {
        for (uint32_t i = first; i < first + n; i++) greatest = MAX(greatest, times[b->sel[i]]);
    }
    return greatest;
}

static enum status hook_watermarks(const struct watermark_hooks *h, struct watermark_generator *g, struct batch *b,
                                   uint32_t first, uint32_t n, const int64_t *times)
{
    int64_t block[TIMES_BLOCK], raised = g->watermark;

    for (uint32_t i = first, count; i < first + n; i += count) {
        count = MIN(first + n - i, (uint32_t)TIMES_BLOCK);
        for (uint32_t k = 0; k < count; k++) block[k] = times[batch_row(b, i + k)];
        TRY(h->watermarks(h->arg, b, i, count, block, &raised));
        g->watermark = MAX(g->watermark, raised);
        raised = g->watermark;
    }
    return S_OK;
}

static int64_t greatest_value(const struct vector *v, const struct batch *b, uint32_t first, uint32_t n)
{
    const struct vector *base = vector_values(v);
    int64_t divisor = time_divisor(v->type), greatest = TIME_MIN;

    for (uint32_t i = first; i < first + n; i++) {
        uint32_t row = batch_row(b, i);
        if (!vector_is_null(v, row)) greatest = MAX(greatest, time_at(v, base, divisor, row));
    }
    return greatest;
}

static void raise(struct watermark_generator *g, int64_t greatest, int64_t behind)
{
    if (greatest > TIME_MIN + behind) g->watermark = MAX(g->watermark, greatest - behind);
}

enum status watermark_see(const struct watermark_strategy *s, struct watermark_generator *g, struct batch *b,
                          uint32_t first, uint32_t n, const int64_t *times)
{
    ASSERT(n <= watermark_room(s, g));
    if (n == 0) return S_OK;
    if (s->every_rows > 0) g->rows += n;
    if (s->kind == WATERMARK_FUNCTION && s->hooks.watermarks != NULL)
        return hook_watermarks(&s->hooks, g, b, first, n, times);
    if (s->kind == WATERMARK_COLUMN) {
        bool is_time = s->watermark_col == s->time_col;
        raise(g, is_time ? greatest_time(b, first, n, times) : greatest_value(&b->cols[s->watermark_col], b, first, n),
              s->delay_ms);
    }
    if (s->kind == WATERMARK_MONOTONOUS || s->kind == WATERMARK_BOUNDED)
        raise(g, greatest_time(b, first, n, times), s->delay_ms + 1);
    return S_OK;
}

bool watermark_is_due(const struct watermark_strategy *s, struct watermark_generator *g)
{
    if (s->every_rows == 0 || g->rows < s->every_rows) return false;
    ASSERT(g->rows == s->every_rows);
    g->rows = 0;
    return true;
}
