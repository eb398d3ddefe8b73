/* behind_freeze.c - what a table had at a barrier and not in memory: read from a snapshot of the map while the table goes on.
 *
 * The idea: freeze.c hands over what is in memory, shard by shard. Behind each shard come those of its keys that lay in the map alone: some
 * at a time they are read into a space apart, which is walked as any other. The map may have old images of keys that were in memory at
 * the barrier, so the keys of entries that freeze.c hands over are noted and left out here: those of the shard that is walked, and those
 * that were handed over before their turn because they changed.
 *
 * Of what has changed since the last barrier, entries that left memory changed have their keys in a list of the map, beside the images: a
 * checkpoint of changes reads that list and not the map. Who comes back and does not change is as the map has it.
 *
 * Invariants: a key is noted or read, never both; the snapshot has all changes from before the barrier. Not here: the bits (freeze.c). */
#include "flow/state/behind.h"
#include "flow/state/freeze.h"

#include "ground/base/str.h"

enum { LOAD_KEYS = 256, LOAD_BYTES = 256 * 1024, LIST_BYTES = 64 * 1024 };

/* Keys as the map has them, each once. */
struct key_notes {
    struct buf bytes;  /* size (4 bytes), key; and so on */
    size_t *places;    /* in `bytes`, + 1; 0 is free */
    uint32_t count, capacity;
};

struct behind_frozen {
    struct kv_snapshot *at; /* NULL: nothing had left */
    struct space *apart;
    struct key_notes walked, kept; /* of the shard that is walked; of others */
    struct buf next;               /* the key from which on the shard is read; empty: from its beginning */
    struct buf names;              /* keys of the list that were read */
};

/* ---- notes */

static struct str note_at(const struct key_notes *k, size_t place)
{
    uint32_t size;

    memcpy(&size, k->bytes.data + place - 1, sizeof size);
    return (struct str){k->bytes.data + place - 1 + sizeof size, size};
}

/* Where the key is, or would be. */
static uint32_t note_find(const struct key_notes *k, struct str key)
{
    uint32_t at = (uint32_t)hash64(key.data, key.size) & (k->capacity - 1);

    while (k->places[at] != 0 && !str_equal(note_at(k, k->places[at]), key)) at = (at + 1) & (k->capacity - 1);
    return at;
}

static bool is_noted(const struct key_notes *k, struct str key) { return k->count > 0 && k->places[note_find(k, key)] != 0; }

static void notes_grow(struct key_notes *k, struct mem *mem)
{
    size_t *old = k->places;
    uint32_t had = k->capacity;

    k->capacity = MAX(256u, 2 * had);
    k->places = mem_zalloc(mem, k->capacity * sizeof *k->places);
    for (uint32_t i = 0; i < had; i++)
        if (old[i] != 0) k->places[note_find(k, note_at(k, old[i]))] = old[i];
    mem_free(mem, old);
}

static void note_add(struct key_notes *k, struct str key, struct mem *mem)
{
    uint32_t size = (uint32_t)key.size;

    if (2 * k->count >= k->capacity) notes_grow(k, mem);
    uint32_t at = note_find(k, key);
    if (k->places[at] != 0) return;
    k->places[at] = k->bytes.size + 1;
    buf_append(&k->bytes, &size, sizeof size);
    buf_append(&k->bytes, key.data, key.size);
    k->count++;
}

static void notes_clear(struct key_notes *k)
{
    if (k->count > 0) memset(k->places, 0, k->capacity * sizeof *k->places);
    buf_clear(&k->bytes);
    k->count = 0;
}

static void notes_release(struct key_notes *k, struct mem *mem)
{
    buf_release(&k->bytes);
    mem_free(mem, k->places);
}

void behind_note(struct hm_table *t, struct space *s, const struct shard *sh, uint32_t slot, bool is_walked)
{
    struct behind_frozen *f = t->behind->frozen;

    if (f == NULL || f->at == NULL || s == f->apart || slot == sh->null_slot) return;
    if ((*entry_word(t, entry_at(t, sh, slot)) & ~(uint64_t)ENTRY_SEEN) == 0) return; /* the map never had it */
    note_add(is_walked ? &f->walked : &f->kept, behind_key_of(t, s, sh, slot), t->base.host->mem);
}

/* ---- the barrier */

void behind_freeze(struct hm_table *t, bool takes, bool begins_list)
{
    struct behind *b = t->behind;
    struct store *store = b->store;
    struct mem *mem = t->base.host->mem;

    ASSERT(b->frozen == NULL);
    if (takes) {
        b->frozen = mem_zalloc(mem, sizeof *b->frozen);
        buf_init(&b->frozen->walked.bytes, mem);
        buf_init(&b->frozen->kept.bytes, mem);
        buf_init(&b->frozen->next, mem);
        buf_init(&b->frozen->names, mem);
        if (store_flush(store) == S_OK && store->kv != NULL) b->frozen->at = store->kv->ops->snapshot(store->kv); /* else: said later */
    }
    if (!begins_list) return;
    if (b->has_changed) behind_changed_drop(t);
    b->has_changed = false;
}

void behind_thaw(struct hm_table *t)
{
    struct behind_frozen *f = t->behind->frozen;
    struct store *store = t->behind->store;
    struct mem *mem = t->base.host->mem;

    if (f == NULL) return;
    if (f->apart != NULL) space_give_back(t, f->apart);
    if (f->at != NULL) store->kv->ops->release(store->kv, f->at);
    notes_release(&f->walked, mem);
    notes_release(&f->kept, mem);
    buf_release(&f->next);
    buf_release(&f->names);
    mem_free(mem, f);
    t->behind->frozen = NULL;
}

/* ---- reading */

/* An entry for the walk, if it was in the map alone. */
static void entry_load(struct hm_table *t, struct space *apart, struct str name, struct str value, uint32_t run)
{
    struct behind_frozen *f = t->behind->frozen;
    struct key_set *set = &t->behind->store->set;

    if (is_noted(&f->walked, name) || is_noted(&f->kept, name)) return;
    uint64_t hash = behind_key_read(t, name, set, 0);
    set->has_nulls = false;
    uint32_t slot = behind_read(t, apart, hash, set, 0, value);
    slot_mark(t, &apart->shards[shard_of(t, hash)], slot, run);
}

/* The next read begins behind this key. */
static void next_after(struct behind_frozen *f, struct str key)
{
    buf_clear(&f->next);
    buf_append(&f->next, key.data, key.size);
    buf_append(&f->next, "", 1);
}

static enum status range_scan(struct hm_table *t, int64_t ns, uint32_t shard, bool is_list, size_t bytes, const struct kv_pair **pairs,
                              uint32_t *n)
{
    struct behind_frozen *f = t->behind->frozen;
    struct store *store = t->behind->store;
    struct str from, to;
    uint64_t first = 0;

    (void)behind_shard_hash(t, shard, &first);
    behind_range(t, ns, first, shard, is_list, &from, &to);
    if (f->next.size > 0) from = (struct str){f->next.data, f->next.size};
    return store_keep(store, store->kv->ops->scan(store->kv, f->at, from, to, LOAD_KEYS, bytes, pairs, n, &store->err));
}

static enum status all_load(struct hm_table *t, int64_t ns, uint32_t shard, uint32_t run, uint32_t *n)
{
    const struct kv_pair *pairs;

    TRY(range_scan(t, ns, shard, false, LOAD_BYTES, &pairs, n));
    for (uint32_t i = 0; i < *n; i++) entry_load(t, t->behind->frozen->apart, pairs[i].key, pairs[i].value, run);
    if (*n > 0) next_after(t->behind->frozen, pairs[*n - 1].key);
    return S_OK;
}

/* Keys that were read from the list, as those of the images. */
static uint32_t names_take(struct hm_table *t, const struct kv_pair *pairs, uint32_t n)
{
    struct behind_frozen *f = t->behind->frozen;
    struct str *names = t->behind->store->names;
    size_t at = 0;

    buf_clear(&f->names);
    for (uint32_t i = 0; i < n; i++) buf_append(&f->names, pairs[i].key.data, pairs[i].key.size);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = (struct str){f->names.data + at, pairs[i].key.size};
        f->names.data[at] = (char)((uint8_t)f->names.data[at] & ~LIST_MARK);
        at += pairs[i].key.size;
    }
    return n;
}

static enum status changes_load(struct hm_table *t, int64_t ns, uint32_t shard, uint32_t run, uint32_t *n)
{
    struct behind_frozen *f = t->behind->frozen;
    struct store *store = t->behind->store;
    const struct kv_pair *pairs;

    TRY(range_scan(t, ns, shard, true, LIST_BYTES, &pairs, n));
    if (*n == 0) return S_OK;
    next_after(f, pairs[*n - 1].key);
    *n = names_take(t, pairs, *n);
    TRY(store_keep(store, store->kv->ops->get(store->kv, f->at, store->names, *n, store->values, &store->err)));
    for (uint32_t i = 0; i < *n; i++) /* what has no image went: that was told */
        if (store->values[i].data != NULL) entry_load(t, f->apart, store->names[i], store->values[i], run);
    return S_OK;
}

enum status behind_load(struct hm_table *t, int64_t ns, uint32_t shard, bool are_changes, uint32_t run, struct space **out)
{
    struct behind_frozen *f = t->behind->frozen;
    uint32_t n;

    *out = NULL;
    TRY(store_check(t));
    while (f->at != NULL) {
        if (f->apart == NULL) f->apart = space_apart(t, ns);
        else space_empty(t, f->apart);
        f->apart->ns = ns;
        if ((are_changes ? changes_load : all_load)(t, ns, shard, run, &n) != S_OK) return store_check(t);
        if (n == 0) break;
        if (f->apart->live == 0) continue;
        *out = f->apart;
        return S_OK;
    }
    notes_clear(&f->walked);
    buf_clear(&f->next);
    return S_OK;
}
