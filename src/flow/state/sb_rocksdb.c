/* sb_rocksdb.c - the backend for state that is larger than memory: tables of the hashmap as a cache, RocksDB behind them.
 *
 * The idea: see behind.h. Rows are worked on in memory, so all verbs on rows and heads are the hashmap's own; only what looks keys up,
 * walks or drops asks for what is behind. A table says when a batch may hold rows of it (busy), and then nothing of it leaves.
 *
 * Invariants: never answers S_PENDING: it reads where it stands. There are no handles, as entries move. All rows of one key come in
 * together, so those must fit in memory. Not here: the cache (behind.c), walks (behind_walk.c), barriers (freeze.c, behind_freeze.c). */
#include "flow/state/behind.h"
#include "flow/state/freeze.h"
#include "flow/state/shape_verbs.h"

static enum status rocksdb_open(struct state_host *h, const struct state_def *def, struct state_table **out,
                                struct err *e)
{
    struct behind *b = mem_zalloc(h->mem, sizeof *b);
    struct state_table *t;
    enum status st = hm_open_table(h, def, b, &t, e);

    if (st != S_OK) {
        mem_free(h->mem, b);
        return st;
    }
    b->store = store_of(h);
    b->number = b->store->tables++;
    ASSERT(b->number < LIST_MARK << 8);
    t->type = &sb_rocksdb;
    *out = t;
    return S_OK;
}

static void rocksdb_close(struct state_table *base)
{
    struct hm_table *t = hm_of(base);
    struct mem *mem = base->host->mem;
    struct behind *b = t->behind;

    if (b->store->hand == t) b->store->hand = NULL;
    hm_close(base);
    mem_free(mem, b->items);
    mem_free(mem, b);
}

static enum status rocksdb_resolve(struct state_table *base, int64_t ns, const struct state_keys *keys,
                                   enum state_intent intent, void **rows, uint64_t *created)
{
    struct hm_table *t = hm_of(base);

    t->behind->is_busy = true;
    TRY(behind_fetch(t, space_find(t, ns), keys));
    return hm_resolve(base, ns, keys, intent, rows, created);
}

static void *rocksdb_get(struct state_table *base, int64_t ns, const struct batch *b, const uint32_t *cols,
                         uint32_t row, uint64_t hash, enum state_intent intent, bool *created)
{
    struct hm_table *t = hm_of(base);
    uint16_t sel[1] = {(uint16_t)row};
    struct state_keys key = {
        .batch = b, .cols = cols, .col_count = t->key.type->child_count, .count = 1, .sel = sel, .hashes = &hash};

    t->behind->is_busy = true;
    if (created) *created = false;
    if (behind_fetch(t, space_find(t, ns), &key) != S_OK) return NULL;
    return hm_get(base, ns, b, cols, row, hash, intent, created);
}

static enum status rocksdb_delete(struct state_table *base, int64_t ns, const struct state_keys *keys)
{
    struct hm_table *t = hm_of(base);

    t->behind->is_busy = true;
    TRY(behind_fetch(t, space_find(t, ns), keys));
    return hm_delete(base, ns, keys);
}

static void rocksdb_done(struct state_table *base)
{
    behind_sweep(hm_of(base));
    hm_done(base);
    hm_of(base)->behind->is_busy = false;
    store_evict(base->host->store);
}

static enum status rocksdb_each(struct state_table *base, int64_t ns, struct state_cursor *c, struct batch *keys,
                                const uint32_t *cols, void **rows, uint32_t *n)
{
    struct hm_table *t = hm_of(base);

    if (!t->behind->is_busy) store_evict(base->host->store); /* a walk between batches makes room as it goes */
    t->behind->is_busy = true;
    return behind_each(base, ns, c, keys, cols, rows, n);
}

static void rocksdb_rest(struct state_table *base)
{
    hm_rest(base);
    hm_of(base)->behind->is_busy = false;
}

static void rocksdb_drop(struct state_table *base, int64_t ns)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);

    if (s != NULL) behind_drop(t, s);
    hm_drop(base, ns);
}

static uint64_t rocksdb_count(const struct state_table *base, int64_t ns)
{
    struct space *s = space_find(hm_of((struct state_table *)(uintptr_t)base), ns);

    return s != NULL ? s->live + s->away : 0;
}

const struct sb_type sb_rocksdb = {
    .name = "rocksdb",
    .doc = "state that may be larger than memory: what is used lies there, all of it on local disk, in RocksDB",
    .example = "state.backend.type: rocksdb",
    .on_disk = true,
    .open = rocksdb_open,
    .close = rocksdb_close,
    .blocks = hm_blocks,
    .resolve = rocksdb_resolve,
    .write = hm_write,
    .touch = hm_touch,
    .erase = hm_erase,
    .is_set = hm_is_set,
    .remove = hm_remove,
    .prune_created = hm_prune_created,
    .delete = rocksdb_delete,
    .done = rocksdb_done,
    .get = rocksdb_get,
    .each = rocksdb_each,
    .drop = rocksdb_drop,
    .namespaces = hm_namespaces,
    .count = rocksdb_count,
    .freeze = hm_freeze,
    .frozen_next = hm_frozen_next,
    .thaw = hm_thaw,
    .dirty_count = hm_dirty_count,
    .walk = hm_walk,
    .stamp = hm_stamp_of,
    .restamp = hm_restamp,
    .rest = rocksdb_rest,
    .expect = hm_expect,
    .scan = hm_scan,
    .head_next = hm_head_next,
    .row_is_expired = hm_row_is_expired,
    .row_write = hm_row_write,
    .row_remove = hm_row_remove,
    .head_clear = hm_head_clear,
    .log_append = hm_log_append,
    .packed_append = hm_packed_append,
    .places = hm_places,
    .places_set = hm_places_set,
    .place_row = hm_place_row,
    .places_write = hm_places_write,
    .places_free = hm_places_free,
    .log_prune = hm_log_prune,
    .log_drop = hm_log_drop,
    .head_fetch = hm_head_fetch,
    .multiset_change = hm_multiset_change,
    .multiset_find = hm_multiset_find,
    .entry_resolve = hm_entry_resolve,
    .ordered_insert = hm_ordered_insert,
    .ordered_scan = hm_ordered_scan,
    .ordered_count = hm_ordered_count,
    .ordered_edge = hm_ordered_edge,
    .ordered_remove = hm_ordered_remove,
};
