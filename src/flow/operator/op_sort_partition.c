/* op_sort_partition.c - sorts each partition when the input has ended: fullWindowPartition().sortPartition. A partition is the rows of a
 * subtask, or on a keyed stream the rows of a key, keys in the order in which they first came. Stable; NULLs come first when ascending,
 * last when descending. Rows keep their event times and kinds. SQL's ORDER BY in batch mode: op_sort_rows.c. */
#include "flow/operator/kept_rows.h"
#include "flow/operator/op_configs.h"
#include "ground/base/str.h"

struct sort_partition {
    struct kept_rows kept;
    struct kept_order order;
    struct order_column *by;
    uint32_t at;
    bool is_sorted;
};

static enum status order_read(const struct op_plan *plan, const struct sort_config *c, struct order_column **out, struct err *e)
{
    return order_columns_read(plan, &c->order, &c->directions, &c->nulls, out, e);
}

static enum status sort_partition_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct sort_config *c = config;
    struct order_column *order;

    TRY(order_read(plan, c, &order, e));
    for (uint32_t i = 0; i < c->order.count; i++) {
        const struct type *t = plan->inputs[0]->children[order[i].col];
        if (t->phys == P_LIST || t->phys == P_ROW)
            return err_set(e, E_GRAPH, "cannot sort by column '%s': arrays, maps and rows have no order", c->order.items[i]);
    }
    plan->outputs[0] = plan->inputs[0];
    plan->output_count = 1;
    return S_OK;
}

static void sort_partition_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct sort_config *c = config;
    struct order_column *order;

    for (uint32_t i = 0; i < plan->inputs[0]->child_count; i++)
        if (outputs[0] == NULL || bit_get(outputs[0], i)) bit_set(inputs[0], i);
    for (uint32_t k = 0; k < plan->key_count[0]; k++) bit_set(inputs[0], plan->keys[0][k]);
    if (order_read(plan, c, &order, NULL) != S_OK) return;
    for (uint32_t i = 0; i < c->order.count; i++) bit_set(inputs[0], order[i].col);
}

static enum status sort_partition_open(struct op_cx *cx, void *self)
{
    struct sort_partition *s = self;

    kept_rows_init(&s->kept, cx->plan->inputs[0], cx->needed_in ? cx->needed_in[0] : NULL, cx->mem);
    return order_read(cx->plan, cx->config, &s->by, cx->err);
}

static enum status sort_partition_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct sort_partition *s = self;

    ASSERT(input == 0 && !s->is_sorted);
    if (kept_rows_add(&s->kept, in) == S_OK) return S_OK;
    return err_set(cx->err, E_BUDGET, "more than %u rows in one partition", KEPT_ROWS_MAX);
}

static enum status sort_partition_on_end(struct op_cx *cx, void *self, uint32_t input)
{
    const struct sort_config *c = cx->config;
    struct sort_partition *s = self;
    struct batch *out = op_out(cx, 0);
    const struct batch *from;
    uint16_t rows[BATCH_ROWS];

    ASSERT(input == 0);
    if (!s->is_sorted) kept_rows_order(&s->kept, cx->plan->keys[0], cx->plan->key_count[0], s->by, c->order.count, &s->order);
    s->is_sorted = true;
    while (s->at < s->kept.count) {
        uint32_t room = op_room(cx, 0);
        if (room == 0) return S_MORE;
        uint32_t n = kept_rows_run(&s->kept, s->order.numbers + s->at, MIN(room, s->kept.count - s->at), &from, rows);
        batch_append(out, from, rows, n);
        s->at += n;
    }
    return S_OK;
}

static void sort_partition_close(struct op_cx *cx, void *self, bool failed)
{
    struct sort_partition *s = self;

    (void)failed;
    kept_order_release(&s->order, cx->mem);
    kept_rows_release(&s->kept);
}

static const char *sort_partition_takes_no_checkpoints(const void *config)
{
    (void)config;
    return "it keeps the rows of a partition in memory until the input ends";
}

const struct op_type op_sort_partition = {
    .name = "sort_partition",
    .doc = "sorts the rows of each partition, when the input has ended",
    .example = "tw_sort_partition(sales, \"amount\", false)",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct sort_config),
    .config_fields = sort_config_fields,
    .instance_size = sizeof(struct sort_partition),
    .takes_no_checkpoints = sort_partition_takes_no_checkpoints,
    .derive = sort_partition_derive,
    .needs = sort_partition_needs,
    .open = sort_partition_open,
    .on_batch = sort_partition_on_batch,
    .on_end = sort_partition_on_end,
    .close = sort_partition_close,
};
