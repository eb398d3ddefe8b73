/* op_sink_stamp.c - rows get the watermark as their event time, under which op_sink_compact.c has them wait: rows of one watermark,
 * whichever tasks they come from, are judged together. The rows are handed on as they lie. */
#include "flow/operator/op.h"

struct stamp {
    int64_t times[BATCH_ROWS];
    struct batch view;
};

static enum status stamp_derive(struct op_plan *p, const void *config, struct err *e)
{
    (void)config;
    (void)e;
    p->outputs[0] = p->inputs[0];
    p->output_count = 1;
    return S_OK;
}

static void stamp_needs(const struct op_plan *p, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    (void)config;
    for (uint32_t i = 0; i < (p->inputs[0]->child_count + 63) / 64; i++) inputs[0][i] = outputs[0][i];
}

static enum status stamp_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    struct stamp *s = self;

    ASSERT(input == 0 && in->count <= BATCH_ROWS);
    for (uint32_t i = 0; i < in->count; i++) s->times[i] = cx->watermark;
    s->view = *in;
    s->view.times = s->times;
    op_forward(cx, 0, &s->view);
    return S_OK;
}

const struct op_type op_sink_stamp = {
    .name = "sink_stamp",
    .doc = "SQL: the watermark as the event time of rows, before sink_compact",
    .example = "INSERT INTO users SELECT name, city FROM logins GROUP BY name, city ON CONFLICT DO NOTHING",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .instance_size = sizeof(struct stamp),
    .derive = stamp_derive,
    .needs = stamp_needs,
    .on_batch = stamp_on_batch,
};
