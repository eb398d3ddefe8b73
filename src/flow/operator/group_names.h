/* group_names.h - what the saved state of aggregates is called: by what is computed, so that a query that was changed finds again what it
 * still computes and takes nothing for something else. */
#pragma once
#include "flow/operator/group_calls.h"

/* The state row of a group: `first` words of the operator ("rows", "w1", ...), then those of the calls ("SUM(price)"). In the arena. */
const struct type *group_acc_row(struct arena *a, uint32_t first, const struct group_config *c, const struct group_call *calls);
/* Of what a call holds besides its words, in the `set`-th set of calls of the operator: "distinct user", "values MAX(price)". */
const char *group_table_name(struct arena *a, const char *kind, const struct group_config *c, uint32_t call, uint32_t set);
/* What a set of DISTINCT calls knows of each value, as the name of the column that has them: "user FILTER f, user". */
const char *group_distinct_column(struct arena *a, const struct group_config *c, const struct group_call *calls, uint32_t set);
const char *group_call_text(struct arena *a, const struct group_config *c, uint32_t call); /* "SUM(DISTINCT price) FILTER f" */
