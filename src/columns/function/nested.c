/* nested.c - putting values into lists and rows, and sets of values.
 *
 * The set is open addressing over (vector, row) pairs; a stamp per round empties it without touching the slots. It is probed by
 * the canonical hash and compared as ORDER BY compares, so NULLs and nested values need no case of their own. */
#include "columns/function/nested.h"

#include <string.h>

/* --- values ------------------------------------------------------------------------------------------------------ */
void nested_put(const struct fn_run *r, struct vector *dst, uint32_t row, const struct vector *src, uint32_t src_row)
{
    const struct vector *values = vector_values(src);
    uint32_t at = vector_at(src, src_row);
    size_t width = phys_width((enum phys)dst->phys);

    if (vector_is_null(src, src_row)) {
        vector_set_null(dst, row);
        if (width > 0) memset((char *)dst->data + width * row, 0, width);
    } else if (dst->child_count > 0) {
        vector_copy_run(dst, row, values, at, 1, r->heap, r->mem);
    } else {
        memcpy((char *)dst->data + width * row, (const char *)values->data + width * at, width);
    }
}

void nested_put_column(const struct fn_run *r, struct vector *dst, const struct vector *src)
{
    bool flat = dst->child_count == 0 && src->form == VEC_FLAT && src->validity == NULL;

    if (flat) memcpy(dst->data, src->data, phys_width((enum phys)dst->phys) * r->count);
    if (flat) return;
    FN_EACH(r, i)
    if (!vector_is_null(dst, i)) nested_put(r, dst, i, src, i);
}

/* --- lists ------------------------------------------------------------------------------------------------------- */
void list_begin(struct vector *out, uint32_t row)
{
    VECTOR_VALUES(out, struct list_ref)[row] = (struct list_ref){out->children[0].used, 0};
}

void list_add(const struct fn_run *r, struct vector *out, uint32_t child, const struct vector *src, uint32_t src_row)
{
    struct vector *items = &out->children[child];

    if (items->used == items->capacity) vector_child_reserve(out, items->used + 1, r->mem);
    nested_put(r, items, items->used++, src, src_row);
}

void list_add_all(const struct fn_run *r, struct vector *out, uint32_t child, struct list from)
{
    struct vector *items = &out->children[child];

    if (from.count == 0) return;
    vector_child_reserve(out, items->used + from.count, r->mem);
    vector_copy_run(items, items->used, from.items, from.first, from.count, r->heap, r->mem);
    items->used += from.count;
}

void list_end(struct vector *out, uint32_t row)
{
    struct list_ref *list = &VECTOR_VALUES(out, struct list_ref)[row];

    for (uint32_t k = 1; k < out->child_count; k++) ASSERT(out->children[k].used == out->children[0].used);
    list->count = out->children[0].used - list->first;
}

/* --- sets -------------------------------------------------------------------------------------------------------- */
void value_set_init(struct value_set *s, struct mem *mem) { *s = (struct value_set){.mem = mem}; }
void value_set_release(struct value_set *s) { mem_free(s->mem, s->slots); }

void value_set_begin(struct value_set *s, uint64_t count)
{
    uint64_t need = 16;

    ASSERT(count <= UINT32_MAX / 4);
    while (need < count * 2) need *= 2;
    s->stamp++;
    if (s->slots != NULL && s->mask + 1 >= need && s->stamp != 0) return;
    mem_free(s->mem, s->slots);
    s->slots = mem_zalloc(s->mem, sizeof *s->slots * need);
    s->mask = (uint32_t)(need - 1);
    s->stamp = 1;
}

/* The slot of the equal value, or the free one where it would stand. */
static struct value_slot *slot_of(const struct value_set *s, const struct vector *v, uint32_t at)
{
    for (uint32_t k = (uint32_t)vector_hash(v, at) & s->mask;; k = (k + 1) & s->mask) {
        struct value_slot *slot = &s->slots[k];
        if (slot->stamp != s->stamp || vector_compare(slot->v, slot->at, v, at) == 0) return slot;
    }
}

uint32_t value_set_find(const struct value_set *s, const struct vector *v, uint32_t at)
{
    const struct value_slot *slot = slot_of(s, v, at);
    return slot->stamp == s->stamp ? slot->at : VALUE_NONE;
}

bool value_set_add(struct value_set *s, const struct vector *v, uint32_t at)
{
    struct value_slot *slot = slot_of(s, v, at);

    if (slot->stamp == s->stamp) return false;
    *slot = (struct value_slot){v, at, s->stamp, false};
    return true;
}

bool value_set_take(struct value_set *s, const struct vector *v, uint32_t at)
{
    struct value_slot *slot = slot_of(s, v, at);
    bool taken = slot->stamp == s->stamp && !slot->taken;

    slot->taken = true;
    return taken;
}

void *value_set_open(const struct fn_call *c, struct mem *mem)
{
    struct value_set *s = mem_alloc(mem, sizeof *s);

    (void)c;
    value_set_init(s, mem);
    return s;
}

void value_set_close(void *state, struct mem *mem)
{
    value_set_release(state);
    mem_free(mem, state);
}

/* --- maps -------------------------------------------------------------------------------------------------------- */
void map_begin(struct value_set *s, struct vector *out, uint32_t row, uint64_t count)
{
    value_set_begin(s, count);
    list_begin(out, row);
}

void map_put(const struct fn_run *r, struct value_set *s, struct vector *out, const struct vector *keys, uint32_t key,
             const struct vector *values, uint32_t value)
{
    uint32_t at = value_set_find(s, keys, key);

    if (at == VALUE_NONE) {
        list_add(r, out, 0, keys, key);
        list_add(r, out, 1, values, value);
        value_set_add(s, &out->children[0], out->children[0].used - 1);
        return;
    }
    vector_set_valid(&out->children[1], at);
    nested_put(r, &out->children[1], at, values, value);
}
