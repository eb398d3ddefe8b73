/* op_interval_join.c - rows of two keyed streams whose event times lie in an interval of each other: intervalJoin.between.
 *
 * The idea: each side keeps its rows in an ordered state, key -> rows by time. A batch resolves its keys on both sides at
 * once; one ranged scan over the other side's heads finds all partners, in the order of the batch, per row by time and,
 * of one time, as they came. Then the batch's own rows are added. Both inputs being one batch each, that order is the same
 * as adding and probing row by row.
 *
 * What may still be seen is Flink's: a row goes when the watermark reaches the last time at which a partner can come, its
 * clean-up time. Here that is a bound of the scan, not an act; the act is lazy: one timer per key and side removes what is
 * past and sleeps again, at least a quarter of the interval. One case a bound cannot decide: a row that comes exactly at
 * the watermark and whose clean-up time is its own time is seen until the next watermark, while one that was there before
 * is not. Such a row is marked (state_element.matches).
 *
 * Invariants: everything that may be pending is asked for before the first row is emitted or added. At most one timer per
 * key and side exists. Times that leave the range of int64 stop at its ends. Not here: outer joins, processing time. */
#include "flow/operator/op_configs.h"
#include "flow/operator/row_time.h"
#include "flow/operator/user.h"
#include "flow/operator/user_value.h"
#include "flow/state/shape.h"
#include "flow/state/timer.h"
#include "ground/base/str.h"

struct side {
    struct user_value value; /* the fields that the function reads, as they are kept */
    struct state_def def;
    struct state_table *table;
    struct timers *timers; /* one per key that has rows: when to look what is past */
    struct state_probe sort_keys;
    int64_t lower, upper; /* partners of a row at t lie in [t + lower, t + upper] */
    int64_t reach;        /* a row at t is past when the watermark reaches t + reach */
    char *partner;        /* a row of this side as the function's struct */
    uint32_t late_port;
};

/* The batch in work. Arrays are by the number of the row among those that are not late. */
struct probing {
    bool begun, scan_more;
    uint32_t count, late_count;
    uint16_t rows[BATCH_ROWS], places[BATCH_ROWS]; /* row of the batch; its number among the selected ones */
    uint16_t late[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    int64_t from[BATCH_ROWS], to[BATCH_ROWS];
    void *ours[BATCH_ROWS], *theirs[BATCH_ROWS]; /* heads */
    void *added[BATCH_ROWS];
    uint64_t created[BATCH_ROWS / 64];
    struct state_scan scan;
    struct state_hits hits;
    uint32_t hit;                      /* next one to join */
    uint32_t block_first, block_count; /* rows that lie in cx.in[].structs */
};

/* The timers in work, of one side. */
struct sweeping {
    struct batch *keys;
    int64_t *times;
    uint32_t cols[OP_KEYS_MAX]; /* 0, 1, ... */
    uint32_t count, side;
    bool taken, begun;
};

struct interval_join {
    struct tw_context cx;
    struct side sides[2];
    struct probing p;
    struct sweeping w;
    int64_t pause; /* between two looks at the past rows of a key */
    struct batch late_view;
};

static const struct type *time_type(struct arena *a)
{
    const struct type *fields[] = {type_new(a, T_BIGINT, 0, 0, false)};
    const char *names[] = {"time"};

    return type_row(a, 1, names, fields, false);
}

/* --- graph time ------------------------------------------------------------------------------------------------------- */
static enum status late_port_add(struct op_plan *plan, uint32_t input, const char *name, const char *function,
                                 struct err *e)
{
    if (plan->output_count == OP_PORTS_MAX) {
        err_set(e, E_GRAPH, "function '%s' leaves no port for late rows", function);
        err_hint(e, "an interval join's function may have at most %d side outputs", OP_PORTS_MAX - 3);
        return E_GRAPH;
    }
    for (uint32_t i = 1; i < plan->output_count; i++)
        if (str_equal(str_of(plan->port_names[i]), str_of(name)))
            return err_set(e, E_GRAPH, "function '%s' has a side output '%s', which is that of late rows", function,
                           name);
    plan->outputs[plan->output_count] = plan->inputs[input];
    plan->port_names[plan->output_count++] = name;
    return S_OK;
}

static enum status interval_join_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct interval_config *c = config;
    const struct tw_function *fn = c->function.fn;

    if (c->lower_ms > c->upper_ms)
        return err_set(e, E_GRAPH, "the lower bound of an interval join (%lld ms) is above the upper one (%lld ms)",
                       (long long)c->lower_ms, (long long)c->upper_ms);
    TRY(user_need_hook(&c->function, fn && fn->join, "join", e));
    if (fn->on_timer) {
        err_set(e, E_GRAPH, "function '%s' has .on_timer, but an interval join has no timers for it", c->function.name);
        err_hint(e, "use tw_co_process");
        return E_GRAPH;
    }
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_in(plan, 1, &c->function, true, e));
    TRY(user_derive_pair(plan, e));
    TRY(user_derive_out(plan, &c->function, e));
    TRY(late_port_add(plan, 0, "late-left", c->function.name, e));
    TRY(late_port_add(plan, 1, "late-right", c->function.name, e));
    return user_derive_state(plan, &c->function, false, e);
}

/* Late rows go out whole, so what is read of them is read here. */
static void interval_join_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs,
                                uint64_t *const *inputs)
{
    user_op_needs(plan, config, outputs, inputs);
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t *late = outputs[plan->output_count - 2 + i];
        for (uint32_t w = 0; late != NULL && w < (plan->inputs[i]->child_count + 63) / 64; w++) inputs[i][w] |= late[w];
    }
}

/* --- opening and closing ------------------------------------------------------------------------------------------------ */
static enum status side_open(struct interval_join *j, uint32_t input, const struct tw_row *row)
{
    static const char *const names[] = {"left", "right"};
    struct tw_context *cx = &j->cx;
    struct op_cx *op = cx->op;
    struct side *s = &j->sides[input];

    TRY(user_value_of_row(&cx->arena, row, &s->value, op->err));
    s->def = (struct state_def){.name = names[input],
                                .version = 1,
                                .shape = STATE_ORDERED,
                                .key = cx->key_type,
                                .sort_key = time_type(&cx->arena),
                                .value = s->value.type};
    TRY(state_open(op->state, &s->def, &s->table, op->err));
    TRY(timers_create(op->state, s->def.name, cx->key_type, &s->timers, op->err));
    TRY(state_probe_init(&s->sort_keys, s->def.sort_key, op->mem, op->err));
    s->partner = mem_zalloc(op->mem, s->value.size);
    s->late_port = op->plan->output_count - 2 + input;
    return S_OK;
}

/* Exclusive bounds are one ms further in, as everywhere below bounds are inclusive. */
static void bounds_set(struct interval_join *j, const struct interval_config *c)
{
    int64_t lower = time_plus(c->lower_ms, c->lower_exclusive), upper = time_minus(c->upper_ms, c->upper_exclusive);

    j->sides[0].lower = lower;
    j->sides[0].upper = upper;
    j->sides[1].lower = time_minus(0, upper);
    j->sides[1].upper = time_minus(0, lower);
    for (uint32_t i = 0; i < 2; i++) j->sides[i].reach = MAX(j->sides[i].upper, 0);
    j->pause = MAX(time_minus(upper, lower), 0) / 4;
}

static enum status interval_join_open(struct op_cx *op, void *self)
{
    const struct interval_config *c = op->config;
    struct interval_join *j = self;

    TRY(user_start(&j->cx, op, &c->function, true));
    bounds_set(j, c);
    TRY(side_open(j, 0, j->cx.fn->in));
    TRY(side_open(j, 1, j->cx.fn->in2));
    for (uint32_t k = 0; k < OP_KEYS_MAX; k++) j->w.cols[k] = k;
    j->w.keys = batch_create(j->cx.key_type, op->batch_rows, op->mem);
    j->w.times = mem_alloc(op->mem, sizeof *j->w.times * op->batch_rows);
    return S_OK;
}

static void interval_join_close(struct op_cx *op, void *self, bool failed)
{
    struct interval_join *j = self;

    (void)failed;
    for (uint32_t i = 0; i < 2; i++) {
        struct side *s = &j->sides[i];
        timers_free(s->timers);
        state_close(s->table);
        state_probe_release(&s->sort_keys);
        mem_free(op->mem, s->partner);
    }
    batch_free(j->w.keys);
    mem_free(op->mem, j->w.times);
    user_close(&j->cx);
}

/* --- a batch: which rows, which partners ---------------------------------------------------------------------------------- */
/* The range of partners of a row at `time`, those that are past cut off. */
static void range_set(struct probing *p, uint32_t i, const struct side *ours, const struct side *theirs, int64_t time,
                      int64_t watermark)
{
    int64_t alive = time_minus(watermark, theirs->reach);

    if (theirs->reach > 0) alive = time_plus(alive, 1); /* without reach: a marked row is seen at the watermark itself */
    p->from[i] = MAX(time_plus(time, ours->lower), alive);
    p->to[i] = time_plus(time, ours->upper);
}

/* Parts late rows from the others. */
static enum status rows_part(struct interval_join *j, uint32_t input, const struct batch *in)
{
    struct probing *p = &j->p;
    int64_t watermark = j->cx.op->watermark;

    batch_hash(in, j->cx.op->plan->keys[input], j->cx.op->plan->key_count[input], p->hashes);
    p->count = p->late_count = 0;
    BATCH_EACH(in, i, row)
    {
        int64_t time = batch_time(in, row);
        if (time == TIME_MIN) {
            err_set(j->cx.op->err, E_DATA, "a row of the %s input of an interval join has no event time",
                    input == 0 ? "first" : "second");
            err_hint(j->cx.op->err, "give the stream watermarks with tw_with_watermarks");
            return E_DATA;
        }
        if (time < watermark) {
            p->late[p->late_count++] = (uint16_t)row;
            continue;
        }
        p->rows[p->count] = (uint16_t)row;
        p->places[p->count] = (uint16_t)i;
        p->hashes[p->count] = p->hashes[i];
        range_set(p, p->count, &j->sides[input], &j->sides[1 - input], time, watermark);
        p->count++;
    }
    return S_OK;
}

static enum status partners_scan(struct interval_join *j, uint32_t input)
{
    struct probing *p = &j->p;
    struct state_range range = {.from_word = p->from, .to_word = p->to};
    enum status st = state_ordered_scan(j->sides[1 - input].table, 0, p->theirs, p->count, &range, &p->scan, &p->hits);

    if (st != S_OK && st != S_MORE) return st;
    p->scan_more = st == S_MORE;
    p->hit = 0;
    return S_OK;
}

/* All that may be pending. Nothing is changed yet. */
static enum status batch_resolve(struct interval_join *j, uint32_t input, const struct batch *in)
{
    const struct op_plan *plan = j->cx.op->plan;
    struct probing *p = &j->p;
    struct state_keys keys;

    TRY(rows_part(j, input, in));
    keys = (struct state_keys){.batch = in,
                               .cols = plan->keys[input],
                               .col_count = plan->key_count[input],
                               .count = p->count,
                               .sel = p->rows,
                               .hashes = p->hashes};
    TRY(state_resolve(j->sides[1 - input].table, 0, &keys, STATE_READ, p->theirs, NULL));
    TRY(state_resolve(j->sides[input].table, 0, &keys, STATE_RESERVE, p->ours, p->created));
    p->scan = (struct state_scan){0};
    return partners_scan(j, input);
}

/* --- a batch: adding its rows ------------------------------------------------------------------------------------------------ */
static void sort_keys_fill(struct side *s, const struct probing *p, const struct batch *in)
{
    struct vector times = {.phys = P_I64, .form = VEC_FLAT, .data = in->times};
    struct batch b = {.cols = &times, .col_count = 1, .count = in->count, .capacity = in->capacity};

    state_probe_fill(&s->sort_keys, &b, NULL, p->rows, p->count);
}

/* Keys that are new get their timer; rows at the watermark whose own time cleans them up, their mark. */
static enum status rows_settle(struct interval_join *j, uint32_t input, const struct batch *in)
{
    const struct op_plan *plan = j->cx.op->plan;
    struct side *s = &j->sides[input];
    struct probing *p = &j->p;

    for (uint32_t i = 0; i < p->count; i++) {
        int64_t time = in->times[p->rows[i]];
        state_element_of(s->table, p->added[i])->matches = s->reach == 0 && time == j->cx.op->watermark;
        if (!bit_get(p->created, i)) continue;
        int64_t past = MAX(time_plus(time, s->reach), TIMER_FIRST);
        TRY(timers_register_one(s->timers, in, plan->keys[input], p->rows[i], p->hashes[i], past));
    }
    return S_OK;
}

static enum status rows_add(struct interval_join *j, uint32_t input, const struct batch *in)
{
    const struct user_row *row = &j->cx.in[input].row;
    struct side *s = &j->sides[input];
    struct probing *p = &j->p;

    if (p->count == 0) return S_OK;
    sort_keys_fill(s, p, in);
    TRY(state_ordered_insert(s->table, 0, p->ours, &s->sort_keys, p->added, NULL));
    for (uint32_t f = 0; f < row->conv.field_count; f++)
        state_rows_store(s->table, 0, p->added, p->count, f, &in->cols[row->conv.fields[f].col], p->rows);
    return rows_settle(j, input, in);
}

/* A NULL that the struct has no place for is told whether the row finds a partner or not. */
static enum status nulls_check(struct interval_join *j, uint32_t input, const struct batch *in)
{
    const struct user_row *row = &j->cx.in[input].row;
    bool may_be_null = false;

    for (uint32_t f = 0; f < row->conv.field_count; f++)
        may_be_null |= vector_values(&in->cols[row->conv.fields[f].col])->validity != NULL;
    for (uint32_t i = 0; may_be_null && i < batch_rows(in); i += ROWCONV_ROWS)
        TRY(user_read(&j->cx, input, in, i, MIN(batch_rows(in) - i, (uint32_t)ROWCONV_ROWS)));
    return S_OK;
}

static void late_rows_out(struct interval_join *j, uint32_t input, const struct batch *in)
{
    struct op_cx *op = j->cx.op;
    struct probing *p = &j->p;

    if (p->late_count == 0) return;
    if (!op_port_used(op, j->sides[input].late_port)) {
        sys_atomic_store(&op->metrics->late_dropped, op->metrics->late_dropped.value + p->late_count);
        return;
    }
    j->late_view = *in;
    j->late_view.sel = p->late;
    j->late_view.sel_count = p->late_count;
    op_forward(op, j->sides[input].late_port, &j->late_view);
}

static enum status batch_start(struct interval_join *j, uint32_t input, const struct batch *in)
{
    struct probing *p = &j->p;

    TRY(user_input_keys(&j->cx, input, in));
    TRY(nulls_check(j, input, in));
    TRY(batch_resolve(j, input, in));
    TRY(rows_add(j, input, in));
    late_rows_out(j, input, in);
    p->block_count = 0;
    p->begun = true;
    return S_OK;
}

/* --- a batch: joining -------------------------------------------------------------------------------------------------------- */
/* The struct of row number `place` among the selected ones. */
static enum status row_struct(struct interval_join *j, uint32_t input, const struct batch *in, uint32_t place,
                              const char **out)
{
    struct probing *p = &j->p;
    const struct user_in *u = &j->cx.in[input];

    if (place - p->block_first >= p->block_count) {
        p->block_first = place;
        p->block_count = MIN(batch_rows(in) - place, (uint32_t)ROWCONV_ROWS);
        TRY(user_read(&j->cx, input, in, place, p->block_count));
    }
    *out = u->structs + (size_t)(place - p->block_first) * u->row.conv.size;
    return S_OK;
}

static enum status join_one(struct interval_join *j, uint32_t input, const struct batch *in, uint32_t i,
                            const void *hit)
{
    struct side *theirs = &j->sides[1 - input];
    struct user_home home = {.table = theirs->table};
    struct tw_context *cx = &j->cx;
    int64_t time = in->times[j->p.rows[i]],
            other = *state_word(state_extra(theirs->table, hit), theirs->table->extra.fields[0].offset);
    const char *row;

    if (theirs->reach == 0 && other == cx->op->watermark && state_element_of(theirs->table, hit)->matches == 0)
        return S_OK; /* past */
    TRY(row_struct(j, input, in, j->p.places[i], &row));
    user_at(cx, j->p.places[i], row);
    user_value_load(&theirs->value, &theirs->table->value, &home, hit, theirs->partner, &cx->loaded);
    cx->time = MAX(time, other);
    cx->pair_times[input] = time;
    cx->pair_times[1 - input] = other;
    return user_check(cx, input == 0 ? cx->fn->join(cx, row, theirs->partner) : cx->fn->join(cx, theirs->partner, row));
}

/* Joins until a port is full, the time is up, or all is done. */
static enum status join_hits(struct interval_join *j, uint32_t input, const struct batch *in, bool *finished)
{
    struct probing *p = &j->p;
    enum status st = S_OK;

    j->cx.is_pair = true;
    for (;;) {
        while (st == S_OK && p->hit < p->hits.count && !j->cx.full) {
            uint32_t h = p->hit++;
            st = join_one(j, input, in, p->hits.key[h], p->hits.row[h]);
            if (p->hit % ROWCONV_ROWS == 0 && user_slice_over(&j->cx)) break;
        }
        if (st != S_OK || p->hit < p->hits.count || !p->scan_more || j->cx.full) break;
        st = partners_scan(j, input);
        if (user_slice_over(&j->cx)) break;
    }
    j->cx.is_pair = false;
    j->cx.time = TW_NO_TIME;
    *finished = p->hit == p->hits.count && !p->scan_more;
    return st;
}

static enum status interval_join_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct interval_join *j = self;
    bool finished;

    (void)op;
    ASSERT(input < 2);
    TRY(user_begin(&j->cx, input, in));
    if (!j->p.begun) TRY(batch_start(j, input, in));
    TRY(join_hits(j, input, in, &finished));
    enum status st = user_end(&j->cx, finished);
    if (st != S_OK) return st;
    state_done(j->sides[0].table);
    state_done(j->sides[1].table);
    j->p.begun = false;
    return S_OK;
}

/* --- watermarks: what is past goes ---------------------------------------------------------------------------------------------- */
static enum status timers_take(struct interval_join *j, struct side *s, int64_t watermark)
{
    struct sweeping *w = &j->w;

    batch_clear(w->keys);
    w->count = 0;
    enum status st = timers_due(s->timers, watermark, w->keys, NULL, w->times, &w->count);
    if (st != S_OK && st != S_MORE) return st;
    w->taken = w->count > 0;
    return S_OK;
}

/* Heads of the keys, and the first of their rows that are past. */
static enum status sweep_start(struct interval_join *j, struct side *s, int64_t watermark)
{
    struct probing *p = &j->p; /* idle while a watermark is in work */
    struct sweeping *w = &j->w;

    for (uint32_t i = 0; i < w->count; i++)
        p->to[i] = watermark == WATERMARK_MAX ? INT64_MAX : time_minus(watermark, s->reach);
    batch_hash(w->keys, w->cols, j->cx.key_type->child_count, p->hashes);
    struct state_keys keys = state_keys_of(w->keys, w->cols, j->cx.key_type->child_count, p->hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_UPDATE, p->ours, NULL));
    p->scan = (struct state_scan){0};
    p->scan_more = true;
    return S_OK;
}

static enum status sweep_rows(struct interval_join *j, struct side *s)
{
    struct probing *p = &j->p;
    struct state_range range = {.to_word = p->to};
    enum status st = state_ordered_scan(s->table, 0, p->ours, j->w.count, &range, &p->scan, &p->hits);

    if (st != S_OK && st != S_MORE) return st;
    for (uint32_t i = 0; i < p->hits.count; i++) state_row_remove(s->table, 0, p->ours[p->hits.key[i]], p->hits.row[i]);
    p->scan_more = st == S_MORE;
    j->w.begun = true;
    return S_OK;
}

/* Keys that still have rows are looked at again. */
static enum status sweep_finish(struct interval_join *j, struct side *s, int64_t watermark)
{
    struct probing *p = &j->p;
    struct sweeping *w = &j->w;

    for (uint32_t i = 0; i < w->count; i++) {
        void *first = p->ours[i] ? state_ordered_edge(s->table, 0, p->ours[i], false) : NULL;
        if (first == NULL) continue;
        int64_t time = *state_word(state_extra(s->table, first), s->table->extra.fields[0].offset);
        int64_t next = MAX(time_plus(time, s->reach), time_plus(watermark, j->pause));
        next = MAX(next, TIMER_FIRST);
        TRY(timers_register_one(s->timers, w->keys, w->cols, i, p->hashes[i], next));
    }
    state_done(s->table);
    w->taken = w->begun = false;
    return S_OK;
}

static enum status interval_join_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct interval_join *j = self;
    struct sweeping *w = &j->w;

    (void)op;
    for (; w->side < 2; w->side++) {
        struct side *s = &j->sides[w->side];
        if (!w->taken) TRY(timers_take(j, s, watermark));
        if (!w->taken) continue;
        if (!w->begun) TRY(sweep_start(j, s, watermark));
        TRY(sweep_rows(j, s));
        if (!j->p.scan_more) TRY(sweep_finish(j, s, watermark));
        return S_MORE;
    }
    w->side = 0;
    return S_OK;
}

const struct op_type op_interval_join = {
    .name = "interval_join",
    .doc = "pairs of rows of two keyed streams whose event times lie in an interval of each other, by the function's "
           ".join",
    .example =
        "tw_interval_join(tw_key_by(orders, \"id\"), tw_key_by(payments, \"id\"), &match, .upper_ms = TW_HOURS(1))",
    .flags = OP_SELECTION | OP_FORMS | OP_NEEDS_KEY,
    .input_count = 2,
    .config_size = sizeof(struct interval_config),
    .config_fields = interval_config_fields,
    .instance_size = sizeof(struct interval_join),
    .derive = interval_join_derive,
    .needs = interval_join_needs,
    .blocks = user_op_blocks,
    .open = interval_join_open,
    .on_batch = interval_join_on_batch,
    .on_watermark = interval_join_on_watermark,
    .close = interval_join_close,
};
_Static_assert(offsetof(struct interval_config, function) == 0, "the hooks of user_op.c read it as a function_config");
