/* op_rank.c - SQL's Top-N over a changelog: of the rows of each partition those whose place in an order is first..last, with that
 * place as a column where somebody reads it.
 *
 * Two ways to tell of a new order. With numbers every row that moves is an update of its place: -U and +U per place. Without, the
 * row that falls out is deleted and the one that comes in is inserted. Rows of equal sort keys stand as they came. Row by row, in
 * the sequence of Flink's operators: what comes out does not depend on batches, unless it may be netted.
 *
 * State: an ordered map, (partition, sort key) -> row, that knows the places of rows. Where rows are only added and live for ever, or
 * replace others and only rise, it holds no more than the last place; else it holds every row. What a row does to places: rank_row.c,
 * rank_update.c; changes that are netted: rank_batch.c, rank_net.c.
 *
 * Invariants: a row is worked on only when the output has room for all of its changes, or it is taken up again where the output was
 * full. What is emitted lies in the state, removed rows too, until the batch is done. Not here: ranks of equal rows (RANK,
 * DENSE_RANK), a last place that differs by row. */
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
    CONFIG_FIELD(rank_config, is_part, CONF_BOOL, "first of two phases: the first rows as far as they are known, without changes"),
    CONFIG_FIELD(rank_config, memory, CONF_INT, "bytes that these may take; 0: as many as there are"),
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
    struct order_column *order;

    TRY(order_read(p, c, &order, e));
    for (uint32_t i = 0; i < c->unique.count; i++)
        if (op_plan_field(p, 0, c->unique.items[i], e) < 0) return E_GRAPH;
    TRY(rank_places_check(c->first, c->last, e));
    p->output_count = 1;
    p->outputs[0] = rank_output(p, c->number);
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

/* Row by row, an offset is told of place by place, as by Flink; netted, and without numbers, only rows on its edges are told. */
static void number_find(struct op_cx *cx, const struct rank_config *c, struct rank *s)
{
    uint32_t n = cx->plan->inputs[0]->child_count;
    const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[0] : NULL;

    s->number_col = c->number != NULL && (needed == NULL || bit_get(needed, n)) ? (int)n : -1;
    s->is_numbered = s->number_col >= 0 || (s->first > 1 && (!c->nets || c->unique.count > 0));
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

/* The columns of the order, and a number. */
static const struct type *sort_key(const struct op_cx *cx, const struct rank *s)
{
    struct arena *a = cx->plan->arena;
    const struct type *in = cx->plan->inputs[0], **types = ARENA_ARRAY(a, const struct type *, s->order_count + 1);
    const char **names = ARENA_ARRAY(a, const char *, s->order_count + 1);

    for (uint32_t i = 0; i < s->order_count; i++) {
        types[i] = in->children[s->order[i]];
        names[i] = arena_printf(a, "o%u", i);
    }
    types[s->order_count] = type_new(a, T_BIGINT, 0, 0, false);
    names[s->order_count] = "number";
    return type_row(a, s->order_count + s->has_numbers, names, types, false);
}

/* Tables beside that of the rows. */
static enum status indexes_open(struct op_cx *cx, struct rank *s, const struct rank_config *c)
{
    fields_find(cx, c, s);
    rank_rows_open(cx, s);
    if (c->retracts) TRY(rank_ties_open(cx, s));
    return rank_keys_serve(c) ? rank_keys_open(cx, s, c) : S_OK;
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
    s->plan = p;
    s->first = c->first;
    s->last = c->last;
    s->has_numbers = c->retracts || rank_keys_serve(c);
    s->forgets = c->ttl_ms > 0;
    s->keeps_all = c->retracts || s->forgets;
    number_find(cx, c, s);
    s->def = (struct state_def){.name = "rows",
                                .version = 1,
                                .upgrade = STATE_UPGRADE_COLUMNS,
                                .shape = STATE_ORDERED,
                                .key = type_row_of(p->arena, p->inputs[0], p->keys[0], p->key_count[0]),
                                .sort_key = sort_key(cx, s),
                                .value = kept_row(cx, s),
                                .counted = true,
                                .ttl = state_ttl_of(c->ttl_ms)};
    s->def.sort_descending = descending;
    s->def.sort_nulls_last = nulls_last;
    if (rank_net_serves(c, p)) {
        s->def.shape = STATE_PLACES;
        s->def.sort_key = NULL;
        s->def.counted = false;
        rank_net_open(cx, s, order);
    } else if (rank_batch_serves(c)) {
        rank_batch_open(cx, s);
    }
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    if (s->net == NULL) TRY(state_probe_init(&s->probe, s->def.sort_key, cx->mem, cx->err));
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, rows, cx->mem);
    if (c->retracts || c->unique.count > 0) s->same = batch_create(s->def.value, BATCH_ROWS, cx->mem);
    if (c->is_part) s->part = batch_create(p->inputs[0], rows, cx->mem);
    return indexes_open(cx, s, c);
}

static void rank_close(struct op_cx *cx, void *self, bool failed)
{
    struct rank *s = self;

    (void)failed;
    state_close(s->table);
    if (s->view != NULL) vector_release(&s->view[s->plan->inputs[0]->child_count], cx->mem);
    mem_free(cx->mem, s->view);
    mem_free(cx->mem, s->low);
    if (s->probe.mem != NULL) state_probe_release(&s->probe);
    rank_ties_close(s);
    rank_keys_close(s);
    rank_net_close(s);
    rank_batch_close(s);
    batch_free(s->out);
    batch_free(s->same);
    batch_free(s->part);
}

/* --- changes ----------------------------------------------------------------------------------------------------- */
void rank_put(struct rank *s, const void *row, enum row_kind kind, int64_t place)
{
    uint32_t n = s->used++;

    ASSERT_ROW(n < s->out->capacity);
    s->from[n] = row;
    __builtin_prefetch(row); /* it is loaded once the output is full */
    __builtin_prefetch((const char *)row + 64);
    s->numbers[n] = (uint16_t)s->done;
    s->out->kinds[n] = (uint8_t)kind;
    if (s->number_col >= 0) VECTOR_VALUES(&s->out->cols[s->number_col], int64_t)[n] = place;
}

void rank_put_update(struct rank *s, const void *before, const void *after, int64_t place, bool emit_before)
{
    if (!rank_is_told(s, place)) return;
    if (emit_before) rank_put(s, before, ROW_UPDATE_BEFORE, place);
    rank_put(s, after, ROW_UPDATE_AFTER, place);
}

enum { LOAD_ROWS = 128 }; /* that the first-level cache keeps while their columns are read */

void rank_load(struct rank *s)
{
    for (uint32_t first = s->loaded, n; first < s->used; first += n) {
        n = MIN(s->used - first, (uint32_t)LOAD_ROWS);
        for (uint32_t i = 0; i < s->column_count; i++) {
            struct vector *to = &s->out->cols[s->columns[i].col];
            if (to->form != VEC_ABSENT)
                state_rows_load(s->table, s->from + first, n, s->columns[i].field, to, first, &s->out->heap, s->out->mem);
        }
    }
    s->loaded = s->used;
}

void rank_emit(struct op_cx *cx, struct rank *s, const struct batch *in)
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
    rank_load(s);
    if (n > 0) op_forward(cx, 0, s->out);
}

/* --- a batch ----------------------------------------------------------------------------------------------------- */
static enum status resolve(struct op_cx *cx, struct rank *s, const struct batch *in)
{
    const struct op_plan *p = cx->plan;
    uint64_t hashes[BATCH_ROWS];

    if (s->is_resolved) return S_OK;
    batch_hash(in, p->keys[0], p->key_count[0], hashes);
    struct state_keys keys = state_keys_of(in, p->keys[0], p->key_count[0], hashes);
    TRY(state_resolve(s->table, 0, &keys, STATE_RESERVE, s->heads, NULL));
    if (s->keys != NULL) TRY(rank_keys_resolve(s, in));
    if (s->net == NULL) rank_probe(s, in);
    s->is_resolved = true;
    return S_OK;
}

static enum status rows_work(struct rank *s, const struct op_plan *p, const struct batch *in, bool emit_before)
{
    if (s->net != NULL) return rank_net_work(s, in, emit_before);
    return s->batch != NULL ? rank_batch_work(s, p, in, emit_before) : rank_row_work(s, in, emit_before);
}

/* The first of two phases. */
static enum status part_on_batch(struct op_cx *cx, struct rank *s, struct batch *in)
{
    if (s->net == NULL) {
        op_forward(cx, 0, in);
        return S_OK;
    }
    if (!s->part_given) {
        TRY(resolve(cx, s, in));
        TRY(rank_net_place(s, in));
        state_done(s->table);
        s->is_resolved = false;
        s->part_given = rank_part_is_full(cx, cx->config);
    }
    if (s->part_given) TRY(rank_part_give(cx, s));
    s->part_given = false;
    return S_OK;
}

static enum status rank_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    const struct rank_config *c = cx->config;
    struct rank *s = self;

    (void)input;
    return c->is_part && s->net != NULL ? rank_part_give(cx, s) : S_OK;
}

static enum status rank_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct rank_config *c = cx->config;
    struct rank *s = self;
    enum status st;

    ASSERT(input == 0);
    if (c->is_part) return part_on_batch(cx, s, in);
    ASSERT(s->done <= batch_rows(in));
    TRY(resolve(cx, s, in));
    batch_clear(s->out);
    batch_use_kinds(s->out);
    s->used = s->loaded = s->worked = 0;
    st = rows_work(s, cx->plan, in, c->emit_before);
    if (st != S_OK && st != S_MORE && (st != S_PENDING || s->used == 0)) return st;
    rank_emit(cx, s, in);
    if (st != S_OK) return S_MORE; /* what is pending is asked for again, behind what was emitted */
    state_done(s->table);
    rank_ties_done(s);
    rank_keys_done(s);
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
    .on_end = rank_on_end,
    .close = rank_close,
};
