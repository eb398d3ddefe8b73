/* aggregate_rel.h - group aggregation in two phases: LocalGroupAggregate makes parts of each batch, and behind the exchange
 * GlobalGroupAggregate puts them together. Both have the body of the GroupAggregate that they stand for; the rows that it aggregates
 * are the local one's input. */
#pragma once
#include "language/plan/rel.h"

struct group_config;

/* Batch mode: each group has one row, which comes at the end. Both have the body of the GroupAggregate that they stand for. */
extern const struct rel_type rel_hash_aggregate_type, rel_sort_aggregate_type;
/* A GroupAggregate over inputs none of which changes rows, as disabled operators allow. E_UNSUPPORTED in Flink's words: they allow none. */
enum status batch_aggregate(struct arena *a, const struct rel *r, struct rel *const *inputs, const struct plan_settings *s,
                            struct rel **out, struct err *e) CHECKED;
void batch_aggregate_derive(struct rel *r, struct arena *a);
void batch_aggregate_explain(const struct rel *r, struct buf *out);
int aggregate_distribution(const struct rel *r, uint32_t input, const uint32_t **cols); /* by the groups */
enum status batch_aggregate_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, bool sorts, uint32_t *node);

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
void aggregate_explain_groups(const struct rel *r, struct buf *out); /* "groupBy=[a], select=[a, COUNT(*) AS c]" */
void aggregate_print_phase(const struct aggregate_body *b, struct buf *out); /* "partialFinalType=[FINAL], " */
/* "SUM", "SUM_RETRACT" */
void aggregate_print_function(const struct aggregate_call *c, bool retracts, struct buf *out);
