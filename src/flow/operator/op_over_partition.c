/* op_over_partition.c - SQL's functions OVER windows in batch mode: when the input has ended, rows are sorted by partition and order, and go out
 * with their results behind their columns. Frames may reach behind the current row, and each call has its own.
 *
 * Sorted rows are read until a partition is whole; then its rows go out a chunk at a time: for each call the results of all rows of the
 * chunk. Rows of the buffer are named by their positions in it.
 *
 * Invariants: a chunk goes out when all of its calls are done. Not here: frames (over_frame.c), places (over_places.c), aggregates
 * (over_fold.c); DISTINCT, which Flink refuses in batch mode. */
#include "flow/operator/over_partition.h"

#include "ground/base/str.h"

#include <stdlib.h>
#include <string.h>

static const struct config_field over_partition_config_fields[] = {
    GROUP_CALLS_FIELDS(offsetof(struct over_partition_config, calls)),
    CONFIG_FIELD(over_partition_config, order, CONF_TEXTS, "columns by which rows of a partition are ordered"),
    CONFIG_FIELD(over_partition_config, directions, CONF_TEXTS, "of each: asc or desc"),
    CONFIG_FIELD(over_partition_config, nulls, CONF_TEXTS, "of each: first or last"),
    CONFIG_FIELD(over_partition_config, frames, CONF_TEXTS, "of each call: rows, or range, a distance of values"),
    CONFIG_FIELD(over_partition_config, from, CONF_TEXTS, "where its frame begins, off the current row; empty: with the partition"),
    CONFIG_FIELD(over_partition_config, to, CONF_TEXTS, "where it ends; empty: with the partition"),
    CONFIG_FIELD(over_partition_config, offsets, CONF_TEXTS, "how far LAG and LEAD look; the groups of NTILE"),
    CONFIG_FIELD(over_partition_config, otherwise, CONF_TEXTS, "columns for LAG and LEAD where there is no such row; empty: NULL"),
    SPILL_FIELDS(offsetof(struct over_partition_config, spill)),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static enum status number_read(const char *text, int64_t empty, int64_t *out, struct err *e)
{
    char *end;

    *out = empty;
    if (text[0] == '\0') return S_OK;
    *out = strtoll(text, &end, 10);
    return *end == '\0' ? S_OK : err_set(e, E_CONFIG, "'%s' is no number of rows", text);
}

static enum status place_read(struct arena *a, const struct op_plan *p, const struct over_partition_config *c, uint32_t i,
                              struct part_call *out, struct err *e)
{
    const struct type *in = p->inputs[0], *t = type_new(a, out->place->is_double ? T_DOUBLE : T_BIGINT, 0, 0, false);
    int col;

    TRY(op_plan_optional_field(p, 0, c->calls.arguments.items[i], &col, e));
    if (out->place->has_value && col < 0) return err_set(e, E_GRAPH, "%s takes a value", out->place->name);
    if (out->place->has_value) {
        out->call.agg.col = (uint32_t)col;
        out->call.agg.argument = in->children[col];
        t = type_with_null(a, in->children[col], true);
    }
    if (out->otherwise >= 0 && !type_equal_ignoring_null(t, in->children[out->otherwise]))
        return err_set(e, E_GRAPH, "the default of %s has another type than its value", out->place->name);
    if (strcmp(out->place->name, "ntile") == 0 && out->offset < 1) return err_set(e, E_CONFIG, "NTILE makes at least one group");
    out->call.agg.result = t;
    return S_OK;
}

static enum status call_read(struct arena *a, const struct op_plan *p, const struct over_partition_config *c, uint32_t i,
                             struct part_call *out, struct err *e)
{
    out->place = over_place_find(c->calls.functions.items[i]);
    out->frame.rows = strcmp(c->frames.items[i], "rows") == 0;
    TRY(number_read(c->from.items[i], OVER_ALL_BEFORE, &out->frame.from, e));
    TRY(number_read(c->to.items[i], OVER_ALL_BEHIND, &out->frame.to, e));
    TRY(number_read(c->offsets.items[i], 0, &out->offset, e));
    TRY(op_plan_optional_field(p, 0, c->otherwise.items[i], &out->otherwise, e));
    if (out->place != NULL) return place_read(a, p, c, i, out, e);
    TRY(group_call_read(a, p, &c->calls, i, &out->call, e));
    if (out->call.is_distinct || out->call.filter >= 0)
        return err_set(e, E_UNSUPPORTED, "Distinct not supported in Windowing function!");
    return S_OK;
}

static bool has_values(const struct part_frame *f)
{
    bool from = f->from != OVER_ALL_BEFORE && f->from != 0, to = f->to != OVER_ALL_BEHIND && f->to != 0;

    return !f->rows && (from || to);
}

/* Frames of values need an order by one column of which differences can be told. */
static enum status frames_check(const struct op_plan *p, const struct over_partition_config *c, const struct part_call *calls,
                                const struct order_column *order, struct err *e)
{
    for (uint32_t i = 0; i < c->calls.functions.count; i++)
        if (has_values(&calls[i].frame) && c->order.count > 0 &&
            (c->order.count > 1 || !over_frame_fits(p->inputs[0]->children[order[0].col])))
            return err_set(e, E_GRAPH, "a frame of values needs an order by one column of numbers or times");
    return S_OK;
}

static enum status config_read(struct arena *a, const struct op_plan *p, const struct over_partition_config *c, struct part_call **calls,
                               struct order_column **order, struct err *e)
{
    const struct text_list *lists[] = {&c->calls.arguments, &c->calls.filters, &c->calls.distinct, &c->calls.names, &c->frames,
                                       &c->from, &c->to, &c->offsets, &c->otherwise};
    uint32_t n = c->calls.functions.count;

    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (lists[i]->count != n) return err_set(e, E_CONFIG, "lists of functions of different length");
    if (n > GROUP_CALLS_MAX) return err_set(e, E_GRAPH, "at most %d functions are computed at once", GROUP_CALLS_MAX);
    *calls = ARENA_ARRAY(a, struct part_call, MAX(n, 1u));
    TRY(order_columns_read(p, &c->order, &c->directions, &c->nulls, order, e));
    for (uint32_t i = 0; i < n; i++) TRY(call_read(a, p, c, i, &(*calls)[i], e));
    return frames_check(p, c, *calls, *order, e);
}

static enum status over_partition_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct over_partition_config *c = config;
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count, count = c->calls.functions.count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + count);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + count);
    struct order_column *order;
    struct part_call *calls;

    TRY(config_read(p->arena, p, c, &calls, &order, e));
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    for (uint32_t i = 0; i < count; i++) {
        types[n + i] = calls[i].call.agg.result;
        names[n + i] = c->calls.names.items[i];
    }
    p->outputs[0] = type_row(p->arena, n + count, names, types, false);
    p->output_count = 1;
    return S_OK;
}

static void over_partition_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct over_partition_config *c = config;
    struct order_column *order;
    struct part_call *calls;

    for (uint32_t i = 0; i < p->key_count[0]; i++) bit_set(inputs[0], p->keys[0][i]);
    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (config_read(p->arena, p, c, &calls, &order, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->order.count; i++) bit_set(inputs[0], order[i].col);
    for (uint32_t i = 0; i < c->calls.functions.count; i++) {
        if (calls[i].call.agg.argument != NULL) bit_set(inputs[0], calls[i].call.agg.col);
        if (calls[i].otherwise >= 0) bit_set(inputs[0], (uint32_t)calls[i].otherwise);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
/* The partition's columns stand before the order. */
static void order_make(struct op_cx *cx, struct over_partition *s, const struct order_column *order, uint32_t count)
{
    const struct op_plan *p = cx->plan;

    s->key_count = p->key_count[0];
    s->order_count = count;
    s->by = ARENA_ARRAY(p->arena, struct order_column, s->key_count + count + 1);
    for (uint32_t i = 0; i < s->key_count; i++) s->by[i] = (struct order_column){.col = p->keys[0][i]};
    if (count > 0) memcpy(s->by + s->key_count, order, sizeof *order * count);
}

static enum status over_partition_open(struct op_cx *cx, void *self)
{
    const struct over_partition_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[0] : NULL;
    struct over_partition *s = self;
    struct order_column *order;

    s->config = c;
    s->first_result = p->inputs[0]->child_count;
    TRY(config_read(p->arena, p, c, &s->calls, &order, cx->err));
    order_make(cx, s, order, c->order.count);
    row_sort_init(&s->sort, cx, &c->spill, p->inputs[0], needed, s->by, s->key_count + s->order_count);
    kept_rows_init(&s->rows, p->inputs[0], needed, cx->mem);
    kept_rows_init(&s->spare, p->inputs[0], needed, cx->mem);
    kept_rows_page(&s->rows, cx, &c->spill);
    kept_rows_page(&s->spare, cx, &c->spill);
    buf_init(&s->scratch, cx->mem);
    s->stage = batch_create_needed(p->inputs[0], needed, BATCH_ROWS, cx->mem);
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL, cx->batch_rows, cx->mem);
    s->call_count = c->calls.functions.count;
    for (uint32_t i = 0; i < s->call_count; i++)
        if (s->calls[i].place == NULL) TRY(over_fold_open(cx, s, &s->calls[i]));
    return S_OK;
}

static void over_partition_close(struct op_cx *cx, void *self, bool failed)
{
    struct over_partition *s = self;

    (void)failed;
    for (uint32_t i = 0; i < s->call_count; i++) over_fold_close(cx, s, &s->calls[i]);
    if (s->stretch.type != NULL) vector_release(&s->stretch, cx->mem);
    mem_free(cx->mem, s->unique);
    mem_free(cx->mem, s->counts);
    mem_free(cx->mem, s->table);
    buf_release(&s->scratch);
    batch_free(s->stage);
    batch_free(s->out);
    kept_rows_release(&s->rows);
    kept_rows_release(&s->spare);
    row_sort_release(&s->sort);
}

static enum status over_partition_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct over_partition *s = self;

    (void)cx;
    ASSERT(input == 0);
    return row_sort_add(&s->sort, in);
}

/* --- partitions -------------------------------------------------------------------------------------------------- */
static bool is_alike(const struct over_partition *s, uint32_t x, uint32_t y, uint32_t first, uint32_t count)
{
    uint32_t a, b;
    const struct batch *left = kept_rows_at(&s->rows, x, &a), *right = kept_rows_at(&s->rows, y, &b);

    return order_columns_compare(s->by + first, count, left, a, right, b) == 0;
}

/* Whole partitions that went out make room when they are at least half of the rows. */
static enum status rows_drop(struct over_partition *s)
{
    struct kept_rows rest = s->spare;

    if (s->first == 0 || s->first < s->rows.count / 2) return S_OK;
    for (uint32_t i = s->first, n; i < s->rows.count; i += n) {
        uint32_t row;
        struct batch view = *kept_rows_at(&s->rows, i, &row);
        uint16_t rows[BATCH_ROWS];
        n = view.count - row;
        for (uint32_t k = 0; k < n; k++) rows[k] = (uint16_t)(row + k);
        view.sel = rows;
        view.sel_count = n;
        TRY(kept_rows_add(&rest, &view));
    }
    kept_rows_clear(&s->rows);
    s->spare = s->rows;
    s->rows = rest;
    s->scanned -= s->first;
    s->first = 0;
    return S_OK;
}

static enum status rows_fetch(struct over_partition *s)
{
    TRY(rows_drop(s));
    batch_clear(s->stage);
    enum status st = row_sort_next(&s->sort, s->stage, s->stage->capacity);
    if (st != S_OK && st != S_MORE) return st;
    s->is_over = st == S_OK;
    return kept_rows_add(&s->rows, s->stage);
}

/* Looks for the end of the partition that begins at s->first. */
static void end_find(struct over_partition *s)
{
    s->scanned = MAX(s->scanned, s->first + 1);
    while (s->scanned < s->rows.count && is_alike(s, s->scanned - 1, s->scanned, 0, s->key_count)) s->scanned++;
    s->end = MIN(s->scanned, s->rows.count);
    s->has_end = s->scanned < s->rows.count || s->is_over;
    if (!s->has_end) return;
    s->at = s->peers_first = s->peers_end = s->first;
    s->dense = 0;
    for (uint32_t i = 0; i < s->call_count; i++)
        if (s->calls[i].place == NULL) over_fold_begin(&s->calls[i], s->first);
}

/* --- chunks ------------------------------------------------------------------------------------------------------ */
/* Rows that the order does not tell apart, of each row of the chunk. S_MORE: time is up. */
static enum status peers_find(struct over_partition *s)
{
    for (; s->row < s->chunk; s->row++) {
        uint32_t position = s->at + s->row;
        if (position == s->peers_end) {
            s->peers_first = position;
            s->peers_end = position + 1;
            s->dense++;
        }
        /* the end is looked for at the first of them only, but it may take more than one call */
        while (position == s->peers_first && s->peers_end < s->end &&
               is_alike(s, s->peers_end - 1, s->peers_end, s->key_count, s->order_count)) {
            s->peers_end++;
            if (++s->worked > OVER_WORK_MAX) return S_MORE;
        }
        s->peer_first[s->row] = s->peers_first;
        s->peer_end[s->row] = s->peers_end;
        s->places[s->row] = s->dense;
    }
    return S_OK;
}

static void rows_copy(struct over_partition *s)
{
    for (uint32_t i = 0, n; i < s->chunk; i += n) {
        uint32_t row;
        const struct batch *b = kept_rows_at(&s->rows, s->at + i, &row);
        n = MIN(s->chunk - i, b->count - row);
        for (uint32_t k = 0; k < s->first_result; k++)
            if (s->out->cols[k].form != VEC_ABSENT)
                vector_copy_run(&s->out->cols[k], s->base + i, &b->cols[k], row, n, &s->out->heap, s->out->mem);
    }
}

static enum status chunk_run(struct op_cx *cx, struct over_partition *s)
{
    if (s->call == 0) {
        TRY(peers_find(s));
        s->call = 1;
        s->row = 0;
    }
    for (; s->call <= s->call_count; s->call++) {
        struct part_call *c = &s->calls[s->call - 1];
        uint32_t col = s->first_result + s->call - 1;
        if (s->out->cols[col].form == VEC_ABSENT) continue;
        if (c->place != NULL) c->place->run(s, c, &s->out->cols[col]);
        else TRY(over_fold_run(cx, s, c, col));
        s->row = 0;
    }
    return S_OK;
}

static void chunk_begin(struct over_partition *s)
{
    s->chunk = MIN(s->end - s->at, s->out->capacity - s->base);
    s->call = s->row = 0;
    rows_copy(s);
}

static void chunk_end(struct over_partition *s)
{
    s->base += s->chunk;
    s->at += s->chunk;
    s->chunk = 0;
    if (s->at < s->end) return;
    s->first = s->end;
    s->has_end = false;
}

static void out_send(struct op_cx *cx, struct over_partition *s)
{
    s->out->count = s->base;
    op_forward(cx, 0, s->out);
    s->is_sent = true;
}

/* The next partition. S_END: there is none; S_MORE: time is up. */
static enum status partition_find(struct over_partition *s)
{
    while (!s->has_end) {
        if (s->is_over && s->first == s->rows.count) return S_END;
        if (s->first < s->rows.count) end_find(s);
        if (s->has_end) return S_OK;
        if (s->worked > OVER_WORK_MAX) return S_MORE;
        TRY(rows_fetch(s));
        s->worked += s->stage->count;
    }
    return S_OK;
}

static enum status over_partition_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct over_partition *s = self;
    enum status st;

    ASSERT(input == 0);
    s->worked = 0;
    if (s->is_sent) {
        batch_clear(s->out);
        s->base = 0;
        s->is_sent = false;
    }
    while ((st = partition_find(s)) == S_OK) {
        if (s->chunk == 0) chunk_begin(s);
        TRY(chunk_run(cx, s));
        chunk_end(s);
        if (s->base == s->out->capacity || s->worked > OVER_WORK_MAX) break;
    }
    TRY(kept_rows_failed(&s->rows));
    TRY(kept_rows_failed(&s->spare));
    if (s->base == s->out->capacity || (st == S_END && s->base > 0)) out_send(cx, s);
    return st == S_END ? S_OK : st == S_OK ? S_MORE : st;
}

const struct op_type op_over_partition = {
    .name = "over_partition",
    .doc = "SQL in batch mode: every row with functions of the rows around it",
    .example = "SELECT *, SUM(price) OVER (PARTITION BY item ORDER BY price DESC ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM bids",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END,
    .input_count = 1,
    .config_size = sizeof(struct over_partition_config),
    .config_fields = over_partition_config_fields,
    .instance_size = sizeof(struct over_partition),
    .derive = over_partition_derive,
    .needs = over_partition_needs,
    .open = over_partition_open,
    .on_batch = over_partition_on_batch,
    .on_end = over_partition_on_end,
    .close = over_partition_close,
};
