/* view_expand.h - the query of a view as it is kept: every table with its catalog and database, every column with its table, every star
 * as the columns that it stands for now; clauses on lines of their own, as Flink prints them. */
#pragma once
#include "language/sql/bind_query.h"

/* Changes the tree, which was bound with b, and prints it. false: something in it is not known here (USING, a table function's
 * columns), or the text would not mean the same; the tree is not to be used any more. In b->a. */
bool view_expand(struct query_binder *b, struct ast_query *q, const struct type *row, const char **text);
