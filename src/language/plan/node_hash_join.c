/* node_hash_join.c - HashJoin: a join of batch mode that keeps one side in a hash table, and looks up what comes from the other one. */
#include "language/plan/batch_join_rel.h"

static void explain(const struct rel *r, struct buf *out)
{
    const struct batch_join_body *b = r->body;

    join_explain_rows(r, out);
    if (b->is_broadcast) buf_append_text(out, ", isBroadcast=[true]");
    buf_printf(out, ", build=[%s]", b->build == 0 ? "left" : "right");
}

static bool lies_by(const struct rel *r, const uint32_t *cols, uint32_t count)
{
    return !((const struct batch_join_body *)r->body)->is_broadcast && join_lies_by(r, cols, count);
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    return batch_join_lower(r, l, inputs, true, node);
}

const struct rel_type rel_hash_join_type = {.name = "HashJoin",
                                            .doc = "in batch mode: pairs of rows of two inputs, one of which is kept by its keys",
                                            .derive = batch_join_derive,
                                            .distribution = batch_join_distribution,
                                            .lies_by = lies_by,
                                            .explain = explain,
                                            .lower = lower};
