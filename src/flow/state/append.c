/* append.c - entries whose keys are new for sure, as a restore brings them: made without looking for them.
 *
 * The idea: to look for a key that is not there costs as much as to find one, and an index that grows with its entries is built several times.
 * So a restore appends entries to the pages of their shards, row after row, and puts them into the index by shards at the end, in one
 * go: the buckets of one shard lie in the processor's cache meanwhile.
 *
 * Invariants: an appended entry is held and not live until append_end, so nobody sees it; no other entry of its key comes meanwhile (two of
 * the same key are found out at the end). Not here: the index (index.c), where keys are known to be new (snapshot_load.c). */
#include "flow/state/hashmap.h"

#include <string.h>

static bool has_room(const struct hm_table *t, const uint64_t *hashes, uint32_t count, struct space *s)
{
    size_t room = pool_room(t->base.host->pool), any = (size_t)count * (t->entry_size + 64) + (size_t)t->shard_count * POOL_FRAME, exact = 0;
    uint32_t rows[STATE_SHARDS_MAX] = {0};

    if (LIKELY(room == SIZE_MAX || room / 4 > any)) return true;
    for (uint32_t i = 0; i < count; i++) rows[shard_of(t, hashes[i])]++;
    for (uint32_t i = 0; i < t->shard_count; i++)
        if (rows[i] > 0) exact += pages_growth(t, &s->shards[i], rows[i]);
    return room > exact + POOL_FRAME;
}

/* Apart from the index, as entry_create. */
static char *entry_append(struct hm_table *t, struct space *s, struct shard *sh, uint64_t hash, const struct key_set *keys, uint32_t i)
{
    uint32_t slot = slot_append(t, sh);
    char *entry = entry_at(t, sh, slot);

    memset(entry, 0, t->entry_size);
    entry_key_set(t, s, sh, slot, hash, keys, i);
    slot_mark(t, sh, slot, BITS_HELD);
    if (t->ttl_offset != 0) hm_stamp(t, entry + t->row_offset, hm_now(t));
    if (sh->appended++ == 0) sh->appended_page = slot >> t->page_shift;
    return entry + t->row_offset;
}

enum status hm_append(struct state_table *base, int64_t ns, const struct state_keys *keys, void **rows)
{
    struct hm_table *t = hm_of(base);
    struct key_set *set = &base->host->scratch->keys;
    struct space *s = space_make(t, ns);

    ASSERT(keys->count <= BATCH_ROWS && !t->has_heads && t->behind == NULL && t->reserved.count == 0 && !t->is_tracked);
    if (!has_room(t, keys->hashes, keys->count, s)) return table_refuse(base, keys->count, "keys");
    key_gather(&t->key, set, keys->batch, keys->cols, keys->sel, 0, keys->count);
    for (uint32_t i = 0; i < keys->count; i++) {
        struct shard *sh = &s->shards[shard_of(t, keys->hashes[i])];
        if (set->has_nulls && set->nulls[i] && sh->null_slot != NO_SLOT) return err_set(base->host->err, E_DATA, "a key is there twice");
        rows[i] = entry_append(t, s, sh, keys->hashes[i], set, i);
    }
    return S_OK;
}

enum status hm_append_end(struct state_table *base, struct err *e)
{
    struct hm_table *t = hm_of(base);

    for (uint32_t i = 0; i < t->space_count; i++) {
        for (uint32_t k = 0; k < t->shard_count; k++) {
            struct shard *sh = &t->spaces[i]->shards[k];
            if (sh->appended == 0) continue;
            if (pool_room(base->host->pool) < index_growth(sh, sh->appended)) return table_refuse(base, sh->appended, "keys");
            if (!index_append(t, t->spaces[i], sh)) return err_set(e, E_DATA, "a key is there twice");
        }
    }
    return S_OK;
}
