/* op_broadcast_process.c - a stream beside a broadcast one, whose rows every subtask sees: BroadcastProcessFunction and
 * KeyedBroadcastProcessFunction.
 *
 * Broadcast state is written by .process2 alone, so that it is the same everywhere; .process reads it. The broadcast side
 * has no current key: keyed state and timers belong to .process and .on_timer. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

static enum status broadcast_process_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(user_need_hook(&c->function, fn && fn->process, "process", e));
    TRY(user_need_hook(&c->function, fn && fn->process2, "process2", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_in(plan, 1, &c->function, true, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, true, e);
}

static enum status broadcast_process_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct tw_context *cx = self;

    (void)op;
    ASSERT(input < 2);
    TRY(user_begin(cx, input, in));
    cx->may_write_broadcast = input == 1;
    if (input == 0) TRY(user_input_keys(cx, 0, in));
    return user_each(cx, input, in, input == 0 ? cx->fn->process : cx->fn->process2);
}

const struct op_type op_broadcast_process = {
    .name = "broadcast_process",
    .doc = "a stream beside a broadcast one: .process reads the broadcast state that .process2 keeps",
    .example = "tw_broadcast_process(events, rules, &apply_rules)",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS,
    .input_count = 2,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct tw_context),
    .derive = broadcast_process_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = user_op_open,
    .on_batch = broadcast_process_on_batch,
    .on_watermark = user_op_on_watermark,
    .on_time = user_op_on_time,
    .close = user_op_close,
};
