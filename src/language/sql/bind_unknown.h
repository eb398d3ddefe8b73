/* bind_unknown.h - calls of functions that are not there, or not in that place. */
#pragma once
#include "language/sql/bind.h"

/* Is there nothing at all of that name, here or among the functions of users? */
bool bind_is_unknown(const struct binder *b, const struct ast_expr *x);
/* No match for the function's name with these arguments; a number of arguments that is not `wanted`; types that do not go together,
 * and what the function takes. All in Flink's words, at the call. */
enum status bind_no_match(struct binder *b, const struct ast_expr *x, struct expr *const *args, uint32_t count) CHECKED;
enum status bind_wrong_count(struct binder *b, const struct ast_expr *x, const char *wanted) CHECKED;
enum status bind_cannot_apply(struct binder *b, const struct ast_expr *x, struct expr *const *args, uint32_t count,
                              const char *takes) CHECKED;
/* Says that there is no such function, or where one of that name may stand. */
enum status bind_unanswered(struct binder *b, const struct ast_expr *x, struct expr *const *args,
                            uint32_t count) CHECKED;
bool bind_is_function(struct str name); /* of any kind */
