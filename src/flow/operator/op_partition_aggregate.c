/* op_partition_aggregate.c - the rows of a partition in one accumulator, whose result is emitted when the input has ended:
 * fullWindowPartition().aggregate. Folding and answering are partition_fold.c. */
#include "flow/operator/partition_fold.h"

static enum status partition_aggregate_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct tw_function *fn = c->function.fn;
    struct user_value acc;

    TRY(user_need_hook(&c->function, fn && fn->add, "add", e));
    TRY(user_need_hook(&c->function, fn->result != NULL, "result", e));
    if (fn->reduce != NULL)
        return err_set(e, E_GRAPH, "function '%s' has .reduce and .add: which of them is meant?", c->function.name);
    if (fn->acc == NULL)
        return err_set(e, E_GRAPH, "function '%s' does not describe its accumulator: .acc is missing",
                       c->function.name);
    TRY(user_value_of_row(plan->arena, fn->acc, &acc, e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_derive_out(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static const char *partition_aggregate_takes_no_checkpoints(const void *config)
{
    (void)config;
    return "it keeps the rows of a partition in memory until the input ends";
}

const struct op_type op_partition_aggregate = {
    .name = "partition_aggregate",
    .doc = "the rows of a partition in an accumulator, by the function's .create, .add and .result; one row per "
           "partition, when the input has ended",
    .example = "tw_partition_aggregate(tw_key_by(readings, \"sensor\"), &mean)",
    .flags = OP_SELECTION | OP_FORMS | OP_STATE,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct partition_fold),
    .takes_no_checkpoints = partition_aggregate_takes_no_checkpoints,
    .derive = partition_aggregate_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = partition_fold_open,
    .on_batch = partition_fold_on_batch,
    .on_end = partition_fold_on_end,
    .close = partition_fold_close,
};
