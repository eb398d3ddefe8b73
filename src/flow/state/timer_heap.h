/* timer_heap.h - a radix heap of timers. Internal to flow/state.
 *
 * An item is two words, or three: when, key, and for keys that are not one word a reference to their bytes.
 *     when   (time + 2^61) << 2 | is_null << 1 | is_deletion     times beyond +-2^61 mean INT64_MIN, INT64_MAX
 *     key    the key word with its sign bit turned, or the hash of the key
 * In a heap whose timers move, the second word of an item that is not ready is the handle of the key's row.
 * Items are ordered by (when without the deletion bit, key, bytes of the key). Of equal items the one that came last
 * holds: a deletion takes away all before it. */
#pragma once
#include "flow/state/block.h"
#include "flow/state/timer.h"

enum {
    HEAP_LEVELS = 16,    /* bytes of when and key: 15 = top byte of when, 0 = low byte of key */
    HEAP_SORT_MAX = 1024, /* buckets up to this are sorted, larger ones split */
    HEAP_LOOK_EVERY = 4096,    /* so often a bucket that grows is looked at: are there duplicates? */
    HEAP_LOOK_FIRST = 256,     /* for the first time, when it is one of many of a tree */
    HEAP_RESOLVE_MAX = 16384,  /* larger ones are not sorted to find them, if they can become trees */
    HEAP_SPLIT_MIN = 1 << 16,  /* these do in any case */
};
#define WHEN_DELETION UINT64_C(1)
#define WHEN_NULL UINT64_C(2)

struct heap_chunk {
    struct heap_chunk *next;
    uint32_t used, capacity; /* items */
    uint64_t items[];
};

struct heap_level;

struct heap_bucket {
    struct heap_chunk *head, *tail;
    struct heap_level *tree; /* its items, instead of chunks */
    uint64_t count;
    uint64_t min;        /* least `when` of registrations; UINT64_MAX = none */
    uint64_t resolve_at; /* look for duplicates when count reaches it */
};

struct heap_level {
    uint64_t filled[4];   /* bit d: bucket d has items */
    uint64_t prefix[2];   /* of a tree: an item that agrees with all in the bytes above `level` */
    uint32_t level;       /* of a tree: whose byte tells the buckets apart */
    struct heap_level *next_spare;
    struct heap_bucket buckets[256];
};

/* A growing array of items. */
struct heap_run {
    uint64_t *items;
    uint32_t head, count, capacity; /* items head..count are there */
};

/* Items of a barrier (timer_freeze.c): those that were ready, and pieces of buckets. */
struct heap_piece {
    const uint64_t *items;
    uint32_t count;
    bool is_last; /* of its bucket */
};
struct heap_frozen {
    uint64_t *ready;
    uint32_t ready_count;
    struct heap_piece *pieces;
    uint32_t piece_count, piece_capacity;
    struct heap_chunk *chunks_put_off; /* given back at the thaw, as refs are */
    uint64_t *refs;
    uint32_t ref_count, ref_capacity;
};

struct timer_heap {
    struct state_pool *pool;
    struct heap_frozen *frozen; /* NULL: nothing is */
    struct segments segments; /* bytes of keys */
    struct blocks blocks;
    uint32_t words;           /* of an item: 2 or 3 */
    uint64_t base[2];         /* items in buckets lie behind it (or at it unless base_taken), by the level where they differ */
    bool base_taken;
    struct heap_level *levels[HEAP_LEVELS]; /* made when needed */
    struct heap_level *spares;
    uint32_t spare_count;
    struct heap_run ready;    /* due: sorted, resolved */
    struct heap_run fresh;    /* before the base: due, in the order in which they came */
    struct heap_run scratch[3];
    uint64_t count;           /* items held */
    uint64_t steps;           /* items that were sorted or moved to other buckets, ever: for tests */
    bool moves;
    struct state_table *table; /* when moves: rows, and where the words lie in them */
    uint32_t lies_offset, due_offset;
    void (*leave)(void *arg, uint64_t *item); /* handle to key */
    void *leave_arg;
};

void timer_heap_init(struct timer_heap *h, struct state_pool *pool, bool has_bytes);
void timer_heap_release(struct timer_heap *h);
/* Takes over the reference of item[2]. */
void timer_heap_add(struct timer_heap *h, const uint64_t *item);
/* Sees to it that `ready` starts with the least item up to `limit` (a `when`), false when there is none. */
bool timer_heap_ready(struct timer_heap *h, uint64_t limit);
static inline const uint64_t *timer_heap_first(const struct timer_heap *h) { return h->ready.items + (size_t)h->ready.head * h->words; }
static inline void timer_heap_pop(struct timer_heap *h) { h->ready.head++, h->count--; } /* the caller owns the reference */
static inline int64_t timer_heap_time(uint64_t when)
{
    int64_t time = (int64_t)(when >> 2) - TIMER_BIAS;

    return time == TIMER_BIAS - 1 ? INT64_MAX : time == -TIMER_BIAS ? INT64_MIN : time;
}
/* Puts items, ascending, back before all that are ready. */
void timer_heap_push_front(struct timer_heap *h, const uint64_t *items, uint32_t count);
/* Resolves all that is held: afterwards `count` is that of the timers which are there. */
void timer_heap_settle(struct timer_heap *h);
/* What is fresh becomes ready. */
void timer_heap_merge(struct timer_heap *h);
/* Calls for each bucket that has chunks, those with the least items first; they are where they are as long as nothing is added or taken. */
void timer_heap_each(const struct timer_heap *h, void (*each)(void *arg, struct heap_bucket *b), void *arg);
/* What is there now can be read in h->frozen until the thaw; keys' bytes, too. */
void timer_heap_freeze(struct timer_heap *h);
void timer_heap_thaw(struct timer_heap *h); /* nothing frozen: a no-op */
/* Least `when` held; UINT64_MAX when there is none; too small only for deleted ones. */
uint64_t timer_heap_min(const struct timer_heap *h);
struct str timer_heap_bytes(const struct timer_heap *h, uint64_t ref);
uint64_t timer_heap_bytes_put(struct timer_heap *h, struct str bytes);
void timer_heap_bytes_free(struct timer_heap *h, uint64_t ref);
/* -1, 0, 1 by (when, key, bytes), deletion bits aside. */
int timer_heap_compare(const struct timer_heap *h, const uint64_t *a, const uint64_t *b);

/* --- between timer_heap.c and timer_tree.c */
struct heap_path {
    uint32_t count;
    struct heap_bucket *at[HEAP_LEVELS]; /* those with trees, from the heap's own on */
};
void timer_chunk_free(struct timer_heap *h, struct heap_chunk *c);
void timer_bucket_append(struct timer_heap *h, struct heap_bucket *b, const uint64_t *item);
void timer_bucket_resolve(struct timer_heap *h, struct heap_bucket *b);
struct heap_level *timer_level_make(struct timer_heap *h);
void timer_level_give(struct timer_heap *h, struct heap_level *l); /* which is empty */
/* Which bucket of b's tree the item goes to; b itself when it has none. */
struct heap_bucket *timer_tree_find(struct timer_heap *h, struct heap_bucket *b, const uint64_t *item, struct heap_path *path);
/* b, found by that path, has reached its resolve_at. */
void timer_tree_grow(struct timer_heap *h, struct heap_bucket *b, const struct heap_path *path);
/* Resolves all of the bucket; false: it is empty. */
bool timer_tree_settle(struct timer_heap *h, struct heap_bucket *b);
void timer_tree_walk(struct heap_level *l, void (*each)(void *arg, struct heap_bucket *b), void *arg);
/* Takes the tree apart: `each` gets the chunks of every bucket. */
void timer_tree_each(struct timer_heap *h, struct heap_level *l, void (*each)(struct timer_heap *h, struct heap_chunk *chunks));
/* The tree of a bucket that was taken becomes levels, and the base goes to its first bucket, whose chunks are answered; NULL:
 * that one is empty. */
struct heap_chunk *timer_tree_open(struct timer_heap *h, struct heap_level *l);
