/* op_window_rank.c - SQL's Top-N of windows: of the rows of each partition and window those whose place in an order is first..last,
 * once, when the window ends. With from_behind the last row in the order, and of equal ones the latest, which is what keeps the last
 * row of a window by its time.
 *
 * Rows say in a column when their window ends. State: an ordered map, (partition, sort key) -> row, a namespace per end, which is
 * dropped whole. It holds no more than the last place. Rows are only added; those of windows that have ended are late: dropped and
 * counted. The row's event time is end - 1. */
#include "flow/operator/order_columns.h"
#include "flow/operator/rank_config.h"
#include "flow/operator/window_ends.h"
#include "flow/state/shape.h"

#include <string.h>

struct rank_column {
    uint32_t col, field; /* of the input and the output; in the state's row */
};

enum { ROUNDS_MAX = 16 }; /* keys walked in one call, in batches */

struct window_rank {
    struct state_def def;
    struct state_table *table;
    struct state_probe probe;
    struct window_ends ends;
    uint32_t end_col, *order, *plain, order_count, key_count;
    struct rank_column *columns; /* that are kept: all that are read but those of the partition */
    uint32_t column_count;
    int number_col; /* where the place goes, or -1 */
    void *heads[BATCH_ROWS], *rows[BATCH_ROWS];
    /* what fires */
    int64_t end;
    bool is_firing, is_loaded, is_last, scan_more; /* a chunk of keys; the last one; it has more rows than hits */
    struct state_cursor cursor;
    struct batch *keys;
    uint32_t n, hit, place, place_key;
    struct state_scan scan;
    struct state_hits hits;
    const void *put[BATCH_ROWS];
    uint16_t put_keys[BATCH_ROWS];
};

static const struct config_field window_rank_config_fields[] = {
    CONFIG_FIELD(window_rank_config, order, CONF_TEXTS, "columns by which rows are ordered"),
    CONFIG_FIELD(window_rank_config, directions, CONF_TEXTS, "of each: asc or desc"),
    CONFIG_FIELD(window_rank_config, nulls, CONF_TEXTS, "of each: first or last"),
    CONFIG_FIELD(window_rank_config, first, CONF_INT, "the first place that counts, from 1 on"),
    CONFIG_FIELD(window_rank_config, last, CONF_INT, "the last place that counts"),
    CONFIG_FIELD(window_rank_config, number, CONF_TEXT,
                 "name of the column of the place; none: there is no such column"),
    CONFIG_FIELD(window_rank_config, end, CONF_TEXT, "column with the end of a row's window"),
    CONFIG_FIELD(window_rank_config, zone, CONF_TEXT, "time zone in which windows of instants lie; empty: UTC"),
    CONFIG_FIELD(window_rank_config, from_behind, CONF_BOOL, "the last rows in the order, not the first"),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status columns_read(const struct op_plan *p, const struct window_rank_config *c,
                                struct order_column **order, uint32_t *end, struct err *e)
{
    TRY(order_columns_read(p, &c->order, &c->directions, &c->nulls, order, e));
    int col = op_plan_field(p, 0, c->end, e);
    if (col < 0) return E_GRAPH;
    *end = (uint32_t)col;
    const struct type *t = p->inputs[0]->children[col];
    if (t->kind == T_BIGINT || (t->kind == T_TIMESTAMP && t->precision <= 3)) return S_OK; /* ms */
    return err_set(e, E_GRAPH, "'%s' is no time in ms", c->end);
}

static enum status window_rank_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct window_rank_config *c = config;
    struct order_column *order;
    uint32_t end;

    TRY(columns_read(p, c, &order, &end, e));
    TRY(rank_places_check(c->first, c->from_behind && c->last != 1 ? 0 : c->last, e));
    p->output_count = 1;
    p->outputs[0] = rank_output(p, c->number);
    return S_OK;
}

static void window_rank_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                              uint64_t *const *inputs)
{
    const struct window_rank_config *c = config;
    struct order_column *order;
    uint32_t end;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (columns_read(p, c, &order, &end, NULL) != S_OK) return;
    bit_set(inputs[0], end);
    for (uint32_t i = 0; i < c->order.count; i++) bit_set(inputs[0], order[i].col);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static const struct type *kept_row(struct op_cx *cx, struct window_rank *s)
{
    const struct op_plan *p = cx->plan;
    const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[0] : NULL;
    uint32_t n = p->inputs[0]->child_count, *cols = ARENA_ARRAY(p->arena, uint32_t, n + 1);

    s->columns = ARENA_ARRAY(p->arena, struct rank_column, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        bool is_key = false;
        for (uint32_t k = 0; k < s->key_count; k++) is_key |= p->keys[0][k] == i;
        if (is_key || (needed != NULL && !bit_get(needed, i))) continue;
        cols[s->column_count] = i;
        s->columns[s->column_count] = (struct rank_column){i, s->column_count};
        s->column_count++;
    }
    return type_row_of(p->arena, p->inputs[0], cols, s->column_count);
}

static void def_fill(struct op_cx *cx, struct window_rank *s, const struct order_column *order)
{
    const struct op_plan *p = cx->plan;

    s->order = ARENA_ARRAY(p->arena, uint32_t, s->order_count + 1);
    for (uint32_t i = 0; i < s->order_count; i++) {
        s->order[i] = order[i].col;
        s->def.sort_descending |= (uint64_t)order[i].descending << i;
        s->def.sort_nulls_last |= (uint64_t)order[i].nulls_last << i;
    }
    s->def.name = "window-rows";
    s->def.version = 1;
    s->def.shape = STATE_ORDERED;
    s->def.namespaced = true;
    s->def.key = type_row_of(p->arena, p->inputs[0], p->keys[0], s->key_count);
    s->def.sort_key = type_row_of(p->arena, p->inputs[0], s->order, s->order_count);
    s->def.value = kept_row(cx, s);
}

static enum status window_rank_open(struct op_cx *cx, void *self)
{
    const struct window_rank_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct window_rank *s = self;
    struct order_column *order;
    const uint64_t *needed = cx->needed_out != NULL ? cx->needed_out[0] : NULL;
    uint32_t n = p->inputs[0]->child_count;

    TRY(columns_read(p, c, &order, &s->end_col, cx->err));
    s->order_count = c->order.count;
    s->key_count = p->key_count[0];
    s->number_col = c->number != NULL && (needed == NULL || bit_get(needed, n)) ? (int)n : -1;
    def_fill(cx, s, order);
    TRY(state_open(cx->state, &s->def, &s->table, cx->err));
    TRY(state_probe_init(&s->probe, s->def.sort_key, cx->mem, cx->err));
    s->keys = batch_create(s->def.key, cx->batch_rows, cx->mem);
    return window_ends_init(&s->ends, cx, c->zone);
}

static void window_rank_close(struct op_cx *cx, void *self, bool failed)
{
    struct window_rank *s = self;

    (void)cx, (void)failed;
    state_close(s->table);
    state_probe_release(&s->probe);
    batch_free(s->keys);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
/* No more than the places that count. */
static void trim(struct window_rank *s, int64_t end, uint32_t n, const struct window_rank_config *c)
{
    for (uint32_t i = 0; i < n; i++)
        while (state_head_rows(s->heads[i]) > c->last)
            state_row_remove(s->table, end, s->heads[i],
                             state_ordered_edge(s->table, end, s->heads[i], !c->from_behind));
}

static enum status window_rank_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    const struct op_plan *p = cx->plan;
    struct window_rank *s = self;
    struct window_ends *w = &s->ends;

    ASSERT(input == 0 && !s->is_firing);
    while (window_ends_next(w, in, s->end_col, p->keys[0], s->key_count)) {
        struct state_keys keys = {.batch = in,
                                  .cols = p->keys[0],
                                  .col_count = s->key_count,
                                  .count = w->n,
                                  .sel = w->rows,
                                  .hashes = w->row_hashes};
        TRY(state_resolve(s->table, w->end, &keys, STATE_INSERT, s->heads, NULL));
        state_probe_fill(&s->probe, in, s->order, w->rows, w->n);
        TRY(state_ordered_insert(s->table, w->end, s->heads, &s->probe, s->rows, NULL));
        for (uint32_t i = 0; i < s->column_count; i++)
            state_rows_store(s->table, w->end, s->rows, w->n, s->columns[i].field, &in->cols[s->columns[i].col],
                             w->rows);
        trim(s, w->end, w->n, cx->config);
        state_done(s->table);
        window_ends_done(w);
    }
    return S_OK;
}

/* --- firing ------------------------------------------------------------------------------------------------------ */
/* The next keys of the window, and their rows. S_END: there are no more. */
static enum status load(struct window_rank *s)
{
    if (!s->is_loaded) {
        if (s->is_last) return S_END;
        batch_clear(s->keys);
        s->n = 0;
        enum status st = state_each(s->table, s->end, &s->cursor, s->keys, NULL, s->heads, &s->n);
        if (st != S_OK && st != S_MORE) return st;
        s->is_last = st == S_OK;
        s->is_loaded = s->scan_more = true;
        s->scan = (struct state_scan){0};
        s->hits.count = s->hit = 0;
        s->place_key = UINT32_MAX;
    }
    if (s->hit < s->hits.count || !s->scan_more) return S_OK;
    enum status st = state_scan(s->table, s->end, s->heads, s->n, &s->scan, &s->hits);
    if (st != S_OK && st != S_MORE) return st;
    s->scan_more = st == S_MORE;
    s->hit = 0;
    return S_OK;
}

/* The rows at hand that count, as many as have room. */
static uint32_t take(struct window_rank *s, const struct window_rank_config *c, struct batch *out, uint32_t room)
{
    uint32_t n = 0;

    for (; s->hit < s->hits.count && n < room; s->hit++) {
        s->place = s->hits.key[s->hit] == s->place_key ? s->place + 1 : 1;
        s->place_key = s->hits.key[s->hit];
        if (s->place < c->first || s->place > c->last) continue;
        if (s->number_col >= 0) VECTOR_VALUES(&out->cols[s->number_col], int64_t)[out->count + n] = s->place;
        s->put[n] = s->hits.row[s->hit];
        s->put_keys[n++] = s->hits.key[s->hit];
    }
    return n;
}

static void put(struct op_cx *cx, struct window_rank *s, struct batch *out, uint32_t n)
{
    uint32_t first = out->count;

    for (uint32_t k = 0; k < s->key_count; k++) {
        struct vector *v = &out->cols[cx->plan->keys[0][k]];
        if (v->form != VEC_ABSENT) vector_copy(v, first, &s->keys->cols[k], s->put_keys, n, &out->heap, out->mem);
    }
    for (uint32_t i = 0; i < s->column_count; i++)
        state_rows_load(s->table, s->put, n, s->columns[i].field, &out->cols[s->columns[i].col], first, &out->heap,
                        out->mem);
    out->count += n;
    batch_use_times(out);
    for (uint32_t i = 0; i < n; i++) out->times[first + i] = window_zone_instant(&s->ends.zone, s->end - 1);
}

/* The window that ends first, by `watermark`. */
static bool begin(struct window_rank *s, int64_t watermark)
{
    uint32_t count;
    const int64_t *live = state_namespaces(s->table, &count);

    if (s->is_firing) return true;
    if (count == 0 || live[0] - 1 > watermark) return false;
    s->end = live[0];
    s->is_firing = true;
    s->is_loaded = s->is_last = false;
    s->cursor = (struct state_cursor){0};
    return true;
}

static enum status window_rank_on_watermark(struct op_cx *cx, void *self, int64_t watermark)
{
    struct window_rank *s = self;
    struct batch *out = op_out(cx, 0);
    uint32_t rounds = 0;

    watermark = window_zone_passed(&s->ends.zone, watermark);
    while (begin(s, watermark)) {
        enum status st = load(s);
        if (st == S_END) {
            state_drop(s->table, s->end);
            s->is_firing = false;
            continue;
        }
        if (st == S_PENDING && out->count > 0) return S_MORE;
        TRY(st);
        put(cx, s, out, take(s, cx->config, out, op_room(cx, 0)));
        if (s->hit < s->hits.count) return S_MORE; /* no room */
        if (s->scan_more) continue;
        state_done(s->table);
        s->is_loaded = false;
        if (++rounds == ROUNDS_MAX) return S_MORE; /* also where no row has such a place */
    }
    return S_OK;
}

const struct op_type op_window_rank = {
    .name = "window_rank",
    .doc = "SQL: rows of each partition and window by their places in an order, when the window ends",
    .example =
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC) AS n "
        "FROM windowed) WHERE n <= 3",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct window_rank_config),
    .config_fields = window_rank_config_fields,
    .instance_size = sizeof(struct window_rank),
    .derive = window_rank_derive,
    .needs = window_rank_needs,
    .open = window_rank_open,
    .on_batch = window_rank_on_batch,
    .on_watermark = window_rank_on_watermark,
    .close = window_rank_close,
};
