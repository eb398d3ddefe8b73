/* window_keys.c - the names of windows: the columns of the key with the window's bounds behind them, hashed so that the key alone
 * decides the key group. The global window needs no bounds: there the key is the name, which is cheaper to look up.
 *
 * Rows of one batch that fall on the same key and window share a slot: contents, rows, and states are looked up once for all
 * of them. Looking for them costs something for each row, so a batch that has few of them excuses the next ones. */
#include "flow/operator/window_internal.h"

#include <string.h>

enum { SHARED_SKIP = 15 };

const struct type *window_key_type(const struct op_plan *p, const struct window_config *c)
{
    uint32_t n = p->key_count[0], bounds = n == 0 || window_is_bounded(c) ? 2 : 0;
    const char **names = ARENA_ARRAY(p->arena, const char *, n + 2);
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 2);

    for (uint32_t i = 0; i < n; i++) {
        names[i] = p->inputs[0]->names[p->keys[0][i]];
        types[i] = p->inputs[0]->children[p->keys[0][i]];
    }
    names[n] = "window start";
    names[n + 1] = "window end";
    types[n] = types[n + 1] = type_new(p->arena, T_BIGINT, 0, 0, false);
    return type_row(p->arena, n + bounds, names, types, false);
}

void window_keys_hash(struct window_engine *e, struct window_keys *k)
{
    if (e->name_count == e->key_count)
        batch_hash(k->batch, e->cols, e->key_count, k->hashes);
    else
        state_hash_within(k->batch, e->cols, e->key_count, e->name_count, k->hashes);
}

void window_keys_fill(struct window_engine *e, struct window_keys *k, const struct batch *from, const uint32_t *cols)
{
    struct batch *b = k->batch;

    batch_clear(b);
    for (uint32_t c = 0; c < e->key_count; c++)
        vector_copy(&b->cols[c], 0, &from->cols[cols[c]], k->source, k->count, &b->heap, b->mem);
    for (uint32_t i = 0; e->name_count > e->key_count && i < k->count; i++) {
        VECTOR_VALUES(&b->cols[e->key_count], int64_t)[i] = k->window[i].start;
        VECTOR_VALUES(&b->cols[e->key_count + 1], int64_t)[i] = k->window[i].end;
    }
    b->count = k->count;
    window_keys_hash(e, k);
}

/* --- rows of one key and window ----------------------------------------------------------------------------------- */
/* May say no where state says yes (zeros of two signs, nested keys): then they have slots of their own, as before. */
static bool names_are_equal(const struct window_engine *e, uint32_t i, uint32_t k)
{
    const struct batch *b = e->owners.batch;

    if (e->owners.hashes[i] != e->owners.hashes[k] || !window_equal(&e->owners.window[i], &e->owners.window[k]))
        return false;
    for (uint32_t c = 0; c < e->key_count; c++) {
        const struct vector *v = &b->cols[c];
        if (vector_is_null(v, i) || vector_is_null(v, k)) return false;
        if (v->phys == P_I64) {
            if (VECTOR_VALUES(v, int64_t)[i] != VECTOR_VALUES(v, int64_t)[k]) return false;
            continue;
        }
        uint32_t width = phys_width(v->phys);
        if (v->phys == P_STR ? !text_equal(&VECTOR_VALUES(v, struct text)[i], &VECTOR_VALUES(v, struct text)[k])
                             : width == 0 || memcmp((const char *)v->data + (size_t)i * width,
                                                    (const char *)v->data + (size_t)k * width, width) != 0)
            return false;
    }
    return true;
}

/* Slots for the items, one per name, in order of first appearance. */
static void slots_share(struct window_engine *e)
{
    struct window_keys *slots = &e->more[0];

    memset(e->slot_of, 0, sizeof e->slot_of);
    slots->count = 0;
    for (uint32_t i = 0; i < e->item_count; i++) {
        uint32_t at = (uint32_t)e->owners.hashes[i] % (2 * BATCH_ROWS);
        while (e->slot_of[at] != 0 && !names_are_equal(e, i, slots->source[e->slot_of[at] - 1]))
            at = (at + 1) % (2 * BATCH_ROWS);
        if (e->slot_of[at] == 0) {
            slots->source[slots->count] = (uint16_t)i;
            slots->window[slots->count] = e->owners.window[i];
            e->slot_of[at] = (uint16_t)++slots->count;
        }
        e->items[i].slot = e->items[i].named = e->slot_of[at] - 1u;
    }
}

static void slots_own(struct window_engine *e)
{
    for (uint32_t i = 0; i < e->item_count; i++) e->items[i].slot = e->items[i].named = i;
    e->slots = e->named = &e->owners;
}

void window_keys_of_items(struct window_engine *e)
{
    struct window_keys *k = &e->owners;

    k->count = e->item_count;
    for (uint32_t i = 0; i < e->item_count; i++) {
        k->source[i] = (uint16_t)batch_row(e->in, e->items[i].at);
        k->window[i] = e->items[i].window;
    }
    window_keys_fill(e, k, e->in, e->op->plan->keys[e->input]);
    if (e->is_merging || e->shared_skip > 0) { /* sessions are grouped in their own way */
        e->shared_skip -= e->shared_skip > 0;
        slots_own(e);
        return;
    }
    slots_share(e);
    if (e->more[0].count > e->item_count / 2) {
        e->shared_skip = SHARED_SKIP;
        slots_own(e);
        return;
    }
    e->slots = e->named = &e->more[0];
    window_keys_fill(e, e->slots, k->batch, e->cols);
}
