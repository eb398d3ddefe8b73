/* window_rel.h - what WindowAggregate and GroupWindowAggregate have in common: their body is struct window_aggregate_body. */
#pragma once
#include "flow/operator/sql_window.h"
#include "language/plan/rel.h"

void window_aggregate_keys(struct rel *r, struct arena *a); /* the group and the window */
bool window_aggregate_wants_before(const struct rel *r, uint32_t input);
int window_aggregate_distribution(const struct rel *r, uint32_t input, const uint32_t **cols);
enum status window_aggregate_lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e) CHECKED;
struct window_groups_config window_aggregate_config(const struct rel *r, struct lowering *l); /* calls, windows, and the column of time */
