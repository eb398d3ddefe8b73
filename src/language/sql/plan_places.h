/* plan_places.h - where the nodes of a plan stand in the statement that they were made of. */
#pragma once
#include "language/plan/rel.h"
#include "language/sql/ast.h"

/* A part of a statement's text: what struct rel's `said` points to. */
struct rel_said {
    const struct tokens *t;
    struct ast_place place;
};

/* r, and all below it that have no place yet, were made of that part of the text. */
void plan_place(struct arena *a, struct rel *r, const struct tokens *t, struct ast_place place);
/* What `inner`, which is set, says of that part; said NULL: as it is. */
enum status plan_fail(struct err *e, const struct rel_said *said, const struct err *inner);
