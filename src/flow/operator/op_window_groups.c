/* op_window_groups.c - SQL's GROUP BY of windows that are columns already (window_start, window_end): one row per key and window,
 * once, when time passes the window's end. Rows may be taken back until then. Works for any kind of window, DISTINCT and FILTER; it
 * does not share slices between overlapping windows, as op_window_columns.c does.
 *
 * State: under (key, start, end), of which the key alone decides the key group, the number of rows and the words of the calls;
 * values of DISTINCT arguments below the same key. A timer per entry fires at end - 1. Rows for windows that have fired are late:
 * dropped and counted.
 *
 * Output: the key columns, the results, window_start, window_end, window_time; the row's event time is end - 1. */
#include "flow/operator/sql_window.h"

#include "flow/operator/window_late.h"
#include "flow/state/timer.h"

#include <string.h>

struct window_groups {
    struct group_call *calls;
    uint32_t call_count, key_count;
    uint32_t *cols, *plain; /* key columns, start, end: of the input, and 0, 1, 2.. */
    const struct type *key;
    struct state_def def;
    struct state_table *table;
    struct timers *timers;
    struct metric *late_dropped;
    bool is_prepared;  /* `live` is that of the batch at hand */
    struct batch view; /* the batch at hand without late rows */
    uint16_t live[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS], bits[BATCH_ROWS / 64];
    void *rows[BATCH_ROWS];
    int64_t times[BATCH_ROWS];
    /* firing */
    struct batch *keys; /* what is due */
    uint32_t due;
    uint16_t fired[BATCH_ROWS];
    void *acc[BATCH_ROWS];
};

#define CALLS_FIELD(member, kind, doc)                                                                                 \
    {                                                                                                                  \
#member, kind, offsetof(struct window_groups_config, calls.member), doc                                        \
    }

const struct config_field window_groups_config_fields[] = {
    CALLS_FIELD(functions, CONF_TEXTS, "aggregates"),
    CALLS_FIELD(arguments, CONF_TEXTS, "their argument columns; empty is *"),
    CALLS_FIELD(filters, CONF_TEXTS, "BOOLEAN columns that say which rows count; empty is all"),
    CALLS_FIELD(distinct, CONF_TEXTS, "true: equal values count once"),
    CALLS_FIELD(names, CONF_TEXTS, "names of the results"),
    CALLS_FIELD(retracts, CONF_BOOL, "rows may be taken back"),
    CONFIG_FIELD(window_groups_config, start, CONF_TEXT, "column with the window's start"),
    CONFIG_FIELD(window_groups_config, end, CONF_TEXT, "column with the window's end"),
    CONFIG_FIELD(window_groups_config, processing_time, CONF_BOOL, "windows end by processing time"),
    CONFIG_FIELD(window_groups_config, local_time, CONF_BOOL, "window_time is a TIMESTAMP_LTZ"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status window_column(const struct op_plan *p, const char *name, uint32_t *col, struct err *e)
{
    int at = op_plan_field(p, 0, name, e);

    if (at < 0) return E_GRAPH;
    *col = (uint32_t)at;
    const struct type *t = p->inputs[0]->children[at];
    if (t->kind == T_BIGINT || (t->kind == T_TIMESTAMP && t->precision <= 3)) return S_OK; /* ms */
    return err_set(e, E_GRAPH, "'%s' is no time in ms", name);
}

/* The key columns, start and end. */
static enum status columns_of(const struct op_plan *p, const struct window_groups_config *c, uint32_t **out,
                              struct err *e)
{
    uint32_t n = p->key_count[0], *cols = ARENA_ARRAY(p->arena, uint32_t, n + 2);

    for (uint32_t i = 0; i < n; i++) cols[i] = p->keys[0][i];
    TRY(window_column(p, c->start, &cols[n], e));
    TRY(window_column(p, c->end, &cols[n + 1], e));
    *out = cols;
    return S_OK;
}

static enum status window_groups_derive(struct op_plan *p, const void *config, struct err *e)
{
    static const char *const bounds[] = {"window_start", "window_end", "window_time"};
    const struct window_groups_config *c = config;
    uint32_t keys = p->key_count[0], calls = c->calls.functions.count, n = keys + calls + 3, *cols;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n);
    const char **names = ARENA_ARRAY(p->arena, const char *, n);
    struct group_call *read;

    TRY(columns_of(p, c, &cols, e));
    TRY(group_calls_read(p->arena, p, &c->calls, &read, e));
    for (uint32_t i = 0; i < keys; i++) {
        types[i] = p->inputs[0]->children[cols[i]];
        names[i] = p->inputs[0]->names[cols[i]];
    }
    for (uint32_t i = 0; i < calls; i++) {
        if (read[i].agg.keep != AGG_KEEP_NOTHING)
            return err_set(e, E_UNSUPPORTED, "%s of this type, or of values that are taken back, is not supported yet in windows",
                           read[i].agg.type->name);
        types[keys + i] = read[i].agg.result;
        names[keys + i] = c->calls.names.items[i];
    }
    for (uint32_t i = 0; i < 3; i++) {
        types[keys + calls + i] = type_new(p->arena, i == 2 && c->local_time ? T_TIMESTAMP_LTZ : T_TIMESTAMP, 3, 0,
                                           false);
        names[keys + calls + i] = bounds[i];
    }
    p->outputs[0] = type_row(p->arena, n, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void window_groups_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                                uint64_t *const *inputs)
{
    const struct window_groups_config *c = config;
    struct group_call *calls;
    uint32_t *cols;

    (void)outputs;
    if (columns_of(p, c, &cols, NULL) != S_OK || group_calls_read(p->arena, p, &c->calls, &calls, NULL) != S_OK) return;
    for (uint32_t i = 0; i < p->key_count[0] + 2; i++) bit_set(inputs[0], cols[i]);
    for (uint32_t i = 0; i < c->calls.functions.count; i++) {
        if (calls[i].agg.argument != NULL) bit_set(inputs[0], calls[i].agg.col);
        if (calls[i].filter >= 0) bit_set(inputs[0], (uint32_t)calls[i].filter);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static const struct type *key_row(const struct op_plan *p, const uint32_t *cols, uint32_t n)
{
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n);
    const char **names = ARENA_ARRAY(p->arena, const char *, n);

    for (uint32_t i = 0; i < n; i++) {
        types[i] = p->inputs[0]->children[cols[i]];
        names[i] = arena_printf(p->arena, "k%u", i);
    }
    return type_row(p->arena, n, names, types, false);
}

static enum status open_state(struct op_cx *cx, struct window_groups *s)
{
    uint32_t words = 1;

    for (uint32_t i = 0; i < s->call_count; i++) words += s->calls[i].agg.words;
    s->def = (struct state_def){
        .name = "windows", .version = 1, .shape = STATE_MAP, .key = s->key, .value = group_words_row(cx->plan->arena, words)};
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    for (uint32_t i = 0; i < s->call_count; i++)
        s->calls[i].agg.offset =
            s->table->value.fields[s->calls[i].first_field < words ? s->calls[i].first_field : 0].offset;
    TRY(timers_create_within(cx->state, s->key, s->key_count, &s->timers, cx->err));
    return group_calls_open(cx, s->calls, s->call_count, &s->def);
}

static enum status window_groups_open(struct op_cx *cx, void *self)
{
    const struct window_groups_config *c = cx->config;
    struct window_groups *s = self;

    s->call_count = c->calls.functions.count;
    s->key_count = cx->plan->key_count[0];
    TRY(columns_of(cx->plan, c, &s->cols, cx->err));
    TRY(group_calls_read(cx->plan->arena, cx->plan, &c->calls, &s->calls, cx->err));
    s->key = key_row(cx->plan, s->cols, s->key_count + 2);
    s->plain = ARENA_ARRAY(cx->plan->arena, uint32_t, s->key_count + 2);
    for (uint32_t i = 0; i < s->key_count + 2; i++) s->plain[i] = i;
    s->keys = batch_create(s->key, cx->batch_rows, cx->mem);
    s->late_dropped = window_late_metric(cx);
    TRY(open_state(cx, s));
    if (c->processing_time) timers_of_processing_time(s->timers);
    return S_OK;
}

static void window_groups_close(struct op_cx *cx, void *self, bool failed)
{
    struct window_groups *s = self;

    (void)failed;
    if (s->calls != NULL) group_calls_close(cx, s->calls, s->call_count);
    timers_free(s->timers);
    state_close(s->table);
    batch_free(s->keys);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
static int64_t time_at(const struct vector *v, uint32_t row)
{
    return VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)];
}

/* Leaves late rows out, and says when the window of each other one fires. */
static void prepare(struct op_cx *cx, struct window_groups *s, const struct batch *in)
{
    const struct window_groups_config *c = cx->config;
    const struct vector *end = &in->cols[s->cols[s->key_count + 1]];
    uint32_t n = 0;

    s->is_prepared = true;
    BATCH_EACH(in, i, row)
    {
        int64_t last = vector_is_null(end, row) ? TIME_MIN : time_at(end, row) - 1; /* in no window: as if late */
        if (last == TIME_MIN || (!c->processing_time && last <= cx->watermark)) continue;
        s->live[n] = (uint16_t)row;
        s->times[n++] = last;
    }
    if (n < batch_rows(in)) window_late_count(cx, s->late_dropped, OP_PORTS_MAX, batch_rows(in) - n);
    s->view = *in;
    s->view.sel = s->live;
    s->view.sel_count = n;
}

/* Timers of the entries that this batch made. */
static enum status register_new(struct window_groups *s, const struct state_keys *keys)
{
    uint16_t sel[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    int64_t times[BATCH_ROWS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < keys->count; i++) {
        if (!bit_get(s->bits, i)) continue;
        sel[n] = s->live[i];
        hashes[n] = keys->hashes[i];
        times[n++] = s->times[i];
    }
    struct state_keys made = *keys;
    made.sel = sel;
    made.hashes = hashes;
    made.count = n;
    return n > 0 ? timers_register(s->timers, &made, times) : S_OK;
}

static void rows_count(struct window_groups *s)
{
    for (uint32_t i = 0; i < s->view.sel_count; i++) {
        enum row_kind kind = batch_kind(&s->view, s->live[i]);
        *state_word(s->rows[i],
                    s->table->value.fields[0].offset) += kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? 1 : -1;
    }
}

static enum status window_groups_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct window_groups_config *c = cx->config;
    struct window_groups *s = self;

    ASSERT(input == 0);
    if (!s->is_prepared) prepare(cx, s, in);
    uint32_t n = s->view.sel_count;
    if (n > 0) {
        state_hash_within(&s->view, s->cols, s->key_count, s->key_count + 2, s->hashes);
        struct state_keys keys = state_keys_of(&s->view, s->cols, s->key_count + 2, s->hashes);
        TRY(state_resolve(s->table, 0, &keys, STATE_INSERT, s->rows, s->bits));
        TRY(group_calls_resolve(s->calls, s->call_count, &s->view, &keys));
        TRY(register_new(s, &keys));
        rows_count(s);
        TRY(group_calls_apply(s->calls, s->call_count, &s->view, s->rows, 0, n));
        group_calls_done(s->calls, s->call_count, n);
        state_done(s->table);
    }
    s->is_prepared = false;
    if (c->processing_time) op_wake_at(cx, timers_next(s->timers));
    return S_OK;
}

/* --- firing ------------------------------------------------------------------------------------------------------ */
static void put_window(struct window_groups *s, struct batch *out, uint32_t n)
{
    uint32_t at = s->key_count + s->call_count;

    for (uint32_t k = 0; k < 3; k++) {
        struct vector *v = &out->cols[at + k];
        for (uint32_t i = 0; v->form == VEC_FLAT && i < n; i++)
            VECTOR_VALUES(v, int64_t)[i] = time_at(&s->keys->cols[s->key_count + (k > 0)], s->fired[i]) - (k == 2);
    }
    batch_use_times(out);
    for (uint32_t i = 0; i < n; i++) out->times[i] = time_at(&s->keys->cols[s->key_count + 1], s->fired[i]) - 1;
}

/* The windows that still have rows. */
static void put(struct op_cx *cx, struct window_groups *s)
{
    struct batch *out = op_out(cx, 0);
    uint32_t n = 0;

    ASSERT(out->count == 0 && s->due <= out->capacity);
    for (uint32_t i = 0; i < s->due; i++) {
        if (s->rows[i] == NULL || *state_word(s->rows[i], s->table->value.fields[0].offset) <= 0) continue;
        s->fired[n] = (uint16_t)i;
        s->acc[n++] = s->rows[i];
    }
    for (uint32_t k = 0; k < s->key_count; k++)
        if (out->cols[k].form != VEC_ABSENT)
            vector_copy(&out->cols[k], 0, &s->keys->cols[k], s->fired, n, &out->heap, out->mem);
    for (uint32_t i = 0; i < s->call_count; i++) {
        struct vector *v = &out->cols[s->key_count + i];
        if (v->form != VEC_ABSENT) s->calls[i].agg.type->result(&s->calls[i].agg, s->acc, n, v, 0);
    }
    put_window(s, out, n);
    out->count = n;
}

/* One batch of windows that are due. S_MORE: there may be more. */
static enum status fire(struct op_cx *cx, struct window_groups *s, int64_t upto)
{
    if (s->due == 0) {
        batch_clear(s->keys);
        enum status st = timers_due(s->timers, upto, s->keys, NULL, s->times, &s->due);
        if (st != S_OK && st != S_MORE) return st;
        if (s->due == 0) return S_OK;
    }
    state_hash_within(s->keys, s->plain, s->key_count, s->key_count + 2, s->hashes);
    struct state_keys keys = state_keys_of(s->keys, s->plain, s->key_count + 2, s->hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_READ, s->rows, NULL));
    for (uint32_t i = 0; i < s->call_count; i++)
        if (s->calls[i].distinct != NULL)
            TRY(state_resolve(s->calls[i].distinct->table, 0, &keys, STATE_READ, s->calls[i].distinct->heads, NULL));
    put(cx, s);
    for (uint32_t i = 0; i < s->call_count; i++) {
        if (s->calls[i].distinct == NULL) continue;
        TRY(state_delete(s->calls[i].distinct->table, 0, &keys));
        state_done(s->calls[i].distinct->table);
    }
    TRY(state_delete(s->table, 0, &keys));
    state_done(s->table);
    s->due = 0;
    return S_MORE;
}

static enum status window_groups_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    const struct window_groups_config *c = cx->config;

    return c->processing_time ? S_OK : fire(cx, self, watermark);
}

static enum status window_groups_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    const struct window_groups_config *c = cx->config;
    struct window_groups *s = self;

    if (!c->processing_time) return S_OK;
    TRY(fire(cx, s, now_ms));
    op_wake_at(cx, timers_next(s->timers));
    return S_OK;
}

const struct op_type op_window_groups = {
    .name = "window_groups",
    .doc = "SQL: aggregates per group and window, when the window ends",
    .example = "SELECT window_start, window_end, COUNT(*) FROM windowed GROUP BY window_start, window_end",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct window_groups_config),
    .config_fields = window_groups_config_fields,
    .instance_size = sizeof(struct window_groups),
    .derive = window_groups_derive,
    .needs = window_groups_needs,
    .open = window_groups_open,
    .on_batch = window_groups_on_batch,
    .on_watermark = window_groups_on_watermark,
    .on_time = window_groups_on_time,
    .close = window_groups_close,
};
