/* hashmap.h - the tables of the backend `hashmap`: namespaces -> shards -> index and pages. Internal to flow/state.
 *
 *   table      one declared state of one subtask
 *   space      one namespace of it; spaces are dropped whole
 *   shard      a run of key groups: an index of 64-byte buckets, and pages of entries
 *   entry      key, then the row (or the head of a shape that keeps many rows), then the TTL stamp
 *   slot       number of an entry in its shard: page number and place in the page; an entry never moves
 *
 * open structs: hot path. */
#pragma once
#include "flow/state/block.h"
#include "flow/state/key.h"
#include "flow/state/rowops.h"
#include "flow/state/sb.h"

#include "ground/base/hash.h"

enum {
    BUCKET_SLOTS = 12,
    CHUNK_BUCKETS = POOL_FRAME / 64,
    CHUNK_SHIFT = 8,
    PAGE_ORDERS_MAX = 8,
    SHARDS_NAMESPACED = 16, /* small tables come and go with their namespace */
};
_Static_assert(CHUNK_BUCKETS == 1 << CHUNK_SHIFT, "a chunk of buckets is a frame");
#define NO_SLOT UINT32_MAX

struct bucket {
    uint8_t tag[BUCKET_SLOTS]; /* 0 = free */
    uint8_t overflow;          /* entries that belong here or before and lie behind; 255 = many, for ever */
    uint8_t zero[3];
    uint32_t slot[BUCKET_SLOTS];
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

struct page {
    char *rows;
    uint64_t *bits; /* four runs of words: dirty, dirty (the table says which is current), live, held */
};
enum { BITS_LIVE = 2, BITS_HELD = 3, BITS_RUNS = 4 }; /* held: on the table's list of reserved entries */

struct page_order {
    uint32_t bytes, rows, words;
};

struct index {
    struct bucket *const *chunks; /* never NULL */
    uint32_t buckets;             /* at least 1 */
};

struct shard {
    struct index index;
    struct index old; /* of a large shard that grows: its entries move to `index` by and by. 0 buckets: none */
    uint32_t moved;   /* so many first buckets of `old` are through: what belongs there is in `index` */
    struct page *pages;
    struct bucket **chunk_list; /* memory of `chunks`, kept while the index is empty; may be NULL */
    uint32_t chunk_capacity;
    uint32_t expected;     /* buckets that the namespaces before came to need; 0 = not known */
    uint32_t used;  /* entries in the index, reserved ones included, the NULL key's not */
    uint32_t limit; /* the index grows above this */
    uint32_t bump, bump_end; /* slots never used of the last page */
    uint32_t free_head;      /* a slot, linked through the entry's first bytes */
    uint32_t free_count;     /* slots on that list */
    uint32_t null_slot;      /* of the NULL key when it is kept apart */
    uint32_t page_count, page_capacity;
    uint32_t number;
    uint32_t appended, appended_page; /* entries that are not in the index yet, from that page on (append.c) */
};

struct space {
    int64_t ns;
    struct space *next_spare;
    struct blocks blocks;
    uint64_t live; /* entries */
    uint64_t away; /* keys that lie behind the cache alone (behind.h) */
    bool is_stored; /* something of it was written there */
    struct state_cursor sweep;
    struct shard shards[];
};

/* One entry, from a resolve to state_done. */
struct handle {
    struct space *space;
    uint32_t slot;
    uint32_t shard;
};
struct handles {
    struct handle *items;
    uint32_t count, capacity;
};

/* The latest resolve. */
struct latest {
    struct space *space; /* NULL: nothing was found */
    uint32_t count;
    uint16_t *shard;
    uint32_t *slot; /* NO_SLOT: absent */
    uint64_t created[BATCH_ROWS / 64];
};

struct bag_layout;
struct frozen;
struct gone;
struct behind;

struct hm_table {
    struct state_table base;
    struct segments segments;
    struct key_codec key;
    uint32_t entry_size, row_offset; /* of the row or head in the entry */
    bool is_wide;                    /* entries often lie in two cache lines or more */
    uint32_t ttl_offset;             /* of the stamp from the row; 0 = none */
    bool has_dropped;                /* some absent rows of this batch have contents: expired ones that were read */
    uint32_t page_shift, page_mask, order_count;
    struct page_order orders[PAGE_ORDERS_MAX];
    uint32_t shard_shift, shard_count;
    uint32_t dirty_now;              /* which dirty run is current: 0 or 1 */
    bool is_tracked;                 /* dirty bits are kept; before the first barrier, which takes all, nobody needs them */
    struct gone *gone;               /* what went since the last barrier (gone.c); NULL: nothing */
    struct frozen *frozen;           /* the other run holds a frozen set (freeze.c) */
    bool has_heads;                  /* entries hold heads (bag.h) */
    bool has_now;                    /* `now` is this batch's */
    uint64_t index_steps;            /* entries that went into a new index, ever: for tests */
    uint32_t sweep_at;               /* which namespace is swept */
    int64_t now;
    int64_t *ns_list;                /* ascending, beside spaces */
    struct space **spaces;
    struct space *current;           /* the last one looked up */
    struct space *spares;            /* dropped ones, empty, for the next namespace */
    uint32_t space_count, space_capacity, spare_count;
    uint32_t expected[SHARDS_NAMESPACED]; /* buckets of the shards of the namespace dropped last */
    size_t expected_bytes;                /* of all of them */
    struct latest latest;
    struct handles reserved;         /* made or erased under RESERVE: real only when live at state_done */
    struct handles removed;          /* out of the index; memory is reused after state_done */
    struct handles touched;          /* heads that may have become empty */
    struct bag_layout *bag;          /* of tables with heads */
    struct behind *behind;           /* NULL: memory is all there is */
};

/* Rows of a batch that share keys. */
struct state_repeats {
    uint64_t hashes[BATCH_ROWS]; /* of the different keys */
    uint16_t first[BATCH_ROWS];  /* per key: its first row */
    uint16_t which[BATCH_ROWS];  /* per row: its key */
    uint16_t seen[1024];         /* key + 1 by hash */
};

struct state_scratch {
    struct state_repeats repeats;
    struct key_set keys;
    const struct bucket *buckets[BATCH_ROWS];
    char *entries[BATCH_ROWS];
    uint32_t slots[BATCH_ROWS];
};

static inline struct hm_table *hm_of(struct state_table *t) { return (struct hm_table *)t; }
static inline const struct hm_table *hm_of_const(const struct state_table *t) { return (const struct hm_table *)t; }
static inline uint32_t shard_of(const struct hm_table *t, uint64_t hash)
{
    const struct state_host *h = t->base.host;
    uint32_t shard = (state_key_group(hash, h->max_parallelism) - h->group_first) >> t->shard_shift;

    ASSERT_ROW(shard < t->shard_count);
    return shard;
}
static inline const struct bucket *bucket_at(const struct index *x, uint32_t number)
{
    return &x->chunks[number >> CHUNK_SHIFT][number & (CHUNK_BUCKETS - 1)];
}
/* By the low half of the hash; any number of buckets will do. */
static inline uint32_t bucket_of(const struct index *x, uint64_t hash)
{
    return (uint32_t)(((hash & UINT32_MAX) * x->buckets) >> 32);
}
static inline uint32_t bucket_next(const struct index *x, uint32_t number)
{
    return number + 1 < x->buckets ? number + 1 : 0;
}
/* Where a key with that hash is, or goes. */
static inline const struct index *index_of(const struct shard *sh, uint64_t hash)
{
    return LIKELY(sh->old.buckets == 0) || bucket_of(&sh->old, hash) < sh->moved ? &sh->index : &sh->old;
}
static inline char *entry_at(const struct hm_table *t, const struct shard *sh, uint32_t slot)
{
    return sh->pages[slot >> t->page_shift].rows + (size_t)(slot & t->page_mask) * t->entry_size;
}
static inline uint64_t *page_bits(const struct hm_table *t, const struct shard *sh, uint32_t page, uint32_t run)
{
    return sh->pages[page].bits + run * t->orders[MIN(page, t->order_count - 1)].words;
}
static inline void slot_mark(const struct hm_table *t, const struct shard *sh, uint32_t slot, uint32_t run)
{
    bit_set(page_bits(t, sh, slot >> t->page_shift, run), slot & t->page_mask);
}
static inline __attribute__((always_inline)) void slot_fetch(const struct hm_table *t, const struct shard *sh, uint32_t slot, uint32_t run)
{
    __builtin_prefetch(page_bits(t, sh, slot >> t->page_shift, run) + ((slot & t->page_mask) >> 6), 1);
}
static inline bool slot_is(const struct hm_table *t, const struct shard *sh, uint32_t slot, uint32_t run)
{
    return bit_get(page_bits(t, sh, slot >> t->page_shift, run), slot & t->page_mask);
}
static inline bool slot_is_live(const struct hm_table *t, const struct shard *sh, uint32_t slot)
{
    return slot_is(t, sh, slot, BITS_LIVE);
}
static inline uint64_t entry_hash(const struct hm_table *t, const char *entry)
{
    return t->key.form == KEY_WORD ? hash64_u64(*(const uint64_t *)entry) : *(const uint64_t *)entry;
}

/* page.c */
void pages_plan(struct hm_table *t);
size_t pages_growth(const struct hm_table *t, const struct shard *sh, uint32_t rows); /* bytes that as many new rows may take */
void shard_init(struct hm_table *t, struct shard *sh, uint32_t number);
void shard_clear(struct hm_table *t, struct shard *sh); /* gives back pages and index; keeps its lists of them */
void shard_release(struct hm_table *t, struct shard *sh);
uint32_t slot_take(struct hm_table *t, struct shard *sh); /* the entry is zero, not live, not dirty */
uint32_t slot_append(struct hm_table *t, struct shard *sh); /* one that was never used; the entry is not cleared */
void slot_give(struct hm_table *t, struct shard *sh, uint32_t slot);
void slot_set_live(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot, bool live);
/* The first live slot at or after `slot`, NO_SLOT when there is none. */
uint32_t slot_next_live(const struct hm_table *t, const struct shard *sh, uint32_t slot);
/* The live slots from `slot` on, at most max of them; answers how many. */
uint32_t slots_live(const struct hm_table *t, const struct shard *sh, uint32_t slot, uint32_t *out, uint32_t max);

/* index.c */
void index_insert(struct hm_table *t, struct shard *sh, uint64_t hash, uint32_t slot); /* grows first when needed */
size_t index_growth(const struct shard *sh, uint32_t rows);
/* Appended entries become live and come into the index; false: two have the same key. */
bool index_append(struct hm_table *t, struct space *s, struct shard *sh) CHECKED;
void index_remove(struct shard *sh, uint64_t hash, uint32_t slot);
/* How many buckets a shard like this one should begin with: a quarter of the places stays free and more. */
uint32_t index_expectation(const struct shard *sh);
uint32_t index_expectation_of(uint64_t keys);
void index_clear(struct hm_table *t, struct shard *sh);
void index_release(struct hm_table *t, struct shard *sh);
void index_init(struct shard *sh);

/* space.c */
struct space *space_find(struct hm_table *t, int64_t ns); /* NULL when absent */
struct space *space_make(struct hm_table *t, int64_t ns);
void space_drop(struct hm_table *t, struct space *s);
void space_give_back(struct hm_table *t, struct space *s); /* one that is out of the table */
struct space *space_apart(struct hm_table *t, int64_t ns); /* an empty one that is not in the table; to give back */
void space_empty(struct hm_table *t, struct space *s);
void spaces_release(struct hm_table *t);
enum status hm_each(struct state_table *t, int64_t ns, struct state_cursor *c, struct batch *keys, const uint32_t *cols,
                    void **rows, uint32_t *n);
bool entry_is_shown(struct hm_table *t, const char *row); /* not hidden by its time to live */

/* entry.c */
/* Makes an entry that is not live; strings of its key are copied. */
uint32_t entry_create(struct hm_table *t, struct space *s, struct shard *sh, uint64_t hash, const struct key_set *keys, uint32_t i);
/* The key of an entry that is all zero; strings are copied. */
void entry_key_set(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot, uint64_t hash, const struct key_set *keys, uint32_t i);
void entry_remove(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot); /* until done the row can be read */
void entry_leave(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot); /* between batches: out of memory at once */
void entry_reset(struct hm_table *t, struct space *s, char *row); /* strings (of a head: everything) given back, row zero */
void entry_reserve(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot); /* not live, gone at state_done */
void entry_key(const struct hm_table *t, const struct shard *sh, uint32_t slot, struct key_set *out, uint32_t i);
void handles_add(struct hm_table *t, struct handles *list, struct space *s, uint32_t shard, uint32_t slot);
void hm_write(struct state_table *t, uint32_t i);
void hm_touch(struct state_table *t, uint32_t i);
void hm_erase(struct state_table *t, uint32_t i);
bool hm_is_set(const struct state_table *t, uint32_t i);
void hm_remove(struct state_table *t, const uint64_t *which);
void hm_prune_created(struct state_table *t, const uint64_t *keep);
void hm_done(struct state_table *t);
uint64_t hm_handle(const struct state_table *t, uint32_t i);
uint32_t hm_handle_shard(uint64_t handle, uint32_t *slot);
void hm_rows_at(struct state_table *t, const uint64_t *handles, uint32_t stride, uint32_t n, void **rows);
uint64_t hm_key_at(struct state_table *t, uint64_t handle, struct key_set *out, uint32_t i);

/* append.c */
enum status hm_append(struct state_table *t, int64_t ns, const struct state_keys *keys, void **rows);
enum status hm_append_end(struct state_table *t, struct err *e);

/* ttl.c */
int64_t hm_now(struct hm_table *t); /* one instant for the whole batch */
bool hm_is_expired(const struct hm_table *t, const char *row, int64_t now);
static inline void hm_stamp(const struct hm_table *t, char *row, int64_t now) { *(int64_t *)(void *)(row + t->ttl_offset) = now; }
void hm_sweep(struct hm_table *t, uint32_t records); /* after a batch: as state_ttl says, looks at entries and removes the expired ones */

/* sb_hashmap.c */
enum status hm_open_table(struct state_host *h, const struct state_def *def, struct behind *behind, struct state_table **out, struct err *e) CHECKED;
void hm_close(struct state_table *t);
struct blocks *hm_blocks(struct state_table *t, int64_t ns);
void hm_drop(struct state_table *t, int64_t ns);
const int64_t *hm_namespaces(struct state_table *t, uint32_t *count);

/* repeat.c */
/* The keys of the scratch: how many different ones there are; if fewer than count, these lie in front, hashes in `repeats`. */
uint32_t repeats_find(struct hm_table *t, const uint64_t *hashes, uint32_t count);
/* What the latest resolve found for n different keys to the rows of all. */
void repeats_spread(struct hm_table *t, uint32_t count, uint32_t n, void **rows);

/* resolve.c */
enum status hm_resolve(struct state_table *t, int64_t ns, const struct state_keys *keys, enum state_intent intent, void **rows,
                       uint64_t *created);
uint32_t entry_find(const struct hm_table *t, const struct shard *sh, const struct key_set *keys, uint32_t i, uint64_t hash); /* live or not; NO_SLOT */
void *hm_get(struct state_table *t, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
             enum state_intent intent, bool *created);
enum status hm_delete(struct state_table *t, int64_t ns, const struct state_keys *keys);
