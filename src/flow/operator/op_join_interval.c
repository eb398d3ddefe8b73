/* op_join_interval.c - SQL's interval join: rows of two inputs with equal keys whose times lie in an interval of each other, inner
 * and outer. Times are columns, or the clock.
 *
 * Each side keeps its rows in an ordered state, key -> rows by time, with a mark on those that have met a partner. A batch resolves
 * its keys on both sides at once; one ranged scan over the other side finds all partners; then pairs are listed in the order of the
 * batch, per row by time, and the batch's own rows are added. As no row of a batch meets another of its own input, that is the same
 * as row by row.
 *
 * What is seen is Flink's: a row at t is past when the watermark is above t + reach, the last time of a partner; one that comes when
 * the watermark has reached that is not kept. Late rows still meet what is kept. Past is a bound of the scan, the removal a timer
 * behind: of outer sides exactly then, as rows without a partner come out alone; of others now and then.
 *
 * Rows leave up to `reach` behind the watermark, so watermarks leave that much earlier. Invariants: all that may be pending is asked
 * for before the first row is emitted or added. Not here: changelogs. */
#include "flow/operator/join_interval.h"
#include "flow/operator/join_pairs.h"
#include "flow/operator/row_time.h"
#include "flow/state/timer.h"
#include "ground/base/str.h"

#include <string.h>

static const struct config_field join_interval_config_fields[] = {
    CONFIG_FIELD(join_interval_config, kind, CONF_TEXT, "inner, left, right, full"),
    CONFIG_FIELD(join_interval_config, names, CONF_TEXTS, "names of the columns of both sides"),
    CONFIG_FIELD(join_interval_config, condition, CONF_BYTES,
                 "an encoded BOOLEAN expression over both sides; empty: none"),
    CONFIG_FIELD(join_interval_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(join_interval_config, null_safe, CONF_TEXTS, "per key: true when NULL equals NULL; empty: never"),
    CONFIG_FIELD(join_interval_config, left_time, CONF_TEXT, "column with the left rows' time; empty: processing time"),
    CONFIG_FIELD(join_interval_config, right_time, CONF_TEXT,
                 "column with the right rows' time; empty: processing time"),
    CONFIG_FIELD(join_interval_config, lower_ms, CONF_INT, "least difference of the left and the right time, ms"),
    CONFIG_FIELD(join_interval_config, upper_ms, CONF_INT, "greatest difference of the left and the right time, ms"),
    CONFIG_LAST,
};

struct side {
    struct state_def def;
    struct state_table *table;
    struct timers *timers;
    struct state_probe sort_keys;
    uint32_t col_count, *cols;
    int *fields;
    int time_col;         /* -1: the clock */
    bool alone;           /* rows without a partner come out */
    int64_t lower, upper; /* partners of a row at t lie in [t + lower, t + upper]; it is past above t + upper */
};

/* The batch in work; arrays are by selected row. */
struct meeting {
    bool begun, scan_more;
    uint32_t row, hit;
    int64_t times[BATCH_ROWS], from[BATCH_ROWS], to[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    void *ours[BATCH_ROWS], *theirs[BATCH_ROWS], *added[BATCH_ROWS]; /* ours NULL: not kept */
    uint64_t no_key[BATCH_ROWS / 64], matched[BATCH_ROWS / 64];
    struct state_scan scan;
    struct state_hits hits;
};

/* The timers in work, of one side. */
struct sweeping {
    struct batch *keys[2];
    int64_t *times;
    uint32_t cols[OP_KEYS_MAX]; /* 0, 1, ... */
    uint32_t count, side;
    bool taken, begun;
};

struct join_interval {
    struct join_plan plan;
    struct join_pairs pairs;
    struct side sides[2];
    struct meeting m;
    struct sweeping w;
    int64_t pause; /* between two looks at the past rows of a key */
    int64_t now;   /* the watermark, or the clock */
    bool clock;
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static struct join_spec spec_of(const struct join_interval_config *c)
{
    return (struct join_spec){
        .kind = c->kind, .names = c->names, .condition = c->condition, .zone = c->zone, .keeps_times = true};
}

static enum status join_interval_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct join_interval_config *c = config;
    struct join_spec spec = spec_of(c);
    struct join_plan plan;
    int cols[2];

    TRY(row_time_column(p, 0, c->left_time, &cols[0], e));
    TRY(row_time_column(p, 1, c->right_time, &cols[1], e));
    if ((cols[0] < 0) != (cols[1] < 0)) return err_set(e, E_CONFIG, "both times are columns, or none is");
    TRY(join_plan_derive(p, &spec, &plan, e));
    return plan.kind->pairs ? S_OK : err_set(e, E_CONFIG, "an interval join is inner, left, right or full");
}

static void join_interval_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                                uint64_t *const *inputs)
{
    const struct join_interval_config *c = config;
    struct join_spec spec = spec_of(c);
    struct join_plan plan;
    int col;

    if (join_plan_read(p, &spec, &plan, NULL) != S_OK) return;
    for (uint32_t side = 0; side < 2; side++) {
        join_columns_read(&plan, side, p->inputs[side]->child_count, outputs[0], inputs[side]);
        for (uint32_t i = 0; i < p->key_count[side]; i++) bit_set(inputs[side], p->keys[side][i]);
        if (row_time_column(p, side, side == 0 ? c->left_time : c->right_time, &col, NULL) == S_OK && col >= 0)
            bit_set(inputs[side], (uint32_t)col);
        bit_set(inputs[side], 0); /* rows must be counted */
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static enum status side_open(struct op_cx *cx, struct join_interval *s, uint32_t input)
{
    static const char *const names[] = {"time"};
    const struct join_interval_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct side *side = &s->sides[input];
    uint32_t count = p->inputs[input]->child_count;
    uint64_t *kept = ARENA_ARRAY(p->arena, uint64_t, count / 64 + 1);
    const struct type *time[] = {type_new(p->arena, T_BIGINT, 0, 0, false)};

    join_columns_read(&s->plan, input, count, cx->needed_out != NULL ? cx->needed_out[0] : NULL, kept);
    TRY(row_time_column(p, input, input == 0 ? c->left_time : c->right_time, &side->time_col, cx->err));
    side->alone = s->plan.kind->alone[input];
    side->def = (struct state_def){
        .name = input == 0 ? "left" : "right",
        .version = 1,
        .upgrade = STATE_UPGRADE_COLUMNS,
        .shape = STATE_ORDERED,
        .key = join_key_row(p, input),
        .sort_key = type_row(p->arena, 1, names, time, false),
        .value = join_columns_kept(p->arena, p->inputs[input], kept, &side->cols, &side->fields)};
    side->col_count = side->def.value->child_count;
    TRY(state_open(cx->state, &side->def, &side->table, cx->err));
    TRY(timers_create(cx->state, side->def.name, side->def.key, &side->timers, cx->err));
    TRY(state_probe_init(&side->sort_keys, side->def.sort_key, cx->mem, cx->err));
    if (side->time_col < 0) timers_of_processing_time(side->timers);
    s->pairs.kept[input] = (struct join_kept){.table = side->table, .fields = side->fields};
    s->w.keys[input] = batch_create(side->def.key, cx->batch_rows, cx->mem);
    return S_OK;
}

static enum status join_interval_open(struct op_cx *cx, void *self)
{
    const struct join_interval_config *c = cx->config;
    struct join_spec spec = spec_of(c);
    struct join_interval *s = self;

    TRY(join_plan_read(cx->plan, &spec, &s->plan, cx->err));
    join_pairs_open(cx, &s->pairs, &s->plan);
    for (uint32_t side = 0; side < 2; side++) TRY(side_open(cx, s, side));
    s->sides[0].lower = time_minus(0, c->upper_ms);
    s->sides[0].upper = time_minus(0, c->lower_ms);
    s->sides[1].lower = c->lower_ms;
    s->sides[1].upper = c->upper_ms;
    s->pause = MAX(time_minus(c->upper_ms, c->lower_ms), 0) / 4;
    s->clock = s->sides[0].time_col < 0;
    s->now = TIME_MIN;
    for (uint32_t k = 0; k < OP_KEYS_MAX; k++) s->w.cols[k] = k;
    s->w.times = mem_alloc(cx->mem, sizeof *s->w.times * cx->batch_rows);
    return S_OK;
}

static void join_interval_close(struct op_cx *cx, void *self, bool failed)
{
    struct join_interval *s = self;

    (void)failed;
    for (uint32_t i = 0; i < 2; i++) {
        struct side *side = &s->sides[i];
        timers_free(side->timers);
        state_close(side->table);
        if (side->sort_keys.mem != NULL) state_probe_release(&side->sort_keys);
        batch_free(s->w.keys[i]);
    }
    join_pairs_close(&s->pairs);
    mem_free(cx->mem, s->w.times);
}

/* --- a batch: who meets whom ------------------------------------------------------------------------------------- */
static enum status times_find(struct op_cx *cx, struct join_interval *s, uint32_t input, const struct batch *in)
{
    const struct side *ours = &s->sides[input], *theirs = &s->sides[1 - input];
    struct meeting *m = &s->m;
    const struct vector *v = s->clock ? NULL : &in->cols[ours->time_col];

    BATCH_EACH(in, i, row)
    {
        if (v != NULL && vector_is_null(v, row))
            return row_time_missing(cx, in, row);
        int64_t time = v == NULL ? s->now : VECTOR_VALUES(vector_values(v), int64_t)[vector_at(v, row)];
        m->times[i] = time;
        m->from[i] = MAX(time_plus(time, ours->lower), time_minus(s->now, theirs->upper));
        m->to[i] = time_plus(time, ours->upper);
    }
    return S_OK;
}

/* Rows that no partner can find any more are not kept; those without a key only to come out alone. */
static void kept_find(struct join_interval *s, uint32_t input, uint32_t count)
{
    struct meeting *m = &s->m;

    for (uint32_t i = 0; i < count; i++) {
        bool no_key = bit_get(m->no_key, i);
        if (no_key) m->theirs[i] = NULL;
        if (s->now >= m->to[i] || (no_key && !s->sides[input].alone)) m->ours[i] = NULL;
    }
}

static enum status partners_scan(struct op_cx *cx, struct join_interval *s, uint32_t input, const struct batch *in)
{
    struct meeting *m = &s->m;
    struct state_range range = {.from_word = m->from, .to_word = m->to};
    enum status st = state_ordered_scan(s->sides[1 - input].table, 0, m->theirs, batch_rows(in), &range, &m->scan,
                                        &m->hits);

    if (st != S_OK && st != S_MORE) return st;
    m->scan_more = st == S_MORE;
    m->hit = 0;
    return join_pairs_filter(cx, &s->pairs, input, in, &m->hits);
}

static enum status batch_begin(struct op_cx *cx, struct join_interval *s, uint32_t input, const struct batch *in)
{
    const struct join_interval_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct meeting *m = &s->m;

    s->now = s->clock ? sys_wall_ms(cx->sys) : cx->watermark;
    TRY(times_find(cx, s, input, in));
    batch_hash(in, p->keys[input], p->key_count[input], m->hashes);
    struct state_keys keys = state_keys_of(in, p->keys[input], p->key_count[input], m->hashes);
    join_no_keys(p, &c->null_safe, input, in, m->no_key);
    TRY(state_resolve(s->sides[1 - input].table, 0, &keys, s->sides[1 - input].alone ? STATE_UPDATE : STATE_READ,
                      m->theirs, NULL));
    TRY(state_resolve(s->sides[input].table, 0, &keys, STATE_RESERVE, m->ours, NULL));
    kept_find(s, input, keys.count);
    memset(m->matched, 0, sizeof m->matched);
    m->scan = (struct state_scan){0};
    m->row = 0;
    TRY(partners_scan(cx, s, input, in));
    m->begun = true;
    return S_OK;
}

/* --- a batch: its own rows --------------------------------------------------------------------------------------- */
static void sort_keys_fill(struct side *side, struct meeting *m, uint32_t count)
{
    struct vector times = {.phys = P_I64, .form = VEC_FLAT, .data = m->times};
    struct batch b = {.cols = &times, .col_count = 1, .count = count, .capacity = BATCH_ROWS};

    state_probe_fill(&side->sort_keys, &b, NULL, NULL, count);
}

/* Timers: of outer sides one for each time at which a row is past, of others one per key. */
static enum status timers_set(struct op_cx *cx, struct join_interval *s, uint32_t input, const struct batch *in,
                              const uint64_t *fresh)
{
    const struct op_plan *p = cx->plan;
    struct side *side = &s->sides[input];
    struct meeting *m = &s->m;

    BATCH_EACH(in, i, row)
    {
        if (m->added[i] == NULL || (!side->alone && !bit_get(fresh, i))) continue;
        int64_t past = MAX(time_plus(time_plus(m->times[i], side->upper), 1), TIMER_FIRST);
        TRY(timers_register_one(side->timers, in, p->keys[input], row, m->hashes[i], past));
    }
    return S_OK;
}

static enum status rows_add(struct op_cx *cx, struct join_interval *s, uint32_t input, const struct batch *in)
{
    struct side *side = &s->sides[input];
    struct meeting *m = &s->m;
    uint32_t n = batch_rows(in);
    uint64_t fresh[BATCH_ROWS / 64] = {0};
    uint16_t rows[BATCH_ROWS];

    BATCH_EACH(in, i, row)
    {
        rows[i] = (uint16_t)row;
        if (m->ours[i] != NULL && state_head_rows(m->ours[i]) == 0) bit_set(fresh, i);
    }
    sort_keys_fill(side, m, n);
    TRY(state_ordered_insert(side->table, 0, m->ours, &side->sort_keys, m->added, NULL));
    for (uint32_t f = 0; f < side->col_count; f++)
        state_rows_store(side->table, 0, m->added, n, f, &in->cols[side->cols[f]], rows);
    for (uint32_t i = 0; i < n; i++)
        if (m->added[i] != NULL) state_element_of(side->table, m->added[i])->matches = bit_get(m->matched, i);
    return timers_set(cx, s, input, in, fresh);
}

/* --- a batch: what comes out ------------------------------------------------------------------------------------- */
static void hit_emit(struct join_interval *s, uint32_t input, uint32_t row)
{
    struct side *other = &s->sides[1 - input];
    struct meeting *m = &s->m;
    void *theirs = m->hits.row[m->hit];

    join_pairs_put(&s->pairs, ROW_INSERT, row, true, theirs);
    bit_set(m->matched, m->row);
    if (other->alone && state_element_of(other->table, theirs)->matches == 0) {
        state_element_of(other->table, theirs)->matches = 1;
        state_row_write(other->table, 0, m->theirs[m->row], theirs);
    }
    m->hit++;
}

/* Lists until the list is full, or more hits are needed. */
static void rows_list(struct join_interval *s, uint32_t input, const struct batch *in)
{
    struct meeting *m = &s->m;

    while (m->row < batch_rows(in) && !join_pairs_full(&s->pairs, 1)) {
        uint32_t row = batch_row(in, m->row);
        if (m->hit < m->hits.count && m->hits.key[m->hit] == m->row) {
            hit_emit(s, input, row);
            continue;
        }
        if (m->hit == m->hits.count && m->scan_more) return;
        if (s->sides[input].alone && !bit_get(m->matched, m->row) && m->ours[m->row] == NULL)
            join_pairs_put(&s->pairs, ROW_INSERT, row, true, NULL);
        m->row++;
    }
}

static void wake(struct op_cx *cx, struct join_interval *s)
{
    for (uint32_t i = 0; s->clock && i < 2; i++) op_wake_at(cx, timers_next(s->sides[i].timers));
}

static enum status join_interval_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct join_interval *s = self;
    struct meeting *m = &s->m;

    ASSERT(input < 2);
    if (!m->begun) TRY(batch_begin(cx, s, input, in));
    join_pairs_begin(&s->pairs);
    rows_list(s, input, in);
    if (m->row < batch_rows(in) && m->hit == m->hits.count && m->scan_more) TRY(partners_scan(cx, s, input, in));
    join_pairs_forward(cx, &s->pairs, input, in);
    if (m->row < batch_rows(in)) return S_MORE;
    TRY(rows_add(cx, s, input, in));
    for (uint32_t side = 0; side < 2; side++) state_done(s->sides[side].table);
    m->begun = false;
    wake(cx, s);
    return S_OK;
}

/* --- what is past goes ------------------------------------------------------------------------------------------- */
static enum status timers_take(struct join_interval *s, uint32_t input)
{
    struct sweeping *w = &s->w;

    batch_clear(w->keys[input]);
    w->count = 0;
    enum status st = timers_due(s->sides[input].timers, s->now, w->keys[input], NULL, w->times, &w->count);
    if (st != S_OK && st != S_MORE) return st;
    w->taken = w->count > 0;
    return S_OK;
}

/* Heads of the keys, and the first of their rows that are past. */
static enum status sweep_begin(struct join_interval *s, uint32_t input)
{
    struct side *side = &s->sides[input];
    struct meeting *m = &s->m; /* idle while time passes */
    struct sweeping *w = &s->w;
    uint32_t cols = side->def.key->child_count;

    for (uint32_t i = 0; i < w->count; i++)
        m->to[i] = s->now == WATERMARK_MAX ? INT64_MAX : time_minus(time_minus(s->now, side->upper), 1);
    batch_hash(w->keys[input], w->cols, cols, m->hashes);
    struct state_keys keys = state_keys_of(w->keys[input], w->cols, cols, m->hashes);
    TRY(state_resolve(side->table, 0, &keys, STATE_UPDATE, m->ours, NULL));
    m->scan = (struct state_scan){0};
    m->hits.count = m->hit = 0;
    m->scan_more = true;
    return S_OK;
}

static enum status past_scan(struct join_interval *s, uint32_t input)
{
    struct meeting *m = &s->m;
    struct state_range range = {.to_word = m->to};
    enum status st = state_ordered_scan(s->sides[input].table, 0, m->ours, s->w.count, &range, &m->scan, &m->hits);

    if (st != S_OK && st != S_MORE) return st;
    m->scan_more = st == S_MORE;
    m->hit = 0;
    s->w.begun = true;
    return S_OK;
}

/* Removes what was found, until the list is full of rows that come out alone. */
static void past_remove(struct join_interval *s, uint32_t input)
{
    struct side *side = &s->sides[input];
    struct meeting *m = &s->m;

    for (; m->hit < m->hits.count && !join_pairs_full(&s->pairs, 1); m->hit++) {
        void *row = m->hits.row[m->hit], *head = m->ours[m->hits.key[m->hit]];
        if (state_element_of(side->table, row)->count == 0) continue; /* the key is there twice */
        if (side->alone && state_element_of(side->table, row)->matches == 0)
            join_pairs_put(&s->pairs, ROW_INSERT, 0, false, row);
        state_row_remove(side->table, 0, head, row);
    }
}

/* Keys of inner sides that still have rows are looked at again. */
static enum status sweep_end(struct join_interval *s, uint32_t input)
{
    struct side *side = &s->sides[input];
    struct meeting *m = &s->m;
    struct sweeping *w = &s->w;

    for (uint32_t i = 0; !side->alone && i < w->count; i++) {
        void *first = m->ours[i] != NULL ? state_ordered_edge(side->table, 0, m->ours[i], false) : NULL;
        if (first == NULL) continue;
        int64_t time = *state_word(state_extra(side->table, first), side->table->extra.fields[0].offset);
        int64_t next = MAX(time_plus(time_plus(time, side->upper), 1), time_plus(s->now, s->pause));
        TRY(timers_register_one(side->timers, w->keys[input], w->cols, i, m->hashes[i], MAX(next, TIMER_FIRST)));
    }
    state_done(side->table);
    w->taken = w->begun = false;
    return S_OK;
}

/* S_MORE after each part of the work. */
static enum status sweep(struct op_cx *cx, struct join_interval *s)
{
    struct sweeping *w = &s->w;
    struct meeting *m = &s->m;

    for (; w->side < 2; w->side++) {
        uint32_t input = w->side;
        if (!w->taken) TRY(timers_take(s, input));
        if (!w->taken) continue;
        if (!w->begun) TRY(sweep_begin(s, input));
        if (m->hit == m->hits.count && m->scan_more) TRY(past_scan(s, input));
        join_pairs_begin(&s->pairs);
        past_remove(s, input);
        join_pairs_forward(cx, &s->pairs, 1 - input, NULL);
        if (m->hit == m->hits.count && !m->scan_more) TRY(sweep_end(s, input));
        return S_MORE;
    }
    w->side = 0;
    return S_OK;
}

static enum status join_interval_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct join_interval *s = self;
    int64_t behind = MAX(MAX(s->sides[0].upper, s->sides[1].upper), 0);

    if (!s->clock) {
        s->now = watermark;
        TRY(sweep(cx, s));
        if (watermark != WATERMARK_MAX) watermark = time_minus(time_minus(watermark, behind), 1);
    }
    op_emit_watermark(cx, watermark);
    return S_OK;
}

static enum status join_interval_on_time(struct op_cx *cx, void *self, int64_t now_ms)
{
    struct join_interval *s = self;

    if (!s->clock) return S_OK;
    if (!s->w.taken) s->now = now_ms;
    TRY(sweep(cx, s));
    wake(cx, s);
    return S_OK;
}

const struct op_type op_join_interval = {
    .name = "join_interval",
    .doc = "SQL: pairs of rows with equal keys whose times lie in an interval of each other",
    .example = "SELECT * FROM orders o JOIN payments p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL "
               "'1' HOUR",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 2,
    .config_size = sizeof(struct join_interval_config),
    .config_fields = join_interval_config_fields,
    .instance_size = sizeof(struct join_interval),
    .derive = join_interval_derive,
    .needs = join_interval_needs,
    .open = join_interval_open,
    .on_batch = join_interval_on_batch,
    .on_watermark = join_interval_on_watermark,
    .on_time = join_interval_on_time,
    .close = join_interval_close,
    .makes_watermarks = true,
};
