/* calc_merge.c - one Calc instead of two: the expressions of the upper one with those of the lower one in the place of its columns.
 * Left alone where that would compute something twice, or draw a random number at another place. */
#include "language/plan/rel_internal.h"

#include "ground/base/str.h"

#include <string.h>

/* Columns, constants, and fields of columns cost nothing. */
static bool is_plain(const struct expr *x)
{
    if (x->kind == EXPR_CALL && str_equal(str_of(x->call->def->name), STR("FIELD"))) return is_plain(x->args[0]);
    return x->kind == EXPR_COLUMN || x->kind == EXPR_CONSTANT;
}

static bool may_merge(const struct calc_body *lower, const struct calc_body *upper, uint32_t width)
{
    uint32_t uses[TYPE_FIELDS_MAX] = {0};

    if (width > TYPE_FIELDS_MAX || upper->count == 0) return false;
    if (upper->condition != NULL) expr_uses(upper->condition, uses);
    for (uint32_t i = 0; i < upper->count; i++) expr_uses(upper->columns[i], uses);
    for (uint32_t i = 0; i < lower->count; i++)
        if (!is_plain(lower->columns[i]) && (uses[i] > 1 || lower->columns[i]->det == FN_RANDOM)) return false;
    return lower->condition == NULL || lower->condition->det != FN_RANDOM;
}

struct expr *calc_and(struct arena *a, struct expr *first, struct expr *second)
{
    struct expr_maker m = {.a = a};
    struct expr *args[] = {first, second}, *out;

    if (first == NULL) return second;
    if (second == NULL) return first;
    enum status st = expr_branch(&m, EXPR_AND, args, 2, &out, NULL);
    ASSERT(st == S_OK);
    return out;
}

bool calc_merge(struct arena *a, struct rel **input, struct calc_body *c)
{
    struct rel *in = *input;
    const struct calc_body *lower = in->body;
    struct expr *condition = c->condition;

    if (c->alone || in->type != &rel_calc_type || !may_merge(lower, c, in->row->child_count)) return false;
    if (lower->count > 0) {
        struct expr **columns = ARENA_ARRAY(a, struct expr *, c->count);
        for (uint32_t i = 0; i < c->count; i++) columns[i] = expr_substitute(a, c->columns[i], lower->columns);
        if (condition != NULL) condition = expr_substitute(a, condition, lower->columns);
        c->columns = columns;
    }
    c->condition = calc_and(a, lower->condition, condition);
    *input = in->inputs[0];
    return true;
}
