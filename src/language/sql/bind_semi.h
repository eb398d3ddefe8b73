/* bind_semi.h - WHERE with sub-queries: IN, NOT IN, EXISTS, NOT EXISTS, and values. */
#pragma once
#include "language/sql/bind_query.h"

/* Binds WHERE: plain parts are in *condition (NULL: none), sub-queries become joins on top of from->rel. */
enum status bind_semi(struct query_binder *b, struct binder *x, const struct ast_expr *where, struct bind_source *from,
                      struct expr **condition) CHECKED;
/* The same of conditions that stood in ON. */
enum status bind_later(struct query_binder *b, struct binder *x, struct bind_source *from, struct expr **condition) CHECKED;
