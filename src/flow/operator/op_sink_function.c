/* op_sink_function.c - the user's own sink: one callback per row, .flush when the task is about to wait and at the end, and
 * commits in two phases: prepared at the end of the input, made final when the task says so. See user_sink.c. With a topology
 * in front of or behind the commit it is the writer alone: committables are its output, and op_committer.c commits them. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user_sink.h"

struct sink_function {
    struct tw_context cx;
    bool is_writer, is_prepared;
    int64_t handed_on; /* a writer's: the last checkpoint whose committables it has put out */
};

static enum status sink_function_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->sink, "sink", e));
    TRY(user_sink_check(&c->function, e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    if (!user_sink_hands_on(c->function.fn)) return S_OK;
    plan->output_count = 1;
    return user_row_type(plan->arena, user_sink_result(c->function.fn), &plan->outputs[0], e);
}

static enum status sink_function_open(struct op_cx *op, void *self)
{
    struct sink_function *s = self;
    const struct function_config *c = op->config;

    s->is_writer = user_sink_hands_on(c->function.fn);
    TRY(user_start(&s->cx, op, &c->function, false));
    if (s->is_writer) TRY(user_bind_out(&s->cx, 0, user_sink_result(s->cx.fn), 0));
    TRY(user_sink_open(&s->cx, s->is_writer));
    return user_sink_states_open(&s->cx);
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
    struct sink_function *s = self;

    (void)input;
    s->cx.input_ended = true;
    if (s->is_writer) TRY(user_begin(&s->cx, 0, NULL));
    if (!s->is_prepared) {
        TRY(sink_function_on_idle(op, self));
        TRY(user_sink_prepare(&s->cx));
    }
    s->is_prepared = true;
    return s->is_writer ? user_end(&s->cx, true) : S_OK;
}

/* In front of a barrier it is as at the end, but that more comes. */
static enum status sink_function_on_barrier(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct sink_function *s = self;

    if (s->is_writer) TRY(user_begin(&s->cx, 0, NULL));
    if (!s->is_prepared && s->handed_on < checkpoint) {
        TRY(sink_function_on_idle(op, self));
        TRY(user_sink_prepare(&s->cx));
        s->handed_on = checkpoint;
    }
    if (s->is_writer) {
        enum status st = user_end(&s->cx, true);
        if (st != S_OK) return st;
    }
    return user_sink_barrier(&s->cx, checkpoint);
}

static enum status sink_function_prepare(struct op_cx *op, void *self, int64_t checkpoint, struct buf *committables)
{
    struct sink_function *s = self;

    (void)op, (void)checkpoint;
    user_sink_encode(&s->cx, committables);
    return S_OK;
}

static enum status sink_function_on_complete(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct sink_function *s = self;

    (void)op;
    return s->is_writer ? S_OK : user_sink_complete(&s->cx, checkpoint);
}

static enum status sink_function_recover(struct op_cx *op, void *self, struct str committables)
{
    struct sink_function *s = self;

    (void)op;
    return user_sink_recover(&s->cx, committables);
}

static const char *sink_function_takes_no_checkpoints(const void *config)
{
    const struct function_config *c = config;

    return user_sink_checkpoint_refusal(c->function.fn);
}

static bool sink_function_commits(const void *config)
{
    const struct function_config *c = config;

    return c->function.fn && c->function.fn->commit && !user_sink_hands_on(c->function.fn);
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
    .doc = "a sink of the user: the function's .sink per row, .flush before waiting, checkpoints and the end; .commit, "
           "when a checkpoint is complete, else when every task has read all, of what .prepare_commit gave",
    .example = "tw_sink_function(totals, \"ledger\", &ledger_sink)",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS | OP_OUTSIDE,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct sink_function),
    .derive = sink_function_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = sink_function_open,
    .on_batch = sink_function_on_batch,
    .on_watermark = sink_function_on_watermark,
    .on_end = sink_function_on_end,
    .on_idle = sink_function_on_idle,
    .on_barrier = sink_function_on_barrier,
    .takes_no_checkpoints = sink_function_takes_no_checkpoints,
    .prepare = sink_function_prepare,
    .on_complete = sink_function_on_complete,
    .makes_final = sink_function_commits,
    .recover = sink_function_recover,
    .commits = sink_function_commits,
    .commit = sink_function_commit,
    .close = sink_function_close,
};
