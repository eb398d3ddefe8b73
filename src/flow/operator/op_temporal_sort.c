/* op_temporal_sort.c - SQL's ORDER BY of a stream: by time, rows of one time by further columns. Rows of event time go out when the
 * watermark has passed them; those of processing time when their millisecond has.
 *
 * State: all rows under one key, in the order in which they go out; and the time of the last one that did. As in Flink a row is late
 * when that time has come, not when the watermark has passed it. Rows that agree in all columns of the order go out as they came.
 *
 * Invariant: what is emitted by a call is taken out of the state by it. Not here: orders that do not begin with a time, that fall in it. */
#include "flow/operator/temporal_sort.h"
#include "flow/operator/kept_words.h"

#include "flow/operator/order_columns.h"
#include "flow/operator/row_time.h"
#include "flow/operator/window_late.h"
#include "flow/state/shape.h"
#include "ground/base/str.h"

#include <string.h>

enum { WORD_LAST, WORD_ANY, WORD_COUNT }; /* of the row that says what went out; ANY: something has */

struct temporal_sort {
    int time_col;
    struct state_def rows_def, last_def;
    struct state_table *rows, *last;
    struct state_probe probe;
    uint32_t *cols, col_count;      /* that are kept: column cols[i] of the input is field i */
    uint32_t *sort_fields, sort_count; /* columns of `view` that the order reads */
    struct batch view;              /* the times, then the columns of the input */
    struct vector times_col;
    struct batch *nobody;           /* one row without columns: the key of all */
    struct kept_words kept;         /* over checkpoints: due_ms */
    int64_t due_ms;                 /* of processing time; INT64_MAX: nothing waits */
    bool is_resolved;
    struct metric *late_dropped;
    uint16_t live[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    int64_t times[BATCH_ROWS];
    void *heads[BATCH_ROWS], *words[BATCH_ROWS], *found[BATCH_ROWS];
    struct state_hits hits;
};

static const struct config_field temporal_sort_config_fields[] = {
    CONFIG_FIELD(temporal_sort_config, time, CONF_TEXT, "column with the rows' time; none: processing time"),
    CONFIG_FIELD(temporal_sort_config, order, CONF_TEXTS, "columns by which rows of one time are ordered"),
    CONFIG_FIELD(temporal_sort_config, directions, CONF_TEXTS, "of each: asc or desc"),
    CONFIG_FIELD(temporal_sort_config, nulls, CONF_TEXTS, "of each: first or last"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status config_read(const struct op_plan *p, const struct temporal_sort_config *c, int *time, struct order_column **order,
                               struct err *e)
{
    TRY(row_time_column(p, 0, c->time, time, e));
    if (c->order.count >= ORDER_COLUMNS_MAX)
        return err_set(e, E_CONFIG, "rows can be ordered by a time and %d columns at most", ORDER_COLUMNS_MAX - 1);
    return order_columns_read(p, &c->order, &c->directions, &c->nulls, order, e);
}

static enum status temporal_sort_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct order_column *order;
    int time;

    TRY(config_read(p, config, &time, &order, e));
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void temporal_sort_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct temporal_sort_config *c = config;
    struct order_column *order;
    int time;

    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (config_read(p, c, &time, &order, NULL) != S_OK) return;
    if (time >= 0) bit_set(inputs[0], (uint32_t)time);
    for (uint32_t i = 0; i < c->order.count; i++) bit_set(inputs[0], order[i].col);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static const struct type *kept_row(struct op_cx *cx, struct temporal_sort *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = p->inputs[0]->child_count;

    s->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        bool is_needed = cx->needed_out == NULL || cx->needed_out[0] == NULL || bit_get(cx->needed_out[0], i);
        if ((int)i != s->time_col && is_needed) s->cols[s->col_count++] = i;
    }
    return type_row_of(p->arena, p->inputs[0], s->cols, s->col_count);
}

/* The time, then the columns of the order. */
static const struct type *sort_row(struct op_cx *cx, struct temporal_sort *s, const struct order_column *order, uint32_t count)
{
    const struct op_plan *p = cx->plan;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, count + 1);
    const char **names = ARENA_ARRAY(p->arena, const char *, count + 1);
    uint32_t n = 0;

    s->sort_fields = ARENA_ARRAY(p->arena, uint32_t, count + 1);
    types[n] = type_new(p->arena, T_BIGINT, 0, 0, false);
    names[n] = "time";
    s->sort_fields[n++] = 0;
    for (uint32_t i = 0; i < count; i++) {
        s->rows_def.sort_descending |= (uint64_t)order[i].descending << n;
        s->rows_def.sort_nulls_last |= (uint64_t)order[i].nulls_last << n;
        types[n] = p->inputs[0]->children[order[i].col];
        names[n] = arena_printf(p->arena, "s%u", i);
        s->sort_fields[n++] = order[i].col + 1;
    }
    s->sort_count = n;
    return type_row(p->arena, n, names, types, false);
}

static const struct type *words_row(struct arena *a)
{
    static const char *const names[WORD_COUNT] = {"last", "any"};
    const struct type *types[WORD_COUNT];

    for (uint32_t i = 0; i < WORD_COUNT; i++) types[i] = type_new(a, T_BIGINT, 0, 0, false);
    return type_row(a, WORD_COUNT, names, types, false);
}

static enum status temporal_sort_open(struct op_cx *cx, void *self)
{
    const struct temporal_sort_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct temporal_sort *s = self;
    const struct type *key = type_row_of(p->arena, p->inputs[0], NULL, 0);
    struct order_column *order;

    TRY(config_read(p, c, &s->time_col, &order, cx->err));
    s->rows_def = (struct state_def){.name = "rows", .version = 1, .upgrade = STATE_UPGRADE_COLUMNS, .shape = STATE_ORDERED, .key = key, .value = kept_row(cx, s)};
    s->rows_def.sort_key = sort_row(cx, s, order, c->order.count);
    s->last_def = (struct state_def){.name = "last", .version = 1, .shape = STATE_MAP, .key = key, .value = words_row(p->arena)};
    TRY(state_open(cx->state, &s->rows_def, &s->rows, cx->err));
    TRY(state_open(cx->state, &s->last_def, &s->last, cx->err));
    TRY(state_probe_init(&s->probe, s->rows_def.sort_key, cx->mem, cx->err));
    vector_init(&s->times_col, s->rows_def.sort_key->children[0], BATCH_ROWS, cx->mem);
    s->view.cols = ARENA_ARRAY(p->arena, struct vector, p->inputs[0]->child_count + 1);
    s->nobody = batch_create(key, 1, cx->mem);
    s->nobody->count = 1;
    s->due_ms = INT64_MAX;
    s->late_dropped = window_late_metric(cx);
    return kept_words_open(&s->kept, cx, "due", &s->due_ms, 1, &(bool){false});
}

static enum status temporal_sort_on_barrier(struct op_cx *cx, void *self, int64_t checkpoint)
{
    struct temporal_sort *s = self;

    (void)cx, (void)checkpoint;
    return kept_words_save(&s->kept, &s->due_ms);
}

static void temporal_sort_close(struct op_cx *cx, void *self, bool failed)
{
    struct temporal_sort *s = self;

    (void)failed;
    kept_words_close(&s->kept);
    state_close(s->rows);
    state_close(s->last);
    state_probe_release(&s->probe);
    if (s->nobody != NULL) vector_release(&s->times_col, cx->mem);
    batch_free(s->nobody);
}

static int64_t *word(const struct temporal_sort *s, uint32_t i) { return state_word(s->words[0], s->last->value.fields[i].offset); }

static enum status resolve(struct temporal_sort *s, const struct batch *b)
{
    if (s->is_resolved) return S_OK;
    batch_hash(b, NULL, 0, s->hashes);
    struct state_keys keys = state_keys_of(b, NULL, 0, s->hashes);
    TRY(state_resolve(s->last, 0, &keys, STATE_INSERT, s->words, NULL));
    TRY(state_resolve(s->rows, 0, &keys, STATE_RESERVE, s->heads, NULL));
    s->is_resolved = true;
    return S_OK;
}

static void resolve_done(struct temporal_sort *s)
{
    state_done(s->rows);
    state_done(s->last);
    s->is_resolved = false;
}

/* --- rows that come ---------------------------------------------------------------------------------------------- */
/* The times of those rows that are not late: they are live. */
static enum status live_find(struct op_cx *cx, struct temporal_sort *s, const struct batch *in, uint32_t *count)
{
    const struct vector *v = s->time_col >= 0 ? &in->cols[s->time_col] : NULL;
    uint32_t n = 0;

    BATCH_EACH(in, i, row)
    {
        if (v != NULL && vector_is_null(v, row))
            return row_time_missing(cx, in, row);
        int64_t time = v != NULL ? VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)] : 0;
        if (v != NULL && *word(s, WORD_ANY) != 0 && time <= *word(s, WORD_LAST)) continue;
        state_write(s->rows, i);
        s->times[n] = time;
        s->live[n++] = (uint16_t)row;
    }
    *count = n;
    return S_OK;
}

/* The columns of the batch behind those of times; rows keep their numbers. */
static void view_make(struct temporal_sort *s, const struct batch *in, uint32_t count)
{
    struct vector *cols = s->view.cols;

    for (uint32_t i = 0; i < count; i++) VECTOR_VALUES(&s->times_col, int64_t)[s->live[i]] = s->times[i];
    s->view = *in;
    s->view.cols = cols;
    s->view.col_count = in->col_count + 1;
    s->view.sel = NULL;
    cols[0] = s->times_col;
    memcpy(cols + 1, in->cols, sizeof *cols * in->col_count);
}

static enum status rows_store(struct temporal_sort *s, const struct batch *in, uint32_t n)
{
    view_make(s, in, n);
    state_probe_fill(&s->probe, &s->view, s->sort_fields, s->live, n);
    TRY(state_ordered_insert(s->rows, 0, s->heads, &s->probe, s->found, NULL));
    for (uint32_t i = 0; i < s->col_count; i++)
        state_rows_store(s->rows, 0, s->found, n, i, &in->cols[s->cols[i]], s->live);
    return S_OK;
}

static enum status temporal_sort_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct temporal_sort *s = self;
    uint32_t n = 0;

    ASSERT(input == 0);
    if (batch_rows(in) == 0) return S_OK;
    TRY(resolve(s, in));
    TRY(live_find(cx, s, in, &n));
    if (n < batch_rows(in)) window_late_count(cx, s->late_dropped, OP_PORTS_MAX, batch_rows(in) - n);
    if (n > 0) TRY(rows_store(s, in, n));
    resolve_done(s);
    if (s->time_col >= 0) return S_OK;
    if (s->due_ms == INT64_MAX) s->due_ms = sys_wall_ms(cx->sys) + 1;
    op_wake_at(cx, s->due_ms);
    return S_OK;
}

/* --- rows whose time has come ------------------------------------------------------------------------------------ */
static int64_t time_of(const struct temporal_sort *s, const void *row)
{
    return *state_word(state_extra(s->rows, row), s->rows->extra.fields[0].offset);
}

/* The first n rows of the hits are handed on, and taken out of the state. */
static void rows_emit(struct op_cx *cx, struct temporal_sort *s, uint32_t n)
{
    struct batch *out = op_out(cx, 0);
    const void *const *rows = (const void *const *)s->hits.row;

    for (uint32_t i = 0; i < s->col_count; i++) {
        struct vector *to = &out->cols[s->cols[i]];
        if (to->form != VEC_ABSENT) state_rows_load(s->rows, rows, n, i, to, 0, &out->heap, out->mem);
    }
    if (s->time_col >= 0) {
        struct vector *to = &out->cols[s->time_col];
        if (to->form != VEC_ABSENT) state_extra_load(s->rows, rows, n, 0, to, 0, &out->heap, out->mem);
        batch_use_times(out);
        for (uint32_t i = 0; i < n; i++) out->times[i] = time_of(s, rows[i]);
        *word(s, WORD_LAST) = out->times[n - 1];
        *word(s, WORD_ANY) = 1;
    }
    out->count = n;
    for (uint32_t i = 0; i < n; i++) state_row_remove(s->rows, 0, s->heads[0], s->hits.row[i]);
}

/* Some rows up to a time. S_MORE: there may be more. */
static enum status fire(struct op_cx *cx, struct temporal_sort *s, int64_t upto)
{
    struct state_range r = {.limit = MIN(op_room(cx, 0), (uint32_t)BATCH_ROWS)};
    struct state_scan scan = {0};
    uint32_t n = 0;

    TRY(resolve(s, s->nobody));
    enum status st = state_ordered_scan(s->rows, 0, s->heads, 1, &r, &scan, &s->hits);
    if (st != S_OK && st != S_MORE) return st;
    while (n < s->hits.count && n < r.limit && time_of(s, s->hits.row[n]) <= upto) n++;
    if (n > 0) rows_emit(cx, s, n);
    st = n < r.limit ? S_OK : S_MORE;
    resolve_done(s);
    return st;
}

static enum status temporal_sort_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct temporal_sort *s = self;

    return s->time_col >= 0 ? fire(cx, s, watermark) : S_OK;
}

static enum status temporal_sort_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct temporal_sort *s = self;

    if (s->due_ms == INT64_MAX) return S_OK;
    if (now_ms < s->due_ms) {
        op_wake_at(cx, s->due_ms);
        return S_OK;
    }
    TRY(fire(cx, s, INT64_MAX));
    s->due_ms = INT64_MAX;
    return S_OK;
}

/* Rows that came in the last millisecond do not wait for the next one. */
static enum status temporal_sort_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct temporal_sort *s = self;

    ASSERT(input == 0);
    return s->time_col < 0 ? fire(cx, s, INT64_MAX) : S_OK;
}

const struct op_type op_temporal_sort = {
    .name = "temporal_sort",
    .doc = "SQL: rows of a stream in the order of their times",
    .example = "SELECT * FROM bids ORDER BY ts, price DESC",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE | OP_SINGLE,
    .input_count = 1,
    .config_size = sizeof(struct temporal_sort_config),
    .config_fields = temporal_sort_config_fields,
    .instance_size = sizeof(struct temporal_sort),
    .derive = temporal_sort_derive,
    .needs = temporal_sort_needs,
    .open = temporal_sort_open,
    .on_batch = temporal_sort_on_batch,
    .on_watermark = temporal_sort_on_watermark,
    .on_time = temporal_sort_on_time,
    .on_barrier = temporal_sort_on_barrier,
    .on_end = temporal_sort_on_end,
    .close = temporal_sort_close,
};
