/* user_op.c - hooks that are the same for every operator whose configuration is one function (struct function_config) and
 * whose instance begins with a struct tw_context. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

static const struct function_ref *function_of(const void *config) { return &((const struct function_config *)config)->function; }

void user_op_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    const struct tw_function *fn = function_of(config)->fn;

    (void)outputs;
    for (uint32_t i = 0; i < plan->input_count; i++) {
        user_row_needs(i == 0 ? fn->in : fn->in2, plan->inputs[i], inputs[i]);
        user_cols_needs(plan->keys[i], plan->key_count[i], inputs[i]);
    }
}

bool user_op_blocks(const void *config)
{
    const struct function_ref *f = function_of(config);

    return f->fn && (f->fn->flags & TW_BLOCKING);
}

enum status user_op_open(struct op_cx *op, void *self) { return user_start(self, op, function_of(op->config), true); }

enum status user_op_open_map(struct op_cx *op, void *self)
{
    struct tw_context *cx = self;

    TRY(user_op_open(op, self));
    cx->may_collect = false;
    return S_OK;
}

enum status user_op_on_watermark(struct op_cx *op, void *self, int64_t watermark)
{
    (void)op;
    return user_fire_event(self, watermark);
}

enum status user_op_on_time(struct op_cx *op, void *self, int64_t now_ms)
{
    (void)op;
    return user_fire_processing(self, now_ms);
}

void user_op_close(struct op_cx *op, void *self, bool failed)
{
    (void)failed;
    (void)op;
    user_close(self);
}
