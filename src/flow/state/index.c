/* index.c - from hash to slot: buckets of twelve one-byte tags and twelve slots in a cache line each.
 *
 * The idea: a look-up touches one bucket (found by the low bits of the hash, compared by tag with one SIMD instruction)
 * and one entry, so both can be fetched ahead for a whole batch. A full bucket overflows into the next and counts what
 * passed it; a search goes on only where something passed. Shards grow one by one, at loads between 0.64 and 0.8 that
 * differ by shard, so that not all of them grow in the same batch; growing forgets the buckets and builds them from the
 * live entries, so the old index is never held beside the new one, and entries do not move.
 *
 * A shard that is so large that this would take long (all windows of one key lie in one shard) grows by and by instead: each
 * insertion moves some buckets of the old index, from the first on, and the hash says which index a key is in. Buckets keep
 * the order of hashes, so the new index is made chunk by chunk, too.
 *
 * Invariants: tag 0 is a free place; used <= limit < places; the NULL key's entry (shard.null_slot) is not in here. While
 * `old` is there, entries that belong to its first `moved` buckets are in `index`, the others in `old`.
 * Not here: comparing keys (resolve.c). */
#include "flow/state/index.h"

#include "flow/state/hashmap.h"

enum { REBUILD_SLOTS = 256, REBUILD_AHEAD = 32, BUCKETS_MAX = 1 << 28, EXPECTED_LOAD = 58 /* percent */, EXPECTED_FROM = 16 };

enum { MOVES_FROM = 16384 /* buckets */, MOVES_PER_INSERT = 4 };

static const struct bucket empty_chunk[CHUNK_BUCKETS]; /* where a chunk is not made yet */
static struct bucket *const no_chunks[1] = {(struct bucket *)empty_chunk};

void index_init(struct shard *sh)
{
    sh->index = (struct index){no_chunks, 1};
    sh->old = (struct index){NULL, 0};
    sh->used = sh->limit = sh->moved = 0;
}

static uint32_t chunk_count(uint32_t buckets) { return (buckets + CHUNK_BUCKETS - 1) / CHUNK_BUCKETS; }

static void chunks_give(struct hm_table *t, const struct index *x)
{
    size_t bytes = MIN(x->buckets, (uint32_t)CHUNK_BUCKETS) * sizeof(struct bucket);

    for (uint32_t i = 0; i < chunk_count(x->buckets); i++)
        if (x->chunks[i] != empty_chunk) pool_give_size(t->base.host->pool, x->chunks[i], bytes);
}

static void old_drop(struct hm_table *t, struct shard *sh)
{
    if (sh->old.buckets == 0) return;
    chunks_give(t, &sh->old);
    mem_free(t->base.host->pool->mem, (void *)(uintptr_t)sh->old.chunks);
    sh->old = (struct index){NULL, 0};
}

void index_clear(struct hm_table *t, struct shard *sh)
{
    if (sh->index.chunks == no_chunks) return;
    old_drop(t, sh);
    chunks_give(t, &sh->index);
    index_init(sh);
}

void index_release(struct hm_table *t, struct shard *sh)
{
    index_clear(t, sh);
    mem_free(t->base.host->pool->mem, (void *)sh->chunk_list);
    sh->chunk_list = NULL;
    sh->chunk_capacity = 0;
}

static uint32_t whole_count(uint64_t buckets)
{
    uint32_t count = 1;

    while (count < buckets && count < CHUNK_BUCKETS) count *= 2;
    return (uint32_t)MIN(ALIGN_UP(MAX(buckets, (uint64_t)count), (uint64_t)count), (uint64_t)BUCKETS_MAX);
}

uint32_t index_expectation_of(uint64_t keys)
{
    return keys == 0 ? 0 : whole_count(MIN(keys, (uint64_t)BUCKETS_MAX * BUCKET_SLOTS) * 100 / (EXPECTED_LOAD * BUCKET_SLOTS) + 1);
}

uint32_t index_expectation(const struct shard *sh) { return index_expectation_of(sh->used); }

/* Between 0.64 and 0.8 of the places, spread over the shards by the golden ratio. */
static uint32_t limit_of(uint32_t buckets, uint32_t shard)
{
    uint64_t spread = (shard * UINT32_C(2654435769)) >> 22; /* 0..1023 */

    return (uint32_t)((uint64_t)buckets * BUCKET_SLOTS * (8192 - spread * 1638 / 1024) / 10240);
}

/* The bucket, to be written to. */
static struct bucket *bucket_open(struct hm_table *t, const struct index *x, uint32_t number)
{
    struct bucket **chunk = (struct bucket **)(uintptr_t)&x->chunks[number >> CHUNK_SHIFT];

    if (UNLIKELY(*chunk == empty_chunk)) {
        *chunk = pool_take_size(t->base.host->pool, sizeof empty_chunk);
        memset(*chunk, 0, sizeof empty_chunk);
    }
    return &(*chunk)[number & (CHUNK_BUCKETS - 1)];
}

static void place(struct hm_table *t, const struct index *x, uint64_t hash, uint32_t slot)
{
    uint32_t b = bucket_of(x, hash);

    for (;; b = bucket_next(x, b)) {
        struct bucket *k = bucket_open(t, x, b);
        uint32_t vacant = bucket_match(k, 0);
        if (vacant) {
            uint32_t at = (uint32_t)__builtin_ctz(vacant);
            k->tag[at] = tag_of(hash);
            k->slot[at] = slot;
            return;
        }
        if (k->overflow < 255) k->overflow++;
    }
}

static void chunk_list_reserve(struct hm_table *t, struct shard *sh, uint32_t count)
{
    if (count <= sh->chunk_capacity) return;
    sh->chunk_capacity = MAX(count, 2 * sh->chunk_capacity);
    sh->chunk_list = mem_realloc(t->base.host->pool->mem, (void *)sh->chunk_list, sh->chunk_capacity * sizeof *sh->chunk_list);
}

static void chunks_take(struct hm_table *t, struct shard *sh, uint32_t buckets)
{
    struct state_pool *pool = t->base.host->pool;
    uint32_t had = sh->index.chunks == no_chunks ? 0 : chunk_count(sh->index.buckets), count = chunk_count(buckets);
    size_t bytes = MIN(buckets, (uint32_t)CHUNK_BUCKETS) * sizeof(struct bucket);

    if (had == 1 && sh->index.buckets < CHUNK_BUCKETS) { /* a piece gives way to a larger one */
        index_clear(t, sh);
        had = 0;
    }
    chunk_list_reserve(t, sh, count);
    for (uint32_t i = had; i < count; i++) sh->chunk_list[i] = pool_take_size(pool, bytes);
    for (uint32_t i = 0; i < count; i++) memset(sh->chunk_list[i], 0, bytes);
    sh->index = (struct index){sh->chunk_list, buckets};
    sh->limit = limit_of(buckets, sh->number);
}

/* Slots in the order in which they lie: entries are read in sequence, only buckets at random, some ahead. */
static void rebuild(struct hm_table *t, struct shard *sh)
{
    uint64_t hashes[REBUILD_SLOTS];
    uint32_t slots[REBUILD_SLOTS], n;

    for (uint32_t from = 0; (n = slots_live(t, sh, from, slots, REBUILD_SLOTS)) > 0; from = slots[n - 1] + 1) {
        t->index_steps += n;
        for (uint32_t i = 0; i < n + REBUILD_AHEAD; i++) {
            if (i < n) {
                hashes[i] = entry_hash(t, entry_at(t, sh, slots[i]));
                __builtin_prefetch(bucket_at(&sh->index, bucket_of(&sh->index, hashes[i])), 1);
            }
            if (i >= REBUILD_AHEAD && slots[i - REBUILD_AHEAD] != sh->null_slot)
                place(t, &sh->index, hashes[i - REBUILD_AHEAD], slots[i - REBUILD_AHEAD]);
        }
    }
}

/* Reserved entries are in the index without being live. */
static void rebuild_reserved(struct hm_table *t, struct shard *sh)
{
    for (uint32_t i = 0; i < t->reserved.count; i++) {
        const struct handle *h = &t->reserved.items[i];
        if (&h->space->shards[h->shard] != sh || h->slot == sh->null_slot || slot_is_live(t, sh, h->slot)) continue;
        place(t, &sh->index, entry_hash(t, entry_at(t, sh, h->slot)), h->slot);
    }
}

/* Doubles while small; then 512, 768, 1024, 1536 ..: whole chunks, and never less than half full. Once a sixteenth of what
 * the namespace before came to need is there, all of it: a table of the same size is not built again and again. */
static uint32_t next_count(const struct shard *sh)
{
    uint32_t n = sh->index.buckets;

    if (sh->index.chunks == no_chunks) return 1;
    if (n < sh->expected && n >= sh->expected / EXPECTED_FROM) return sh->expected;
    if (n < 2 * CHUNK_BUCKETS) return n * 2;
    return (n & (n - 1)) == 0 ? n + n / 2 : (uint32_t)ALIGN_UP(n / 3 * 4, (uint32_t)CHUNK_BUCKETS);
}

/* While it moves, at most six chunks are made for each 256 insertions that it moves for. */
static size_t move_growth(uint32_t rows) { return ((size_t)rows * 2 * MOVES_PER_INSERT / CHUNK_BUCKETS + 2) * POOL_FRAME; }

size_t index_growth(const struct shard *sh, uint32_t rows)
{
    struct shard as_if = *sh;
    size_t had = sh->index.chunks == no_chunks ? 0 : sh->index.buckets;

    while (sh->used + rows > as_if.limit) {
        as_if.index.buckets = next_count(&as_if);
        as_if.index.chunks = NULL;
        as_if.limit = limit_of(as_if.index.buckets, sh->number);
    }
    if (sh->old.buckets != 0 || (as_if.index.chunks == NULL && had >= MOVES_FROM)) return move_growth(rows);
    return as_if.index.chunks == sh->index.chunks ? 0 : (as_if.index.buckets - had) * sizeof(struct bucket);
}

/* --- growing by and by -------------------------------------------------------------------------------------------- */
static void move_begin(struct hm_table *t, struct shard *sh, uint32_t buckets)
{
    uint32_t count = chunk_count(buckets);
    struct bucket **chunks = mem_alloc(t->base.host->pool->mem, count * sizeof *chunks);

    for (uint32_t i = 0; i < count; i++) chunks[i] = (struct bucket *)(uintptr_t)empty_chunk;
    sh->old = sh->index;
    sh->moved = 0;
    sh->chunk_list = chunks;
    sh->chunk_capacity = count;
    sh->index = (struct index){chunks, buckets};
    sh->limit = limit_of(buckets, sh->number);
}

static void entries_fetch(const struct hm_table *t, const struct shard *sh, uint32_t number)
{
    if (number >= sh->old.buckets) return;
    const struct bucket *k = bucket_at(&sh->old, number);
    for (uint32_t m = ~bucket_match(k, 0) & ((1U << BUCKET_SLOTS) - 1); m != 0; m &= m - 1)
        __builtin_prefetch(entry_at(t, sh, k->slot[__builtin_ctz(m)]));
}

/* All entries that belong to bucket `moved` of the old index; some may lie behind it. */
static void bucket_move(struct hm_table *t, struct shard *sh)
{
    uint32_t home = sh->moved++, b = home;

    for (uint32_t n = 0; n < sh->old.buckets; n++, b = bucket_next(&sh->old, b)) {
        struct bucket *k = (struct bucket *)(uintptr_t)bucket_at(&sh->old, b);
        for (uint32_t m = ~bucket_match(k, 0) & ((1U << BUCKET_SLOTS) - 1); m != 0; m &= m - 1) {
            uint32_t at = (uint32_t)__builtin_ctz(m);
            uint64_t hash = entry_hash(t, entry_at(t, sh, k->slot[at]));
            if (bucket_of(&sh->old, hash) != home) continue;
            place(t, &sh->index, hash, k->slot[at]);
            k->tag[at] = 0;
            t->index_steps++;
        }
        if (k->overflow == 0) break;
    }
}

static void move_some(struct hm_table *t, struct shard *sh, uint32_t buckets)
{
    for (uint32_t i = 0; i < buckets && sh->moved < sh->old.buckets; i++) {
        entries_fetch(t, sh, sh->moved + MOVES_PER_INSERT);
        bucket_move(t, sh);
    }
    if (sh->moved == sh->old.buckets) old_drop(t, sh);
}

static void index_grow(struct hm_table *t, struct shard *sh)
{
    uint32_t used = sh->used, buckets = next_count(sh);

    ASSERT(buckets > 0 && buckets <= BUCKETS_MAX);
    if (sh->old.buckets != 0) move_some(t, sh, UINT32_MAX);
    if (sh->index.chunks != no_chunks && sh->index.buckets >= MOVES_FROM) {
        move_begin(t, sh, buckets);
        return;
    }
    chunks_take(t, sh, buckets);
    rebuild(t, sh);
    rebuild_reserved(t, sh);
    sh->used = used;
}

void index_insert(struct hm_table *t, struct shard *sh, uint64_t hash, uint32_t slot)
{
    if (UNLIKELY(sh->used >= sh->limit)) index_grow(t, sh);
    if (UNLIKELY(sh->old.buckets != 0)) move_some(t, sh, MOVES_PER_INSERT);
    place(t, index_of(sh, hash), hash, slot);
    sh->used++;
}

/* --- appended entries --------------------------------------------------------------------------------------------- */
static bool keys_equal(const struct hm_table *t, const char *a, const char *b)
{
    const struct state_text *x = (const struct state_text *)(const void *)(a + sizeof(uint64_t)), *y = (const struct state_text *)(const void *)(b + sizeof(uint64_t));

    if (memcmp(a, b, sizeof(uint64_t)) != 0) return false; /* the word, or the hash */
    if (t->key.form == KEY_WORD) return true;
    if (t->key.form == KEY_FIXED) return memcmp(x, y, t->key.bytes) == 0;
    struct str p = stored_text(&t->segments, x), q = stored_text(&t->segments, y);
    return p.size == q.size && memcmp(p.data, q.data, p.size) == 0;
}

/* False: its key is there already. */
static bool place_new(struct hm_table *t, struct shard *sh, uint64_t hash, uint32_t slot)
{
    const struct index *x = &sh->index;
    const char *entry = entry_at(t, sh, slot);

    for (uint32_t b = bucket_of(x, hash);; b = bucket_next(x, b)) {
        struct bucket *k = bucket_open(t, x, b);
        uint32_t vacant = bucket_match(k, 0);
        for (uint32_t m = bucket_match(k, tag_of(hash)); UNLIKELY(m != 0); m &= m - 1)
            if (keys_equal(t, entry, entry_at(t, sh, k->slot[__builtin_ctz(m)]))) return false;
        if (LIKELY(vacant != 0)) {
            uint32_t at = (uint32_t)__builtin_ctz(vacant);
            k->tag[at] = tag_of(hash);
            k->slot[at] = slot;
            return true;
        }
        if (k->overflow < 255) k->overflow++;
    }
}

/* The next slots of appended entries, which become live. */
static uint32_t appended_take(struct hm_table *t, struct space *s, struct shard *sh, uint32_t *slots)
{
    uint32_t n = 0;

    for (; sh->appended_page < sh->page_count; sh->appended_page++) {
        uint32_t page = sh->appended_page, words = t->orders[MIN(page, t->order_count - 1)].words;
        uint64_t *held = page_bits(t, sh, page, BITS_HELD), *live = page_bits(t, sh, page, BITS_LIVE);
        for (uint32_t w = 0; w < words; w++) {
            for (; held[w] != 0 && n < REBUILD_SLOTS; held[w] &= held[w] - 1) {
                slots[n++] = (page << t->page_shift) + w * 64 + (uint32_t)__builtin_ctzll(held[w]);
                live[w] |= held[w] & -held[w];
            }
            if (held[w] != 0) break;
        }
        if (n == REBUILD_SLOTS) break;
    }
    s->live += n;
    return n;
}

/* Room for them. */
static void appended_expect(struct hm_table *t, struct shard *sh)
{
    uint32_t used = sh->used;

    if (sh->old.buckets != 0) move_some(t, sh, UINT32_MAX);
    if (used + sh->appended <= sh->limit) return;
    uint32_t buckets = MAX(index_expectation_of((uint64_t)used + sh->appended), sh->index.buckets);
    ASSERT(buckets <= BUCKETS_MAX && limit_of(buckets, sh->number) >= used + sh->appended);
    chunks_take(t, sh, buckets);
    rebuild(t, sh);
    sh->used = used;
}

bool index_append(struct hm_table *t, struct space *s, struct shard *sh)
{
    uint64_t hashes[REBUILD_SLOTS];
    uint32_t slots[REBUILD_SLOTS], n;

    appended_expect(t, sh);
    while ((n = appended_take(t, s, sh, slots)) > 0) {
        t->index_steps += n;
        for (uint32_t i = 0; i < n + REBUILD_AHEAD; i++) {
            if (i < n) {
                hashes[i] = entry_hash(t, entry_at(t, sh, slots[i]));
                __builtin_prefetch(bucket_at(&sh->index, bucket_of(&sh->index, hashes[i])), 1);
            }
            if (i < REBUILD_AHEAD || slots[i - REBUILD_AHEAD] == sh->null_slot) continue;
            if (!place_new(t, sh, hashes[i - REBUILD_AHEAD], slots[i - REBUILD_AHEAD])) return false;
            sh->used++;
        }
    }
    sh->appended = 0;
    return true;
}

void index_remove(struct shard *sh, uint64_t hash, uint32_t slot)
{
    const struct index *x = index_of(sh, hash);
    uint32_t home = bucket_of(x, hash), b = home;

    for (uint32_t n = 0; n < x->buckets; n++, b = bucket_next(x, b)) {
        struct bucket *k = (struct bucket *)(uintptr_t)bucket_at(x, b);
        for (uint32_t m = bucket_match(k, tag_of(hash)); m; m &= m - 1) {
            uint32_t at = (uint32_t)__builtin_ctz(m);
            if (k->slot[at] != slot) continue;
            k->tag[at] = 0;
            sh->used--;
            for (; home != b; home = bucket_next(x, home)) {
                struct bucket *passed = (struct bucket *)(uintptr_t)bucket_at(x, home);
                if (passed->overflow < 255) passed->overflow--;
            }
            return;
        }
        ASSERT(k->overflow > 0);
    }
    ASSERT(!"the entry is in the index");
}
