/* op_co_process.c - rows of two streams with shared state and timers: CoProcessFunction and KeyedCoProcessFunction.
 *
 * State and timers belong to the key, whichever stream a row came from; the key columns may have different places and
 * names in the two, their types agree. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

static enum status co_process_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(user_need_hook(&c->function, fn && fn->process, "process", e));
    TRY(user_need_hook(&c->function, fn && fn->process2, "process2", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_in(plan, 1, &c->function, true, e));
    TRY(user_derive_pair(plan, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static enum status co_process_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct tw_context *cx = self;

    (void)op;
    ASSERT(input < 2);
    TRY(user_begin(cx, input, in));
    TRY(user_input_keys(cx, input, in));
    return user_each(cx, input, in, input == 0 ? cx->fn->process : cx->fn->process2);
}

const struct op_type op_co_process = {
    .name = "co_process",
    .doc = "rows of two streams with shared state and timers, by the function's .process and .process2",
    .example = "tw_co_process(tw_key_by(rides, \"id\"), tw_key_by(fares, \"id\"), &match)",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS,
    .input_count = 2,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct tw_context),
    .derive = co_process_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = user_op_open,
    .on_batch = co_process_on_batch,
    .on_watermark = user_op_on_watermark,
    .on_time = user_op_on_time,
    .close = user_op_close,
};
