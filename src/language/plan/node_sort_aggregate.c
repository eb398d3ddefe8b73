/* node_sort_aggregate.c - SortAggregate: aggregates of groups in batch mode, whose rows are sorted first, so that a group is forgotten when
 * its rows have come. */
#include "language/plan/aggregate_rel.h"

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    (void)e;
    return batch_aggregate_lower(r, l, inputs, true, node);
}

const struct rel_type rel_sort_aggregate_type = {.name = "SortAggregate",
                                                 .doc = "in batch mode: aggregates of groups, whose rows are sorted first",
                                                 .derive = batch_aggregate_derive,
                                                 .distribution = aggregate_distribution,
                                                 .explain = batch_aggregate_explain,
                                                 .lower = lower};
