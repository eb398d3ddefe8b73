/* rewrite_sinks.c - INSERTs of one statement set that write the same columns of the same table in the same way have one sink, behind a
 * Union of their rows (table.optimizer.reuse-sink-enabled). Only where rows are but added and the table has no key: rows of one key
 * must not be mixed. */
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

#include <string.h>

static bool same_calc(const struct calc_body *x, const struct calc_body *y)
{
    if (x->count != y->count || (x->condition == NULL) != (y->condition == NULL)) return false;
    if (x->condition != NULL && !expr_equal(x->condition, y->condition)) return false;
    for (uint32_t i = 0; i < x->count; i++)
        if (!expr_equal(x->columns[i], y->columns[i])) return false;
    return true;
}

static bool may_share(const struct rel *r)
{
    const struct sink_body *b = r->body;

    return r->type == &rel_sink_type && b->table != NULL && b->table->key_count == 0 && b->replaced == NULL && r->inputs[0]->modifies == MODIFIES_NOTHING;
}

static bool same_types(const struct type *x, const struct type *y)
{
    if (x->child_count != y->child_count) return false;
    for (uint32_t i = 0; i < x->child_count; i++)
        if (!type_equal_ignoring_null(x->children[i], y->children[i])) return false;
    return true;
}

static bool same_sink(const struct rel *x, const struct rel *y)
{
    const struct sink_body *b = x->body, *c = y->body;

    if (!may_share(x) || !may_share(y) || !same_types(x->inputs[0]->row, y->inputs[0]->row)) return false;
    if (b->table != c->table || b->conflict != c->conflict || b->target_count != c->target_count) return false;
    if (b->target_count > 0 && memcmp(b->targets, c->targets, sizeof *b->targets * b->target_count) != 0) return false;
    return same_calc(&b->enforce, &c->enforce) && same_calc(&b->parts, &c->parts);
}

/* Nullable where one of them is; names of the first. */
static const struct type *common_row(struct arena *a, struct rel *const *inputs, uint32_t count)
{
    const struct type *first = inputs[0]->row;
    const struct type **types = ARENA_ARRAY(a, const struct type *, first->child_count + 1);

    for (uint32_t i = 0; i < first->child_count; i++) {
        bool nullable = false;
        for (uint32_t k = 0; k < count; k++) nullable |= inputs[k]->row->children[i]->nullable;
        types[i] = type_with_null(a, first->children[i], nullable);
    }
    return type_row(a, first->child_count, first->names, types, false);
}

uint32_t rewrite_sinks(struct arena *a, struct rel **sinks, uint32_t count)
{
    struct rel **inputs = ARENA_ARRAY(a, struct rel *, count + 1);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = 0, rest = i + 1;
        inputs[n++] = sinks[i]->inputs[0];
        for (uint32_t k = i + 1; k < count; k++) {
            if (n < REL_INPUTS_MAX && same_sink(sinks[i], sinks[k])) inputs[n++] = sinks[k]->inputs[0];
            else sinks[rest++] = sinks[k];
        }
        sinks[kept++] = n == 1 ? sinks[i]
                               : rel_say_as(rel_sink(a, rel_union(a, common_row(a, inputs, n), inputs, n), sinks[i]->body), sinks[i]);
        count = rest;
    }
    return kept;
}
