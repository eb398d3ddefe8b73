/* nested.c - values of type ARRAY, MAP, MULTISET and ROW as bytes, as a row keeps them.
 *
 * The bytes: a list is its count as a varint and its elements (for maps key, value, key, value ..); a row its fields; every
 * element and field one byte 1 (NULL) or 0 and then the value: fixed-width ones as they lie, strings with a varint
 * length. The value itself is not NULL (the row's null bits say that).
 *
 * Invariant: equal values give equal bytes, maps and multisets as keys only: there their entries are put in order. Not here: checks of what comes from outside; these bytes never left the
 * process. Depth is bounded by the types (TYPE_DEPTH_MAX). */
#include "flow/state/rowops.h"

#include "ground/base/codec.h"
#include "ground/base/sort.h"

enum { FEW_ENTRIES = 32 }; /* of a map; more are put in order in memory of their own */

static void value_encode(const struct vector *v, uint32_t row, bool ordered, struct buf *out);

static void element_encode(const struct vector *v, uint32_t row, bool ordered, struct buf *out)
{
    bool is_null = vector_is_null(v, row);

    enc_u8(out, is_null);
    if (!is_null) value_encode(v, row, ordered, out);
}

static bool key_less(void *arg, uint32_t a, uint32_t b)
{
    const struct vector *keys = arg;

    return vector_compare(keys, a, keys, b) < 0;
}

/* Maps and multisets have no order: their entries lie in that of the keys. `order` has room for twice their number. */
static void entries_encode(const struct vector *base, struct list_ref list, uint32_t *order, struct buf *out)
{
    for (uint32_t i = 0; i < list.count; i++) order[i] = list.first + i;
    sort_stable(order, order + list.count, list.count, key_less, &base->children[0]);
    for (uint32_t i = 0; i < list.count; i++)
        for (uint32_t k = 0; k < base->child_count; k++) element_encode(&base->children[k], order[i], true, out);
}

static void list_encode(const struct vector *base, uint32_t at, bool ordered, struct buf *out)
{
    struct list_ref list = ((const struct list_ref *)base->data)[at];
    uint32_t few[2 * FEW_ENTRIES], *order = few;

    enc_varint(out, list.count);
    if (ordered && base->child_count > 1 && list.count > 1) {
        if (list.count > FEW_ENTRIES) order = mem_alloc(out->mem, sizeof *order * 2 * list.count);
        entries_encode(base, list, order, out);
        if (order != few) mem_free(out->mem, order);
        return;
    }
    for (uint32_t i = 0; i < list.count; i++) {
        for (uint32_t k = 0; k < base->child_count; k++) element_encode(&base->children[k], list.first + i, ordered, out);
    }
}

static void value_encode(const struct vector *v, uint32_t row, bool ordered, struct buf *out)
{
    const struct vector *base = vector_values(v);
    uint32_t at = vector_at(v, row);

    switch (base->phys) {
    case P_STR: enc_str(out, text_str(&((const struct text *)base->data)[at])); break;
    case P_LIST: list_encode(base, at, ordered, out); break;
    case P_ROW:
        for (uint32_t k = 0; k < base->child_count; k++) element_encode(&base->children[k], at, ordered, out);
        break;
    default: {
        size_t width = phys_width((enum phys)base->phys);
        buf_append(out, (const char *)base->data + at * width, width);
    }
    }
}

void nested_encode(const struct vector *v, uint32_t row, struct buf *out)
{
    ASSERT(!vector_is_null(v, row));
    value_encode(v, row, false, out);
}

void nested_encode_key(const struct vector *v, uint32_t row, struct buf *out)
{
    ASSERT(!vector_is_null(v, row));
    value_encode(v, row, true, out);
}

struct nested_reader {
    struct dec dec;
    struct text_heap *heap;
    struct mem *mem;
};

static void value_decode(struct nested_reader *r, struct vector *v, uint32_t at);

static void element_decode(struct nested_reader *r, struct vector *v, uint32_t at)
{
    if (dec_u8(&r->dec)) {
        vector_set_null(v, at);
    } else {
        if (v->validity) vector_set_valid(v, at);
        value_decode(r, v, at);
    }
}

static void list_decode(struct nested_reader *r, struct vector *v, uint32_t at)
{
    uint32_t count = (uint32_t)dec_varint(&r->dec), first = v->children[0].used;

    vector_child_reserve(v, first + count, r->mem);
    for (uint32_t k = 0; k < v->child_count; k++) v->children[k].used = first + count;
    ((struct list_ref *)v->data)[at] = (struct list_ref){first, count};
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < v->child_count; k++) element_decode(r, &v->children[k], first + i);
    }
}

static void value_decode(struct nested_reader *r, struct vector *v, uint32_t at)
{
    switch (v->phys) {
    case P_STR: {
        struct str s = dec_str(&r->dec, UINT32_MAX);
        ((struct text *)v->data)[at] = text_put(r->heap, s.data, s.size);
        break;
    }
    case P_LIST: list_decode(r, v, at); break;
    case P_ROW:
        for (uint32_t k = 0; k < v->child_count; k++) element_decode(r, &v->children[k], at);
        break;
    default: {
        size_t width = phys_width((enum phys)v->phys);
        ASSERT(dec_left(&r->dec) >= width);
        memcpy((char *)v->data + at * width, r->dec.at, width);
        r->dec.at += width;
    }
    }
}

void nested_decode(struct str bytes, struct vector *v, uint32_t at, struct text_heap *heap, struct mem *mem)
{
    struct nested_reader r = {.heap = heap, .mem = mem};

    dec_init(&r.dec, bytes.data, bytes.size);
    if (v->validity) vector_set_valid(v, at);
    value_decode(&r, v, at);
    ASSERT(dec_ok(&r.dec) && dec_left(&r.dec) == 0);
}
