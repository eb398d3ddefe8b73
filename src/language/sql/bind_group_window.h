/* bind_group_window.h - the window functions of GROUP BY: TUMBLE(ts, size), HOP(ts, slide, size), SESSION(ts, gap), and what is asked of
 * their windows: TUMBLE_START(ts, size) and its kin. */
#pragma once
#include "language/sql/bind_query.h"

struct group_window {
    const struct ast_expr *x; /* the call; NULL: there is none */
    const char *name;         /* "TUMBLE" */
    struct rel_window window; /* without its columns */
    struct window_emit emit;
    struct expr *time;
};

enum group_window_part { GROUP_WINDOW_START, GROUP_WINDOW_END, GROUP_WINDOW_ROWTIME, GROUP_WINDOW_PROCTIME };

bool group_window_is(const struct ast_expr *x);
enum status group_window_bind(struct query_binder *b, struct binder *below, const struct ast_expr *x, struct group_window *out) CHECKED;
/* Is it TUMBLE_START or its kin? */
bool group_window_is_part(const struct ast_expr *x, enum group_window_part *part);
/* Its arguments must be those of the window; `w` may be none. */
enum status group_window_check_part(struct query_binder *b, struct binder *below, const struct ast_expr *x,
                                    const struct group_window *w) CHECKED;
