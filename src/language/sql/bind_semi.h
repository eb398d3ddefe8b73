/* bind_semi.h - sub-queries that WHERE asks: IN, NOT IN, EXISTS, NOT EXISTS. */
#pragma once
#include "language/sql/bind_query.h"

/* Is one of the parts of WHERE that AND connects such a sub-query? */
bool bind_has_semi(const struct ast_expr *where);
/* Binds WHERE: plain parts are in *condition (NULL: none), sub-queries become semi and anti joins on top of from->rel. */
enum status bind_semi(struct query_binder *b, struct binder *x, const struct ast_expr *where, struct bind_source *from,
                      struct expr **condition) CHECKED;
