/* op_map.c - one row out of one row in, by a function of the user. Event time and kind of the row stay. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

static enum status map_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->map, "map", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static enum status map_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct tw_context *cx = self;

    (void)op;
    ASSERT(input == 0);
    TRY(user_begin(cx, 0, in));
    TRY(user_input_keys(cx, 0, in));
    return user_map_each(cx, 0, in, cx->fn->map);
}

const struct op_type op_map = {
    .name = "map",
    .doc = "one row out of each row in, by the function's .map",
    .example = "tw_map(bids, &to_euro)",
    .flags = OP_SELECTION | OP_FORMS | OP_KEEPS,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct tw_context),
    .derive = map_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = user_op_open_map,
    .on_batch = map_on_batch,
    .close = user_op_close,
};
