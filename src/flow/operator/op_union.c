/* op_union.c - two streams of one row type as one. Batches pass as they are; watermarks are merged before they get here. */
#include "flow/operator/op.h"

/* A column may be NULL when it may be in either. */
static const struct type *merged_type(struct arena *a, const struct type *x, const struct type *y)
{
    const struct type **fields = ARENA_ARRAY(a, const struct type *, x->child_count);

    for (uint32_t i = 0; i < x->child_count; i++)
        fields[i] = type_with_null(a, x->children[i], x->children[i]->nullable || y->children[i]->nullable);
    return type_row(a, x->child_count, x->names, fields, false);
}

static enum status union_derive(struct op_plan *plan, const void *config, struct err *e)
{
    (void)config;
    if (!type_equal_ignoring_null(plan->inputs[0], plan->inputs[1])) {
        struct buf texts;
        buf_init(&texts, plan->arena->mem);
        type_print(plan->inputs[0], &texts);
        buf_append_text(&texts, " and ");
        type_print(plan->inputs[1], &texts);
        err_set(e, E_GRAPH, "a union needs streams of equal rows, but these are %s", buf_text(&texts));
        buf_release(&texts);
        return E_GRAPH;
    }
    plan->outputs[0] = merged_type(plan->arena, plan->inputs[0], plan->inputs[1]);
    plan->output_count = 1;
    return S_OK;
}

static void union_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs,
                        uint64_t *const *inputs)
{
    (void)config;
    for (uint32_t i = 0; i < plan->inputs[0]->child_count; i++) {
        if (outputs[0] && !bit_get(outputs[0], i)) continue;
        bit_set(inputs[0], i);
        bit_set(inputs[1], i);
    }
}

static enum status union_on_batch(struct op_cx *cx, void *self, uint32_t input, struct batch *in)
{
    (void)self;
    ASSERT(input < 2);
    op_forward(cx, 0, in);
    return S_OK;
}

const struct op_type op_union = {
    .name = "union",
    .doc = "the rows of two streams of one row type",
    .example = "tw_union(european, american)",
    .flags = OP_SELECTION | OP_FORMS,
    .input_count = 2,
    .derive = union_derive,
    .needs = union_needs,
    .on_batch = union_on_batch,
};
