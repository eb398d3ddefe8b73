/* op_sort_rows.c - SQL's ORDER BY in batch mode: all rows in an order when the input has ended, beyond memory by files (row_sort.h).
 * Stable. Rows keep their event times and kinds. With OFFSET and LIMIT the rows of some places of the order: those before are sorted
 * with the others, then dropped. */
#include "flow/operator/sort_rows.h"

#include "flow/operator/row_sort.h"

struct sort_rows {
    struct row_sort sort;
    struct batch *skipped; /* where rows before the offset go */
    int64_t to_skip, left; /* rows yet */
};

static const struct config_field sort_rows_config_fields[] = {
    CONFIG_FIELD(sort_rows_config, order, CONF_TEXTS, "columns by which rows are ordered"),
    CONFIG_FIELD(sort_rows_config, directions, CONF_TEXTS, "of each: asc or desc"),
    CONFIG_FIELD(sort_rows_config, nulls, CONF_TEXTS, "of each: first or last"),
    CONFIG_FIELD(sort_rows_config, offset, CONF_INT, "rows that are skipped"),
    CONFIG_FIELD(sort_rows_config, fetch, CONF_INT, "rows behind them that are given; 0: all"),
    SPILL_FIELDS(offsetof(struct sort_rows_config, spill)),
    CONFIG_LAST,
};

static enum status order_read(const struct op_plan *p, const struct sort_rows_config *c, struct order_column **out, struct err *e)
{
    return order_columns_read(p, &c->order, &c->directions, &c->nulls, out, e);
}

static enum status sort_rows_derive(struct op_plan *p, const void *config, struct err *e)
{
    const struct sort_rows_config *c = config;
    struct order_column *order;

    if (c->offset < 0 || c->fetch < 0)
        return err_set(e, E_CONFIG, "a sort cannot skip %lld rows and give %lld", (long long)c->offset, (long long)c->fetch);
    TRY(order_read(p, c, &order, e));
    for (uint32_t i = 0; i < c->order.count; i++) {
        const struct type *t = p->inputs[0]->children[order[i].col];
        if (t->phys == P_LIST || t->phys == P_ROW)
            return err_set(e, E_GRAPH, "cannot sort by column '%s': arrays, maps and rows have no order", c->order.items[i]);
    }
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void sort_rows_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct sort_rows_config *c = config;
    struct order_column *order;

    for (uint32_t i = 0; i < p->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    if (order_read(p, c, &order, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->order.count; i++) bit_set(inputs[0], order[i].col);
}

static enum status sort_rows_open(struct op_cx *cx, void *self)
{
    const struct sort_rows_config *c = cx->config;
    struct sort_rows *s = self;
    struct order_column *order;

    TRY(order_read(cx->plan, c, &order, cx->err));
    const uint64_t *needed = cx->needed_in != NULL ? cx->needed_in[0] : NULL;
    row_sort_init(&s->sort, cx, &c->spill, cx->plan->inputs[0], needed, order, c->order.count);
    s->to_skip = c->offset;
    s->left = c->fetch > 0 ? c->fetch : INT64_MAX;
    if (c->offset > 0) s->skipped = batch_create_needed(cx->plan->inputs[0], needed, BATCH_ROWS, cx->mem);
    return S_OK;
}

static void sort_rows_close(struct op_cx *cx, void *self, bool failed)
{
    struct sort_rows *s = self;

    (void)cx;
    (void)failed;
    row_sort_release(&s->sort);
    batch_free(s->skipped);
}

static enum status sort_rows_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct sort_rows *s = self;

    (void)cx;
    ASSERT(input == 0);
    return row_sort_add(&s->sort, in);
}

/* Some of the rows before the offset. S_MORE: there may be more rows, of these or behind them. */
static enum status rows_skip(struct sort_rows *s)
{
    batch_clear(s->skipped);
    enum status st = row_sort_next(&s->sort, s->skipped, (uint32_t)MIN(s->to_skip, (int64_t)BATCH_ROWS));
    s->to_skip -= s->skipped->count;
    return st;
}

static enum status sort_rows_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    struct sort_rows *s = self;

    ASSERT(input == 0);
    if (s->to_skip > 0) return rows_skip(s);
    struct batch *out = op_out(cx, 0);
    enum status st = row_sort_next(&s->sort, out, (uint32_t)MIN(s->left, (int64_t)op_room(cx, 0)));
    s->left -= out->count;
    return st == S_MORE && s->left == 0 ? S_OK : st;
}

const struct op_type op_sort_rows = {
    .name = "sort_rows",
    .doc = "SQL in batch mode: all rows in an order, when the input has ended",
    .example = "SELECT * FROM bids ORDER BY price DESC",
    .flags = OP_SELECTION | OP_FORMS | OP_AT_END,
    .input_count = 1,
    .config_size = sizeof(struct sort_rows_config),
    .config_fields = sort_rows_config_fields,
    .instance_size = sizeof(struct sort_rows),
    .derive = sort_rows_derive,
    .needs = sort_rows_needs,
    .open = sort_rows_open,
    .on_batch = sort_rows_on_batch,
    .on_end = sort_rows_on_end,
    .close = sort_rows_close,
};
