/* bind_subquery.h - queries in expressions: as values, in IN, EXISTS and comparisons with ALL and SOME. */
#pragma once
#include "language/sql/decorrelate.h"

/* Lets x, the binder of expressions over `from`, bind queries: they are joined to from->rel, which gets columns behind its own. */
void subqueries_allow(struct query_binder *b, struct binder *x, struct bind_source *from);
bool bind_is_subquery(const struct ast_expr *x);  /* is or holds a query, itself */
bool bind_has_subquery(const struct ast_expr *x); /* anywhere in it, but not in queries in it */

/* A query within `around`, and whether it reads its row. */
struct within {
    struct rel *rel;
    struct decorrelation d; /* but for the rows around */
};
enum status bind_query_within(struct query_binder *b, struct binder *around, const struct ast_query *q,
                              struct within *out) CHECKED;
/* Joins what belongs to each row of *from to it; conditions of p, and `more` over the columns of both (pulled_pair_columns) decide. Columns of
 * the query within, behind those of *from: from `first` on in the new row. */
enum status pulled_join(struct decorrelation *d, enum rel_join_kind kind, struct pulled *p, const struct exprs *more,
                        struct rel **from) CHECKED;
/* The columns of the query within over a row of *from beside one of p->rel. */
struct expr **pulled_pair_columns(struct decorrelation *d, const struct pulled *p, const struct type *from);
