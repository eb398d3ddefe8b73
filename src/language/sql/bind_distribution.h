/* bind_distribution.h - DISTRIBUTED BY of a table: what it says, checked and printed. No connector has buckets, so such a table can be
 * declared and not written. */
#pragma once
#include "language/sql/bind_query.h"

/* columns: those of the table. In b->a. */
enum status bind_distribution(struct query_binder *b, struct ast_place place, const struct ast_distribution *d,
                              const struct table_column *columns, uint32_t count,
                              struct table_distribution *out) CHECKED;
struct ast_distribution distribution_tree(struct arena *a,
                                          const struct table_distribution *d); /* as a statement said it */
void distribution_print(const struct table_distribution *d, struct buf *out);  /* nothing when it is not said */
