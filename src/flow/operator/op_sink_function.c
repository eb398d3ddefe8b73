/* op_sink_function.c - the user's own sink: one callback per row, .flush when the task is about to wait and at the end, and
 * commits in two phases: prepared at the end of the input, made final when the task says so. See user_sink.c. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user_sink.h"

static enum status sink_function_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->sink, "sink", e));
    TRY(user_sink_check(&c->function, e));
    return user_derive_in(plan, 0, &c->function, true, e);
}

static enum status sink_function_open(struct op_cx *op, void *self)
{
    struct tw_context *cx = self;
    const struct function_config *c = op->config;

    TRY(user_start(cx, op, &c->function, false));
    return user_sink_open(cx);
}

static enum tw_status sink_row(struct tw_context *cx, const void *row) { return cx->fn->sink(cx, row, tw_kind(cx)); }

static enum status sink_function_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct tw_context *cx = self;

    (void)op;
    ASSERT(input == 0);
    TRY(user_begin(cx, 0, in));
    return user_each(cx, 0, in, sink_row);
}

static enum status sink_function_on_idle(struct op_cx *op, void *self)
{
    struct tw_context *cx = self;

    (void)op;
    return cx->fn->flush ? user_check(cx, cx->fn->flush(cx)) : S_OK;
}

static enum status sink_function_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    struct tw_context *cx = self;

    (void)op;
    return cx->fn->sink_watermark ? user_check(cx, cx->fn->sink_watermark(cx, watermark)) : S_OK;
}

static enum status sink_function_on_end(struct op_cx *op, void *self, uint32_t input)
{
    struct tw_context *cx = self;

    (void)input;
    cx->input_ended = true;
    TRY(sink_function_on_idle(op, self));
    return user_sink_prepare(cx);
}

static bool sink_function_commits(const void *config)
{
    const struct function_config *c = config;

    return c->function.fn && c->function.fn->commit;
}

static enum status sink_function_commit(struct op_cx *op, void *self)
{
    (void)op;
    return user_sink_commit(self);
}

static void sink_function_close(struct op_cx *op, void *self, bool failed)
{
    user_sink_close(self);
    user_op_close(op, self, failed);
}

const struct op_type op_sink_function = {
    .name = "sink_function",
    .doc = "a sink of the user: the function's .sink per row, .flush before waiting and at the end; .commit, when every "
           "task has read all, of what .prepare_commit gave",
    .example = "tw_sink_function(totals, \"ledger\", &ledger_sink)",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct tw_context),
    .derive = sink_function_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = sink_function_open,
    .on_batch = sink_function_on_batch,
    .on_watermark = sink_function_on_watermark,
    .on_end = sink_function_on_end,
    .on_idle = sink_function_on_idle,
    .commits = sink_function_commits,
    .commit = sink_function_commit,
    .close = sink_function_close,
};
