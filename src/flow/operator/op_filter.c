/* op_filter.c - keeps the rows for which the user's function says so.
 *
 * Nothing is copied: what goes on is a view of the input batch with a list of the rows kept. When the time of a call is
 * up, the rows kept so far go on and the next call begins a new list; the input stays unchanged all the while. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

struct filter {
    struct tw_context cx;
    struct batch view;         /* the input with another selection */
    uint16_t rows[BATCH_ROWS];
};

static enum status filter_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->filter, "filter", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    plan->outputs[0] = plan->inputs[0];
    plan->output_count = 1;
    TRY(user_derive_sides(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static void filter_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    user_op_needs(plan, config, outputs, inputs);
    user_pass_needs(plan, 0, outputs[0], inputs[0]);
}

static enum status filter_open(struct op_cx *op, void *self)
{
    struct filter *f = self;
    const struct function_config *c = op->config;

    return user_start(&f->cx, op, &c->function, false);
}

/* Rows of one block; kept ones go behind the `count` that are listed. */
static enum status filter_block(struct filter *f, const struct batch *in, uint32_t n, uint32_t *count)
{
    struct tw_context *cx = &f->cx;
    const char *row = cx->in[0].structs;
    size_t size = cx->in[0].row.conv.size;
    uint32_t kept = *count;

    for (uint32_t i = 0; i < n; i++, row += size) {
        bool keep = false;
        user_at(cx, cx->done + i, row);
        TRY(user_check(cx, cx->fn->filter(cx, row, &keep)));
        f->rows[kept] = (uint16_t)batch_row(in, cx->done + i);
        kept += keep;
    }
    *count = kept;
    return S_OK;
}

static void filter_forward(struct filter *f, const struct batch *in, uint32_t count)
{
    if (count == 0) return;
    f->view = *in;
    f->view.sel = f->rows;
    f->view.sel_count = count;
    op_forward(f->cx.op, 0, &f->view);
}

static enum status filter_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct filter *f = self;
    struct tw_context *cx = &f->cx;
    uint32_t rows = batch_rows(in), count = 0;

    (void)op;
    ASSERT(input == 0 && cx->done <= rows);
    TRY(user_begin(cx, 0, in));
    TRY(user_input_keys(cx, 0, in));
    while (cx->done < rows) {
        uint32_t n = MIN(rows - cx->done, ROWCONV_ROWS);
        TRY(user_read(cx, 0, in, cx->done, n));
        TRY(filter_block(f, in, n, &count));
        cx->done += n;
        if (cx->full || (cx->done < rows && user_slice_over(cx))) break;
    }
    filter_forward(f, in, count);
    return user_end(cx, cx->done == rows);
}

const struct op_type op_filter = {
    .name = "filter",
    .doc = "keeps the rows for which the function's .filter says so",
    .example = "tw_filter(bids, &expensive)",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct filter),
    .derive = filter_derive,
    .needs = filter_needs,
    .blocks = user_op_blocks,
    .open = filter_open,
    .on_batch = filter_on_batch,
    .close = user_op_close,
};
