/* bag_index.c - finding an element of a bag by its row (MULTISET) or map key (MAP).
 *
 * The idea: up to 8 elements are looked at one by one, comparing 32 bits of hash first; above that the bag gets an open
 * hash table of references, which is made anew when it is three quarters full, from the old one where nothing was removed.
 * How large and how full it is stands in the head, so that one line of the table is all that a search touches. The hash is of
 * the probe row (rowops.h), seeded unlike the index of keys.
 *
 * Invariants: all elements that are not dead are in the table once there is one; tombstones keep searches going.
 * Not here: elements themselves (bag.c). */
#include "flow/state/bag.h"

/* Rows of words, without strings, are compared word by word: mostly there is one. */
static inline bool words_equal(const char *a, const char *b, uint32_t bytes)
{
    uint64_t x, y, differ = 0;

    for (uint32_t at = 0; at < bytes; at += sizeof x) {
        memcpy(&x, a + at, sizeof x);
        memcpy(&y, b + at, sizeof y);
        differ |= x ^ y;
    }
    return differ == 0;
}

static inline bool element_equals(const struct hm_table *t, const char *row, const void *probe)
{
    const struct state_layout *l = t->base.def->map_key ? &t->base.extra : &t->base.value;
    const char *stored = t->base.def->map_key ? row - t->base.extra.size : row;

    if (l->text_count == 0) return words_equal(stored, probe, l->size);
    return row_equals_probe(l, &t->segments, stored, probe);
}

static struct index_place *places_of(const struct hm_table *t, const struct bag *b) { return block_at(&t->segments, b->index); }

static char *scan(struct hm_table *t, struct bag *b, uint32_t hash, const void *probe)
{
    for (struct state_ref at = b->first; at.segment;) {
        struct chunk *c = block_at(&t->segments, at);
        for (uint32_t i = 0; i < c->used; i++) {
            char *row = chunk_row(t->bag, c, i);
            const struct state_element *e = row_element(t->bag, row);
            if (e->hash == hash && !(e->flags & ELEMENT_DEAD) && element_equals(t, row, probe)) return row;
        }
        at = c->next;
    }
    return NULL;
}

char *bag_find(struct hm_table *t, struct bag *b, uint32_t hash, const void *probe)
{
    const struct index_place *places;

    if (b->index.segment == 0) return scan(t, b, hash, probe);
    places = places_of(t, b);
    for (uint32_t at = hash & b->places_mask;; at = (at + 1) & b->places_mask) {
        const struct index_place *p = &places[at];
        char *row;
        if (p->ref.segment == 0 && p->ref.offset == 0) return NULL;
        if (p->hash != hash || p->ref.segment == 0) continue;
        row = block_at(&t->segments, p->ref);
        if (element_equals(t, row, probe)) return row;
    }
}

static void place_put(struct bag *b, struct index_place *places, uint32_t hash, struct state_ref ref)
{
    uint32_t at = hash & b->places_mask;

    while (places[at].ref.segment != 0) at = (at + 1) & b->places_mask;
    b->places_used += places[at].ref.offset == 0; /* a tombstone is counted already */
    places[at] = (struct index_place){hash, ref};
}

/* An empty table for so many elements; the old one is left to the caller. */
static struct index_place *table_begin(struct hm_table *t, struct space *s, struct bag *b, uint32_t elements)
{
    uint32_t capacity = 16;
    struct index_place *places;

    while (capacity < elements * 2) capacity *= 2;
    b->index = block_take(&s->blocks, &t->segments, capacity * sizeof *places);
    b->places_mask = capacity - 1;
    b->places_used = 0;
    places = places_of(t, b);
    memset(places, 0, capacity * sizeof *places);
    return places;
}

void bag_index_rebuild(struct hm_table *t, struct space *s, struct bag *b)
{
    struct index_place *places;

    if (b->index.segment) block_give(&s->blocks, &t->segments, b->index);
    b->index = (struct state_ref){0, 0};
    b->places_used = b->places_mask = 0;
    if (b->used <= BAG_SCAN_MAX) return;
    places = table_begin(t, s, b, b->used);
    for (struct state_ref at = b->first; at.segment;) {
        struct chunk *c = block_at(&t->segments, at);
        for (uint32_t i = 0; i < c->used; i++) {
            char *row = chunk_row(t->bag, c, i);
            const struct state_element *e = row_element(t->bag, row);
            if (e->flags & ELEMENT_DEAD) continue;
            place_put(b, places, e->hash, (struct state_ref){at.segment, at.offset + (uint32_t)(row - (char *)c)});
        }
        at = c->next;
    }
}

/* A larger table of what the full one holds; the elements themselves are not touched. */
static void index_grow(struct hm_table *t, struct space *s, struct bag *b)
{
    struct state_ref old = b->index;
    uint32_t capacity = b->places_mask + 1, live = 0;
    struct index_place *places;

    for (uint32_t i = 0; i < capacity; i++) live += places_of(t, b)[i].ref.segment != 0;
    places = table_begin(t, s, b, live + 1);
    for (uint32_t i = 0; i < capacity; i++) {
        const struct index_place *p = (const struct index_place *)block_at(&t->segments, old) + i;
        if (p->ref.segment != 0) place_put(b, places, p->hash, p->ref);
    }
    block_give(&s->blocks, &t->segments, old);
}

void bag_index_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t hash, struct state_ref ref)
{
    if (b->index.segment == 0) {
        if (b->used > BAG_SCAN_MAX) bag_index_rebuild(t, s, b); /* the new element is in its chunk already */
        return;
    }
    if (b->places_used + 1 > (b->places_mask + 1) / 4 * 3) index_grow(t, s, b);
    place_put(b, places_of(t, b), hash, ref);
}

void bag_index_remove(struct hm_table *t, struct bag *b, const char *row)
{
    uint32_t hash = row_element(t->bag, row)->hash;
    struct index_place *places;

    if (b->index.segment == 0) return;
    places = places_of(t, b);
    for (uint32_t at = hash & b->places_mask;; at = (at + 1) & b->places_mask) {
        struct index_place *p = &places[at];
        ASSERT(p->ref.segment != 0 || p->ref.offset != 0);
        if (p->ref.segment == 0 || (char *)block_at(&t->segments, p->ref) != row) continue;
        p->ref = (struct state_ref){0, 1};
        return;
    }
}
