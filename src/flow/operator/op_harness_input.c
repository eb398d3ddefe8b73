/* op_harness_input.c - a source whose rows, watermarks and end are pushed by a test (tw_push). It hands on what lies in its
 * input object and is idle otherwise; it makes no watermarks of its own. */
#include "flow/operator/harness_port.h"
#include "flow/operator/op_configs.h"
#include "flow/task/job_shared.h"

struct harness_source {
    struct harness_input *in;
};

static enum status harness_input_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct harness_config *c = config;

    if (c->schema == NULL || c->name == NULL) return err_set(e, E_GRAPH, "a harness input needs a name and a row type");
    plan->outputs[0] = c->schema;
    plan->output_count = 1;
    return S_OK;
}

static enum status harness_input_open(struct op_cx *op, void *self)
{
    struct harness_source *s = self;
    const struct harness_config *c = op->config;
    bool made;

    job_lock(op->job);
    s->in = job_object(op->job, c->name, sizeof *s->in, NULL, &made);
    job_unlock(op->job);
    return S_OK;
}

static enum status harness_input_poll(struct op_cx *op, void *self)
{
    struct harness_input *in = ((struct harness_source *)self)->in;

    if (in->rows != NULL) {
        op_forward(op, 0, in->rows);
        in->rows = NULL;
        return S_OK;
    }
    if (in->has_watermark) {
        op_emit_watermark(op, in->watermark);
        in->has_watermark = false;
        return S_OK;
    }
    if (!in->has_ended) return S_IDLE;
    op_emit_watermark(op, INT64_MAX);
    return S_END;
}

const struct op_type op_harness_input = {
    .name = "harness_input",
    .doc = "rows and watermarks that a test pushes",
    .example = "tw_push(harness, 0, &click, 1000)",
    .flags = OP_SOURCE | OP_SINGLE,
    .config_size = sizeof(struct harness_config),
    .config_fields = harness_config_fields,
    .instance_size = sizeof(struct harness_source),
    .derive = harness_input_derive,
    .open = harness_input_open,
    .poll = harness_input_poll,
    .makes_watermarks = true,
};
