/* over_distinct.c - DISTINCT along rows in an order: the values of all rows up to the one at hand, in a set that is made anew for each
 * row that comes or goes. A row that brings no new value is left out.
 *
 * A row in work changes the sets of those behind it by its own value alone, so from the first other row of that value on they are as
 * they were. */
#include "flow/operator/over_distinct.h"

#include "flow/state/shape.h"

#include <string.h>

/* Is the result the same however often a value comes? */
static bool is_idempotent(const struct agg *a)
{
    if (a->keep != AGG_KEEP_NOTHING)
        return a->keep == AGG_KEEP_LEAST || a->keep == AGG_KEEP_GREATEST || a->keep == AGG_KEEP_FIRST;
    return strcmp(a->type->name, "min") == 0 || strcmp(a->type->name, "max") == 0;
}

void over_distinct_open(struct over_distinct *d, struct op_cx *cx, const struct group_call *calls, uint32_t count,
                        const int *fields)
{
    d->mem = cx->mem;
    d->items = ARENA_ARRAY(cx->plan->arena, struct distinct_call, count + 1);
    text_heap_init(&d->heap, cx->mem);
    for (uint32_t i = 0; i < count; i++) {
        if (!calls[i].is_distinct || is_idempotent(&calls[i].agg)) continue;
        struct distinct_call *c = &d->items[d->count++];
        *c = (struct distinct_call){.call = i, .col = calls[i].agg.col, .field = fields[calls[i].agg.col]};
        value_set_init(&c->set, cx->mem);
        vector_init(&c->list,
                    type_list(cx->plan->arena, T_ARRAY, type_with_null(cx->plan->arena, calls[i].agg.argument, true),
                              NULL, false),
                    1, cx->mem);
    }
}

void over_distinct_close(struct over_distinct *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        value_set_release(&d->items[i].set);
        vector_release(&d->items[i].list, d->mem);
    }
    if (d->mem != NULL) text_heap_release(&d->heap);
}

static struct vector *seen_of(struct distinct_call *c) { return &c->list.children[0]; }

/* The value behind those of the set becomes one of it; false: it was there, or is NULL. */
static bool last_add(struct distinct_call *c)
{
    bool is_new = !vector_is_null(seen_of(c), c->used) && value_set_add(&c->set, seen_of(c), c->used);

    if (is_new) c->used++;
    return is_new;
}

static void room_make(struct over_distinct *d, struct distinct_call *c)
{
    vector_child_reserve(&c->list, c->used + 1, d->mem);
    vector_set_valid(seen_of(c), c->used);
}

static bool is_mine_there(const struct distinct_call *c, const struct batch *in, uint32_t row)
{
    const struct vector *mine = &in->cols[c->col];

    return vector_is_null(mine, row) || value_set_find(&c->set, mine, row) != VALUE_NONE;
}

void over_distinct_begin(struct over_distinct *d, const struct state_table *t, void *const *before, uint32_t count,
                         uint32_t more, const struct batch *in, uint32_t row)
{
    uint16_t which = (uint16_t)row;

    text_heap_clear(&d->heap);
    for (uint32_t i = 0; i < d->count; i++) {
        struct distinct_call *c = &d->items[i];
        vector_clear(&c->list);
        c->used = 0;
        value_set_begin(&c->set, (uint64_t)count + more + 1);
        for (uint32_t k = 0; k < (c->field >= 0 ? count : MIN(count, 1u)); k++) {
            const void *one = before[k];
            room_make(d, c);
            if (c->field >= 0)
                state_rows_load(t, &one, 1, (uint32_t)c->field, seen_of(c), c->used, &d->heap, d->mem);
            else
                vector_copy(seen_of(c), c->used, &in->cols[c->col], &which, 1, &d->heap, d->mem);
            (void)last_add(c);
        }
        c->has_mine = is_mine_there(c, in, row);
    }
}

void over_distinct_add(struct over_distinct *d, const struct batch *work, uint32_t at, const struct batch *in,
                       uint32_t row, bool is_mine, bool *left_out)
{
    uint16_t which = (uint16_t)at;

    for (uint32_t i = 0; i < d->count; i++) {
        struct distinct_call *c = &d->items[i];
        const struct vector *v = &work->cols[c->col];
        left_out[c->call] = true;
        if (vector_is_null(v, at)) continue;
        if (!is_mine && !c->has_mine) c->has_mine = vector_compare(v, at, &in->cols[c->col], row) == 0;
        if (value_set_find(&c->set, v, at) != VALUE_NONE) continue;
        room_make(d, c);
        vector_copy(seen_of(c), c->used, v, &which, 1, &d->heap, d->mem);
        left_out[c->call] = !last_add(c);
    }
}

bool over_distinct_settled(const struct over_distinct *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (!d->items[i].has_mine) return false;
    return true;
}
