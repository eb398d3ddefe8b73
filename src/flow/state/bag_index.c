/* bag_index.c - finding an element of a bag by its row (MULTISET) or map key (MAP).
 *
 * The idea: up to 32 elements are looked at one by one, comparing 32 bits of hash first; above that the bag gets an open
 * hash table of references, rebuilt when it is three quarters full. The hash is of the probe row (rowops.h), seeded
 * unlike the index of keys.
 *
 * Invariants: all elements that are not dead are in the table once there is one; tombstones keep searches going.
 * Not here: elements themselves (bag.c). */
#include "flow/state/bag.h"

struct bag_index {
    uint32_t capacity; /* a power of two */
    uint32_t used;     /* tombstones included */
    struct index_place {
        uint32_t hash;
        struct state_ref ref; /* segment 0: free (offset 0) or a tombstone (offset 1) */
    } places[];
};

static bool element_equals(const struct hm_table *t, const char *row, const void *probe)
{
    if (t->base.def->map_key) return row_equals_probe(&t->base.extra, &t->segments, row - t->base.extra.size, probe);
    return row_equals_probe(&t->base.value, &t->segments, row, probe);
}

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
    const struct bag_index *x;

    if (b->index.segment == 0) return scan(t, b, hash, probe);
    x = block_at(&t->segments, b->index);
    for (uint32_t at = hash & (x->capacity - 1);; at = (at + 1) & (x->capacity - 1)) {
        const struct index_place *p = &x->places[at];
        char *row;
        if (p->ref.segment == 0 && p->ref.offset == 0) return NULL;
        if (p->hash != hash || p->ref.segment == 0) continue;
        row = block_at(&t->segments, p->ref);
        if (element_equals(t, row, probe)) return row;
    }
}

static void place_put(struct bag_index *x, uint32_t hash, struct state_ref ref)
{
    uint32_t at = hash & (x->capacity - 1);

    while (x->places[at].ref.segment != 0) at = (at + 1) & (x->capacity - 1);
    x->used += x->places[at].ref.offset == 0; /* a tombstone is counted already */
    x->places[at] = (struct index_place){hash, ref};
}

void bag_index_rebuild(struct hm_table *t, struct space *s, struct bag *b)
{
    uint32_t capacity = 64, live = b->used;
    struct bag_index *x;
    size_t size;

    if (b->index.segment) block_give(&s->blocks, &t->segments, b->index);
    b->index = (struct state_ref){0, 0};
    if (live <= BAG_SCAN_MAX) return;
    while (capacity < live * 2) capacity *= 2;
    size = sizeof *x + capacity * sizeof x->places[0];
    b->index = block_take(&s->blocks, &t->segments, size);
    x = block_at(&t->segments, b->index);
    memset(x, 0, size);
    x->capacity = capacity;
    for (struct state_ref at = b->first; at.segment;) {
        struct chunk *c = block_at(&t->segments, at);
        for (uint32_t i = 0; i < c->used; i++) {
            char *row = chunk_row(t->bag, c, i);
            const struct state_element *e = row_element(t->bag, row);
            if (e->flags & ELEMENT_DEAD) continue;
            place_put(x, e->hash, (struct state_ref){at.segment, at.offset + (uint32_t)(row - (char *)c)});
        }
        at = c->next;
    }
}

void bag_index_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t hash, struct state_ref ref)
{
    struct bag_index *x = b->index.segment ? block_at(&t->segments, b->index) : NULL;

    if (x == NULL ? b->used > BAG_SCAN_MAX : x->used + 1 > x->capacity / 4 * 3) {
        bag_index_rebuild(t, s, b); /* the new element is in its chunk already */
    } else if (x != NULL) {
        place_put(x, hash, ref);
    }
}

void bag_index_remove(struct hm_table *t, struct bag *b, const char *row)
{
    uint32_t hash = row_element(t->bag, row)->hash;
    struct bag_index *x;

    if (b->index.segment == 0) return;
    x = block_at(&t->segments, b->index);
    for (uint32_t at = hash & (x->capacity - 1);; at = (at + 1) & (x->capacity - 1)) {
        struct index_place *p = &x->places[at];
        ASSERT(p->ref.segment != 0 || p->ref.offset != 0);
        if (p->ref.segment == 0 || (char *)block_at(&t->segments, p->ref) != row) continue;
        p->ref = (struct state_ref){0, 1};
        return;
    }
}
