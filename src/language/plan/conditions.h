/* conditions.h - conditions that all must be true: what AND connects, each by itself. */
#pragma once
#include "columns/expr/expr.h"

struct conditions {
    uint32_t count, capacity;
    struct expr **items;
};

void conditions_add(struct arena *a, struct conditions *c, struct expr *x);
void conditions_add_new(struct arena *a, struct conditions *c, struct expr *x); /* unless it is there already */
/* What x connects by AND, each by itself; what is always true is left out, and x may be NULL. */
void conditions_add_parts(struct arena *a, struct conditions *c, struct expr *x);
struct expr *conditions_all(const struct expr_maker *m, const struct conditions *c); /* as one; NULL: there are none */
