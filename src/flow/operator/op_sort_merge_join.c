/* op_sort_merge_join.c - SQL's regular and interval joins in batch mode by sorting: the rows of each side are sorted by their keys as they come, beyond
 * memory by files (row_sort.h), and when both sides have ended they are read side by side: equal keys stand beside each other.
 *
 * Memory does not depend on how many rows a side or a key has. The operator `join` does the same with hash tables, and is faster where
 * one side is small. With times it is an interval join: sorted by the hash of the keys and by time, see sort_merge_times.c.
 *
 * Invariants: NULL in a key matches nothing (unless the key is null-safe); a row with one that would not come alone is not kept. Not
 * here: rows that change, keys without an order (arrays, maps, rows), joins with neither keys nor times; merging (sort_merge.c). */
#include "flow/operator/sort_merge_join.h"

#include "flow/operator/computed.h"
#include "ground/base/str.h"

#include <string.h>

static const struct config_field sort_merge_join_config_fields[] = {
    CONFIG_FIELD(sort_merge_join_config, kind, CONF_TEXT, "inner, left, right, full, semi, anti"),
    CONFIG_FIELD(sort_merge_join_config, names, CONF_TEXTS, "names of the columns of both sides"),
    CONFIG_FIELD(sort_merge_join_config, condition, CONF_BYTES,
                 "an encoded BOOLEAN expression over both sides; empty: none"),
    CONFIG_FIELD(sort_merge_join_config, zone, CONF_TEXT, "the session's time zone"),
    CONFIG_FIELD(sort_merge_join_config, null_safe, CONF_TEXTS, "per key: true when NULL equals NULL; empty: never"),
    CONFIG_FIELD(sort_merge_join_config, left_time, CONF_TEXT, "interval joins: column with the left rows' time; else empty"),
    CONFIG_FIELD(sort_merge_join_config, right_time, CONF_TEXT, "interval joins: column with the right rows' time; else empty"),
    CONFIG_FIELD(sort_merge_join_config, lower_ms, CONF_INT, "interval joins: least difference of the left and the right time, ms"),
    CONFIG_FIELD(sort_merge_join_config, upper_ms, CONF_INT, "interval joins: greatest difference of the left and the right time, ms"),
    SPILL_FIELDS(offsetof(struct sort_merge_join_config, spill)),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static struct join_spec spec_of(const struct sort_merge_join_config *c)
{
    bool is_timed = c->left_time != NULL && c->left_time[0] != '\0';

    return (struct join_spec){
        .kind = c->kind, .names = c->names, .condition = c->condition, .zone = c->zone, .keeps_times = is_timed};
}

static enum status sort_merge_join_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct join_spec spec = spec_of(config);
    struct join_plan plan;
    int times[2];

    TRY(merge_times_read(p, config, times, e));
    TRY(join_plan_derive(p, &spec, &plan, e));
    if (times[0] >= 0) return plan.kind->pairs ? S_OK : err_set(e, E_CONFIG, "an interval join is inner, left, right or full");
    if (p->key_count[0] == 0) return err_set(e, E_GRAPH, "a join by sorting needs keys");
    for (uint32_t i = 0; i < p->key_count[0]; i++) {
        const struct type *t = p->inputs[0]->children[p->keys[0][i]];
        if (t->phys == P_LIST || t->phys == P_ROW)
            return err_set(e, E_GRAPH, "cannot sort by key %u of a join: arrays, maps and rows have no order", i + 1);
    }
    return S_OK;
}

static void sort_merge_join_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs,
                                  uint64_t *const *inputs)
{
    struct join_spec spec = spec_of(config);
    struct join_plan plan;
    int times[2];

    if (join_plan_read(p, &spec, &plan, NULL) != S_OK || merge_times_read(p, config, times, NULL) != S_OK) return;
    for (uint32_t side = 0; side < 2; side++) {
        join_columns_read(&plan, side, p->inputs[side]->child_count, outputs[0], inputs[side]);
        for (uint32_t i = 0; i < p->key_count[side]; i++) bit_set(inputs[side], p->keys[side][i]);
        if (times[side] >= 0) bit_set(inputs[side], (uint32_t)times[side]);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
/* By the hash of its keys, and the time. */
static void side_open_timed(struct op_cx *cx, struct merge_side *m, uint32_t side)
{
    const struct sort_merge_join_config *c = cx->config;

    hashed_rows_init(&m->hashed, cx, &c->spill, c->spill.memory > 0 ? c->spill.memory : INT64_MAX, side, false);
    hashed_rows_order(&m->hashed, (uint32_t)m->time_col);
    m->by[0] = m->hashed.by[0];
    m->sort = &m->hashed.sort;
    m->row = m->hashed.schema;
    m->needed = m->hashed.needed;
}

static void side_open_plain(struct op_cx *cx, const struct sort_merge_join *s, struct merge_side *m, uint32_t side)
{
    const struct sort_merge_join_config *c = cx->config;
    const struct op_plan *p = cx->plan;

    for (uint32_t i = 0; i < s->key_count; i++) m->by[i].col = p->keys[side][i];
    m->sort = &m->rows;
    m->row = p->inputs[side];
    m->needed = cx->needed_in != NULL ? cx->needed_in[side] : NULL;
    row_sort_init(&m->rows, cx, &c->spill, m->row, m->needed, m->by, s->key_count);
}

static void side_open(struct op_cx *cx, struct sort_merge_join *s, uint32_t side)
{
    struct merge_side *m = &s->sides[side];
    uint32_t rows = MIN(MAX(cx->batch_rows, 2u), (uint32_t)BATCH_ROWS);

    if (s->is_timed) side_open_timed(cx, m, side);
    else side_open_plain(cx, s, m, side);
    m->stage = batch_create_needed(m->row, m->needed, rows, cx->mem);
    m->spare = batch_create_needed(m->row, m->needed, rows, cx->mem);
}

static void group_open(struct op_cx *cx, struct sort_merge_join *s)
{
    const struct sort_merge_join_config *c = cx->config;
    const struct merge_side *right = &s->sides[1];
    struct merge_group *g = &s->group;

    kept_rows_init(&g->rows, right->row, right->needed, cx->mem);
    kept_rows_page(&g->rows, cx, &c->spill);
    g->key = batch_create_needed(right->row, right->needed, 1, cx->mem);
}

/* By which columns the sides are compared. */
static enum status order_open(struct op_cx *cx, struct sort_merge_join *s)
{
    const struct sort_merge_join_config *c = cx->config;
    int times[2];

    TRY(merge_times_read(cx->plan, c, times, cx->err));
    for (uint32_t side = 0; side < 2; side++) s->sides[side].time_col = times[side];
    s->is_timed = times[0] >= 0;
    s->lower_ms = c->lower_ms;
    s->upper_ms = c->upper_ms;
    s->key_count = s->is_timed ? 1 : cx->plan->key_count[0];
    for (uint32_t i = 0; i < s->key_count; i++)
        s->null_safe[i] = s->is_timed || (i < c->null_safe.count && strcmp(c->null_safe.items[i], "true") == 0);
    return S_OK;
}

static enum status sort_merge_join_open(struct op_cx *cx, void *self)
{
    const struct op_plan *p = cx->plan;
    struct join_spec spec = spec_of(cx->config);
    struct sort_merge_join *s = self;

    TRY(join_plan_read(p, &spec, &s->plan, cx->err));
    s->wants = -1;
    TRY(order_open(cx, s));
    for (uint32_t side = 0; side < 2; side++) side_open(cx, s, side);
    group_open(cx, s);
    s->out = batch_create_needed(p->outputs[0], cx->needed_out != NULL ? cx->needed_out[0] : NULL,
                                 s->sides[0].stage->capacity, cx->mem);
    if (s->plan.condition == NULL) return S_OK;
    uint32_t words = s->plan.both->child_count / 64 + 1;
    uint64_t *read = ARENA_ARRAY(p->arena, uint64_t, words);
    memset(read, 0, sizeof *read * words);
    expr_columns(s->plan.condition, read);
    s->condition = computed_evaluator(cx, &s->plan.session, s->plan.condition);
    s->tested = batch_create_needed(s->plan.both, read, BATCH_ROWS, cx->mem);
    return S_OK;
}

static void sort_merge_join_close(struct op_cx *cx, void *self, bool failed)
{
    struct sort_merge_join *s = self;

    (void)failed;
    for (uint32_t side = 0; side < 2; side++) {
        row_sort_release(&s->sides[side].rows);
        hashed_rows_release(&s->sides[side].hashed);
        batch_free(s->sides[side].stage);
        batch_free(s->sides[side].spare);
    }
    kept_rows_release(&s->group.rows);
    batch_free(s->group.key);
    mem_free(cx->mem, s->group.met);
    expr_run_free(s->condition);
    batch_free(s->tested);
    batch_free(s->out);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */
/* Rows of the batch that can meet another, or come alone. */
static struct batch rows_of_use(struct op_cx *cx, const struct sort_merge_join *s, uint32_t input,
                                const struct batch *in, uint16_t *rows)
{
    const struct sort_merge_join_config *c = cx->config;
    uint64_t no_key[BATCH_ROWS / 64];
    struct batch view = *in;

    if (s->plan.kind->alone[input] && !s->plan.kind->matched) return view;
    join_no_keys(cx->plan, &c->null_safe, input, in, no_key);
    view.sel = rows;
    view.sel_count = 0;
    BATCH_EACH(in, i, row) if (!bit_get(no_key, i)) rows[view.sel_count++] = (uint16_t)row;
    return view;
}

static enum status sort_merge_join_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct sort_merge_join *s = self;
    uint16_t rows[BATCH_ROWS];

    ASSERT(input < 2);
    if (s->is_timed) TRY(merge_times_check(cx, &s->sides[input], in));
    struct batch view = rows_of_use(cx, s, input, in, rows);
    return s->is_timed ? merge_times_add(cx, s, input, &view) : row_sort_add(&s->sides[input].rows, &view);
}

static enum status sort_merge_join_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct sort_merge_join *s = self;

    s->has_ended[input] = true;
    return s->has_ended[1 - input] ? sort_merge_run(cx, s) : S_OK;
}

const struct op_type op_sort_merge_join = {
    .name = "sort_merge_join",
    .doc = "SQL in batch mode: a regular join of two inputs, both of which are sorted by its keys, or an interval join, also by time",
    .example = "SELECT /*+ SHUFFLE_MERGE(payments) */ * FROM orders JOIN payments ON orders.id = payments.order_id",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END,
    .input_count = 2,
    .config_size = sizeof(struct sort_merge_join_config),
    .config_fields = sort_merge_join_config_fields,
    .instance_size = sizeof(struct sort_merge_join),
    .derive = sort_merge_join_derive,
    .needs = sort_merge_join_needs,
    .open = sort_merge_join_open,
    .on_batch = sort_merge_join_on_batch,
    .on_end = sort_merge_join_on_end,
    .close = sort_merge_join_close,
};
