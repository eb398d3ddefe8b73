/* op_drop_update_before.c - leaves out rows -U, where updates are to come as their new row alone. Rows are handed on as they lie. */
#include "flow/operator/op.h"

struct drop_before {
    uint16_t rows[BATCH_ROWS];
    struct batch view;
};

static enum status drop_derive(struct op_plan *p, const void *config, struct err *e)
{
    (void)config;
    (void)e;
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void drop_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    (void)config;
    for (uint32_t w = 0; w < (p->inputs[0]->child_count + 63) / 64; w++) inputs[0][w] = outputs[0][w];
}

static enum status drop_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct drop_before *s = self;
    uint32_t kept = 0;

    ASSERT(input == 0);
    s->view = *in;
    if (in->kinds != NULL) {
        BATCH_EACH(in, i, row)
        if (batch_kind(in, row) != ROW_UPDATE_BEFORE) s->rows[kept++] = (uint16_t)row;
        s->view.sel = s->rows;
        s->view.sel_count = kept;
    }
    if (batch_rows(&s->view) > 0) op_forward(cx, 0, &s->view);
    return S_OK;
}

const struct op_type op_drop_update_before = {
    .name = "drop_update_before",
    .doc = "SQL: rows without -U, for those who need updates as their new row alone",
    .example = "INSERT INTO upserts SELECT * FROM changes",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .instance_size = sizeof(struct drop_before),
    .derive = drop_derive,
    .needs = drop_needs,
    .on_batch = drop_on_batch,
};
