/* timer_tree.c - buckets of timers that are large long before they are due.
 *
 * The idea: a bucket that has grown is not left to be split when its time comes, which would take as long as it is large: its
 * items go into a node with a bucket for each value of the highest byte in which they differ, and when one of these has grown,
 * so do its. So no bucket holds many, whatever a bucket's number of timers. When the bucket's turn comes, the nodes
 * along its first items become levels of the heap as they are: what differs from the least item in a node's byte lies
 * where that level wants it. Timers that are registered over and over do not make a bucket grow: they are resolved instead.
 *
 * Invariants: a node's items agree in all bytes above its own; the min of a bucket with a node is the least of the node's.
 * Not here: the levels (timer_heap.c). */
#include "flow/state/timer_heap.h"

#include "ground/base/hash.h"

#include <string.h>

enum { SAMPLE = 512, SAMPLE_REPEATS = 16, SPARES_MAX = 64 };

static inline uint32_t digit_at(const uint64_t *item, uint32_t level)
{
    return level >= 8 ? (uint32_t)((item[0] & ~WHEN_DELETION) >> ((level - 8) * 8)) & 255 : (uint32_t)(item[1] >> (level * 8)) & 255;
}

static inline bool is_filled(const struct heap_level *l, uint32_t digit) { return l->filled[digit >> 6] >> (digit & 63) & 1; }

/* The level of the highest byte in these differences; false: none. */
static inline bool level_of(const struct timer_heap *h, uint64_t when, uint64_t key, uint32_t *level)
{
    when &= ~WHEN_DELETION;
    if (when != 0) *level = 8 + (63 - (uint32_t)__builtin_clzll(when)) / 8;
    else if (key != 0 && !h->moves) *level = (63 - (uint32_t)__builtin_clzll(key)) / 8;
    else return false;
    return true;
}

/* ---- nodes */

struct heap_level *timer_level_make(struct timer_heap *h)
{
    struct heap_level *l = h->spares;

    if (l == NULL) return mem_zalloc(h->pool->mem, sizeof *l);
    h->spares = l->next_spare;
    h->spare_count--;
    l->next_spare = NULL;
    return l;
}

void timer_level_give(struct timer_heap *h, struct heap_level *l)
{
    if (l == NULL) return;
    if (h->spare_count == SPARES_MAX) {
        mem_free(h->pool->mem, l);
        return;
    }
    memset(l, 0, sizeof *l);
    l->next_spare = h->spares;
    h->spares = l;
    h->spare_count++;
}

static uint64_t node_min(const struct heap_level *l)
{
    uint64_t min = UINT64_MAX;

    for (uint32_t d = 0; d < 256; d++)
        if (is_filled(l, d)) min = MIN(min, l->buckets[d].min);
    return min;
}

static struct heap_bucket *node_bucket(struct heap_level *l, uint32_t digit)
{
    struct heap_bucket *b = &l->buckets[digit];

    if (is_filled(l, digit)) return b;
    l->filled[digit >> 6] |= UINT64_C(1) << (digit & 63);
    *b = (struct heap_bucket){.min = UINT64_MAX, .resolve_at = HEAP_LOOK_FIRST};
    return b;
}

/* A node above this one, where the item differs from what is in it. */
static struct heap_level *node_above(struct timer_heap *h, struct heap_level *below, uint32_t level)
{
    struct heap_level *l = timer_level_make(h);

    l->level = level;
    l->prefix[0] = below->prefix[0];
    l->prefix[1] = below->prefix[1];
    struct heap_bucket *b = node_bucket(l, digit_at(below->prefix, level));
    b->tree = below;
    b->min = node_min(below);
    return l;
}

struct heap_bucket *timer_tree_find(struct timer_heap *h, struct heap_bucket *b, const uint64_t *item, struct heap_path *path)
{
    bool counts = !(item[0] & WHEN_DELETION);

    for (path->count = 0; b->tree != NULL;) {
        uint32_t level;
        bool differs = level_of(h, item[0] ^ b->tree->prefix[0], item[1] ^ b->tree->prefix[1], &level);
        if (differs && level > b->tree->level) b->tree = node_above(h, b->tree, level);
        if (counts && item[0] < b->min) b->min = item[0];
        path->at[path->count++] = b;
        b = node_bucket(b->tree, digit_at(item, b->tree->level));
    }
    return b;
}

/* ---- buckets that have grown */

/* Do the latest items say the same over and over? */
static bool is_repetitive(const struct timer_heap *h, const struct heap_bucket *b)
{
    uint64_t seen[2 * SAMPLE];
    uint32_t n = MIN(b->tail->used, (uint32_t)SAMPLE), repeats = 0;

    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t *item = b->tail->items + (size_t)i * h->words;
        uint64_t hash = hash64_u64((item[0] & ~WHEN_DELETION) ^ hash64_u64(item[1])) | 1;
        uint64_t *at = &seen[hash >> 32 & (2 * SAMPLE - 1)];
        repeats += *at == hash;
        *at = hash;
    }
    return repeats >= SAMPLE_REPEATS;
}

static bool can_split(const struct timer_heap *h, const struct heap_bucket *b, uint32_t *level)
{
    uint64_t when = 0, key = 0;

    for (const struct heap_chunk *c = b->head; c != NULL; c = c->next) {
        for (uint32_t i = 0; i < c->used; i++) {
            const uint64_t *item = c->items + (size_t)i * h->words;
            when |= item[0] ^ b->head->items[0];
            key |= item[1] ^ b->head->items[1];
        }
    }
    return b->head != NULL && level_of(h, when, key, level);
}

static void split(struct timer_heap *h, struct heap_bucket *b, uint32_t level)
{
    struct heap_level *l = timer_level_make(h);

    l->level = level;
    l->prefix[0] = b->head->items[0] & ~WHEN_DELETION;
    l->prefix[1] = b->head->items[1];
    for (struct heap_chunk *c = b->head, *next; c != NULL; c = next) {
        next = c->next;
        h->steps += c->used;
        for (uint32_t i = 0; i < c->used; i++) {
            const uint64_t *item = c->items + (size_t)i * h->words;
            timer_bucket_append(h, node_bucket(l, digit_at(item, level)), item);
        }
        timer_chunk_free(h, c);
    }
    *b = (struct heap_bucket){.min = b->min, .tree = l};
}

void timer_tree_grow(struct timer_heap *h, struct heap_bucket *b, const struct heap_path *path)
{
    uint32_t level, room = b->tail->capacity - b->tail->used;

    if (b->tail->used < MIN(b->tail->capacity / 2, (uint32_t)SAMPLE) && b->count < HEAP_SPLIT_MIN) {
        b->resolve_at = b->count + MAX(room / 2, 1u); /* too few of the latest lie together */
        return;
    }
    bool repeats = is_repetitive(h, b), is_large = b->count >= HEAP_SPLIT_MIN || (repeats && b->count > HEAP_RESOLVE_MAX);

    if (is_large && can_split(h, b, &level)) {
        split(h, b, level);
        return;
    }
    if (!repeats && !is_large) {
        b->resolve_at = b->count + MIN(b->count, (uint64_t)HEAP_LOOK_EVERY);
        return;
    }
    timer_bucket_resolve(h, b);
    for (uint32_t i = path->count; i-- > 0;) path->at[i]->min = node_min(path->at[i]->tree);
}

/* ---- all of a tree */

bool timer_tree_settle(struct timer_heap *h, struct heap_bucket *b)
{
    bool any = false;

    if (b->tree == NULL) {
        timer_bucket_resolve(h, b);
        return b->count > 0;
    }
    for (uint32_t d = 0; d < 256; d++) {
        if (!is_filled(b->tree, d)) continue;
        if (timer_tree_settle(h, &b->tree->buckets[d])) any = true;
        else b->tree->filled[d >> 6] &= ~(UINT64_C(1) << (d & 63));
    }
    b->min = node_min(b->tree);
    if (any) return true;
    timer_level_give(h, b->tree);
    *b = (struct heap_bucket){0};
    return false;
}

void timer_tree_walk(struct heap_level *l, void (*each)(void *arg, struct heap_bucket *b), void *arg)
{
    for (uint32_t d = 0; d < 256; d++) {
        if (!is_filled(l, d)) continue;
        if (l->buckets[d].tree != NULL) timer_tree_walk(l->buckets[d].tree, each, arg);
        else if (l->buckets[d].head != NULL) each(arg, &l->buckets[d]);
    }
}

void timer_tree_each(struct timer_heap *h, struct heap_level *l, void (*each)(struct timer_heap *h, struct heap_chunk *chunks))
{
    for (uint32_t d = 0; d < 256; d++) {
        struct heap_bucket *b = &l->buckets[d];
        if (!is_filled(l, d)) continue;
        if (b->tree != NULL) timer_tree_each(h, b->tree, each);
        else each(h, b->head);
    }
    mem_free(h->pool->mem, l);
}

/* ---- its turn has come */

static struct heap_level *first_of(struct heap_level *l, struct heap_bucket *out)
{
    for (uint32_t d = 0; d < 256; d++) {
        if (!is_filled(l, d)) continue;
        *out = l->buckets[d];
        l->buckets[d] = (struct heap_bucket){0};
        l->filled[d >> 6] &= ~(UINT64_C(1) << (d & 63));
        out->count = d; /* its digit, for who opens it */
        return l;
    }
    return NULL;
}

static bool is_empty(const struct heap_level *l) { return (l->filled[0] | l->filled[1] | l->filled[2] | l->filled[3]) == 0; }

/* The least that an item with this digit there can be. */
static void base_at(struct timer_heap *h, const struct heap_level *l, uint32_t digit)
{
    uint64_t below = (l->level & 7) == 7 ? 0 : UINT64_MAX << ((l->level & 7) * 8 + 8); /* bytes above that of the level */
    uint64_t word = (l->prefix[l->level < 8] & below) | (uint64_t)digit << ((l->level & 7) * 8);

    h->base[0] = l->level >= 8 ? word & ~WHEN_DELETION : l->prefix[0] & ~WHEN_DELETION;
    h->base[1] = l->level >= 8 ? 0 : word;
    h->base_taken = false;
}

struct heap_chunk *timer_tree_open(struct timer_heap *h, struct heap_level *l)
{
    struct heap_bucket first;

    for (;;) {
        ASSERT(h->levels[l->level] == NULL || is_empty(h->levels[l->level])); /* its items would be lost */
        timer_level_give(h, h->levels[l->level]);
        h->levels[l->level] = l;
        if (first_of(l, &first) == NULL) return NULL;
        base_at(h, l, (uint32_t)first.count);
        if (first.tree == NULL) return first.head;
        l = first.tree;
    }
}
