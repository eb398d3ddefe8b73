/* node_nested_loop_join.c - NestedLoopJoin: a join of batch mode that sets each row of one side beside each row that it keeps of the other:
 * also where no keys are equal. Where rows of the kept side may come alone, all are in one task. */
#include "language/plan/batch_join_rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct batch_join_body *b = r->body;

    join_explain_rows(r, out);
    buf_printf(out, ", build=[%s]", b->build == 0 ? "left" : "right");
    if (b->is_single_row) buf_append_text(out, ", singleRowJoin=[true]");
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    return batch_join_lower(r, l, inputs, false, node);
}

const struct rel_type rel_nested_loop_join_type = {.name = "NestedLoopJoin",
                                                   .doc = "in batch mode: pairs of rows of two inputs, each beside each",
                                                   .derive = batch_join_derive,
                                                   .distribution = batch_join_distribution,
                                                   .explain = explain,
                                                   .lower = lower};
