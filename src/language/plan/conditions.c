/* conditions.c - lists of conditions: see the header. They grow by doubling in the statement's arena, and nothing is taken out: who
 * sorts conditions fills other lists. */
#include "language/plan/conditions.h"

#include <string.h>

void conditions_add(struct arena *a, struct conditions *c, struct expr *x)
{
    if (c->count == c->capacity) {
        uint32_t more = MAX(c->capacity * 2, 8u);
        struct expr **items = ARENA_ARRAY(a, struct expr *, more);
        if (c->count > 0) memcpy(items, c->items, sizeof *items * c->count);
        c->items = items;
        c->capacity = more;
    }
    c->items[c->count++] = x;
}

void conditions_add_new(struct arena *a, struct conditions *c, struct expr *x)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (expr_equal(c->items[i], x)) return;
    conditions_add(a, c, x);
}

static bool is_true(const struct expr *x)
{
    return x->kind == EXPR_CONSTANT && !vector_is_null(x->constant, 0) && VECTOR_VALUES(x->constant, bool)[0];
}

void conditions_add_parts(struct arena *a, struct conditions *c, struct expr *x)
{
    if (x == NULL || is_true(x)) return;
    if (x->kind != EXPR_AND) conditions_add(a, c, x);
    for (uint32_t i = 0; x->kind == EXPR_AND && i < x->count; i++) conditions_add_parts(a, c, x->args[i]);
}

struct expr *conditions_all(const struct expr_maker *m, const struct conditions *c)
{
    struct expr *out;

    if (c->count < 2) return c->count == 1 ? c->items[0] : NULL;
    enum status st = expr_branch(m, EXPR_AND, c->items, c->count, &out, NULL);
    ASSERT(st == S_OK); /* they are BOOLEAN */
    return out;
}
