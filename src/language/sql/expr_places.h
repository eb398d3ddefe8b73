/* expr_places.h - where the expressions of a statement stand in its text. */
#pragma once
#include "columns/expr/expr.h"
#include "language/sql/ast.h"

struct expr_note;
/* All zero but for the arena: none is known yet. Without an arena nothing is noted. */
struct expr_places {
    struct arena *a;
    struct expr_note *last;
};

/* Notes x, over `row`, when its rows may fail. p NULL is a no-op; all else must live as long as p->a. */
void expr_places_add(struct expr_places *p, const struct expr *x, const struct type *row, const struct tokens *t,
                     struct ast_place place);
/* A copy of p, which has an arena, that needs nothing but `a`: for a job that outlives its statement. */
void expr_places_keep(const struct expr_places *p, struct arena *a, struct expr_places *out);
/* Shows in the error of a job the text of the expression that it names. */
void expr_places_show(const struct expr_places *p, struct err *e);
