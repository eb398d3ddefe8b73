/* entry.c - the life of an entry: created, reserved, written, erased, removed; and what state_done does with them.
 *
 * The idea: rows handed out stay readable until state_done, so removing only takes an entry out of the index and puts it
 * on a list; memory is reused when the batch is done. A reserved entry is in the index without being live; what is not
 * live when the batch is done goes away.
 *
 * Invariants: live entries, and those on the reserved list, are in the index (the NULL key's: in null_slot); removed ones
 * are not. An entry is on the reserved list at most once (the held bit). Not here: finding entries (resolve.c). */
#include "flow/state/bag.h"
#include "flow/state/behind.h"
#include "flow/state/freeze.h"
#include "flow/state/hashmap.h"

void handles_add(struct hm_table *t, struct handles *list, struct space *s, uint32_t shard, uint32_t slot)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = mem_realloc(t->base.host->mem, list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = (struct handle){s, slot, shard};
}

static struct state_text *entry_text(char *entry) { return (struct state_text *)(void *)(entry + sizeof(uint64_t)); }

void entry_key_set(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot, uint64_t hash, const struct key_set *keys, uint32_t i)
{
    char *entry = entry_at(t, sh, slot);

    if (t->key.is_single && keys->has_nulls && keys->nulls[i]) {
        ASSERT(sh->null_slot == NO_SLOT);
        if (t->key.form != KEY_WORD) memcpy(entry, &hash, sizeof hash);
        sh->null_slot = slot;
        return;
    }
    if (t->key.form == KEY_WORD) {
        memcpy(entry, &keys->words[i], sizeof keys->words[i]);
        ASSERT_ROW(hash64_u64((uint64_t)keys->words[i]) == hash);
    } else {
        memcpy(entry, &hash, sizeof hash);
        if (t->key.form == KEY_FIXED) memcpy(entry + sizeof hash, keys->views[i].data, t->key.bytes);
        else stored_text_set(&t->segments, &s->blocks, entry_text(entry), keys->views[i]);
    }
}

uint32_t entry_create(struct hm_table *t, struct space *s, struct shard *sh, uint64_t hash, const struct key_set *keys, uint32_t i)
{
    uint32_t slot = slot_take(t, sh);

    entry_key_set(t, s, sh, slot, hash, keys, i);
    if (slot != sh->null_slot) index_insert(t, sh, hash, slot);
    return slot;
}

void entry_key(const struct hm_table *t, const struct shard *sh, uint32_t slot, struct key_set *out, uint32_t i)
{
    char *entry = entry_at(t, sh, slot);
    bool is_null = slot == sh->null_slot;

    out->nulls[i] = is_null;
    out->has_nulls |= is_null;
    if (t->key.form == KEY_WORD) {
        memcpy(&out->words[i], entry, sizeof out->words[i]);
    } else if (t->key.form == KEY_FIXED) {
        out->views[i] = (struct str){entry + sizeof(uint64_t), t->key.bytes};
    } else {
        out->views[i] = stored_text(&t->segments, entry_text(entry));
    }
}

static void unindex(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot)
{
    if (t->behind != NULL) behind_forget(t, s, sh, slot);
    if (slot == sh->null_slot) {
        sh->null_slot = NO_SLOT;
    } else {
        index_remove(sh, entry_hash(t, entry_at(t, sh, slot)), slot);
    }
}

void entry_remove(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot)
{
    if (UNLIKELY(t->frozen != NULL)) frozen_keep_now(t, s, sh, slot);
    if (t->is_tracked) gone_note(t, s, sh, slot);
    slot_set_live(t, s, sh, slot, false);
    slot_mark(t, sh, slot, t->dirty_now);
    if (slot_is(t, sh, slot, BITS_HELD)) { /* stays in the index, absent, until the reserved ones are settled */
        entry_reset(t, s, entry_at(t, sh, slot) + t->row_offset);
        return;
    }
    unindex(t, s, sh, slot);
    handles_add(t, &t->removed, s, sh->number, slot);
}

void entry_reset(struct hm_table *t, struct space *s, char *row)
{
    if (t->has_heads) bag_clear(t, s, (struct bag *)(void *)row);
    else row_free_texts(&t->base.value, &t->segments, &s->blocks, row);
    memset(row, 0, t->entry_size - t->row_offset);
}

void entry_reserve(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot)
{
    slot_set_live(t, s, sh, slot, false);
    if (slot_is(t, sh, slot, BITS_HELD)) return;
    slot_mark(t, sh, slot, BITS_HELD);
    handles_add(t, &t->reserved, s, sh->number, slot);
}

/* ---- on the keys of the latest resolve */

static struct shard *latest_shard(const struct hm_table *t, uint32_t i)
{
    ASSERT_ROW(i < t->latest.count && t->latest.space != NULL);
    return &t->latest.space->shards[t->latest.shard[i]];
}

void hm_write(struct state_table *base, uint32_t i)
{
    struct hm_table *t = hm_of(base);
    struct shard *sh = latest_shard(t, i);
    uint32_t slot = t->latest.slot[i];

    ASSERT(slot != NO_SLOT);
    if (UNLIKELY(t->has_dropped) && !slot_is_live(t, sh, slot))
        entry_reset(t, t->latest.space, entry_at(t, sh, slot) + t->row_offset);
    slot_set_live(t, t->latest.space, sh, slot, true);
    slot_mark(t, sh, slot, t->dirty_now);
    if (t->ttl_offset) hm_stamp(t, entry_at(t, sh, slot) + t->row_offset, hm_now(t));
}

void hm_touch(struct state_table *base, uint32_t i)
{
    struct hm_table *t = hm_of(base);
    struct shard *sh = latest_shard(t, i);
    uint32_t slot = t->latest.slot[i];
    bool drops = base->def->ttl.visibility == STATE_TTL_RETURN_EXPIRED_IF_NOT_CLEANED;
    char *row;

    if (t->ttl_offset == 0 || (base->def->ttl.update != STATE_TTL_ON_READ_AND_WRITE && !drops)) return;
    ASSERT(slot != NO_SLOT && slot_is_live(t, sh, slot));
    if (UNLIKELY(t->frozen != NULL)) frozen_keep_now(t, t->latest.space, sh, slot);
    row = entry_at(t, sh, slot) + t->row_offset;
    if (hm_is_expired(t, row, hm_now(t))) { /* as in Flink, reading does not bring it back to life, it ends it */
        if (!drops) return;
        entry_reserve(t, t->latest.space, sh, slot);
        slot_mark(t, sh, slot, t->dirty_now);
        t->has_dropped = true;
        return;
    }
    if (base->def->ttl.update != STATE_TTL_ON_READ_AND_WRITE) return;
    slot_mark(t, sh, slot, t->dirty_now);
    hm_stamp(t, row, hm_now(t));
}

void hm_erase(struct state_table *base, uint32_t i)
{
    struct hm_table *t = hm_of(base);
    struct shard *sh = latest_shard(t, i);
    uint32_t slot = t->latest.slot[i];

    ASSERT(slot != NO_SLOT && !t->has_heads);
    entry_reserve(t, t->latest.space, sh, slot);
    entry_reset(t, t->latest.space, entry_at(t, sh, slot) + t->row_offset);
    slot_mark(t, sh, slot, t->dirty_now);
}

bool hm_is_set(const struct state_table *base, uint32_t i)
{
    const struct hm_table *t = hm_of_const(base);

    if (t->latest.space == NULL || t->latest.slot[i] == NO_SLOT) return false;
    if (t->has_heads) {
        char *row = entry_at(t, latest_shard(t, i), t->latest.slot[i]) + t->row_offset;
        return ((const struct bag *)(const void *)row)->rows > 0;
    }
    return slot_is_live(t, latest_shard(t, i), t->latest.slot[i]);
}

/* Equal keys of a batch: the first removes, the others find it gone. */
void hm_remove(struct state_table *base, const uint64_t *which)
{
    struct hm_table *t = hm_of(base);

    for (uint32_t i = 0; t->latest.space != NULL && i < t->latest.count; i++) {
        uint32_t slot = t->latest.slot[i];
        struct shard *sh;
        if (slot == NO_SLOT || !bit_get(which, i)) continue;
        sh = latest_shard(t, i);
        if (slot_is_live(t, sh, slot)) entry_remove(t, t->latest.space, sh, slot);
    }
}

/* Rows that the latest resolve created and whose own bit is not in keep are kept still if another row of the same key has
 * its bit. Those are few: each is looked for among the rows. */
void hm_prune_created(struct state_table *base, const uint64_t *keep)
{
    struct hm_table *t = hm_of(base);
    uint64_t drop[BATCH_ROWS / 64] = {0};
    const struct latest *l = &t->latest;

    for (uint32_t i = 0; l->space != NULL && i < l->count; i++) {
        bool kept = false;
        if (!bit_get(l->created, i) || bit_get(keep, i)) continue;
        for (uint32_t j = i + 1; j < l->count && !kept; j++) {
            kept = bit_get(keep, j) && l->slot[j] == l->slot[i] && l->shard[j] == l->shard[i];
        }
        if (!kept) bit_set(drop, i);
    }
    hm_remove(base, drop);
}

/* ---- the end of a batch */

static void entry_free(struct hm_table *t, const struct handle *h)
{
    struct shard *sh = &h->space->shards[h->shard];
    char *entry = entry_at(t, sh, h->slot);

    entry_reset(t, h->space, entry + t->row_offset);
    if (t->key.form == KEY_BYTES) stored_text_free(&t->segments, &h->space->blocks, entry_text(entry));
    slot_give(t, sh, h->slot);
}

void entry_leave(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot)
{
    struct handle h = {s, slot, sh->number};

    ASSERT(!slot_is(t, sh, slot, BITS_HELD));
    slot_set_live(t, s, sh, slot, false);
    unindex(t, s, sh, slot);
    entry_free(t, &h);
}

static void reserved_settle(struct hm_table *t)
{
    for (uint32_t i = 0; i < t->reserved.count; i++) {
        const struct handle *h = &t->reserved.items[i];
        struct shard *sh = &h->space->shards[h->shard];
        bit_clear(page_bits(t, sh, h->slot >> t->page_shift, BITS_HELD), h->slot & t->page_mask);
        if (slot_is_live(t, sh, h->slot)) continue;
        if (t->is_tracked && slot_is(t, sh, h->slot, t->dirty_now)) gone_note(t, h->space, sh, h->slot); /* it was erased */
        unindex(t, h->space, sh, h->slot);
        handles_add(t, &t->removed, h->space, h->shard, h->slot);
    }
    t->reserved.count = 0;
}

static void removed_settle(struct hm_table *t)
{
    for (uint32_t i = 0; i < t->removed.count; i++) entry_free(t, &t->removed.items[i]);
    while (t->base.def->namespaced && t->removed.count > 0) {
        struct space *s = t->removed.items[--t->removed.count].space;
        if (s->live == 0 && s->away == 0) space_drop(t, s); /* forgets its other handles too */
    }
    t->removed.count = 0;
}

void hm_done(struct state_table *base)
{
    struct hm_table *t = hm_of(base);
    uint32_t records = t->latest.count;

    t->latest.count = 0;
    t->latest.space = NULL;
    if (t->reserved.count) reserved_settle(t);
    if (t->base.def->ttl.update != STATE_TTL_OFF) hm_sweep(t, records);
    if (t->has_heads) bags_done(t);
    if (t->removed.count) removed_settle(t);
    t->has_now = t->has_dropped = false;
    base->accessed = 0;
}

/* ---- handles: shard and slot. Slots keep their places while there are pages, so a handle of the past finds what is there now. */
enum { HANDLE_SHARD_SHIFT = 32 };

uint64_t hm_handle(const struct state_table *base, uint32_t i)
{
    const struct latest *latest = &hm_of_const(base)->latest;

    ASSERT_ROW(i < latest->count && latest->slot[i] != NO_SLOT);
    return ((uint64_t)latest->shard[i] << HANDLE_SHARD_SHIFT | latest->slot[i]) + 1;
}

static inline char *entry_of(const struct hm_table *t, const struct space *s, uint64_t handle)
{
    uint64_t shard = (handle - 1) >> HANDLE_SHARD_SHIFT;
    uint32_t slot = (uint32_t)(handle - 1);

    if (handle == 0 || shard >= t->shard_count) return NULL;
    const struct shard *sh = &s->shards[shard];
    return slot < sh->bump ? entry_at(t, sh, slot) : NULL;
}

void hm_rows_at(struct state_table *base, const uint64_t *handles, uint32_t stride, uint32_t n, void **rows)
{
    struct hm_table *t = hm_of(base);
    const struct space *s = space_find(t, 0);

    for (uint32_t i = 0; i < n; i++) {
        char *entry = s != NULL ? entry_of(t, s, handles[(size_t)i * stride]) : NULL;
        rows[i] = entry != NULL ? entry + t->row_offset : NULL;
        if (entry == NULL) continue;
        __builtin_prefetch(entry + t->row_offset, 1);
        __builtin_prefetch(entry + t->entry_size - 1, 1);
    }
}

uint32_t hm_handle_shard(uint64_t handle, uint32_t *slot)
{
    *slot = (uint32_t)(handle - 1);
    return (uint32_t)((handle - 1) >> HANDLE_SHARD_SHIFT);
}

uint64_t hm_key_at(struct state_table *base, uint64_t handle, struct key_set *out, uint32_t i)
{
    struct hm_table *t = hm_of(base);
    const struct shard *sh = &space_find(t, 0)->shards[(handle - 1) >> HANDLE_SHARD_SHIFT];
    uint32_t slot = (uint32_t)(handle - 1);

    entry_key(t, sh, slot, out, i);
    return entry_hash(t, entry_at(t, sh, slot));
}
