/* op_co_flat_map.c - any number of rows out of each row of two streams, by one function with a callback for either:
 * CoFlatMapFunction. When both are keyed, both callbacks see the same state. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

static enum status co_flat_map_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(user_need_hook(&c->function, fn && fn->flat_map, "flat_map", e));
    TRY(user_need_hook(&c->function, fn && fn->flat_map2, "flat_map2", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_in(plan, 1, &c->function, true, e));
    TRY(user_derive_pair(plan, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static enum status co_flat_map_open(struct op_cx *op, void *self)
{
    struct tw_context *cx = self;

    cx->keep_kind = true;
    return user_op_open(op, self);
}

static enum status co_flat_map_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct tw_context *cx = self;

    (void)op;
    ASSERT(input < 2);
    TRY(user_begin(cx, input, in));
    TRY(user_input_keys(cx, input, in));
    return user_each(cx, input, in, input == 0 ? cx->fn->flat_map : cx->fn->flat_map2);
}

const struct op_type op_co_flat_map = {
    .name = "co_flat_map",
    .doc = "any number of rows out of each row of two streams, by the function's .flat_map and .flat_map2",
    .example = "tw_co_flat_map(orders, switches, &pass_when_on)",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS,
    .input_count = 2,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct tw_context),
    .derive = co_flat_map_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = co_flat_map_open,
    .on_batch = co_flat_map_on_batch,
    .close = user_op_close,
};
