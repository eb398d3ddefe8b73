/* bind_rank.h - places of rows: ROW_NUMBER() OVER (...) and conditions on them, ORDER BY and LIMIT. */
#pragma once
#include "language/sql/bind_query.h"

/* Is ROW_NUMBER, RANK or DENSE_RANK called OVER a window in the select list or QUALIFY? */
bool ranking_is(const struct ast_select *s);
/* Puts the ranking on from->rel, behind `condition` (NULL: none), and makes *x bind its calls as a column; all else as before. */
enum status ranking_bind(struct query_binder *b, const struct ast_select *s, struct bind_source *from, struct expr *condition,
                         struct binder *x) CHECKED;
/* Conditions on a rank below *r become its bounds; *condition (in and out) is what remains, NULL when nothing does. */
enum status ranking_filter(struct query_binder *b, struct ast_place place, struct rel **r, struct expr **condition) CHECKED;

