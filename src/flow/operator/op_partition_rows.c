/* op_partition_rows.c - a function over all rows of a partition, when the input has ended:
 * fullWindowPartition().mapPartition. A partition is the rows of a subtask, or on a keyed stream the rows of a key, keys in
 * the order in which they first came. What it emits has no event time. */
#include "flow/operator/kept_rows.h"
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"
#include "flow/operator/user_elements.h"

struct partition_rows {
    struct tw_context cx;
    struct tw_elements elements;
    struct kept_rows kept;
    struct kept_order order;
    uint32_t group;            /* next to be handed over */
    uint32_t at, end;          /* of the group being walked: indexes into order.numbers */
    struct batch view;
    uint16_t rows[BATCH_ROWS];
    struct batch *keys;        /* one row: the key columns of the group */
    uint32_t cols[OP_KEYS_MAX];
    bool is_ordered;
};

static enum status partition_rows_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->partition_rows, "partition_rows", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static enum status partition_rows_open(struct op_cx *op, void *self)
{
    struct partition_rows *p = self;

    kept_rows_init(&p->kept, op->plan->inputs[0], op->needed_in ? op->needed_in[0] : NULL, op->mem);
    TRY(user_op_open(op, self));
    user_elements_init(&p->elements, &p->cx, &p->cx.in[0].row);
    if (p->cx.key_type) p->keys = batch_create(p->cx.key_type, 1, op->mem);
    for (uint32_t i = 0; i < OP_KEYS_MAX; i++) p->cols[i] = i;
    return S_OK;
}

static enum status partition_rows_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct partition_rows *p = self;

    ASSERT(input == 0 && !p->is_ordered);
    if (kept_rows_add(&p->kept, in) == S_OK) return S_OK;
    return err_set(op->err, E_BUDGET, "more than %u rows in one partition", KEPT_ROWS_MAX);
}

/* The next rows of the group that lie in one batch. */
static enum status next_rows(void *arg, const struct batch **out)
{
    struct partition_rows *p = arg;
    const struct batch *from;

    *out = NULL;
    if (p->at == p->end) return S_OK;
    uint32_t n = kept_rows_run(&p->kept, p->order.numbers + p->at, p->end - p->at, &from, p->rows);
    p->view = *from;
    p->view.sel = p->rows;
    p->view.sel_count = n;
    p->at += n;
    *out = &p->view;
    return S_OK;
}

/* The key of the group as a batch of one row, for tw_key and state. */
static enum status key_set(struct partition_rows *p, uint32_t number)
{
    struct tw_context *cx = &p->cx;
    const struct op_plan *plan = cx->op->plan;
    const struct batch *from;
    uint16_t at;
    uint32_t row;

    if (p->keys == NULL) return S_OK;
    from = kept_rows_at(&p->kept, number, &row);
    at = (uint16_t)row;
    batch_clear(p->keys);
    for (uint32_t k = 0; k < plan->key_count[0]; k++)
        vector_copy(&p->keys->cols[k], 0, &from->cols[plan->keys[0][k]], &at, 1, &p->keys->heap, p->keys->mem);
    p->keys->count = 1;
    TRY(user_keys(cx, p->keys, p->cols, plan->key_count[0]));
    cx->keys = p->keys;
    cx->keys_at = 0;
    return S_OK;
}

/* One group per call: its state may be pending only while nothing was emitted. */
static enum status partition_rows_on_end(struct op_cx *op, void *self, uint32_t input)
{
    struct partition_rows *p = self;
    struct tw_context *cx = &p->cx;

    ASSERT(input == 0);
    if (!p->is_ordered) kept_rows_order(&p->kept, op->plan->keys[0], op->plan->key_count[0], NULL, 0, &p->order);
    p->is_ordered = true;
    TRY(user_begin(cx, 0, NULL));
    if (p->group == p->order.group_count) return user_end(cx, true);
    p->at = p->group > 0 ? p->order.group_ends[p->group - 1] : 0;
    p->end = p->order.group_ends[p->group];
    TRY(key_set(p, p->order.numbers[p->at]));
    user_elements_rows(&p->elements, p->end - p->at, next_rows, p);
    TRY(user_check(cx, cx->fn->partition_rows(cx, &p->elements)));
    user_elements_end(&p->elements);
    user_keys_done(cx);
    cx->keys = NULL;
    p->group++;
    return user_end(cx, false);
}

static void partition_rows_close(struct op_cx *op, void *self, bool failed)
{
    struct partition_rows *p = self;

    (void)failed;
    kept_order_release(&p->order, op->mem);
    kept_rows_release(&p->kept);
    batch_free(p->keys);
    user_elements_release(&p->elements);
    user_close(&p->cx);
}

static const char *partition_rows_takes_no_checkpoints(const void *config)
{
    (void)config;
    return "it keeps the rows of a partition in memory until the input ends";
}

const struct op_type op_partition_rows = {
    .name = "partition_rows",
    .doc = "all rows of a partition at once, when the input has ended, by the function's .partition_rows",
    .example = "tw_partition_rows(tw_key_by(readings, \"sensor\"), &median)",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct partition_rows),
    .takes_no_checkpoints = partition_rows_takes_no_checkpoints,
    .derive = partition_rows_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = partition_rows_open,
    .on_batch = partition_rows_on_batch,
    .on_end = partition_rows_on_end,
    .close = partition_rows_close,
};
