/* over_distinct.c - DISTINCT along rows in an order: the values of all rows up to the one at hand, in a set that is made anew for each
 * row that comes or goes. A row that brings no new value is left out.
 *
 * A row in work changes the sets of those behind it by its own value alone, so from the first other row of that value on they are as
 * they were.
 *
 * Each value is held once, however many rows have it. What they may take is what keyed state may (thalweg.state.memory). */
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
    d->bytes_max = cx->state->bytes_max;
    d->err = cx->err;
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
    if (2 * (c->used + 1) <= c->set.mask) return;
    value_set_begin(&c->set, 2 * (uint64_t)c->used + 8);
    for (uint32_t i = 0; i < c->used; i++) (void)value_set_add(&c->set, seen_of(c), i);
}

static enum status room_check(const struct over_distinct *d)
{
    size_t bytes = d->heap.used, values = 0;

    if (d->bytes_max == 0) return S_OK;
    for (uint32_t i = 0; i < d->count; i++) {
        const struct distinct_call *c = &d->items[i];
        bytes += c->used * (sizeof(struct value_slot) * 2 + phys_width((enum phys)c->list.children[0].phys));
        values += c->used;
    }
    if (bytes <= d->bytes_max) return S_OK;
    err_hint(d->err, "raise '" STATE_MEMORY_KEY "', or leave out DISTINCT");
    return err_set(d->err, E_BUDGET, "DISTINCT over a window: %zu different values before a row need %zu of %zu bytes", values, bytes, d->bytes_max);
}

/* What comes anew is copied. true: it did. */
static bool value_take(struct over_distinct *d, struct distinct_call *c, const struct vector *v, uint32_t at)
{
    uint16_t which = (uint16_t)at;

    if (vector_is_null(v, at) || value_set_find(&c->set, v, at) != VALUE_NONE) return false;
    room_make(d, c);
    vector_copy(seen_of(c), c->used, v, &which, 1, &d->heap, d->mem);
    return last_add(c);
}

void over_distinct_begin(struct over_distinct *d)
{
    text_heap_clear(&d->heap);
    for (uint32_t i = 0; i < d->count; i++) {
        vector_clear(&d->items[i].list);
        d->items[i].used = 0;
        value_set_begin(&d->items[i].set, 8);
    }
}

enum status over_distinct_before(struct over_distinct *d, const struct state_table *t, void *const *before, uint32_t count,
                                 struct batch *work, const struct batch *in, uint32_t row)
{
    batch_clear(work);
    for (uint32_t first = 0, n; first < count; first += n) {
        n = MIN(count - first, (uint32_t)BATCH_ROWS);
        for (uint32_t i = 0; i < d->count; i++) {
            struct distinct_call *c = &d->items[i];
            if (c->field < 0) {
                (void)value_take(d, c, &in->cols[c->col], row);
                continue;
            }
            batch_clear(work);
            state_rows_load(t, (const void *const *)before + first, n, (uint32_t)c->field, &work->cols[c->col], 0, &work->heap, work->mem);
            for (uint32_t k = 0; k < n; k++) (void)value_take(d, c, &work->cols[c->col], k);
        }
    }
    return room_check(d);
}

void over_distinct_ready(struct over_distinct *d, const struct batch *in, uint32_t row)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const struct vector *mine = &in->cols[d->items[i].col];
        d->items[i].has_mine = vector_is_null(mine, row) || value_set_find(&d->items[i].set, mine, row) != VALUE_NONE;
    }
}

enum status over_distinct_add(struct over_distinct *d, const struct batch *work, uint32_t at, const struct batch *in, uint32_t row,
                              bool is_mine, bool *left_out)
{
    for (uint32_t i = 0; i < d->count; i++) {
        struct distinct_call *c = &d->items[i];
        const struct vector *v = &work->cols[c->col];
        left_out[c->call] = true;
        if (vector_is_null(v, at)) continue;
        if (!is_mine && !c->has_mine) c->has_mine = vector_compare(v, at, &in->cols[c->col], row) == 0;
        left_out[c->call] = !value_take(d, c, v, at);
    }
    return d->count > 0 ? room_check(d) : S_OK;
}

bool over_distinct_settled(const struct over_distinct *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (!d->items[i].has_mine) return false;
    return true;
}
