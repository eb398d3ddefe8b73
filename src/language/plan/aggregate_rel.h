/* aggregate_rel.h - group aggregation in two phases: LocalGroupAggregate makes parts of each batch, and behind the exchange
 * GlobalGroupAggregate puts them together. Both have the body of the GroupAggregate that they stand for; the rows that it aggregates
 * are the local one's input. */
#pragma once
#include "language/plan/rel.h"

struct group_config;

extern const struct rel_type rel_local_aggregate_type, rel_global_aggregate_type, rel_incremental_aggregate_type;

/* IncrementalGroupAggregate: a global aggregation of buckets and, where its groups are, the first phase of that of all of them. */
struct incremental_body {
    const struct rel *global, *local; /* local's input is global, whose input is the node's */
};

/* What follows from the rows `in` for a node whose rows are the groups. */
void aggregate_derive(struct rel *r, const struct rel *in, struct arena *a);
const char *aggregate_advise(const struct rel *r, const struct rel *in, const struct plan_settings *s, struct arena *a);
/* The configuration of the operator that has the groups; `in`: the rows that are aggregated. */
void aggregate_configure(const struct rel *r, const struct rel *in, struct lowering *l, struct group_config *c);
/* Names of a call's parts, as EXPLAIN shows them: "sum$1", "(sum$1, count$2)"; *number is the first one's, and goes on. NULL: a
 * function whose parts are not put together. */
const char *aggregate_parts(struct arena *a, const struct aggregate_call *c, bool retracts, uint32_t *number);
/* Of a DISTINCT call: which of the columns that such calls have, in their order. */
uint32_t aggregate_set(const struct aggregate_body *b, uint32_t call);
void aggregate_print_phase(const struct aggregate_body *b, struct buf *out); /* "partialFinalType=[FINAL], " */
/* "SUM", "SUM_RETRACT" */
void aggregate_print_function(const struct aggregate_call *c, bool retracts, struct buf *out);
