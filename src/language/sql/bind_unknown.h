/* bind_unknown.h - calls of functions that are not there, or not in that place. */
#pragma once
#include "language/sql/bind.h"

/* Is there nothing at all of that name, here or among the functions of users? */
bool bind_is_unknown(const struct binder *b, const struct ast_expr *x);
/* Says that there is no such function, or where one of that name may stand. */
enum status bind_unanswered(struct binder *b, const struct ast_expr *x, struct expr *const *args,
                            uint32_t count) CHECKED;
