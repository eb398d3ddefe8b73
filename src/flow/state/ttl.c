/* ttl.c - time to live of entries: one instant per batch, expiry, and the sweep.
 *
 * The idea: an entry holds when it was last written (or read, if that counts); it is expired when that plus the time to
 * live has passed. Expired entries are hidden by resolve and walks where the table says so, and removed a few at a time
 * after each batch, so that no batch pays for a full clean-up.
 *
 * Invariant: `now` is read once per batch: equal keys of a batch agree on what is expired. */
#include "flow/state/bag.h"
#include "flow/state/freeze.h"
#include "flow/state/hashmap.h"

int64_t hm_now(struct hm_table *t)
{
    struct state_host *h = t->base.host;

    if (!t->has_now) {
        ASSERT(h->now_ms != NULL);
        t->now = h->now_ms(h->now_arg);
        t->has_now = true;
    }
    return t->now;
}

bool hm_is_expired(const struct hm_table *t, const char *row, int64_t now)
{
    int64_t at = *(const int64_t *)(const void *)(row + t->ttl_offset), ttl = t->base.def->ttl.ms;

    return (at > INT64_MAX - ttl ? INT64_MAX : at + ttl) <= now;
}

/* Looks at up to `left` entries (or elements; a head is looked at whole) of one namespace; false when its end was reached. */
static bool sweep_space(struct hm_table *t, struct space *s, uint32_t *left)
{
    struct state_cursor *c = &s->sweep;

    for (; c->shard < t->shard_count; c->shard++, c->slot = 0) {
        struct shard *sh = &s->shards[c->shard];
        for (uint32_t slot; (slot = slot_next_live(t, sh, c->slot)) != NO_SLOT; c->slot = slot + 1) {
            char *row = entry_at(t, sh, slot) + t->row_offset;
            if (*left == 0) return true;
            --*left;
            if (t->has_heads && UNLIKELY(t->frozen != NULL)) frozen_keep_now(t, s, sh, slot);
            if (t->has_heads) bag_sweep(t, s, (struct bag *)(void *)row, left);
            else if (hm_is_expired(t, row, hm_now(t))) entry_remove(t, s, sh, slot);
        }
    }
    *c = (struct state_cursor){0};
    return false;
}

/* Entries to look at after a batch of so many keys. */
static uint32_t sweep_size(const struct hm_table *t, uint32_t records)
{
    const struct state_ttl *ttl = &t->base.def->ttl;
    uint64_t runs = t->base.accessed + (ttl->every_record ? records : 0);

    if (ttl->cleanup_size == 0) return ttl->no_background ? 0 : STATE_TTL_SWEEP;
    return (uint32_t)MIN(runs * ttl->cleanup_size, (uint64_t)STATE_TTL_SWEEP_MAX);
}

void hm_sweep(struct hm_table *t, uint32_t records)
{
    uint32_t left = sweep_size(t, records);

    for (uint32_t n = 0; n < t->space_count && left > 0; n++) {
        if (t->sweep_at >= t->space_count) t->sweep_at = 0;
        if (sweep_space(t, t->spaces[t->sweep_at], &left)) return;
        t->sweep_at++;
    }
}
