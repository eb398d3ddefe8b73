/* op_rank.c - SQL's Top-N over a changelog: of the rows of each partition those whose place in an order is first..last, with that
 * place as a column where somebody reads it.
 *
 * Two ways to tell of a new order. With numbers every row that moves is an update of its place: -U and +U per place. Without, the
 * row that falls out is deleted and the one that comes in is inserted. Rows of equal sort keys stand as they came. Row by row, in
 * the sequence of Flink's operators: what comes out does not depend on batches, unless it may be netted.
 *
 * State: an ordered map, (partition, sort key) -> row. Where rows are only added and live for ever it holds no more than the last
 * place, so all is said by the number of rows and the rows behind the new one. Else it holds every row, and the first `last` + 1 of
 * them are walked. Rows that replace others: rank_update.c. Changes that are
 * netted: rank_net.c.
 *
 * Invariants: a row is worked on only when its walk is there and the output has room for all of its changes, or it is taken up
 * again where the output was full (`step`). What is emitted lies in the state, removed rows too, until the batch is done. Not here:
 * ranks of equal rows (RANK, DENSE_RANK), a last place that differs by row. */
#include "flow/operator/rank_internal.h"

#include <string.h>

static const struct config_field rank_config_fields[] = {
    CONFIG_FIELD(rank_config, order, CONF_TEXTS, "columns by which rows are ordered"),
    CONFIG_FIELD(rank_config, directions, CONF_TEXTS, "of each: asc or desc"),
    CONFIG_FIELD(rank_config, nulls, CONF_TEXTS, "of each: first or last"),
    CONFIG_FIELD(rank_config, first, CONF_INT, "the first place that counts, from 1 on"),
    CONFIG_FIELD(rank_config, last, CONF_INT, "the last place that counts"),
    CONFIG_FIELD(rank_config, number, CONF_TEXT, "name of the column of the place; none: there is no such column"),
    CONFIG_FIELD(rank_config, emit_before, CONF_BOOL, "updates come with the row before"),
    CONFIG_FIELD(rank_config, retracts, CONF_BOOL, "rows may be taken back"),
    CONFIG_FIELD(rank_config, nets, CONF_BOOL, "a place is told once per batch, not whenever a row takes it"),
    CONFIG_FIELD(rank_config, unique, CONF_TEXTS, "columns by which rows are replaced; empty: they are not"),
    CONFIG_FIELD(rank_config, ttl_ms, CONF_INT, "ms until an untouched row is forgotten; 0: never"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status order_read(const struct op_plan *p, const struct rank_config *c, struct order_column **out, struct err *e)
{
    return order_columns_read(p, &c->order, &c->directions, &c->nulls, out, e);
}

static enum status rank_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct rank_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count;
    struct order_column *order;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + 1);

    TRY(order_read(p, c, &order, e));
    for (uint32_t i = 0; i < c->unique.count; i++)
        if (op_plan_field(p, 0, c->unique.items[i], e) < 0) return E_GRAPH;
    if (c->first < 1 || c->last < c->first)
        return err_set(e, E_CONFIG, "the places of a rank must be 1 <= first <= last, not %lld and %lld", (long long)c->first,
                       (long long)c->last);
    p->output_count = 1;
    p->outputs[0] = in;
    if (c->number == NULL) return S_OK;
    memcpy(types, in->children, sizeof(struct type *) * n);
    memcpy(names, in->names, sizeof *names * n);
    types[n] = type_new(p->arena, T_BIGINT, 0, 0, false);
    names[n] = c->number;
    p->outputs[0] = type_row(p->arena, n + 1, names, types, false);
    return S_OK;
}

static void rank_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    uint32_t n = p->inputs[0]->child_count;
    const struct rank_config *c = config;
    struct order_column *order;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    if (order_read(p, c, &order, NULL) == S_OK)
        for (uint32_t i = 0; i < c->order.count; i++) bit_set(inputs[0], order[i].col);
    for (uint32_t i = 0; i < c->unique.count; i++) {
        int col = op_plan_field(p, 0, c->unique.items[i], NULL);
        if (col >= 0) bit_set(inputs[0], (uint32_t)col);
    }
    for (uint32_t i = 0; i < n; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
/* Rows that differ in no column that anybody reads are as good as equal. */
static const struct type *kept_row(struct op_cx *cx, struct rank *s)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = p->inputs[0]->child_count, *cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);

    s->columns = ARENA_ARRAY(p->arena, struct rank_column, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        bool is_key = false;
        for (uint32_t k = 0; k < p->key_count[0]; k++) is_key |= p->keys[0][k] == i;
        if (is_key || (cx->needed_in != NULL && cx->needed_in[0] != NULL && !bit_get(cx->needed_in[0], i))) continue;
        cols[s->column_count] = i;
        s->columns[s->column_count] = (struct rank_column){i, s->column_count};
        s->column_count++;
    }
    return type_row_of(p->arena, p->inputs[0], cols, s->column_count);
}

static void number_find(struct op_cx *cx, const struct rank_config *c, struct rank *s)
{
    uint32_t n = cx->plan->inputs[0]->child_count;
    const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[0] : NULL;

    s->number_col = c->number != NULL && (needed == NULL || bit_get(needed, n)) ? (int)n : -1;
    s->is_numbered = s->number_col >= 0 || s->first > 1;
}

/* The fields of columns; those of the partition are none. */
static uint32_t fields_of(struct arena *a, const struct rank *s, const uint32_t *cols, uint32_t count, uint32_t **out)
{
    uint32_t n = 0;

    *out = ARENA_ARRAY(a, uint32_t, s->column_count + count + 1);
    for (uint32_t i = 0; i < s->column_count; i++)
        for (uint32_t k = 0; k < count; k++)
            if (s->columns[i].col == cols[k]) (*out)[n++] = i;
    return n;
}

static void fields_find(const struct op_cx *cx, const struct rank_config *c, struct rank *s)
{
    uint32_t *cols = ARENA_ARRAY(cx->plan->arena, uint32_t, c->unique.count + 1);

    for (uint32_t i = 0; i < c->unique.count; i++) {
        int col = op_plan_field(cx->plan, 0, c->unique.items[i], NULL);
        ASSERT(col >= 0);
        cols[i] = (uint32_t)col;
    }
    s->replaces = c->unique.count > 0;
    s->unique_count = fields_of(cx->plan->arena, s, cols, c->unique.count, &s->unique);
    s->sort_count = fields_of(cx->plan->arena, s, s->order, s->order_count, &s->sort);
    s->all = ARENA_ARRAY(cx->plan->arena, uint32_t, s->column_count + 1);
    for (uint32_t i = 0; i < s->column_count; i++) s->all[i] = i;
}

static enum status rank_open(struct op_cx *cx, void *self)
{
    const struct rank_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct rank *s = self;
    uint32_t rows = MAX(cx->batch_rows, (uint32_t)RANK_ROW_CHANGES);
    uint64_t descending = 0, nulls_last = 0;
    struct order_column *order;

    TRY(order_read(p, c, &order, cx->err));
    s->order_count = c->order.count;
    s->order = ARENA_ARRAY(p->arena, uint32_t, s->order_count + 1);
    for (uint32_t i = 0; i < s->order_count; i++) {
        s->order[i] = order[i].col;
        descending |= (uint64_t)order[i].descending << i;
        nulls_last |= (uint64_t)order[i].nulls_last << i;
    }
    s->first = c->first;
    s->last = c->last;
    s->keeps_all = c->retracts || c->ttl_ms > 0;
    number_find(cx, c, s);
    s->def = (struct state_def){.name = "rows",
                                .version = 1,
                                .shape = STATE_ORDERED,
                                .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
                                .sort_key = type_row_of(p->arena, p->inputs[0], s->order, s->order_count),
                                .value = kept_row(cx, s),
                                .ttl = state_ttl_of(c->ttl_ms)};
    s->def.sort_descending = descending;
    s->def.sort_nulls_last = nulls_last;
    if (rank_net_serves(c, p)) {
        s->def.shape = STATE_PLACES;
        s->def.sort_key = NULL;
        rank_net_open(cx, s, order);
    }
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    if (s->net == NULL) TRY(state_probe_init(&s->probe, s->def.sort_key, cx->mem, cx->err));
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    if (c->retracts || c->unique.count > 0) s->same = batch_create(s->def.value, BATCH_ROWS, cx->mem);
    fields_find(cx, c, s);
    return S_OK;
}

static void rank_close(struct op_cx *cx, void *self, bool failed)
{
    struct rank *s = self;

    (void)failed;
    state_close(s->table);
    if (s->probe.mem != NULL) state_probe_release(&s->probe);
    rank_net_close(s);
    batch_free(s->out);
    batch_free(s->same);
    mem_free(cx->mem, s->walk);
}

/* --- changes ----------------------------------------------------------------------------------------------------- */
static bool is_told(const struct rank *s, int64_t place) { return place >= s->first && place <= s->last; }

void rank_put(struct rank *s, const void *row, enum row_kind kind, int64_t place)
{
    uint32_t n = s->used++;

    ASSERT_ROW(n < s->out->capacity);
    s->from[n] = row;
    s->numbers[n] = (uint16_t)s->done;
    s->out->kinds[n] = (uint8_t)kind;
    if (s->number_col >= 0) VECTOR_VALUES(&s->out->cols[s->number_col], int64_t)[n] = place;
}

void rank_put_update(struct rank *s, const void *before, const void *after, int64_t place, bool emit_before)
{
    if (!is_told(s, place)) return;
    if (emit_before) rank_put(s, before, ROW_UPDATE_BEFORE, place);
    rank_put(s, after, ROW_UPDATE_AFTER, place);
}

void rank_load(struct op_cx *cx, struct rank *s)
{
    uint32_t first = s->loaded, n = s->used - first;

    (void)cx;
    for (uint32_t i = 0; i < s->column_count && n > 0; i++) {
        struct vector *to = &s->out->cols[s->columns[i].col];
        if (to->form != VEC_ABSENT)
            state_rows_load(s->table, s->from + first, n, s->columns[i].field, to, first, &s->out->heap, s->out->mem);
    }
    s->loaded = s->used;
}

static void changes_emit(struct op_cx *cx, struct rank *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint32_t n = s->used;

    for (uint32_t i = 0; i < n; i++) s->numbers[i] = (uint16_t)batch_row(in, s->numbers[i]);
    s->out->count = n;
    for (uint32_t k = 0; k < p->key_count[0]; k++) {
        uint32_t col = p->keys[0][k];
        if (s->out->cols[col].form != VEC_ABSENT)
            vector_copy(&s->out->cols[col], 0, &in->cols[col], s->numbers, n, NULL, s->out->mem);
    }
    rank_load(cx, s);
    if (n > 0) op_forward(cx, 0, s->out);
}

/* --- the rows of a partition ------------------------------------------------------------------------------------- */
static void walk_add(struct op_cx *cx, struct rank *s, const struct state_hits *hits)
{
    while (s->walk_count + hits->count > s->walk_capacity) {
        s->walk_capacity = MAX(s->walk_capacity * 2, 64u);
        s->walk = mem_realloc(cx->mem, s->walk, sizeof *s->walk * s->walk_capacity);
    }
    if (hits->count > 0) memcpy(s->walk + s->walk_count, hits->row, sizeof *s->walk * hits->count);
    s->walk_count += hits->count;
    s->worked += hits->count;
}

/* At most `limit` rows (0: all) of the partition of row i; with_key: those whose sort key is its own; behind: those after it. */
enum status rank_walk(struct op_cx *cx, struct rank *s, uint32_t i, bool with_key, bool behind, uint32_t limit)
{
    struct state_probe bound = s->probe;
    struct state_range r = {.limit = limit};
    struct state_scan c = {0};
    struct state_hits hits;
    enum status st;

    bound.rows = state_probe_at(&s->probe, i);
    bound.count = 1;
    if (with_key || behind) r.from = &bound;
    if (with_key) r.to = &bound;
    r.from_open = behind;
    s->walk_count = 0;
    do {
        st = state_ordered_scan(s->table, 0, &s->heads[i], 1, &r, &c, &hits);
        if (st != S_OK && st != S_MORE) return st;
        walk_add(cx, s, &hits);
    } while (st == S_MORE);
    return S_OK;
}

static uint32_t most_rows(const struct rank *s) { return s->last >= UINT32_MAX - 1 ? 0 : (uint32_t)s->last + 1; }

void rank_store(struct rank *s, const struct batch *in, void *row, uint32_t number)
{
    uint16_t sel = (uint16_t)batch_row(in, number);

    for (uint32_t i = 0; i < s->column_count; i++)
        state_rows_store(s->table, 0, &row, 1, s->columns[i].field, &in->cols[s->columns[i].col], &sel);
}

enum status rank_insert(struct rank *s, const struct batch *in, uint32_t i)
{
    struct state_probe one = s->probe;

    one.rows = state_probe_at(&s->probe, i);
    one.count = 1;
    TRY(state_ordered_insert(s->table, 0, &s->heads[i], &one, &s->mine, NULL));
    rank_store(s, in, s->mine, i);
    return S_OK;
}

/* --- a row ------------------------------------------------------------------------------------------------------- */
/* Rows behind mine move by one place, from s->step on. */
void rank_shift_begin(struct rank *s, uint32_t behind, int64_t place)
{
    s->behind = behind;
    s->place = place;
    s->step = 0;
    s->is_shifting = true;
    s->is_moving = false;
}

/* A row that rises: it is taken back at its old place, the last one, before it is told at its new one. */
static void rise(struct rank *s, void *const *rows, uint32_t count, bool emit_before)
{
    const void *after = s->step == 0 ? s->mine : rows[s->step - 1];
    int64_t place = s->place + s->step, last = s->place + count - 1;
    bool is_last = s->step + 1 == count;

    if (emit_before && is_told(s, place) && (!is_last || count == 1)) rank_put(s, rows[s->step], ROW_UPDATE_BEFORE, place);
    if (emit_before && is_told(s, last) && s->step == 0 && count > 1) rank_put(s, rows[count - 1], ROW_UPDATE_BEFORE, last);
    if (is_told(s, place)) rank_put(s, after, ROW_UPDATE_AFTER, place);
}

/* S_MORE: the output is full. */
static enum status shift(struct rank *s, bool emit_before)
{
    uint32_t count = s->walk_count - s->behind;
    void *const *rows = s->walk + s->behind;

    for (; s->step < count && s->place + s->step <= s->last; s->step++) {
        void *front = s->step == 0 ? s->mine : rows[s->step - 1], *back = rows[s->step];
        if (!rank_has_room(s)) return S_MORE;
        if (s->is_moving && s->is_added) rise(s, rows, count, emit_before);
        else rank_put_update(s, s->is_added ? back : front, s->is_added ? front : back, s->place + s->step, emit_before);
    }
    if (!rank_has_room(s)) return S_MORE;
    if (s->is_moving && !s->is_added) rank_put_update(s, count == 0 ? s->mine : rows[count - 1], s->moved, s->place + count, emit_before);
    else if (!s->is_moving && s->step == count && is_told(s, s->place + count))
        rank_put(s, count == 0 ? s->mine : rows[count - 1], s->is_added ? ROW_INSERT : ROW_DELETE, s->place + count);
    s->is_shifting = false;
    return S_OK;
}

/* Nothing is ever taken back: what is behind the last place is forgotten. */
static enum status append_begin(struct op_cx *cx, struct rank *s, const struct batch *in, bool emit_before)
{
    uint32_t i = s->done;
    int64_t count = state_head_rows(s->heads[i]);
    bool is_full = count >= s->last;
    void *fallen = NULL;

    s->walk_count = 0;
    if (is_full || s->is_numbered) TRY(rank_walk(cx, s, i, false, true, s->is_numbered ? 0 : 1));
    if (is_full && s->walk_count == 0) return S_OK;
    if (is_full) fallen = state_ordered_edge(s->table, 0, s->heads[i], true);
    TRY(rank_insert(s, in, i));
    if (fallen != NULL) state_row_remove(s->table, 0, s->heads[i], fallen);
    s->is_added = true;
    if (s->is_numbered) {
        rank_shift_begin(s, 0, count - s->walk_count + 1);
        return S_OK;
    }
    if (fallen != NULL && s->last == 1) { /* the one place has another row: an update, as of one with its number */
        rank_put_update(s, fallen, s->mine, 1, emit_before);
        return S_OK;
    }
    if (fallen != NULL) rank_put(s, fallen, ROW_DELETE, 0);
    rank_put(s, s->mine, ROW_INSERT, 0);
    return S_OK;
}

/* Index of a row among those walked; their count when it is not there. */
uint32_t rank_walk_find(const struct rank *s, const void *row)
{
    uint32_t i = 0;

    while (i < s->walk_count && s->walk[i] != row) i++;
    return i;
}

static enum status added_begin(struct op_cx *cx, struct rank *s, const struct batch *in)
{
    uint32_t i = s->done, at;
    bool fits = !s->is_numbered && state_head_rows(s->heads[i]) < s->last;
    const void *next;

    s->walk_count = 0;
    if (!fits) {
        TRY(rank_walk(cx, s, i, false, true, 1));
        next = s->walk_count > 0 ? s->walk[0] : NULL;
        TRY(rank_walk(cx, s, i, false, false, most_rows(s)));
    }
    TRY(rank_insert(s, in, i));
    s->is_added = true;
    at = fits ? 0 : rank_walk_find(s, next);
    if (at >= s->last) return S_OK;
    if (s->is_numbered) {
        rank_shift_begin(s, at, (int64_t)at + 1);
        return S_OK;
    }
    if (s->walk_count >= s->last) rank_put(s, s->walk[s->last - 1], ROW_DELETE, 0);
    rank_put(s, s->mine, ROW_INSERT, 0);
    return S_OK;
}

void *rank_equal_find(struct rank *s, const struct batch *in, uint32_t i, const uint32_t *fields, uint32_t count)
{
    uint32_t row = batch_row(in, i);

    for (uint32_t at = 0, n; at < s->walk_count; at += n) {
        n = MIN(s->walk_count - at, (uint32_t)BATCH_ROWS);
        batch_clear(s->same);
        for (uint32_t k = 0; k < count; k++)
            state_rows_load(s->table, (const void *const *)s->walk + at, n, fields[k], &s->same->cols[fields[k]], 0, &s->same->heap,
                            s->same->mem);
        for (uint32_t r = 0, k; r < n; r++) {
            for (k = 0; k < count; k++)
                if (vector_compare(&s->same->cols[fields[k]], r, &in->cols[s->columns[fields[k]].col], row) != 0) break;
            if (k == count) return s->walk[at + r];
        }
    }
    return NULL;
}

/* What is not there cannot be taken back: as if nothing had come. */
static enum status removed_begin(struct op_cx *cx, struct rank *s, const struct batch *in)
{
    uint32_t i = s->done, at = 0;
    bool fits = !s->is_numbered && state_head_rows(s->heads[i]) <= s->last;

    TRY(rank_walk(cx, s, i, true, false, 0));
    s->mine = rank_equal_find(s, in, i, s->all, s->column_count);
    if (s->mine == NULL) return S_OK;
    s->walk_count = 0;
    if (!fits) TRY(rank_walk(cx, s, i, false, false, most_rows(s)));
    if (!fits) at = rank_walk_find(s, s->mine);
    state_row_remove(s->table, 0, s->heads[i], s->mine);
    s->is_added = false;
    if (at >= s->last) return S_OK;
    if (s->is_numbered) {
        rank_shift_begin(s, at + 1, (int64_t)at + 1);
        return S_OK;
    }
    rank_put(s, s->mine, ROW_DELETE, 0);
    if (s->walk_count > s->last) rank_put(s, s->walk[s->last], ROW_INSERT, 0);
    return S_OK;
}

static enum status row_begin(struct op_cx *cx, struct rank *s, const struct batch *in, bool emit_before)
{
    enum row_kind kind = batch_kind(in, batch_row(in, s->done));

    if (s->replaces) return rank_update_begin(cx, s, in, emit_before);
    if (!s->keeps_all) return append_begin(cx, s, in, emit_before);
    return kind == ROW_INSERT || kind == ROW_UPDATE_AFTER ? added_begin(cx, s, in) : removed_begin(cx, s, in);
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
static enum status resolve(struct op_cx *cx, struct rank *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];
    uint16_t all[BATCH_ROWS];

    if (s->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_RESERVE, s->heads, NULL));
    for (uint32_t i = 0; i < batch_rows(in); i++) all[i] = (uint16_t)batch_row(in, i);
    if (s->net == NULL) state_probe_fill(&s->probe, in, s->order, all, batch_rows(in));
    s->is_resolved = true;
    return S_OK;
}

/* S_MORE: the output is full, or time is up. */
static enum status rows_work(struct op_cx *cx, struct rank *s, const struct batch *in, bool emit_before)
{
    for (uint32_t n = batch_rows(in); s->done < n; s->done++) {
        if (!s->is_begun) {
            if (!rank_has_room(s)) return S_MORE;
            s->is_shifting = false;
            TRY(row_begin(cx, s, in, emit_before));
            s->is_begun = true;
        }
        if (s->is_shifting) TRY(shift(s, emit_before));
        s->is_begun = false;
    }
    return S_OK;
}

static enum status rank_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct rank_config *c = cx->config;
    struct rank *s = self;
    enum status st;

    ASSERT(input == 0 && s->done <= batch_rows(in));
    TRY(resolve(cx, s, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    s->used = s->loaded = s->worked = 0;
    st = s->net != NULL ? rank_net_work(s, in, c->emit_before) : rows_work(cx, s, in, c->emit_before);
    if (st != S_OK && st != S_MORE && (st != S_PENDING || s->used == 0)) return st;
    changes_emit(cx, s, in);
    if (st != S_OK) return S_MORE; /* what is pending is asked for again, behind what was emitted */
    state_done(s->table);
    s->done = 0;
    s->is_resolved = false;
    return S_OK;
}

const struct op_type op_rank = {
    .name = "rank",
    .doc = "SQL: the first rows of each partition in an order, as they change",
    .example = "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS n FROM bids) WHERE n <= 10",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct rank_config),
    .config_fields = rank_config_fields,
    .instance_size = sizeof(struct rank),
    .derive = rank_derive,
    .needs = rank_needs,
    .open = rank_open,
    .on_batch = rank_on_batch,
    .close = rank_close,
};
