/* op_partition_reduce.c - the rows of a partition reduced to one, emitted when the input has ended:
 * fullWindowPartition().reduce. Folding and answering are partition_fold.c. */
#include "flow/operator/partition_fold.h"

static enum status partition_reduce_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(user_need_hook(&c->function, fn && fn->reduce, "reduce", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    if (fn->out && !user_rows_equal(fn->out, fn->in))
        return err_set(e, E_GRAPH, "function '%s': a reduce emits what it reads, so .out must be .in or missing",
                       c->function.name);
    plan->output_count = 1;
    TRY(user_row_type(plan->arena, fn->in, &plan->outputs[0], e));
    TRY(user_derive_sides(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static const char *partition_reduce_takes_no_checkpoints(const void *config)
{
    (void)config;
    return "it keeps the rows of a partition in memory until the input ends";
}

const struct op_type op_partition_reduce = {
    .name = "partition_reduce",
    .doc = "the rows of a partition combined into one by the function's .reduce, when the input has ended",
    .example = "tw_partition_reduce(tw_key_by(counts, \"word\"), &add)",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct partition_fold),
    .takes_no_checkpoints = partition_reduce_takes_no_checkpoints,
    .derive = partition_reduce_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = partition_fold_open,
    .on_batch = partition_fold_on_batch,
    .on_end = partition_fold_on_end,
    .close = partition_fold_close,
};
