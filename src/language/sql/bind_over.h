/* bind_over.h - functions OVER windows, and conditions on the places of rows; ORDER BY and LIMIT. */
#pragma once
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
    const struct ast_expr *far; /* how far back: bounded, not read yet */
    struct ast_place place;
};
enum status over_frame_find(struct query_binder *b, const struct ast_select *s, const struct ast_window *w,
                            struct over_frame *out) CHECKED;
/* Reads how far back it begins; `time`: is it ordered by a time? */
enum status over_frame_read(struct query_binder *b, struct binder *x, struct over_frame *f, bool time) CHECKED;
