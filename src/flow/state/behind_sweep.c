/* behind_sweep.c - time to live of what is not in memory: a few entries of the map after every few batches, round and round.
 *
 * The idea: what is read comes into memory and is looked at as everything there (ttl.c): what has expired is removed, and the map hears of
 * it with the batch's other changes. What stays is not marked as seen, so it leaves before what operators ask for.
 *
 * Invariant: within a batch, before it is settled. Not here: entries in memory (ttl.c). */
#include "flow/state/bag.h"
#include "flow/state/behind.h"

enum { SWEEP_ROWS = 64, SWEEP_BYTES = 64 * 1024, SWEEP_TURNS = 4 };

static void look(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot)
{
    char *entry = entry_at(t, sh, slot), *row = entry + t->row_offset;
    uint32_t left = UINT32_MAX;

    *entry_word(t, entry) &= ~(uint64_t)ENTRY_SEEN;
    if (t->has_heads)
        bag_sweep(t, s, (struct bag *)(void *)row, &left);
    else if (hm_is_expired(t, row, hm_now(t)))
        entry_remove(t, s, sh, slot);
}

static void pairs_look(struct hm_table *t, struct space *s, const struct kv_pair *pairs, uint32_t n)
{
    struct key_set *set = &t->behind->store->set;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t hash = behind_key_read(t, pairs[i].key, set, 0);
        struct shard *sh = &s->shards[shard_of(t, hash)];
        set->has_nulls = false;
        if (entry_find(t, sh, set, 0, hash) == NO_SLOT)
            look(t, s, sh, behind_enter(t, s, hash, set, 0, pairs[i].value));
        t->behind->sweep_hash = hash + 1;
    }
}

static void space_next(struct behind *b)
{
    b->sweep_space++;
    b->sweep_hash = 0;
}

void behind_sweep(struct hm_table *t)
{
    const struct state_ttl *ttl = &t->base.def->ttl;
    struct behind *b = t->behind;
    const struct kv_pair *pairs;
    struct str from, to;
    uint32_t n;

    if (ttl->update == STATE_TTL_OFF || (ttl->no_background && ttl->cleanup_size == 0) ||
        ++b->sweep_turn % SWEEP_TURNS != 0)
        return;
    if (b->sweep_space >= t->space_count) b->sweep_space = 0;
    if (t->space_count == 0) return;
    struct space *s = t->spaces[b->sweep_space];
    if (s->away == 0) {
        space_next(b);
        return;
    }
    if (store_flush(b->store) != S_OK) return; /* said by the next call that can */
    behind_range(t, s->ns, b->sweep_hash, t->shard_count - 1, false, &from, &to);
    if (store_keep(b->store, b->store->kv->ops->scan(b->store->kv, NULL, from, to, SWEEP_ROWS, SWEEP_BYTES, &pairs, &n,
                                                     &b->store->err)) != S_OK)
        return;
    pairs_look(t, s, pairs, n);
    if (n == 0) space_next(b);
}
