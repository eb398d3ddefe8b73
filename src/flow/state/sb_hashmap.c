/* sb_hashmap.c - the backend that keeps state in memory: opening and closing tables, namespaces.
 *
 * The idea: see hashmap.h for how a table is built up and resolve.c for the way from keys to rows. This file is what is
 * left: the layout of an entry, and how many shards there are.
 *
 * Invariants: shards are runs of key groups of equal length (a power of two), at most STATE_SHARDS_MAX of them, fewer for
 * namespaced tables, whose namespaces are many and short-lived. Never answers S_PENDING.
 * Not here: what a barrier freezes (freeze.c), spill. */
#include "flow/state/bag.h"
#include "flow/state/behind.h"
#include "flow/state/freeze.h"
#include "flow/state/hashmap.h"
#include "flow/state/shape_verbs.h"
#include "flow/state/snapshot.h"

/* Runs of as many key groups are whole shards of every table. */
static uint32_t range_shift(const struct state_host *h)
{
    uint32_t shift = 0;

    while (((h->group_count - 1) >> shift) + 1 > SHARDS_NAMESPACED) shift++;
    return shift;
}

uint32_t state_host_ranges(const struct state_host *h) { return ((h->group_count - 1) >> range_shift(h)) + 1; }

void state_host_range(const struct state_host *h, uint32_t i, uint32_t *first, uint32_t *count)
{
    uint32_t from = i << range_shift(h);

    ASSERT(from < h->group_count);
    *first = h->group_first + from;
    *count = MIN(UINT32_C(1) << range_shift(h), h->group_count - from);
}

static void shards_plan(struct hm_table *t)
{
    uint32_t groups = t->base.host->group_count;
    uint32_t most = t->base.def->namespaced ? SHARDS_NAMESPACED : STATE_SHARDS_MAX;

    ASSERT(groups > 0);
    while (((groups - 1) >> t->shard_shift) + 1 > most) t->shard_shift++;
    t->shard_count = ((groups - 1) >> t->shard_shift) + 1;
}

/* Entries that nearly fill their cache lines fill them, so that none lies in one line more than it needs. */
static uint32_t whole_lines(uint32_t bytes)
{
    uint32_t lines = ALIGN_UP(bytes, 64u);

    return lines - bytes <= lines / 8 ? lines : bytes;
}

static void entry_plan(struct hm_table *t)
{
    uint32_t hash_size = sizeof(uint64_t), head = t->has_heads ? bag_head_bytes(t) : 0;
    uint32_t head_or_row = t->has_heads ? head : t->base.value.size;

    t->row_offset = t->key.form == KEY_WORD ? 8 : hash_size + (t->key.form == KEY_FIXED ? t->key.bytes : sizeof(struct state_text));
    if (t->behind != NULL) t->row_offset += ENTRY_WORD;
    t->entry_size = t->row_offset + head_or_row;
    if (t->base.def->ttl.update != STATE_TTL_OFF && !t->has_heads) { /* under heads each element has its own stamp */
        t->ttl_offset = t->base.value.size;
        t->entry_size += sizeof(int64_t);
        if (t->ttl_offset == 0) { /* 0 means none: a table of bare keys puts a word before the stamp */
            t->ttl_offset = sizeof(int64_t);
            t->entry_size += sizeof(int64_t);
        }
    }
    t->entry_size = whole_lines(t->entry_size);
    t->is_wide = t->entry_size > 32 && t->entry_size != 64;
    pages_plan(t);
}

void hm_close(struct state_table *base)
{
    struct hm_table *t = hm_of(base);
    struct mem *mem = base->host->mem;

    hm_thaw(base);
    t->is_tracked = false;
    gone_hand_over(t, NULL);
    spaces_release(t);
    bag_close(t);
    segments_release(&t->segments);
    state_layout_release(&base->value, mem);
    state_layout_release(&base->extra, mem);
    mem_free(mem, t->latest.shard);
    mem_free(mem, t->latest.slot);
    mem_free(mem, t->reserved.items);
    mem_free(mem, t->removed.items);
    mem_free(mem, t->touched.items);
    mem_free(mem, t);
}

enum status hm_open_table(struct state_host *h, const struct state_def *def, struct behind *behind, struct state_table **out, struct err *e)
{
    struct hm_table *t = mem_zalloc(h->mem, sizeof *t);
    enum status st = S_OK;

    t->base = (struct state_table){.type = &sb_hashmap, .host = h, .def = def, .segments = &t->segments};
    t->behind = behind;
    segments_init(&t->segments, h->pool);
    TRY_OR(done, key_codec_init(&t->key, def->key, e));
    TRY_OR(done, state_layout_init(&t->base.value, def->value, h->mem, e));
    t->has_heads = def->shape != STATE_MAP || def->map_key != NULL;
    if (t->has_heads) TRY_OR(done, bag_open(t, e));
    shards_plan(t);
    entry_plan(t);
    t->latest.shard = mem_zalloc(h->mem, BATCH_ROWS * sizeof *t->latest.shard);
    t->latest.slot = mem_zalloc(h->mem, BATCH_ROWS * sizeof *t->latest.slot);
    if (!def->namespaced) space_make(t, 0);
    *out = &t->base;
    t = NULL;
done:
    if (t) hm_close(&t->base);
    return st;
}

static enum status hm_open(struct state_host *h, const struct state_def *def, struct state_table **out, struct err *e)
{
    return hm_open_table(h, def, NULL, out, e);
}

struct blocks *hm_blocks(struct state_table *t, int64_t ns)
{
    struct space *s = space_find(hm_of(t), ns);

    ASSERT(s != NULL);
    return &s->blocks;
}

void hm_drop(struct state_table *base, int64_t ns)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);

    if (t->frozen != NULL && !base->def->namespaced) frozen_take_all(base); /* what its rows share goes with it */
    if (s != NULL && t->is_tracked) gone_drop(t, ns);
    if (s != NULL) space_drop(t, s);
    if (base->pack != NULL && !base->def->namespaced) pack_forget(&t->bag->pack);
    if (!base->def->namespaced) space_make(t, 0);
}

const int64_t *hm_namespaces(struct state_table *t, uint32_t *count)
{
    *count = hm_of(t)->space_count;
    return hm_of(t)->ns_list;
}

static uint64_t hm_count(const struct state_table *t, int64_t ns)
{
    struct space *s = space_find((struct hm_table *)t, ns);

    return s ? s->live : 0;
}

const struct sb_type sb_hashmap = {
    .name = "hashmap",
    .doc = "state in memory: an index of cache lines over dense pages, by shard and namespace",
    .example = "state.backend.type: hashmap",
    .open = hm_open, .close = hm_close, .blocks = hm_blocks,
    .resolve = hm_resolve, .write = hm_write, .touch = hm_touch, .erase = hm_erase, .is_set = hm_is_set,
    .remove = hm_remove, .prune_created = hm_prune_created, .delete = hm_delete, .done = hm_done, .get = hm_get,
    .handle = hm_handle, .rows_at = hm_rows_at, .key_at = hm_key_at,
    .each = hm_each, .drop = hm_drop, .namespaces = hm_namespaces, .count = hm_count,
    .freeze = hm_freeze, .frozen_next = hm_frozen_next, .thaw = hm_thaw, .keep_at = hm_keep_at, .dirty_count = hm_dirty_count,
    .walk = hm_walk, .stamp = hm_stamp_of, .restamp = hm_restamp, .rest = hm_rest, .expect = hm_expect, .append = hm_append, .append_end = hm_append_end,
    .scan = hm_scan, .head_next = hm_head_next, .row_is_expired = hm_row_is_expired,
    .row_write = hm_row_write, .row_remove = hm_row_remove, .head_clear = hm_head_clear,
    .log_append = hm_log_append, .packed_append = hm_packed_append,
    .places = hm_places, .places_set = hm_places_set, .place_row = hm_place_row, .places_write = hm_places_write,
    .places_free = hm_places_free, .log_prune = hm_log_prune, .log_drop = hm_log_drop, .head_fetch = hm_head_fetch,
    .multiset_change = hm_multiset_change, .multiset_find = hm_multiset_find, .entry_resolve = hm_entry_resolve,
    .ordered_insert = hm_ordered_insert, .ordered_scan = hm_ordered_scan, .ordered_count = hm_ordered_count, .ordered_edge = hm_ordered_edge,
    .ordered_remove = hm_ordered_remove,
};
