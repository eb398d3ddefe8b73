/* op_process.c - any number of rows out of each row in, with state and timers when the stream is keyed: ProcessFunction and
 * KeyedProcessFunction.
 *
 * The states of all keys of a batch are resolved before the first row is handed over; pending state therefore never leaves
 * a row half done. Timers are user_timer.c. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

static enum status process_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->process, "process", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static enum status process_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct tw_context *cx = self;

    (void)op;
    ASSERT(input == 0);
    TRY(user_begin(cx, 0, in));
    TRY(user_input_keys(cx, 0, in));
    return user_each(cx, 0, in, cx->fn->process);
}

const struct op_type op_process = {
    .name = "process",
    .doc = "any number of rows out of each row in, with state, timers and side outputs, by the function's .process",
    .example = "tw_process(tw_key_by(bids, \"bidder\"), &count_per_bidder)",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct tw_context),
    .derive = process_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = user_op_open,
    .on_batch = process_on_batch,
    .on_watermark = user_op_on_watermark,
    .on_time = user_op_on_time,
    .close = user_op_close,
};
