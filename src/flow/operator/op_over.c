/* op_over.c - SQL's aggregates OVER a window of rows up to the current one, ordered by time: every row goes out once, with the results
 * behind its columns.
 *
 * Rows of event time wait, ordered under their key, until the watermark has passed their time; so do rows of RANGE windows of
 * processing time, until the millisecond has passed. A timer per key and time says whose turn it is: rows go out by time. Rows of ROWS
 * windows of processing time, and of those without a far end, are worked on as they come.
 *
 * State: under a key the words of its calls (group_calls.h), how many rows the window has, the last time that was worked on, and when
 * it is forgotten; the rows that wait, and those that the window must let go later. As in Flink a row is late when the watermark has
 * passed it, but of a window with a far end only when its key's last time has (1970 before the first).
 *
 * Not here: orders that are no time (op_over_sorted.c), windows that end elsewhere. */
#include "flow/operator/over.h"

#include "flow/operator/window_late.h"

#include "flow/operator/group_names.h"
#include "flow/operator/row_time.h"
#include <string.h>

const struct config_field over_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct over_config, calls)),
    GROUP_CALLS_FIELD(offsetof(struct over_config, calls), retracts, CONF_BOOL, "rows are taken back: the window has a far end"),
    GROUP_CALLS_FIELD(offsetof(struct over_config, calls), ttl_ms, CONF_INT, "ms until an untouched key is forgotten; 0: never"),
    CONFIG_FIELD(over_config, time, CONF_TEXT, "column with the rows' time; none: processing time"),
    CONFIG_FIELD(over_config, rows, CONF_BOOL, "ROWS: each row by itself; else RANGE, rows of one time together"),
    CONFIG_FIELD(over_config, bounded, CONF_BOOL, "the window has a far end"),
    CONFIG_FIELD(over_config, preceding, CONF_INT, "how many rows, or ms, before the current one it begins"),
    CONFIG_FIELD(over_config, lag_values, CONF_TEXTS, "columns that LAG looks back for"),
    CONFIG_FIELD(over_config, lag_offsets, CONF_TEXTS, "how many rows back"),
    CONFIG_FIELD(over_config, lag_defaults, CONF_TEXTS,
                 "columns with the value where there is no such row; empty is NULL"),
    CONFIG_FIELD(over_config, lag_names, CONF_TEXTS, "names of these results"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */

static enum status over_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct over_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count, calls = c->calls.functions.count, lags = c->lag_values.count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + calls + lags);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + calls + lags);
    struct group_call *read;
    struct over_lag *looked;
    int time;

    TRY(row_time_column(p, 0, c->time, &time, e));
    TRY(group_calls_read(p->arena, p, &c->calls, &read, e));
    TRY(over_lags_read(p->arena, p, c, &looked, e));
    if (c->preceding < 0)
        return err_set(e, E_CONFIG, "a window begins %lld before the current row", (long long)c->preceding);
    if (lags > 0 && c->bounded) return err_set(e, E_CONFIG, "LAG has no far end");
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    for (uint32_t i = 0; i < calls; i++) {
        types[n + i] = read[i].agg.result;
        names[n + i] = c->calls.names.items[i];
    }
    for (uint32_t i = 0; i < lags; i++) {
        types[n + calls + i] = type_with_null(p->arena, in->children[looked[i].value], true);
        names[n + calls + i] = c->lag_names.items[i];
    }
    p->outputs[0] = type_row(p->arena, n + calls + lags, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void over_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                       uint64_t *const *inputs)
{
    const struct over_config *c = config;
    struct group_call *calls;
    struct over_lag *lags;
    int time;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (row_time_column(p, 0, c->time, &time, NULL) != S_OK || group_calls_read(p->arena, p, &c->calls, &calls, NULL) != S_OK ||
        over_lags_read(p->arena, p, c, &lags, NULL) != S_OK)
        return;
    if (time >= 0) bit_set(inputs[0], (uint32_t)time);
    for (uint32_t i = 0; i < c->calls.functions.count; i++) {
        if (calls[i].agg.argument != NULL) bit_set(inputs[0], calls[i].agg.col);
        if (calls[i].filter >= 0) bit_set(inputs[0], (uint32_t)calls[i].filter);
    }
    for (uint32_t i = 0; i < c->lag_values.count; i++) {
        bit_set(inputs[0], lags[i].value);
        if (lags[i].otherwise >= 0) bit_set(inputs[0], (uint32_t)lags[i].otherwise);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static bool is_needed(const struct op_cx *cx, uint32_t col)
{
    return cx->needed_in == NULL || cx->needed_in[0] == NULL || bit_get(cx->needed_in[0], col);
}

static bool is_key(const struct op_plan *p, uint32_t col)
{
    for (uint32_t k = 0; k < p->key_count[0]; k++)
        if (p->keys[0][k] == col) return true;
    return false;
}

/* What is kept with a row: neither the key nor the time. */
static const struct type *kept_row(struct op_cx *cx, struct over *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = p->inputs[0]->child_count;

    s->cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    s->fields = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (is_key(p, i) || (int)i == s->time_col || !is_needed(cx, i)) continue;
        s->fields[s->col_count] = s->col_count;
        s->cols[s->col_count++] = i;
    }
    return type_row_of(p->arena, p->inputs[0], s->cols, s->col_count);
}

static enum status open_rows(struct op_cx *cx, struct over *s)
{
    struct arena *a = cx->plan->arena;
    const char *name = "time";
    const struct type *time = type_new(a, T_BIGINT, 0, 0, false);

    s->rows_def = (struct state_def){.name = "rows",
                                     .version = 1,
                                     .upgrade = STATE_UPGRADE_COLUMNS,
                                     .shape = STATE_ORDERED,
                                     .key = s->acc_def.key,
                                     .sort_key = type_row(a, 1, &name, &time, false),
                                     .value = kept_row(cx, s)};
    TRY(state_open(cx->state, &s->rows_def, &s->rows, cx->err));
    vector_init(&s->now, time, BATCH_ROWS, cx->mem);
    TRY(state_probe_init(&s->probe, s->rows_def.sort_key, cx->mem, cx->err));
    if (!s->is_waiting) return S_OK;
    TRY(timers_create(cx->state, "timers", s->acc_def.key, &s->timers, cx->err));
    if (s->time_col < 0) timers_of_processing_time(s->timers);
    s->due = batch_create(s->acc_def.key, MAX(cx->batch_rows, 1u), cx->mem);
    return S_OK;
}

/* The output: what somebody reads, and what the calls do. Without rows that are kept only the results are made here. */
static void open_output(struct op_cx *cx, struct over *s)
{
    const struct type *row = cx->plan->outputs[0];
    uint64_t *needed = ARENA_ARRAY(cx->plan->arena, uint64_t, row->child_count / 64 + 1);

    for (uint32_t i = 0; i < row->child_count; i++) {
        bool reads = cx->needed_out == NULL || cx->needed_out[0] == NULL || bit_get(cx->needed_out[0], i);
        if (i < s->first_result ? s->rows != NULL && is_needed(cx, i) : reads) bit_set(needed, i);
    }
    s->out = batch_create_needed(row, needed, s->rows != NULL ? MAX(cx->batch_rows, 2u) : BATCH_ROWS, cx->mem);
    s->view.cols = ARENA_ARRAY(cx->plan->arena, struct vector, row->child_count);
}

static enum status open_calls(struct op_cx *cx, struct over *s)
{
    uint32_t words = OVER_WORDS;

    for (uint32_t i = 0; i < s->call_count; i++) words += s->calls[i].agg.words;
    s->acc_def = (struct state_def){
        .name = "windows",
        .version = 1,
        .shape = STATE_MAP,
        .key = type_row_of(cx->plan->arena, cx->plan->inputs[0], cx->plan->keys[0], cx->plan->key_count[0]),
        .value = group_acc_row(cx->plan->arena, OVER_WORDS, &s->config->calls, s->calls),
        .ttl = state_ttl_of(s->config->calls.ttl_ms)};
    TRY(state_open(cx->state, &s->acc_def, &s->accs, cx->err));
    s->is_plain = s->lag_count == 0 && !group_calls_hold(s->calls, s->call_count);
    for (uint32_t i = 0; i < s->call_count; i++) {
        struct group_call *call = &s->calls[i];
        uint32_t field = call->first_field - 1 + OVER_WORDS;
        call->agg.offset = s->accs->value.fields[field < words ? field : 0].offset;
        s->is_plain &= call->filter < 0;
    }
    s->snapshots = mem_alloc(cx->mem, (size_t)s->accs->value.size * (BATCH_ROWS + 2));
    s->empty = mem_zalloc(cx->mem, s->accs->value.size);
    TRY(group_calls_open(cx, &s->config->calls, s->calls, s->call_count, 0, &s->acc_def, false));
    return over_lags_open(cx, s);
}

static enum status over_open(struct op_cx *cx, void *self)
{
    const struct over_config *c = cx->config;
    struct over *s = self;

    s->config = c;
    s->call_count = c->calls.functions.count;
    s->lag_count = c->lag_values.count;
    s->first_result = cx->plan->inputs[0]->child_count;
    TRY(row_time_column(cx->plan, 0, c->time, &s->time_col, cx->err));
    TRY(group_calls_read(cx->plan->arena, cx->plan, &c->calls, &s->calls, cx->err));
    TRY(over_lags_read(cx->plan->arena, cx->plan, c, &s->lags, cx->err));
    s->is_waiting = s->time_col >= 0 || (c->bounded && !c->rows);
    s->late_dropped = window_late_metric(cx);
    TRY(open_calls(cx, s));
    if (s->is_waiting || c->bounded) TRY(open_rows(cx, s));
    open_output(cx, s);
    return S_OK;
}

static void over_close(struct op_cx *cx, void *self, bool failed)
{
    struct over *s = self;

    (void)failed;
    if (s->calls != NULL) group_calls_close(cx, s->calls, s->call_count);
    over_lags_close(cx, s);
    timers_free(s->timers);
    if (s->rows != NULL) {
        state_probe_release(&s->probe);
        vector_release(&s->now, cx->mem);
    }
    state_close(s->rows);
    state_close(s->accs);
    batch_free(s->due);
    batch_free(s->out);
    mem_free(cx->mem, s->snapshots);
    mem_free(cx->mem, s->empty);
    mem_free(cx->mem, s->steps);
}

/* --- rows that come ---------------------------------------------------------------------------------------------- */
static enum status times_of(struct op_cx *cx, struct over *s, const struct batch *in)
{
    const struct vector *v = s->time_col >= 0 ? &in->cols[s->time_col] : NULL;
    int64_t now = v == NULL ? sys_wall_ms(cx->sys) : 0;

    BATCH_EACH(in, i, row)
    {
        if (v != NULL && vector_is_null(v, row))
            return row_time_missing(cx, in, row);
        s->times[i] = v != NULL ? VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)] : now;
    }
    return S_OK;
}

/* Of the rows of the batch those that are not late, at the front of live and of what is known of them; keys says them. */
static void live_find(struct op_cx *cx, struct over *s, struct state_keys *keys)
{
    bool by_key = s->config->bounded, may_be_late = s->time_col >= 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < keys->count; i++) {
        if (may_be_late && s->times[i] <= (by_key ? *over_word(s, s->acc_rows[i], OVER_LAST) : cx->watermark)) continue;
        if (by_key) state_write(s->accs, i);
        state_write(s->rows, i);
        s->live[n] = keys->sel != NULL ? keys->sel[i] : (uint16_t)i;
        s->hashes[n] = s->hashes[i];
        s->times[n] = s->times[i];
        s->heads[n] = s->heads[i];
        s->acc_rows[n++] = s->acc_rows[i];
    }
    if (n < keys->count) window_late_count(cx, s->late_dropped, OP_PORTS_MAX, keys->count - n);
    keys->sel = s->live;
    keys->count = n;
}

/* Lays the rows under their times. */
static enum status rows_store(struct over *s, const struct state_keys *keys)
{
    static const uint32_t first = 0;
    struct batch view = *keys->batch;

    view.cols = &s->now;
    view.col_count = 1;
    view.sel = NULL;
    memcpy(s->now.data, s->times, sizeof *s->times * keys->count);
    state_probe_fill(&s->probe, &view, &first, NULL, keys->count);
    TRY(state_ordered_insert(s->rows, 0, s->heads, &s->probe, s->found, NULL));
    for (uint32_t i = 0; i < s->col_count; i++)
        state_rows_store(s->rows, 0, s->found, keys->count, s->fields[i], &keys->batch->cols[s->cols[i]], keys->sel);
    return S_OK;
}

/* A window of RANGE is forgotten when nothing has touched it for one and a half of its length. */
static enum status cleanups_register(struct over *s, const struct state_keys *keys)
{
    int64_t size = s->config->preceding;
    uint16_t sel[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    uint32_t n = 0;

    if (s->config->rows || !s->config->bounded) return S_OK;
    for (uint32_t i = 0; i < keys->count; i++) {
        int64_t *cleanup = over_word(s, s->acc_rows[i], OVER_CLEANUP);
        if (*cleanup != 0 && *cleanup >= s->times[i] + size + 1) continue;
        *cleanup = s->times[i] + size + size / 2 + 1;
        sel[n] = keys->sel[i];
        hashes[n] = keys->hashes[i];
        s->cleanups[n++] = *cleanup;
    }
    struct state_keys some = *keys;
    some.sel = sel;
    some.hashes = hashes;
    some.count = n;
    return n > 0 ? timers_register(s->timers, &some, s->cleanups) : S_OK;
}

/* Rows wait until their time has come. */
static enum status take_waiting(struct op_cx *cx, struct over *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;

    TRY(times_of(cx, s, in));
    batch_hash(in, p->keys[0], p->key_count[0], s->hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], s->hashes);
    if (s->config->bounded) TRY(state_resolve(s->accs, 0, &keys, STATE_RESERVE, s->acc_rows, NULL));
    TRY(state_resolve(s->rows, 0, &keys, STATE_RESERVE, s->heads, NULL));
    live_find(cx, s, &keys);
    if (keys.count > 0) {
        TRY(rows_store(s, &keys));
        for (uint32_t i = 0; s->time_col < 0 && i < keys.count; i++) s->cleanups[i] = s->times[i] + 1;
        TRY(timers_register(s->timers, &keys, s->time_col < 0 ? s->cleanups : s->times));
        TRY(cleanups_register(s, &keys));
    }
    state_done(s->rows);
    if (s->config->bounded) state_done(s->accs);
    if (s->time_col < 0) op_wake_at(cx, timers_next(s->timers));
    return S_OK;
}

/* --- steps ------------------------------------------------------------------------------------------------------- */
/* Runs what was gathered, gathers more. S_MORE: a batch went out, or time is up; S_OK: all entries are done. */
static enum status steps_go(struct op_cx *cx, struct over *s)
{
    for (;;) {
        bool is_last = s->at == s->due_count;
        if (s->done < s->step_count && (is_last || s->step_count - s->done >= s->out->capacity)) {
            TRY(over_run(cx, s));
            return S_MORE;
        }
        if (is_last) return S_OK;
        TRY(over_gather(cx, s));
    }
}

/* ROWS of processing time with a far end: rows are kept until the window lets them go. */
static enum status take_kept(struct op_cx *cx, struct over *s, const struct state_keys *keys)
{
    if (!s->is_stored) {
        TRY(state_resolve(s->rows, 0, keys, STATE_INSERT, s->heads, NULL));
        for (uint32_t i = 0; i < keys->count; i++) {
            int64_t *last = over_word(s, s->acc_rows[i], OVER_LAST);
            if (*last == 0) state_head_clear(s->rows, 0, s->heads[i]); /* rows of a key that was forgotten */
            s->times[i] = ++*last;
        }
        TRY(rows_store(s, keys));
        s->is_stored = true;
        s->source = keys->batch;
        s->due_count = keys->count;
        s->at = 0;
    }
    TRY(steps_go(cx, s));
    s->is_stored = false;
    s->due_count = s->at = 0;
    state_done(s->rows);
    return S_OK;
}

static enum status take_now(struct op_cx *cx, struct over *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;

    if (!s->is_stored) batch_hash(in, p->keys[0], p->key_count[0], s->hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], s->hashes);
    if (!s->is_stored) TRY(state_resolve(s->accs, 0, &keys, STATE_INSERT, s->acc_rows, NULL));
    if (s->rows != NULL) {
        TRY(take_kept(cx, s, &keys));
    } else {
        memcpy(s->state, s->acc_rows, sizeof *s->state * keys.count);
        TRY(over_run_batch(cx, s, in));
    }
    state_done(s->accs);
    return S_OK;
}

static enum status over_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct over *s = self;

    ASSERT(input == 0);
    if (batch_rows(in) == 0) return S_OK;
    return s->is_waiting ? take_waiting(cx, s, in) : take_now(cx, s, in);
}

/* --- times that have come ---------------------------------------------------------------------------------------- */
static enum status due_take(struct op_cx *cx, struct over *s, int64_t upto)
{
    if (s->due_count > 0) return S_OK;
    batch_clear(s->due);
    enum status st = timers_due(s->timers, upto, s->due, NULL, s->times, &s->due_count);
    if (st != S_OK && st != S_MORE) return st;
    s->at = 0;
    s->is_resolved = false;
    s->source = s->due;
    (void)cx;
    return S_OK;
}

static enum status due_resolve(struct op_cx *cx, struct over *s, const struct state_keys *keys)
{
    (void)cx;
    if (s->is_resolved) return S_OK;
    TRY(state_resolve(s->rows, 0, keys, STATE_UPDATE, s->heads, NULL));
    TRY(state_resolve(s->accs, 0, keys, STATE_INSERT, s->acc_rows, NULL));
    s->is_resolved = true;
    return S_OK;
}

/* Keys whose windows were forgotten have nothing left. */
static void due_forget(struct over *s)
{
    uint64_t which[BATCH_ROWS / 64] = {0};
    bool any = false;

    for (uint32_t i = 0; i < s->due_count && s->config->bounded && !s->config->rows; i++) {
        if (*over_word(s, s->acc_rows[i], OVER_CLEANUP) != 0 &&
            *over_word(s, s->acc_rows[i], OVER_CLEANUP) > s->times[i])
            continue;
        bit_set(which, i);
        any = true;
    }
    if (any) state_remove(s->accs, which);
}

/* One batch of what is due. S_MORE: there may be more. */
static enum status fire(struct op_cx *cx, struct over *s, int64_t upto)
{
    uint32_t cols[OP_KEYS_MAX];

    TRY(due_take(cx, s, upto));
    if (s->due_count == 0) return S_OK;
    for (uint32_t i = 0; i < s->due->col_count; i++) cols[i] = i;
    if (!s->is_resolved) batch_hash(s->due, cols, s->due->col_count, s->hashes);
    struct state_keys keys = state_keys_of(s->due, cols, s->due->col_count, s->hashes);
    TRY(due_resolve(cx, s, &keys));
    TRY(steps_go(cx, s));
    due_forget(s);
    state_done(s->rows);
    state_done(s->accs);
    s->due_count = s->at = 0;
    return S_MORE;
}

static enum status over_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct over *s = self;

    return s->is_waiting && s->time_col >= 0 ? fire(cx, s, watermark) : S_OK;
}

static enum status over_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct over *s = self;

    if (!s->is_waiting || s->time_col >= 0) return S_OK;
    TRY(fire(cx, s, now_ms));
    op_wake_at(cx, timers_next(s->timers));
    return S_OK;
}

/* Rows that came in the last millisecond do not wait for the next one. */
static enum status over_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct over *s = self;

    ASSERT(input == 0);
    return s->is_waiting && s->time_col < 0 ? fire(cx, s, INT64_MAX) : S_OK;
}

const struct op_type op_over = {
    .name = "over",
    .doc = "SQL: every row with aggregates of the rows before it",
    .example = "SELECT *, SUM(price) OVER (PARTITION BY item ORDER BY ts) FROM bids",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct over_config),
    .config_fields = over_config_fields,
    .instance_size = sizeof(struct over),
    .derive = over_derive,
    .needs = over_needs,
    .open = over_open,
    .on_batch = over_on_batch,
    .on_watermark = over_on_watermark,
    .on_time = over_on_time,
    .on_end = over_on_end,
    .close = over_close,
};
