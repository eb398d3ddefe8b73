/* op_harness_output.c - writes what reaches the end of a stream under test as lines of text: "+I[a, 1]@1000" per row, in
 * front the name of the side output and ": ", without "@..." when a row has no event time; "W@999" per watermark of the
 * main output. */
#include "flow/operator/harness_port.h"
#include "flow/operator/op_configs.h"
#include "flow/task/job_shared.h"

struct harness_sink {
    struct harness_output *out;
};

static enum status harness_output_open(struct op_cx *op, void *self)
{
    bool made;

    job_lock(op->job);
    ((struct harness_sink *)self)->out = job_object(op->job, HARNESS_OUTPUT, sizeof(struct harness_output), NULL,
                                                    &made);
    job_unlock(op->job);
    return S_OK;
}

static enum status harness_output_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct harness_output *out = ((struct harness_sink *)self)->out;
    const struct harness_config *c = op->config;

    (void)input;
    BATCH_EACH(in, i, row)
    {
        size_t start = out->rows.size;
        int64_t time = batch_time(in, row);
        if (c->name != NULL) buf_printf(&out->rows, "%s: ", c->name);
        batch_print_row(in, row, &out->rows);
        if (time != TIME_MIN) buf_printf(&out->rows, "@%lld", (long long)time);
        buf_append_byte(&out->rows, '\n');
        buf_append(&out->all, out->rows.data + start, out->rows.size - start);
    }
    return S_OK;
}

static enum status harness_output_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    const struct harness_config *c = op->config;

    if (c->is_main) buf_printf(&((struct harness_sink *)self)->out->all, "W@%lld\n", (long long)watermark);
    return S_OK;
}

const struct op_type op_harness_output = {
    .name = "harness_output",
    .doc = "rows for a test, as text",
    .example = "tw_output(harness, false)",
    .flags = OP_SINGLE,
    .input_count = 1,
    .config_size = sizeof(struct harness_config),
    .config_fields = harness_config_fields,
    .instance_size = sizeof(struct harness_sink),
    .open = harness_output_open,
    .on_batch = harness_output_batch,
    .on_watermark = harness_output_watermark,
};
