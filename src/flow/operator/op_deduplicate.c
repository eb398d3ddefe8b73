/* op_deduplicate.c - SQL's ROW_NUMBER() OVER (PARTITION BY ... ORDER BY time) = 1 over rows that are only added: one row per key, the
 * first or the last by event time or as they come.
 *
 * The first as they come: what is new passes, nothing but the key is kept. The first by event time is kept until the watermark passes
 * its time, then it goes out and only the key stays: rows go out once, by time. The last: each row that is not older than the one
 * before is an update of it. The row before is kept only where somebody needs it (-U), else its time is, and what goes out is a
 * selection of the input.
 *
 * State: map key -> time, and the columns that are kept. The first row by event time waits there, without TTL, and leaves its key in a
 * second map when it goes out. */
#include "flow/operator/dedup_config.h"
#include "flow/operator/window_late.h"
#include "flow/operator/row_time.h"
#include "flow/state/timer.h"

#include <string.h>

enum { FIELD_TIME, FIELD_FIRST };

struct dedup {
    struct state_def def, gone_def;
    struct state_table *table, *gone; /* gone: keys whose first row went out */
    struct timers *timers;            /* the first row by event time */
    struct metric *late_dropped;
    int time_col;              /* -1: processing time */
    uint32_t *cols, col_count; /* that are kept; column i is field FIELD_FIRST + i */
    bool keeps_rows, is_resolved;
    struct batch *out, *due, view;
    uint32_t done, due_count;
    uint64_t hashes[BATCH_ROWS], created[BATCH_ROWS / 64];
    int64_t times[BATCH_ROWS];
    void *rows[BATCH_ROWS], *gone_rows[BATCH_ROWS];
    uint8_t kinds[BATCH_ROWS];
    uint16_t selection[BATCH_ROWS];
    const void *from[BATCH_ROWS];
};

static const struct config_field dedup_config_fields[] = {
    CONFIG_FIELD(dedup_config, time, CONF_TEXT, "column with the rows' time; none: processing time"),
    CONFIG_FIELD(dedup_config, keep_last, CONF_BOOL, "the last row, not the first"),
    CONFIG_FIELD(dedup_config, emit_before, CONF_BOOL, "updates come with the row before"),
    CONFIG_FIELD(dedup_config, ttl_ms, CONF_INT, "ms until an untouched key is forgotten; 0: never"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */

static enum status dedup_derive(struct op_plan *p, const void *config, struct err *e)
{
    int col;

    TRY(row_time_column(p, 0, ((const struct dedup_config *)config)->time, &col, e));
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void dedup_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                        uint64_t *const *inputs)
{
    int col;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (row_time_column(p, 0, ((const struct dedup_config *)config)->time, &col, NULL) == S_OK && col >= 0) bit_set(inputs[0], (uint32_t)col);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_kept(const struct op_cx *cx, const struct dedup *s, uint32_t col)
{
    const struct op_plan *p = cx->plan;

    if (!s->keeps_rows || (cx->needed_out != NULL && cx->needed_out[0] != NULL && !bit_get(cx->needed_out[0], col)))
        return false;
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (p->keys[0][k] == col) return false;
    return true;
}

/* Time, and the columns that are kept. */
static const struct type *kept_row(struct op_cx *cx, struct dedup *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = p->inputs[0]->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + FIELD_FIRST);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + FIELD_FIRST);

    s->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    types[FIELD_TIME] = type_new(p->arena, T_BIGINT, 0, 0, false);
    names[FIELD_TIME] = "$time";
    for (uint32_t i = 0; i < n; i++) {
        if (!is_kept(cx, s, i)) continue;
        types[FIELD_FIRST + s->col_count] = p->inputs[0]->children[i];
        names[FIELD_FIRST + s->col_count] = p->inputs[0]->names[i];
        s->cols[s->col_count++] = i;
    }
    return type_row(p->arena, FIELD_FIRST + s->col_count, names, types, false);
}

static enum status open_first(struct op_cx *cx, struct dedup *s, const struct state_ttl *ttl)
{
    s->gone_def = (struct state_def){.name = "gone",
                                     .version = 1,
                                     .shape = STATE_MAP,
                                     .key = s->def.key,
                                     .value = type_row(cx->plan->arena, 0, NULL, NULL, false),
                                     .ttl = *ttl};
    TRY(state_open(cx->state, &s->gone_def, &s->gone, cx->err));
    s->due = batch_create(s->def.key, MAX(cx->batch_rows, 1u), cx->mem);
    return timers_create(cx->state, "event", s->def.key, &s->timers, cx->err);
}

static enum status dedup_open(struct op_cx *cx, void *self)
{
    const struct dedup_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct dedup *s = self;

    TRY(row_time_column(p, 0, c->time, &s->time_col, cx->err));
    bool by_event = s->time_col >= 0, waits = by_event && !c->keep_last;
    struct state_ttl ttl = state_ttl_of(c->ttl_ms);
    s->keeps_rows = c->keep_last ? c->emit_before : by_event;
    s->late_dropped = window_late_metric(cx);
    s->def = (struct state_def){.name = "rows",
                                .version = 1,
                                .upgrade = STATE_UPGRADE_COLUMNS,
                                .shape = STATE_MAP,
                                .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
                                .value = kept_row(cx, s)};
    if (!waits) s->def.ttl = ttl;
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    if (s->keeps_rows)
        s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL,
                                     MAX(cx->batch_rows, 2u), cx->mem);
    return waits ? open_first(cx, s, &ttl) : S_OK;
}

static void dedup_close(struct op_cx *cx, void *self, bool failed)
{
    struct dedup *s = self;

    (void)cx;
    (void)failed;
    timers_free(s->timers);
    state_close(s->table);
    state_close(s->gone);
    batch_free(s->out);
    batch_free(s->due);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static int64_t *word(const struct dedup *s, void *row, uint32_t field)
{
    return state_word(row, s->table->value.fields[field].offset);
}

static enum status times_of(struct op_cx *cx, struct dedup *s, const struct batch *in)
{
    const struct vector *v = s->time_col >= 0 ? &in->cols[s->time_col] : NULL;

    BATCH_EACH(in, i, row)
    {
        if (v != NULL && vector_is_null(v, row))
            return row_time_missing(cx, in, row);
        s->times[i] = v != NULL ? VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)] : 0;
    }
    return S_OK;
}

static enum status resolve(struct op_cx *cx, struct dedup *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;

    if (s->is_resolved) return S_OK;
    TRY(times_of(cx, s, in));
    batch_hash(in, p->keys[0], p->key_count[0], s->hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], s->hashes);
    TRY(state_resolve(s->table, 0, &keys, s->gone != NULL ? STATE_RESERVE : STATE_INSERT, s->rows, s->created));
    if (s->gone != NULL) TRY(state_resolve(s->gone, 0, &keys, STATE_READ, s->gone_rows, NULL));
    s->is_resolved = true;
    return S_OK;
}

static void row_store(struct dedup *s, const struct batch *in, uint32_t i)
{
    uint16_t row = (uint16_t)batch_row(in, i);

    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_store(s->table, 0, &s->rows[i], 1, FIELD_FIRST + f, &in->cols[s->cols[f]], &row);
}

/* --- a selection of the input ------------------------------------------------------------------------------------ */
static void select_rows(struct op_cx *cx, struct dedup *s, const struct batch *in, bool keep_last)
{
    uint32_t n = 0;
    bool updates = false;

    BATCH_EACH(in, i, row)
    {
        bool is_new = bit_get(s->created, i);
        int64_t *time = word(s, s->rows[i], FIELD_TIME);
        if (!is_new && (!keep_last || s->times[i] < *time)) continue;
        *time = s->times[i];
        s->kinds[row] = is_new ? ROW_INSERT : ROW_UPDATE_AFTER;
        updates |= !is_new;
        s->selection[n++] = (uint16_t)row;
    }
    if (n == 0) return;
    s->view = *in;
    s->view.sel = s->selection;
    s->view.sel_count = n;
    if (updates) s->view.kinds = s->kinds;
    op_forward(cx, 0, &s->view);
}

/* --- updates with the row before --------------------------------------------------------------------------------- */
/* The row before of the i-th row into row `at` of the output. */
static void put_before(struct op_cx *cx, struct dedup *s, const struct batch *in, uint32_t i, uint32_t at)
{
    const struct op_plan *p = cx->plan;
    const void *from = s->rows[i];
    uint16_t row = (uint16_t)batch_row(in, i);

    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_load(s->table, &from, 1, FIELD_FIRST + f, &s->out->cols[s->cols[f]], at, &s->out->heap, s->out->mem);
    for (uint32_t k = 0; k < p->key_count[0]; k++) {
        struct vector *v = &s->out->cols[p->keys[0][k]];
        if (v->form != VEC_ABSENT) vector_copy(v, at, &in->cols[p->keys[0][k]], &row, 1, &s->out->heap, s->out->mem);
    }
    s->out->kinds[at] = ROW_UPDATE_BEFORE;
}

static void put_row(struct dedup *s, const struct batch *in, uint32_t i, uint32_t at, enum row_kind kind)
{
    uint16_t row = (uint16_t)batch_row(in, i);

    for (uint32_t c = 0; c < s->out->col_count; c++)
        if (s->out->cols[c].form != VEC_ABSENT)
            vector_copy(&s->out->cols[c], at, &in->cols[c], &row, 1, &s->out->heap, s->out->mem);
    s->out->kinds[at] = (uint8_t)kind;
}

/* Rows from s->done on while the output has room. */
static void last_take(struct op_cx *cx, struct dedup *s, const struct batch *in)
{
    uint32_t n = 0;

    batch_clear(s->out);
    batch_use_kinds(s->out);
    for (; s->done < batch_rows(in) && n + 2 <= s->out->capacity; s->done++) {
        uint32_t i = s->done;
        bool is_new = bit_get(s->created, i);
        int64_t *time = word(s, s->rows[i], FIELD_TIME);
        if (!is_new && s->times[i] < *time) continue;
        if (!is_new) put_before(cx, s, in, i, n++);
        put_row(s, in, i, n++, is_new ? ROW_INSERT : ROW_UPDATE_AFTER);
        *time = s->times[i];
        row_store(s, in, i);
    }
    s->out->count = n;
    if (n > 0) op_forward(cx, 0, s->out);
}

/* --- the first row by event time --------------------------------------------------------------------------------- */
static enum status first_take(struct op_cx *cx, struct dedup *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint16_t sel[BATCH_ROWS];
    uint32_t late = 0, n = 0;

    BATCH_EACH(in, i, row)
    {
        int64_t *time = word(s, s->rows[i], FIELD_TIME);
        if (s->times[i] < cx->watermark) {
            late++;
            continue;
        }
        if (s->gone_rows[i] != NULL || (state_is_set(s->table, i) && s->times[i] >= *time)) continue;
        state_write(s->table, i);
        *time = s->times[i];
        row_store(s, in, i);
        sel[n] = (uint16_t)row;
        s->hashes[n] = s->hashes[i];
        s->times[n++] = s->times[i];
    }
    if (late > 0) window_late_count(cx, s->late_dropped, OP_PORTS_MAX, late);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], s->hashes);
    keys.sel = sel;
    keys.count = n;
    return n > 0 ? timers_register(s->timers, &keys, s->times) : S_OK;
}

/* Rows whose time has come; a timer may be that of a row that an earlier one has replaced. */
static void first_put(struct op_cx *cx, struct dedup *s)
{
    const struct op_plan *p = cx->plan;
    struct batch *out = s->out;
    uint64_t which[BATCH_ROWS / 64] = {0};
    uint32_t n = 0;

    batch_clear(out);
    for (uint32_t i = 0; i < s->due_count; i++) {
        void *row = s->rows[i];
        if (row == NULL || *word(s, row, FIELD_TIME) != s->times[i]) continue;
        bit_set(which, i);
        state_write(s->gone, i);
        s->from[n] = row;
        s->times[n] = s->times[i];
        s->selection[n++] = (uint16_t)i;
    }
    for (uint32_t f = 0; f < s->col_count; f++)
        state_rows_load(s->table, s->from, n, FIELD_FIRST + f, &out->cols[s->cols[f]], 0, &out->heap, out->mem);
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (out->cols[p->keys[0][k]].form != VEC_ABSENT)
            vector_copy(&out->cols[p->keys[0][k]], 0, &s->due->cols[k], s->selection, n, &out->heap, out->mem);
    batch_use_times(out);
    out->count = n;
    memcpy(out->times, s->times, sizeof *s->times * n);
    state_remove(s->table, which);
    if (n > 0) op_forward(cx, 0, out);
}

static enum status dedup_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct dedup *s = self;
    uint32_t cols[OP_KEYS_MAX];

    if (s->timers == NULL) return S_OK;
    if (s->due_count == 0) {
        batch_clear(s->due);
        enum status st = timers_due(s->timers, watermark, s->due, NULL, s->times, &s->due_count);
        if (st != S_OK && st != S_MORE) return st;
        if (s->due_count == 0) return S_OK;
    }
    for (uint32_t i = 0; i < s->due->col_count; i++) cols[i] = i;
    batch_hash(s->due, cols, s->due->col_count, s->hashes);
    struct state_keys keys = state_keys_of(s->due, cols, s->due->col_count, s->hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_UPDATE, s->rows, NULL));
    TRY(state_resolve(s->gone, 0, &keys, STATE_RESERVE, s->gone_rows, NULL));
    first_put(cx, s);
    state_done(s->table);
    state_done(s->gone);
    s->due_count = 0;
    return S_MORE;
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
static enum status dedup_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct dedup_config *c = cx->config;
    struct dedup *s = self;

    ASSERT(input == 0);
    TRY(resolve(cx, s, in));
    if (s->timers != NULL)
        TRY(first_take(cx, s, in));
    else if (s->keeps_rows)
        last_take(cx, s, in);
    else
        select_rows(cx, s, in, c->keep_last);
    if (s->timers == NULL && s->keeps_rows && s->done < batch_rows(in)) return S_MORE;
    state_done(s->table);
    if (s->gone != NULL) state_done(s->gone);
    s->done = 0;
    s->is_resolved = false;
    return S_OK;
}

const struct op_type op_deduplicate = {
    .name = "deduplicate",
    .doc = "SQL: the first or the last row of each key, by time",
    .example = "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) AS n FROM t) WHERE n = 1",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct dedup_config),
    .config_fields = dedup_config_fields,
    .instance_size = sizeof(struct dedup),
    .derive = dedup_derive,
    .needs = dedup_needs,
    .open = dedup_open,
    .on_batch = dedup_on_batch,
    .on_watermark = dedup_on_watermark,
    .close = dedup_close,
};
