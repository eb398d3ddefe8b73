/* op_committer.c - commits the committables that writers of a sink prepared, where the sink has a topology in front of or behind
 * the commit: takes them as rows, and at the end of the input, when everything in front of it is through, commits them. What
 * is committed is its output. With checkpoints it commits, as other sinks, what a complete one has in it.
 *
 * Invariants: it has read all before it tells so, and emits nothing before its stage is through (task.c counts, see OP_COMMITTER);
 * what is not decided when it closes is aborted.
 *
 * Not here: rounds, retries and answers of .commit (user_sink.c). */
#include "flow/operator/op_configs.h"
#include "flow/operator/user_sink.h"
#include "flow/task/job_shared.h"

struct committer {
    struct tw_context cx;
    bool has_told, is_committed;
};

static enum status committer_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct tw_function *fn = c->function.fn;
    struct user_row bound;

    TRY(user_need_hook(&c->function, fn && fn->commit, "commit", e));
    TRY(user_need_hook(&c->function, fn->committable != NULL, "committable", e));
    TRY(user_row_bind(plan->arena, fn->committable, plan->inputs[0], plan->input_names[0], &bound, e));
    plan->output_count = 1;
    return user_row_type(plan->arena, fn->committable, &plan->outputs[0], e);
}

static void committer_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs,
                            uint64_t *const *inputs)
{
    const struct function_config *c = config;

    (void)outputs;
    user_row_needs(c->function.fn->committable, plan->inputs[0], inputs[0]);
}

static enum status committer_open(struct op_cx *op, void *self)
{
    struct committer *c = self;
    const struct function_config *config = op->config;

    TRY(user_init(&c->cx, op, &config->function));
    TRY(user_bind_in(&c->cx, 0, c->cx.fn->committable));
    if (op_port_used(op, 0)) TRY(user_bind_out(&c->cx, 0, c->cx.fn->committable, 0));
    TRY(user_open(&c->cx));
    op->ends_committed = op->is_checkpointed;
    return user_sink_open(&c->cx, false);
}

static enum status committer_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct committer *c = self;

    (void)op;
    ASSERT(input == 0);
    TRY(user_begin(&c->cx, 0, in));
    enum status st = user_each(&c->cx, 0, in, user_sink_take);
    user_sink_hold(&c->cx);
    return st;
}

/* Is everything in front of it through? Its own input is. */
static bool is_time(struct committer *c)
{
    struct op_cx *op = c->cx.op;

    if (op->job == NULL) return true;
    if (!c->has_told) job_task_through(op->job, op->stage);
    c->has_told = true;
    return job_is_through(op->job, op->stage, op->parker);
}

static enum status committer_on_end(struct op_cx *op, void *self, uint32_t input)
{
    struct committer *c = self;
    enum status st = S_OK;

    (void)input;
    c->cx.input_ended = true;
    if (op->is_checkpointed) return S_OK; /* a last checkpoint commits the rest */
    if (!is_time(c)) return S_PENDING;
    TRY(user_begin(&c->cx, 0, NULL));
    if (!c->is_committed) st = user_sink_commit(&c->cx);
    if (st < 0) return st;
    c->is_committed = st == S_OK;
    enum status end = user_end(&c->cx, st == S_OK);
    bool emits = c->cx.out_count > 0 && (op_out(op, 0)->count > 0 || c->cx.outs[0].waiting != NULL);
    return st == S_PENDING && !emits ? S_PENDING : end;
}

static enum status committer_on_barrier(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct committer *c = self;

    (void)op;
    return user_sink_barrier(&c->cx, checkpoint);
}

static enum status committer_prepare(struct op_cx *op, void *self, int64_t checkpoint, struct buf *committables)
{
    struct committer *c = self;

    (void)op, (void)checkpoint;
    user_sink_encode(&c->cx, committables);
    return S_OK;
}

static enum status committer_on_complete(struct op_cx *op, void *self, int64_t checkpoint)
{
    struct committer *c = self;

    (void)op;
    return user_sink_complete(&c->cx, checkpoint);
}

static enum status committer_recover(struct op_cx *op, void *self, struct str committables)
{
    struct committer *c = self;

    (void)op;
    return user_sink_recover(&c->cx, committables);
}

static const char *committer_takes_no_checkpoints(const void *config)
{
    const struct function_config *c = config;

    return user_sink_checkpoint_refusal(c->function.fn);
}

static void committer_close(struct op_cx *op, void *self, bool failed)
{
    user_sink_close(self);
    user_op_close(op, self, failed);
}

const struct op_type op_committer = {
    .name = "committer",
    .doc = "commits what the writers of a sink in two phases prepared, by the function's .commit, when every task in "
           "front of it "
           "has read all; what is committed is its output",
    .example = "tw_sink_function(totals, \"ledger\", &ledger_sink)",
    .flags = OP_SELECTION | OP_FORMS | OP_CHAIN_HEAD | OP_COMMITTER,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct committer),
    .derive = committer_derive,
    .needs = committer_needs,
    .blocks = user_op_blocks,
    .open = committer_open,
    .on_batch = committer_on_batch,
    .on_end = committer_on_end,
    .on_barrier = committer_on_barrier,
    .prepare = committer_prepare,
    .on_complete = committer_on_complete,
    .recover = committer_recover,
    .takes_no_checkpoints = committer_takes_no_checkpoints,
    .close = committer_close,
};
