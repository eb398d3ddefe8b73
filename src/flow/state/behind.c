/* behind.c - a cache in front of a map on disk: what is missing comes in before a batch looks, what is too much leaves after it.
 *
 * The idea: operators work on tables of hashmap.h and know nothing of a map. Before the keys of a batch are looked up, those that lie
 * behind are read with one call and put in; when a batch is done and the host has more in memory than it may, a hand goes round over
 * the entries of all tables that no batch is using and puts out those that nobody asked for since it came by last. All changes of a
 * batch are one write. As long as nothing had to leave there is no map, and a table costs what it costs in memory.
 *
 * Invariants: a key is in memory, or in the map alone and counted in its namespace's `away`, or nowhere. What is in memory decides,
 * whatever the map says. Changes are written before the map is read. A call to the map that failed is kept and answered by the next
 * call that can say so; from then on this host's state is lost and the task fails.
 * Not here: bytes of an entry (entry_image.c), walks (behind_walk.c), the map itself (ground/sys). */
#include "flow/state/behind.h"

#include "flow/state/bag.h"
#include "flow/state/freeze.h"
#include "ground/base/str.h"
#include "ground/sys/sys.h"

#include <stdlib.h>

enum { AHEAD = 12, HAND_STEPS = 16 * 1024, HAND_RUN = 64, CHANGES_KEEP = 64 * 1024 };

/* ---- the store of a host */

struct store *store_of(struct state_host *h)
{
    struct store *s = h->store;

    if (s != NULL) return s;
    s = mem_zalloc(h->mem, sizeof *s);
    s->host = h;
    s->mem = h->mem;
    buf_init(&s->changes.bytes, h->mem);
    buf_init(&s->keys, h->mem);
    buf_init(&s->image, h->mem);
    key_set_init(&s->set, h->mem);
    h->store = s;
    return s;
}

void store_free(struct store *s)
{
    if (s == NULL) return;
    sys_kv_close(s->kv);
    buf_release(&s->changes.bytes);
    buf_release(&s->keys);
    buf_release(&s->image);
    key_set_release(&s->set);
    mem_free(s->mem, s);
}

enum status store_check(struct hm_table *t)
{
    struct store *s = t->behind->store;

    return s->failed == S_OK ? S_OK : err_pass_on(s->host->err, &s->err);
}

enum status store_keep(struct store *s, enum status st)
{
    if (st != S_OK && s->failed == S_OK) {
        err_set(&s->err, st, "the state of this task cannot be kept on disk");
        s->failed = st;
    }
    return s->failed;
}

static enum status map_open(struct store *s)
{
    if (s->kv != NULL) return S_OK;
    return store_keep(s, sys_kv_open(s->host->sys, s->host->behind, &s->kv, &s->err));
}

enum status store_flush(struct store *s)
{
    if (s->failed != S_OK || s->changes.count == 0) return s->failed;
    TRY(map_open(s));
    enum status st = store_keep(s, s->kv->ops->write(s->kv, &s->changes, &s->err));
    kv_changes_clear(&s->changes);
    return st;
}

/* ---- in */

uint32_t behind_read(struct hm_table *t, struct space *s, uint64_t hash, const struct key_set *set, uint32_t i, struct str image)
{
    struct shard *sh = &s->shards[shard_of(t, hash)];
    uint32_t slot = entry_create(t, s, sh, hash, set, i);

    slot_set_live(t, s, sh, slot, true);
    image_read(t, s, sh, slot, image);
    return slot;
}

uint32_t behind_enter(struct hm_table *t, struct space *s, uint64_t hash, const struct key_set *set, uint32_t i,
                      struct str image)
{
    struct shard *sh = &s->shards[shard_of(t, hash)];
    uint32_t slot = behind_read(t, s, hash, set, i, image);

    ASSERT(s->away > 0);
    *entry_word(t, entry_at(t, sh, slot)) = (hash64(image.data, image.size) | 2) | ENTRY_SEEN;
    bit_clear(page_bits(t, sh, slot >> t->page_shift, t->dirty_now), slot & t->page_mask); /* to be read is no change */
    s->away--;
    return slot;
}

static int asked_order(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;
    int order = str_compare(x->key, y->key);

    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

/* Marks the keys that are in memory as seen; the others are asked[0..n). */
static uint32_t missing_find(struct hm_table *t, struct space *s, const struct state_keys *keys,
                             const struct key_set *set)
{
    struct store *store = t->behind->store;
    uint32_t n = 0;

    for (uint32_t i = 0; i < keys->count; i++) {
        uint64_t hash = keys->hashes[i];
        struct shard *sh = &s->shards[shard_of(t, hash)];
        if (i + AHEAD < keys->count) {
            const struct shard *next = &s->shards[shard_of(t, keys->hashes[i + AHEAD])];
            const struct index *x = index_of(next, keys->hashes[i + AHEAD]);
            __builtin_prefetch(bucket_at(x, bucket_of(x, keys->hashes[i + AHEAD])));
        }
        uint32_t slot = entry_find(t, sh, set, i, hash);
        if (slot != NO_SLOT)
            *entry_word(t, entry_at(t, sh, slot)) |= ENTRY_SEEN;
        else if (!set->has_nulls || !set->nulls[i])
            store->asked[n++].row = i;
    }
    return n;
}

/* Keys of asked[0..n), sorted, each once; how many these are. */
static uint32_t asked_sort(struct hm_table *t, struct space *s, const struct state_keys *keys,
                           const struct key_set *set, uint32_t n)
{
    struct store *store = t->behind->store;
    uint32_t kept = 0;
    size_t at = 0;

    buf_clear(&store->keys);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = store->asked[i].row;
        behind_key(t, s->ns, keys->hashes[row], set, row, &store->keys);
        store->asked[i].key.size = store->keys.size - at;
        at = store->keys.size;
    }
    at = 0;
    for (uint32_t i = 0; i < n; i++) {
        store->asked[i].key.data = store->keys.data + at;
        at += store->asked[i].key.size;
    }
    qsort(store->asked, n, sizeof store->asked[0], asked_order);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && str_equal(store->asked[kept - 1].key, store->asked[i].key)) continue;
        store->asked[kept] = store->asked[i];
        store->names[kept++] = store->asked[i].key;
    }
    return kept;
}

enum status behind_fetch(struct hm_table *t, struct space *s, const struct state_keys *keys)
{
    struct store *store = t->behind->store;
    struct key_set *set = &t->base.host->scratch->keys;

    TRY(store_check(t));
    if (s == NULL || s->away == 0 || keys->count == 0) return S_OK;
    key_gather(&t->key, set, keys->batch, keys->cols, keys->sel, 0, keys->count);
    uint32_t n = missing_find(t, s, keys, set);
    if (n == 0) return S_OK;
    if (store_flush(store) != S_OK) return store_check(t);
    n = asked_sort(t, s, keys, set, n);
    if (store_keep(store, store->kv->ops->get(store->kv, NULL, store->names, n, store->values, &store->err)) != S_OK)
        return store_check(t);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = store->asked[i].row;
        if (store->values[i].data != NULL) behind_enter(t, s, keys->hashes[row], set, row, store->values[i]);
    }
    return S_OK;
}

/* ---- out */

struct str behind_key_of(const struct hm_table *t, struct space *s, const struct shard *sh, uint32_t slot)
{
    struct store *store = t->behind->store;

    store->set.has_nulls = false;
    entry_key(t, sh, slot, &store->set, 0);
    buf_clear(&store->keys);
    behind_key(t, s->ns, entry_hash(t, entry_at(t, sh, slot)), &store->set, 0, &store->keys);
    return (struct str){store->keys.data, store->keys.size};
}

void behind_forget(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot)
{
    uint64_t *word = entry_word(t, entry_at(t, sh, slot));

    if (*word & ~(uint64_t)ENTRY_SEEN) kv_delete(&t->behind->store->changes, behind_key_of(t, s, sh, slot));
    *word = 0;
}

void behind_drop(struct hm_table *t, struct space *s)
{
    struct store *store = t->behind->store;
    uint32_t size = behind_prefix_size(t);
    char to[BEHIND_PREFIX_MAX];

    if (!s->is_stored) return;
    buf_clear(&store->keys);
    behind_prefix(t, s->ns, &store->keys);
    memcpy(to, store->keys.data, size);
    for (uint32_t i = size; i-- > 0 && ++to[i] == 0;) {
    }
    kv_delete_range(&store->changes, (struct str){store->keys.data, size}, (struct str){to, size});
}

void behind_changed_drop(struct hm_table *t)
{
    uint32_t number = t->behind->number | LIST_MARK << 8;
    char from[2] = {(char)(number >> 8), (char)number}, to[2] = {(char)((number + 1) >> 8), (char)(number + 1)};

    kv_delete_range(&t->behind->store->changes, (struct str){from, sizeof from}, (struct str){to, sizeof to});
}

/* Which checkpoint has to tell of it stays known when it is not in memory. */
static void changed_list(struct hm_table *t, struct str key)
{
    char *mark = t->behind->store->keys.data;

    ASSERT(mark == key.data);
    *mark = (char)((uint8_t)*mark | LIST_MARK);
    kv_put(&t->behind->store->changes, key, (struct str){"", 0});
    *mark = (char)((uint8_t)*mark & ~LIST_MARK);
    t->behind->has_changed = true;
}

/* The entry leaves; it is written if the map does not have it as it is. */
static void entry_out(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot)
{
    struct store *store = t->behind->store;
    char *entry = entry_at(t, sh, slot);
    uint64_t *word = entry_word(t, entry), hash;
    bool has_changed = t->is_tracked && slot_is(t, sh, slot, t->dirty_now);

    buf_clear(&store->image);
    image_write(t, s, entry, &store->image);
    struct str image = {store->image.data, store->image.size};
    hash = (hash64(image.data, image.size) | 2) & ~(uint64_t)ENTRY_SEEN;
    if (has_changed || (*word & ~(uint64_t)ENTRY_SEEN) != hash) {
        struct str key = behind_key_of(t, s, sh, slot);
        kv_put(&store->changes, key, image);
        if (has_changed) changed_list(t, key);
    }
    store->left++;
    store->left_bytes += image.size;
    *word = 0; /* what goes is not forgotten */
    entry_leave(t, s, sh, slot);
    s->away++;
    s->is_stored = true;
}

uint64_t store_away_bytes(const struct store *s)
{
    uint64_t away = 0;

    for (const struct state_table *base = s->host->tables; base != NULL; base = base->next) {
        const struct hm_table *t = hm_of_const(base);
        for (uint32_t i = 0; i < t->space_count; i++) away += t->spaces[i]->away;
    }
    return s->left > 0 ? (uint64_t)((double)s->left_bytes / (double)s->left * (double)away) : 0;
}

static bool may_leave(const struct hm_table *t, const struct shard *sh, uint32_t slot)
{
    char *entry = entry_at(t, sh, slot);
    uint64_t *word = entry_word(t, entry);

    if (slot == sh->null_slot || slot_is(t, sh, slot, BITS_HELD)) return false;
    if (t->has_heads && (((struct bag *)(void *)(entry + t->row_offset))->flags & BAG_TOUCHED)) return false;
    if ((*word & ENTRY_SEEN) == 0) return true;
    *word &= ~(uint64_t)ENTRY_SEEN;
    return false;
}

bool store_is_full(const struct store *s)
{
    const struct state_pool *p = s->host->pool;

    return p->taken - p->idle > s->host->cache_bytes;
}

/* Some entries on; false: the hand is at the end of the table. */
static bool hand_step(struct hm_table *t, uint32_t *steps)
{
    struct hand *h = &t->behind->hand;
    uint32_t slots[HAND_RUN];

    if (h->space >= t->space_count) {
        *h = (struct hand){0};
        return false;
    }
    struct space *s = t->spaces[h->space];
    struct shard *sh = &s->shards[h->shard];
    uint32_t n = slots_live(t, sh, h->slot, slots, HAND_RUN);
    uint32_t leave = 0;
    if (n > 0) h->slot = slots[n - 1] + 1;
    for (uint32_t i = 0; i < n; i++)
        if (may_leave(t, sh, slots[i])) slots[leave++] = slots[i];
    if (UNLIKELY(t->frozen != NULL)) frozen_keep_run(t, s, sh, slots, leave);
    for (uint32_t i = 0; i < leave && store_is_full(t->behind->store); i++) entry_out(t, s, sh, slots[i]);
    *steps -= MIN(*steps, n + 1);
    if (n == HAND_RUN || !store_is_full(t->behind->store)) return true;
    h->slot = 0;
    if (++h->shard < t->shard_count) return true;
    h->shard = 0;
    h->space++;
    return true;
}

/* The next table of the host that no batch uses, after `from`; NULL: none. */
static struct hm_table *table_next(const struct store *s, struct hm_table *from)
{
    struct state_table *first = s->host->tables, *t = from != NULL && from->base.next != NULL ? from->base.next : first;

    for (struct state_table *begin = t; t != NULL;) {
        if (!hm_of(t)->behind->is_busy) return hm_of(t);
        t = t->next != NULL ? t->next : first;
        if (t == begin) return NULL;
    }
    return NULL;
}

void store_evict(struct store *s)
{
    uint32_t steps = HAND_STEPS, ends = 0;

    if (LIKELY(!store_is_full(s)) && s->changes.bytes.size < CHANGES_KEEP) return;
    if (s->failed != S_OK) return;
    if (s->hand == NULL || s->hand->behind->is_busy) s->hand = table_next(s, s->hand);
    while (s->hand != NULL && steps > 0 && store_is_full(s)) {
        if (hand_step(s->hand, &steps)) continue;
        s->hand = table_next(s, s->hand);
        if (++ends > 2 * s->tables + 2) break; /* round twice, and nothing more may leave */
    }
    (void)!store_flush(s); /* kept, and said by the next call that can */
}
