/* bind_window.h - window table functions, and aggregations of their windows. */
#pragma once
#include "language/sql/bind_query.h"

bool bind_is_window(const struct ast_table *t); /* TUMBLE, HOP, CUMULATE, SESSION */
enum status bind_window(struct query_binder *b, const struct ast_table *t, struct rel **out) CHECKED;
/* Can rows be grouped by these windows, of FROM's function or one below? Planning asks again, but knows no place. */
enum status bind_window_groups(struct query_binder *b, const struct ast_select *s, const struct rel_window *w) CHECKED;
/* Groups by the input's window and g's keys (without the window's columns). Right above its window function the aggregation
 * decides the windows itself. */
struct rel *bind_window_aggregate(struct query_binder *b, struct rel *input, const struct aggregate_body *g);
