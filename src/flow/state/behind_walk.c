/* behind_walk.c - walking a namespace of which a part is not in memory: in the order of hashes, shard by shard.
 *
 * The idea: shards are runs of key groups and so of hashes. Entries of a shard that are in memory are sorted by hash once, when the walk
 * comes to it; from there on each call reads the map from the hash where it stands, brings in what is missing, and gives both in one
 * order. So the order depends on the keys alone, whatever was in memory, and entries may come and go between two calls: the map has
 * those that left since. Not here: the order of a walk in memory alone (space.c). */
#include "flow/state/behind.h"

#include "ground/base/str.h"

#include <stdlib.h>

enum { SCAN_BYTES = 4 * 1024 * 1024 };

static int item_order(const void *a, const void *b)
{
    const struct walk_item *x = a, *y = b;

    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* The NULL key never leaves, and has no hash in its entry: it comes last. */
static uint64_t slot_hash(const struct hm_table *t, const struct shard *sh, uint32_t slot)
{
    return slot == sh->null_slot ? UINT64_MAX : entry_hash(t, entry_at(t, sh, slot));
}

/* Hashes are spread evenly over the shard's: dealt out to as many heaps as there are items, they are nearly in order. */
static void items_sort(const struct hm_table *t, uint32_t shard)
{
    struct behind *b = t->behind;
    struct walk_item *items = b->items, *dealt = b->items + b->item_count;
    uint32_t *ends = b->store->heaps, n = b->item_count, heaps = MIN(n, (uint32_t)WALK_HEAPS);
    uint64_t first = 0, end = UINT64_MAX;
    uint32_t shift = 0;

    (void)behind_shard_hash(t, shard, &first);
    if (!behind_shard_hash(t, shard + 1, &end)) end = UINT64_MAX;
    while ((end - first) >> shift >= heaps) shift++;
    memset(ends, 0, heaps * sizeof *ends);
    for (uint32_t i = 0; i < n; i++) ends[MIN((items[i].hash - first) >> shift, (uint64_t)heaps - 1)]++;
    for (uint32_t i = 1; i < heaps; i++) ends[i] += ends[i - 1];
    for (uint32_t i = n; i-- > 0;) dealt[--ends[MIN((items[i].hash - first) >> shift, (uint64_t)heaps - 1)]] = items[i];
    for (uint32_t i = 0, k; i < n; i++) {
        for (k = i; k > 0 && item_order(&dealt[i], &items[k - 1]) < 0; k--) items[k] = items[k - 1];
        items[k] = dealt[i];
    }
}

static void items_collect(struct hm_table *t, const struct shard *sh)
{
    struct behind *b = t->behind;
    uint32_t *slots = t->base.host->scratch->slots, n, from = 0;

    b->item_count = 0;
    while ((n = slots_live(t, sh, from, slots, BATCH_ROWS)) > 0) {
        if (2 * (b->item_count + n) > b->item_capacity) { /* as much again is for sorting */
            b->item_capacity = (b->item_count + n) * 4;
            b->items = mem_realloc(t->base.host->mem, b->items, b->item_capacity * sizeof *b->items);
        }
        for (uint32_t i = 0; i < n; i++)
            b->items[b->item_count++] = (struct walk_item){slot_hash(t, sh, slots[i]), slots[i]};
        from = slots[n - 1] + 1;
    }
    if (b->item_count > 1) items_sort(t, sh->number);
}

/* The first item at or behind the hash. */
static uint32_t item_at(const struct behind *b, uint64_t hash)
{
    uint32_t low = 0, high = b->item_count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (b->items[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is given by one step: entries from the cursor's hash to `upto`. */
struct step {
    struct hm_table *t;
    struct space *s;
    struct shard *sh;
    uint64_t from, upto;
    uint32_t room, count;
    struct walk_item *found; /* room for twice a batch */
};

/* Those of the items that are there still. */
static void from_memory(struct step *w)
{
    const struct behind *b = w->t->behind;

    for (uint32_t i = item_at(b, w->from); i < b->item_count && b->items[i].hash <= w->upto; i++) {
        struct walk_item x = b->items[i];
        if (w->count == w->room) {
            w->upto = x.hash - 1;
            return;
        }
        if (slot_is_live(w->t, w->sh, x.slot) && slot_hash(w->t, w->sh, x.slot) == x.hash) w->found[w->count++] = x;
    }
}

static void pair_take(struct step *w, const struct kv_pair *pair)
{
    struct hm_table *t = w->t;
    struct store *store = t->behind->store;
    uint64_t hash = behind_key_read(t, pair->key, &store->set, 0);

    store->set.has_nulls = false;
    uint32_t slot = entry_find(t, w->sh, &store->set, 0, hash);
    if (slot == NO_SLOT) slot = behind_enter(t, w->s, hash, &store->set, 0, pair->value);
    if (slot_is_live(t, w->sh, slot)) w->found[w->count++] = (struct walk_item){hash, slot};
}

/* Those that the map has, which come in; how far it was read is how far this step goes. */
static enum status from_map(struct step *w)
{
    struct store *store = w->t->behind->store;
    const struct kv_pair *pairs;
    struct str from, to;
    size_t bytes = 0;
    uint32_t n;

    TRY(store_flush(store));
    if (store->kv == NULL) return S_OK;
    behind_range(w->t, w->s->ns, w->from, w->sh->number, false, &from, &to);
    TRY(store_keep(store, store->kv->ops->scan(store->kv, NULL, from, to, w->room, SCAN_BYTES, &pairs, &n, &store->err)));
    for (uint32_t i = 0; i < n; i++) {
        bytes += pairs[i].key.size + pairs[i].value.size;
        pair_take(w, &pairs[i]);
    }
    if (n < w->room && bytes < SCAN_BYTES) return S_OK;
    w->upto = behind_key_read(w->t, pairs[n - 1].key, &store->set, 0);
    if (n > 1) w->upto--; /* another key may have this hash */
    return S_OK;
}

/* Both in one order, each once, as many as there is room for. */
static void step_sort(struct step *w, bool is_mixed)
{
    uint32_t n = 0;

    if (is_mixed) qsort(w->found, w->count, sizeof *w->found, item_order);
    for (uint32_t i = 0; i < w->count && w->found[i].hash <= w->upto; i++) {
        if (n > 0 && w->found[n - 1].slot == w->found[i].slot) continue;
        if (n == w->room) {
            w->upto = w->found[i].hash - 1;
            break;
        }
        w->found[n++] = w->found[i];
    }
    while (n > 0 && w->found[n - 1].hash > w->upto) n--;
    ASSERT(n > 0 || w->count == 0 || w->upto >= w->from); /* hashes of 64 bits do not meet a thousand times */
    w->count = n;
}

static enum status step_take(struct step *w)
{
    uint32_t room = w->room;

    w->count = 0;
    w->upto = UINT64_MAX;
    if (w->s->is_stored) TRY(from_map(w));
    bool is_mixed = w->count > 0;
    w->room += w->count; /* beside what the map has */
    from_memory(w);
    w->room = room;
    step_sort(w, is_mixed);
    return S_OK;
}

enum status behind_each(struct state_table *base, int64_t ns, struct state_cursor *c, struct batch *keys,
                        const uint32_t *cols, void **rows, uint32_t *n)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct key_set *set = &base->host->scratch->keys;
    struct step w = {.t = t, .s = s, .found = t->behind->store->found};
    uint32_t room = MIN(keys->capacity - keys->count, (uint32_t)BATCH_ROWS), count = 0;

    *n = 0;
    TRY(store_check(t));
    set->has_nulls = false;
    while (s != NULL && c->shard < t->shard_count && count < room) {
        w.sh = &s->shards[c->shard];
        if (c->slot == 0 || c->slot != t->behind->walk) {
            items_collect(t, w.sh);
            c->slot = t->behind->walk = t->behind->walk + 1 != 0 ? t->behind->walk + 1 : 1;
        }
        uint64_t first = 0;
        (void)behind_shard_hash(t, c->shard, &first);
        w.from = MAX(c->hash, first);
        w.room = room - count;
        if (step_take(&w) != S_OK) return store_check(t);
        for (uint32_t i = 0; i < w.count; i++) {
            char *row = entry_at(t, w.sh, w.found[i].slot) + t->row_offset;
            if (!entry_is_shown(t, row)) continue;
            entry_key(t, w.sh, w.found[i].slot, set, count);
            rows[count++] = row;
        }
        c->hash = w.upto + 1;
        if (w.upto != UINT64_MAX) continue;
        c->shard++;
        c->hash = c->slot = 0;
    }
    key_scatter(&t->key, set, count, keys, cols, keys->count);
    keys->count += count;
    *n = count;
    return s != NULL && c->shard < t->shard_count ? S_MORE : S_OK;
}
