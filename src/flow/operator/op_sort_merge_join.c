/* op_sort_merge_join.c - SQL's regular join in batch mode by sorting: the rows of each side are sorted by their keys as they come, beyond
 * memory by files (row_sort.h), and when both sides have ended they are read side by side: equal keys stand beside each other.
 *
 * Memory does not depend on how many rows a side or a key has. The operator `join` does the same with hash tables, and is faster where
 * one side is small.
 *
 * Invariants: NULL in a key matches nothing (unless the key is null-safe); a row with one that would not come alone is not kept. Not
 * here: rows that change, keys without an order (arrays, maps, rows), joins without keys; merging (sort_merge.c). */
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
    SPILL_FIELDS(offsetof(struct sort_merge_join_config, spill)),
    CONFIG_LAST,
};

/* --- at graph time ----------------------------------------------------------------------------------------------- */
static struct join_spec spec_of(const struct sort_merge_join_config *c)
{
    return (struct join_spec){.kind = c->kind, .names = c->names, .condition = c->condition, .zone = c->zone};
}

static enum status sort_merge_join_derive(struct op_plan *p, const void *config, struct err *e)
{
    struct join_spec spec = spec_of(config);
    struct join_plan plan;

    if (p->key_count[0] == 0) return err_set(e, E_GRAPH, "a join by sorting needs keys");
    TRY(join_plan_derive(p, &spec, &plan, e));
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

    if (join_plan_read(p, &spec, &plan, NULL) != S_OK) return;
    for (uint32_t side = 0; side < 2; side++) {
        join_columns_read(&plan, side, p->inputs[side]->child_count, outputs[0], inputs[side]);
        for (uint32_t i = 0; i < p->key_count[side]; i++) bit_set(inputs[side], p->keys[side][i]);
    }
}

/* --- opening ----------------------------------------------------------------------------------------------------- */
static void side_open(struct op_cx *cx, struct sort_merge_join *s, uint32_t side)
{
    const struct sort_merge_join_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[side] : NULL;
    struct merge_side *m = &s->sides[side];
    uint32_t rows = MIN(MAX(cx->batch_rows, 2u), (uint32_t)BATCH_ROWS);

    for (uint32_t i = 0; i < s->key_count; i++) m->by[i].col = p->keys[side][i];
    row_sort_init(&m->sort, cx, &c->spill, p->inputs[side], needed, m->by, s->key_count);
    m->stage = batch_create_needed(p->inputs[side], needed, rows, cx->mem);
    m->spare = batch_create_needed(p->inputs[side], needed, rows, cx->mem);
}

static void group_open(struct op_cx *cx, struct merge_group *g)
{
    const struct sort_merge_join_config *c = cx->config;
    const struct type *row = cx->plan->inputs[1];
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[1] : NULL;

    kept_rows_init(&g->rows, row, needed, cx->mem);
    kept_rows_page(&g->rows, cx, &c->spill);
    g->key = batch_create_needed(row, needed, 1, cx->mem);
}

static enum status sort_merge_join_open(struct op_cx *cx, void *self)
{
    const struct sort_merge_join_config *c = cx->config;
    const struct op_plan *p = cx->plan;
    struct join_spec spec = spec_of(c);
    struct sort_merge_join *s = self;

    TRY(join_plan_read(p, &spec, &s->plan, cx->err));
    s->wants = -1;
    s->key_count = p->key_count[0];
    for (uint32_t i = 0; i < MIN(s->key_count, c->null_safe.count); i++)
        s->null_safe[i] = strcmp(c->null_safe.items[i], "true") == 0;
    for (uint32_t side = 0; side < 2; side++) side_open(cx, s, side);
    group_open(cx, &s->group);
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
        row_sort_release(&s->sides[side].sort);
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
    struct batch view = rows_of_use(cx, s, input, in, rows);
    return row_sort_add(&s->sides[input].sort, &view);
}

static enum status sort_merge_join_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct sort_merge_join *s = self;

    s->has_ended[input] = true;
    return s->has_ended[1 - input] ? sort_merge_run(cx, s) : S_OK;
}

const struct op_type op_sort_merge_join = {
    .name = "sort_merge_join",
    .doc = "SQL in batch mode: a regular join of two inputs, both of which are sorted by its keys",
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
