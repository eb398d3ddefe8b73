/* resolve.c - from the keys of a batch to the rows of a table.
 *
 * The idea: a random access costs a cache miss for the bucket and one for the entry. They are not waited for: groups of
 * keys go through four stages, each of which touches what the stage before fetched:
 *     A  hash -> bucket, fetch the bucket        (three groups ahead)
 *     B  tags -> candidate slot, fetch the entry (two groups ahead)
 *     O  no candidate, but entries passed the bucket by: the next bucket's (one group ahead); keys of bytes: the bytes
 *     C  compare keys; make what is surely new; the rare rest is looked up again by itself
 * The stages are compiled per form of key, so that one BIGINT column is one compare.
 *
 * Invariants: entries never move, so a candidate of stage B stays valid when an insertion of stage C makes the index
 * grow; buckets of stage A do not, they are looked up again then. A key is surely new when its bucket, as it is now, has
 * nothing of its tag and was passed by nothing. Equal keys: the later row finds what the earlier one
 * created, because stage C goes in order and misses search the index anew.
 * Not here: what heads hold (bag.c), strings of rows. */
#include "flow/state/bag.h"
#include "flow/state/freeze.h"
#include "flow/state/hashmap.h"
#include "flow/state/index.h"

enum { GROUP = 16 };

struct job {
    struct hm_table *t;
    struct space *s;
    struct state_scratch *x;
    const uint64_t *hashes;
    uint32_t count;
    enum state_intent intent;
    void **rows;
    uint64_t *created; /* never NULL */
    bool grew;
    bool marks;    /* what is found becomes dirty */
    bool keeps;    /* and is kept as it is, if it is frozen */
    bool is_plain; /* no TTL and no reserved entries: what is in the index is there */
};

static const struct bucket no_bucket;

/* Fixed keys are a few words: a call would cost more than comparing them. */
static inline bool words_equal(const char *a, const char *b, uint32_t bytes)
{
    uint64_t x, y, differ = 0;
    uint32_t at = 0;

    for (; at + sizeof x <= bytes; at += sizeof x) {
        memcpy(&x, a + at, sizeof x);
        memcpy(&y, b + at, sizeof y);
        differ |= x ^ y;
    }
    return differ == 0 && (at == bytes || memcmp(a + at, b + at, bytes - at) == 0);
}

static inline bool key_equals(const struct hm_table *t, enum key_form form, const char *entry, const struct key_set *keys,
                              uint32_t i, uint64_t hash)
{
    struct str stored;

    if (form == KEY_WORD) return *(const int64_t *)(const void *)entry == keys->words[i];
    if (*(const uint64_t *)(const void *)entry != hash) return false;
    if (form == KEY_FIXED) return words_equal(entry + sizeof hash, keys->views[i].data, t->key.bytes);
    stored = stored_text(&t->segments, (const struct state_text *)(const void *)(entry + sizeof hash));
    return stored.size == keys->views[i].size && memcmp(stored.data, keys->views[i].data, stored.size) == 0;
}

static inline uint32_t index_find(const struct hm_table *t, enum key_form form, const struct shard *sh,
                                  const struct key_set *keys, uint32_t i, uint64_t hash)
{
    const struct index *x = index_of(sh, hash);
    uint32_t b = bucket_of(x, hash);

    for (uint32_t n = 0; n < x->buckets; n++, b = bucket_next(x, b)) {
        const struct bucket *k = bucket_at(x, b);
        for (uint32_t m = bucket_match(k, tag_of(hash)); m; m &= m - 1) {
            uint32_t slot = k->slot[__builtin_ctz(m)];
            if (key_equals(t, form, entry_at(t, sh, slot), keys, i, hash)) return slot;
        }
        if (k->overflow == 0) break;
    }
    return NO_SLOT;
}

uint32_t entry_find(const struct hm_table *t, const struct shard *sh, const struct key_set *keys, uint32_t i, uint64_t hash)
{
    if (keys->has_nulls && keys->nulls[i]) return sh->null_slot;
    if (t->key.form == KEY_WORD) return index_find(t, KEY_WORD, sh, keys, i, hash);
    if (t->key.form == KEY_FIXED) return index_find(t, KEY_FIXED, sh, keys, i, hash);
    return index_find(t, KEY_BYTES, sh, keys, i, hash);
}

/* An entry that is there but not to be seen (expired, reserved, erased): as if created now, or absent. */
static uint32_t revive(struct job *j, struct shard *sh, uint32_t i, uint32_t slot)
{
    struct hm_table *t = j->t;
    char *row = entry_at(t, sh, slot) + t->row_offset;

    if (j->intent < STATE_INSERT) return NO_SLOT;
    if (slot_is_live(t, sh, slot)) entry_reset(t, j->s, row); /* expired */
    else if (j->intent == STATE_RESERVE) return slot;         /* reserved before, in this batch */
    bit_set(j->created, i);
    if (j->intent == STATE_RESERVE) {
        entry_reserve(t, j->s, sh, slot);
    } else {
        slot_set_live(t, j->s, sh, slot, true);
    }
    return slot;
}

/* TTL and reserved entries: what a key that was found means. */
static uint32_t settle(struct job *j, struct shard *sh, uint32_t i, uint32_t slot)
{
    struct hm_table *t = j->t;
    const struct state_ttl *ttl = &t->base.def->ttl;
    char *row = entry_at(t, sh, slot) + t->row_offset;

    if (UNLIKELY(j->keeps)) frozen_keep_now(t, j->s, sh, slot);
    if (!slot_is_live(t, sh, slot)) slot = revive(j, sh, i, slot);
    else if (t->ttl_offset && ttl->visibility == STATE_TTL_NEVER_RETURN_EXPIRED && hm_is_expired(t, row, hm_now(t)))
        slot = revive(j, sh, i, slot);
    if (slot == NO_SLOT || t->ttl_offset == 0 || j->intent == STATE_RESERVE) return slot;
    if (j->intent == STATE_READ) {
        if (ttl->update != STATE_TTL_ON_READ_AND_WRITE || hm_is_expired(t, row, hm_now(t))) return slot;
        slot_mark(t, sh, slot, t->dirty_now);
    }
    hm_stamp(t, row, hm_now(t));
    return slot;
}

static uint32_t create(struct job *j, struct shard *sh, uint32_t i, uint64_t hash)
{
    struct hm_table *t = j->t;
    const struct bucket *before = sh->index.chunks[0];
    bool was_moving = sh->old.buckets != 0;
    uint32_t buckets = sh->index.buckets, slot = entry_create(t, j->s, sh, hash, &j->x->keys, i);

    j->grew |= was_moving || buckets != sh->index.buckets || before != sh->index.chunks[0];
    bit_set(j->created, i);
    if (j->intent == STATE_RESERVE) {
        entry_reserve(t, j->s, sh, slot);
        j->is_plain = false;
        return slot;
    }
    slot_set_live(t, j->s, sh, slot, true);
    if (t->ttl_offset) hm_stamp(t, entry_at(t, sh, slot) + t->row_offset, hm_now(t));
    if (t->has_heads) bag_created(t, j->s, (struct bag *)(void *)(entry_at(t, sh, slot) + t->row_offset), sh->number, slot);
    return slot;
}

/* Everything that the straight path does not do. */
static __attribute__((noinline)) uint32_t resolve_one(struct job *j, struct shard *sh, uint32_t i, uint64_t hash)
{
    uint32_t slot = entry_find(j->t, sh, &j->x->keys, i, hash);

    if (slot == NO_SLOT) return j->intent < STATE_INSERT ? NO_SLOT : create(j, sh, i, hash);
    return j->is_plain ? slot : settle(j, sh, i, slot);
}

static inline void stage_a(struct job *j, uint32_t from, uint32_t to)
{
    const struct key_set *keys = &j->x->keys;
    uint16_t *shards = j->t->latest.shard;

    for (uint32_t i = from; i < to; i++) {
        uint32_t shard = shard_of(j->t, j->hashes[i]);
        const struct shard *sh = &j->s->shards[shard];
        const struct index *x = index_of(sh, j->hashes[i]);
        const struct bucket *k = bucket_at(x, bucket_of(x, j->hashes[i]));
        shards[i] = (uint16_t)shard;
        if (UNLIKELY(keys->has_nulls) && keys->nulls[i]) k = &no_bucket;
        j->x->buckets[i] = k;
        __builtin_prefetch(k);
    }
}

/* What may be row i's entry, by its tag in bucket k, is fetched; of several the first is remembered. */
static inline void candidate(struct job *j, uint32_t i, const struct bucket *k, uint32_t m)
{
    const struct hm_table *t = j->t;
    const struct shard *sh = &j->s->shards[t->latest.shard[i]];
    uint32_t slot = k->slot[__builtin_ctz(m)];
    char *entry = entry_at(t, sh, slot);

    t->latest.slot[i] = slot;
    j->x->entries[i] = entry;
    __builtin_prefetch(entry, 1);
    if (t->is_wide) __builtin_prefetch(entry + t->entry_size - 1, 1);
    if (j->marks) slot_fetch(t, sh, slot, t->dirty_now);
    for (m &= m - 1; UNLIKELY(m != 0); m &= m - 1) __builtin_prefetch(entry_at(t, sh, k->slot[__builtin_ctz(m)]), 1);
}

/* The bucket behind row i's. */
static const struct bucket *next_of(const struct job *j, uint32_t i, const struct bucket *k)
{
    const struct shard *sh = &j->s->shards[j->t->latest.shard[i]];
    const struct index *x = index_of(sh, j->hashes[i]);
    uint32_t b = bucket_of(x, j->hashes[i]);

    return bucket_at(x, b) == k ? bucket_at(x, bucket_next(x, b)) : &no_bucket; /* the index grew: looked up again later */
}

static inline void stage_b(struct job *j, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct bucket *k = j->x->buckets[i];
        uint32_t m = bucket_match(k, tag_of(j->hashes[i]));
        j->x->entries[i] = NULL;
        if (LIKELY(m != 0)) candidate(j, i, k, m);
        else if (k->overflow) __builtin_prefetch(k + 1); /* mostly the next one; a chunk's last has its next elsewhere */
    }
}

/* Who found nothing in a bucket that others passed by: is it in the next? */
static inline void stage_o(struct job *j, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct bucket *k = j->x->buckets[i];
        if (j->x->entries[i] != NULL || k->overflow == 0) continue;
        k = next_of(j, i, k);
        uint32_t m = bucket_match(k, tag_of(j->hashes[i]));
        if (m != 0) candidate(j, i, k, m);
    }
}

/* Keys of bytes often lie elsewhere than in their entries. */
static inline void stage_bytes(struct job *j, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (j->x->entries[i] == NULL) continue;
        const struct state_text *key = (const struct state_text *)(const void *)(j->x->entries[i] + sizeof(uint64_t));
        if (key->size > TEXT_INLINE)
            __builtin_prefetch(block_at(&j->t->segments, (struct state_ref){key->segment, key->offset}));
    }
}

/* True: row i's bucket, still the one of stage A, has nothing of that tag and nothing passed it by. */
static inline bool is_absent(const struct job *j, uint32_t i)
{
    const struct bucket *k = j->x->buckets[i];

    return !j->grew && k != &no_bucket && k->overflow == 0 && bucket_match(k, tag_of(j->hashes[i])) == 0;
}

static inline void stage_c(struct job *j, enum key_form form, uint32_t from, uint32_t to)
{
    struct hm_table *t = j->t;
    const struct key_set *keys = &j->x->keys;

    for (uint32_t i = from; i < to; i++) {
        struct shard *sh = &j->s->shards[t->latest.shard[i]];
        char *entry = j->x->entries[i];
        if (LIKELY(entry != NULL && key_equals(t, form, entry, keys, i, j->hashes[i]))) {
            if (UNLIKELY(!j->is_plain)) t->latest.slot[i] = settle(j, sh, i, t->latest.slot[i]);
        } else {
            bool is_new = j->intent >= STATE_INSERT && is_absent(j, i);
            t->latest.slot[i] = is_new ? create(j, sh, i, j->hashes[i]) : resolve_one(j, sh, i, j->hashes[i]);
            entry = t->latest.slot[i] == NO_SLOT ? NULL : entry_at(t, sh, t->latest.slot[i]);
        }
        j->rows[i] = entry != NULL && t->latest.slot[i] != NO_SLOT ? entry + t->row_offset : NULL;
    }
}

static inline void mark_dirty(struct job *j, uint32_t from, uint32_t to)
{
    const struct hm_table *t = j->t;

    for (uint32_t i = from; i < to; i++) {
        if (t->latest.slot[i] != NO_SLOT) slot_mark(t, &j->s->shards[t->latest.shard[i]], t->latest.slot[i], t->dirty_now);
    }
}

static __attribute__((noinline)) void keep_frozen(struct job *j, uint32_t from, uint32_t to)
{
    struct hm_table *t = j->t;

    for (uint32_t i = from; i < to; i++) {
        if (t->latest.slot[i] != NO_SLOT) frozen_keep(t, j->s, &j->s->shards[t->latest.shard[i]], t->latest.slot[i]);
    }
}

/* Is it changed, perhaps? Reading changes what has a time to live since it was read last. */
static bool changes(const struct hm_table *t, enum state_intent intent)
{
    return intent != STATE_READ || t->base.def->ttl.update == STATE_TTL_ON_READ_AND_WRITE;
}

static bool is_marked(const struct hm_table *t, enum state_intent intent)
{
    bool is_read = intent == STATE_READ && t->has_heads; /* rows under heads have stamps of their own */

    return t->is_tracked && (intent == STATE_UPDATE || intent == STATE_INSERT || (is_read && changes(t, intent)));
}

static inline __attribute__((always_inline)) void pipeline(struct job *j, enum key_form form)
{
    uint32_t n = j->count;

    stage_a(j, 0, MIN(n, 3U * GROUP));
    stage_b(j, 0, MIN(n, 2U * GROUP));
    stage_o(j, 0, MIN(n, (uint32_t)GROUP));
    for (uint32_t at = 0; at < n; at += GROUP) {
        uint32_t end = MIN(n, at + GROUP), next = MIN(n, end + GROUP), after = MIN(n, next + GROUP), last = MIN(n, after + GROUP);
        if (UNLIKELY(j->grew)) {
            stage_a(j, at, after);
            stage_b(j, end, next);
            j->grew = false;
        }
        stage_a(j, after, last);
        stage_b(j, next, after);
        stage_o(j, end, next);
        if (form == KEY_BYTES) stage_bytes(j, end, next);
        stage_c(j, form, at, end);
        if (j->marks) mark_dirty(j, at, end);
        if (UNLIKELY(j->keeps)) keep_frozen(j, at, end);
    }
}

static void resolve_absent(struct hm_table *t, uint32_t count, void **rows)
{
    memset(rows, 0, count * sizeof *rows);
    t->latest.space = NULL;
    t->latest.count = count;
}

/* Bytes that as many new keys per shard as the batch has rows for it would take. */
static size_t growth(const struct hm_table *t, const struct space *s, const uint64_t *hashes, uint32_t count)
{
    uint32_t rows[STATE_SHARDS_MAX] = {0};
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++) rows[shard_of(t, hashes[i])]++;
    for (uint32_t i = 0; i < t->shard_count; i++) {
        if (rows[i]) bytes += pages_growth(t, &s->shards[i], rows[i]) + index_growth(&s->shards[i], rows[i]);
    }
    return bytes;
}

/* A bound that holds for any batch first; the exact one only when memory is short. */
static enum status budget_check(const struct hm_table *t, struct space *s, const uint64_t *hashes, uint32_t count)
{
    size_t room = pool_room(t->base.host->pool), any = (size_t)count * (t->entry_size + 64) + t->expected_bytes;

    if (LIKELY(room == SIZE_MAX || room / 4 > any + (size_t)t->shard_count * POOL_FRAME)) return S_OK;
    if (room > growth(t, s, hashes, count) + 2 * (size_t)POOL_FRAME) return S_OK;
    for (uint32_t i = 0; i < t->shard_count; i++) s->shards[i].expected = 0; /* too little room to grow ahead of the keys */
    return room > growth(t, s, hashes, count) + 2 * (size_t)POOL_FRAME ? S_OK : table_refuse(&t->base, count, "keys");
}

enum status hm_resolve(struct state_table *base, int64_t ns, const struct state_keys *keys, enum state_intent intent, void **rows,
                       uint64_t *created)
{
    struct hm_table *t = hm_of(base);
    struct job j = {.t = t, .x = base->host->scratch, .hashes = keys->hashes, .count = keys->count, .intent = intent, .rows = rows,
        .marks = is_marked(hm_of(base), intent), .keeps = hm_of(base)->frozen != NULL && changes(hm_of(base), intent)};

    ASSERT(keys->count <= BATCH_ROWS && keys->col_count == t->key.type->child_count);
    if (t->has_heads && intent == STATE_RESERVE) j.intent = intent = STATE_INSERT; /* empty heads go away by themselves */
    memset(t->latest.created, 0, ALIGN_UP(keys->count, 64) / 8);
    if (created) memset(created, 0, ALIGN_UP(keys->count, 64) / 8);
    j.s = intent >= STATE_INSERT ? space_make(t, ns) : space_find(t, ns);
    if (j.s == NULL) {
        resolve_absent(t, keys->count, rows);
        return S_OK;
    }
    if (intent >= STATE_INSERT) TRY(budget_check(t, j.s, keys->hashes, keys->count));
    j.created = t->latest.created;
    j.is_plain = t->ttl_offset == 0 && t->reserved.count == 0;
    t->latest.space = j.s;
    t->latest.count = keys->count;
    key_gather(&t->key, &j.x->keys, keys->batch, keys->cols, keys->sel, 0, keys->count);
    j.count = repeats_find(t, keys->hashes, keys->count);
    if (j.count < keys->count) j.hashes = j.x->repeats.hashes;
    switch (t->key.form) {
    case KEY_WORD: pipeline(&j, KEY_WORD); break;
    case KEY_FIXED: pipeline(&j, KEY_FIXED); break;
    default: pipeline(&j, KEY_BYTES); break;
    }
    if (UNLIKELY(j.keeps)) frozen_hand_over(t);
    if (j.count < keys->count) repeats_spread(t, keys->count, j.count, rows);
    if (created) memcpy(created, t->latest.created, ALIGN_UP(keys->count, 64) / 8);
    return S_OK;
}

void *hm_get(struct state_table *base, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
             enum state_intent intent, bool *created)
{
    struct hm_table *t = hm_of(base);
    uint64_t created_bits[1] = {0};
    struct job j = {.t = t, .x = base->host->scratch, .count = 1, .intent = intent, .created = created_bits,
        .marks = is_marked(hm_of(base), intent), .keeps = hm_of(base)->frozen != NULL && changes(hm_of(base), intent)};
    struct shard *sh;
    uint32_t slot;

    if (created) *created = false;
    if (t->has_heads && intent == STATE_RESERVE) j.intent = intent = STATE_INSERT;
    j.s = intent >= STATE_INSERT ? space_make(t, ns) : space_find(t, ns);
    if (j.s == NULL) return NULL;
    if (intent >= STATE_INSERT && budget_check(t, j.s, &hash, 1) != S_OK) return NULL;
    j.is_plain = t->ttl_offset == 0 && t->reserved.count == 0;
    key_gather(&t->key, &j.x->keys, b, cols, NULL, row, 1);
    sh = &j.s->shards[shard_of(t, hash)];
    slot = resolve_one(&j, sh, 0, hash);
    if (slot == NO_SLOT) return NULL;
    if (UNLIKELY(j.keeps)) frozen_keep_now(t, j.s, sh, slot);
    if (j.marks) slot_mark(t, sh, slot, t->dirty_now);
    if (created) *created = created_bits[0] & 1;
    return entry_at(t, sh, slot) + t->row_offset;
}

/* Does not disturb the latest resolve. */
enum status hm_delete(struct state_table *base, int64_t ns, const struct state_keys *keys)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct key_set *set = &base->host->scratch->keys;

    if (s == NULL) return S_OK;
    key_gather(&t->key, set, keys->batch, keys->cols, keys->sel, 0, keys->count);
    for (uint32_t i = 0; i < keys->count; i++) {
        struct shard *sh = &s->shards[shard_of(t, keys->hashes[i])];
        uint32_t slot = entry_find(t, sh, set, i, keys->hashes[i]);
        if (slot != NO_SLOT && slot_is_live(t, sh, slot)) entry_remove(t, s, sh, slot);
    }
    return S_OK;
}
