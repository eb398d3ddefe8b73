/* bind_over.h - functions OVER windows, and conditions on the places of rows; ORDER BY and LIMIT. */
#pragma once
#include "language/plan/rel.h"
#include "language/sql/bind_query.h"

/* Is a function called OVER a window in the select list or QUALIFY? */
bool over_is(const struct ast_select *s);
/* The first such call in an expression; NULL: there is none. */
const struct ast_expr *over_call_in(const struct ast_expr *x);
/* Puts the windows on from->rel, behind `condition` (NULL: none), and makes *x bind its calls as columns; all else as before. */
enum status over_bind(struct query_binder *b, const struct ast_select *s, struct bind_source *from,
                      struct expr *condition, struct binder *x) CHECKED;
/* Conditions on a place below *r become the bounds of a ranking; *condition (in and out) is what remains, NULL when nothing does. */
enum status ranking_filter(struct query_binder *b, struct ast_place place, struct rel **r,
                           struct expr **condition) CHECKED;

/* bind_frame.c: the window of a call as it stands, with what the windows that it names say. */
struct over_frame {
    struct ast_list partition;
    struct ast_orders order;
    bool framed, rows, bounded, ends_elsewhere;
    int64_t preceding;
    struct ast_bound first, last; /* not read yet */
    struct ast_place place;
};
enum status over_frame_find(struct query_binder *b, const struct ast_select *s, const struct ast_window *w,
                            struct over_frame *out) CHECKED;
/* Reads how far back it begins; `order`: the type of the one column that it is ordered by, or NULL. */
enum status over_frame_read(struct query_binder *b, struct binder *x, struct over_frame *f, const struct type *order) CHECKED;
/* Both bounds, as batch mode has them, where frames may end anywhere. */
enum status over_bounds_read(struct query_binder *b, struct binder *x, const struct over_frame *f, uint32_t order_count,
                             const struct type *order, struct over_bounds *out) CHECKED;
