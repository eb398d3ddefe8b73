/* sb_pending.c - a backend for tests and the simulator: the hashmap, but every look-up answers S_PENDING the first time.
 *
 * The idea: operators must cope with state that is on its way, and a disk backend says so rarely and at odd moments. This
 * one always does: a request is remembered by what it asks for, refused once, and granted when it is repeated; state_done
 * forgets. So an operator that repeats its calls makes progress, and one that has changed or emitted something before it
 * asked gives wrong results in every test that runs on this backend.
 *
 * What was granted is granted again with the same marks of what it created: the rows it made exist by then, but the
 * operator that starts over has not seen them.
 *
 * Invariants: rows, layouts and strings are those of the table behind. Scans are refused only at their beginning, verbs that
 * change something never (shape.h says which may answer S_PENDING). */
#include "flow/state/sb.h"

#include "ground/base/hash.h"

struct request {
    uint64_t what;
    bool is_answered;
    uint64_t created[BATCH_ROWS / 64];
};

struct pending_table {
    struct state_table base;
    struct state_table *inner;
    struct request *requests; /* since the last state_done */
    uint32_t count, capacity;
    struct {
        void *rows[BATCH_ROWS];
        uint64_t created[BATCH_ROWS / 64];
        uint32_t count;
    } latest; /* what the latest resolve answered */
};

static struct state_table *inner_of(const struct state_table *t) { return ((const struct pending_table *)t)->inner; }

/* The request if it was made before; else NULL, and it is remembered. */
static struct request *request_find(struct state_table *base, uint64_t what)
{
    struct pending_table *t = (struct pending_table *)base;

    for (uint32_t i = 0; i < t->count; i++) {
        if (t->requests[i].what == what) return &t->requests[i];
    }
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? t->capacity * 2 : 16;
        t->requests = mem_realloc(base->host->mem, t->requests, t->capacity * sizeof *t->requests);
    }
    t->requests[t->count++] = (struct request){.what = what};
    if (base->host->wake != NULL) base->host->wake(base->host->wake_arg); /* at once: a wake-up before the sleep is kept */
    return NULL;
}

static bool is_granted(struct state_table *t, uint64_t what) { return request_find(t, what) != NULL; }

/* The marks of the first answer, whenever it is asked for again. */
static void created_keep(struct request *r, uint64_t *created, uint32_t count)
{
    size_t size = ALIGN_UP(count, 64) / 8;

    if (!r->is_answered) memcpy(r->created, created, size);
    else memcpy(created, r->created, size);
    r->is_answered = true;
}

static uint64_t request_of(uint64_t verb, int64_t ns, const void *bytes, size_t size)
{
    return hash64_seeded(bytes, size, verb * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)ns);
}

static enum status pending_open(struct state_host *h, const struct state_def *def, struct state_table **out, struct err *e)
{
    struct pending_table *t;
    struct state_table *inner;

    TRY(sb_hashmap.open(h, def, &inner, e));
    t = mem_zalloc(h->mem, sizeof *t);
    t->base = *inner;
    t->base.type = &sb_pending;
    t->base.blocks = NULL;
    t->inner = inner;
    *out = &t->base;
    return S_OK;
}

static void pending_close(struct state_table *base)
{
    struct pending_table *t = (struct pending_table *)base;
    struct mem *mem = base->host->mem;

    sb_hashmap.close(t->inner);
    mem_free(mem, t->requests);
    mem_free(mem, t);
}

static enum status pending_resolve(struct state_table *t, int64_t ns, const struct state_keys *keys, enum state_intent intent,
                                   void **rows, uint64_t *created)
{
    uint64_t what = request_of((uint64_t)intent, ns, keys->hashes, keys->count * sizeof *keys->hashes), made[BATCH_ROWS / 64];
    struct request *r = request_find(t, what);

    if (r == NULL) return S_PENDING;
    TRY(sb_hashmap.resolve(inner_of(t), ns, keys, intent, rows, made));
    created_keep(r, made, keys->count);
    if (created) memcpy(created, made, ALIGN_UP(keys->count, 64) / 8);
    memcpy(((struct pending_table *)t)->latest.rows, rows, keys->count * sizeof *rows);
    memcpy(((struct pending_table *)t)->latest.created, made, ALIGN_UP(keys->count, 64) / 8);
    ((struct pending_table *)t)->latest.count = keys->count;
    return S_OK;
}

/* By the marks of the first answer; the table behind knows those of the latest only. */
static void pending_prune_created(struct state_table *base, const uint64_t *keep)
{
    struct pending_table *t = (struct pending_table *)base;
    uint64_t drop[BATCH_ROWS / 64] = {0};

    for (uint32_t i = 0; i < t->latest.count; i++) {
        bool kept = !bit_get(t->latest.created, i) || bit_get(keep, i);
        for (uint32_t j = i + 1; j < t->latest.count && !kept; j++) {
            kept = bit_get(keep, j) && t->latest.rows[j] == t->latest.rows[i];
        }
        if (!kept) bit_set(drop, i);
    }
    sb_hashmap.remove(t->inner, drop);
}

static void pending_done(struct state_table *base)
{
    struct pending_table *t = (struct pending_table *)base;

    t->count = 0;
    t->latest.count = 0;
    base->blocks = NULL; /* a namespace may have become empty */
    t->inner->accessed = base->accessed;
    base->accessed = 0;
    sb_hashmap.done(t->inner);
}

static void pending_drop(struct state_table *t, int64_t ns)
{
    t->blocks = NULL;
    sb_hashmap.drop(inner_of(t), ns);
}

/* ---- verbs that may be refused */

enum { VERB_SCAN = 16, VERB_FIND, VERB_ENTRY, VERB_ORDERED, VERB_COUNT };

static bool is_start(const struct state_scan *c) { return c->key == 0 && c->step == 0 && c->at[0] == 0; }

static enum status pending_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, struct state_scan *c,
                                struct state_hits *hits)
{
    hits->count = 0;
    if (is_start(c) && !is_granted(t, request_of(VERB_SCAN, ns, heads, count * sizeof *heads))) return S_PENDING;
    return sb_hashmap.scan(inner_of(t), ns, heads, count, c, hits);
}

static enum status pending_multiset_find(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                         void **rows)
{
    if (!is_granted(t, request_of(VERB_FIND, ns, heads, values->count * sizeof *heads))) return S_PENDING;
    return sb_hashmap.multiset_find(inner_of(t), ns, heads, values, rows);
}

/* Single entries are asked for by per-row callbacks, which cannot wait. */
static enum status pending_entry_resolve(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *map_keys,
                                         enum state_intent intent, void **rows, uint64_t *created)
{
    uint64_t what = request_of(VERB_ENTRY + (uint64_t)intent * 16, ns, heads, map_keys->count * sizeof *heads);
    uint64_t made[BATCH_ROWS / 64];
    struct request *r;

    if (map_keys->count == 1) return sb_hashmap.entry_resolve(inner_of(t), ns, heads, map_keys, intent, rows, created);
    r = request_find(t, what);
    if (r == NULL) return S_PENDING;
    TRY(sb_hashmap.entry_resolve(inner_of(t), ns, heads, map_keys, intent, rows, made));
    created_keep(r, made, map_keys->count);
    if (created) memcpy(created, made, ALIGN_UP(map_keys->count, 64) / 8);
    return S_OK;
}

static enum status pending_ordered_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count,
                                        const struct state_range *r, struct state_scan *c, struct state_hits *hits)
{
    hits->count = 0;
    if (is_start(c) && !is_granted(t, request_of(VERB_ORDERED, ns, heads, count * sizeof *heads))) return S_PENDING;
    return sb_hashmap.ordered_scan(inner_of(t), ns, heads, count, r, c, hits);
}

static enum status pending_ordered_count(struct state_table *t, int64_t ns, void *const *heads, uint32_t count,
                                         const struct state_range *r, uint32_t *rows)
{
    if (!is_granted(t, request_of(VERB_COUNT, ns, heads, count * sizeof *heads))) return S_PENDING;
    return sb_hashmap.ordered_count(inner_of(t), ns, heads, count, r, rows);
}

/* ---- everything else is handed on */

static struct blocks *pending_blocks(struct state_table *t, int64_t ns) { return sb_hashmap.blocks(inner_of(t), ns); }
static void pending_write(struct state_table *t, uint32_t i) { sb_hashmap.write(inner_of(t), i); }
static void pending_touch(struct state_table *t, uint32_t i) { sb_hashmap.touch(inner_of(t), i); }
static void pending_erase(struct state_table *t, uint32_t i) { sb_hashmap.erase(inner_of(t), i); }
static bool pending_is_set(const struct state_table *t, uint32_t i) { return sb_hashmap.is_set(inner_of(t), i); }
static void pending_remove(struct state_table *t, const uint64_t *which) { sb_hashmap.remove(inner_of(t), which); }
static uint64_t pending_count(const struct state_table *t, int64_t ns) { return sb_hashmap.count(inner_of(t), ns); }
static void pending_freeze(struct state_table *t, const struct state_taker *to, const struct freezing *how)
{
    sb_hashmap.freeze(inner_of(t), to, how);
}
static enum status pending_frozen_next(struct state_table *t, uint32_t max) { return sb_hashmap.frozen_next(inner_of(t), max); }
static void pending_keep_at(struct state_table *t, uint64_t handle) { sb_hashmap.keep_at(inner_of(t), handle); }
static void pending_thaw(struct state_table *t) { sb_hashmap.thaw(inner_of(t)); }

static enum status pending_delete(struct state_table *t, int64_t ns, const struct state_keys *keys)
{
    return sb_hashmap.delete(inner_of(t), ns, keys);
}

static void *pending_get(struct state_table *t, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
                         enum state_intent intent, bool *created)
{
    return sb_hashmap.get(inner_of(t), ns, b, cols, row, hash, intent, created);
}

static uint64_t pending_handle(const struct state_table *t, uint32_t i) { return sb_hashmap.handle(inner_of(t), i); }

static void pending_rows_at(struct state_table *t, const uint64_t *handles, uint32_t stride, uint32_t n, void **rows)
{
    sb_hashmap.rows_at(inner_of(t), handles, stride, n, rows);
}

static uint64_t pending_key_at(struct state_table *t, uint64_t handle, struct key_set *out, uint32_t i)
{
    return sb_hashmap.key_at(inner_of(t), handle, out, i);
}

static enum status pending_each(struct state_table *t, int64_t ns, struct state_cursor *c, struct batch *keys, const uint32_t *cols,
                                void **rows, uint32_t *n)
{
    return sb_hashmap.each(inner_of(t), ns, c, keys, cols, rows, n);
}

static const int64_t *pending_namespaces(struct state_table *t, uint32_t *count) { return sb_hashmap.namespaces(inner_of(t), count); }

static uint32_t pending_walk(struct state_table *t, void *head, struct state_scan *c, void **rows, uint32_t max)
{
    return sb_hashmap.walk(inner_of(t), head, c, rows, max);
}

static int64_t *pending_stamp(struct state_table *t, void *row) { return sb_hashmap.stamp(inner_of(t), row); }
static void pending_restamp(struct state_table *t, void *head, void *row, int64_t at) { sb_hashmap.restamp(inner_of(t), head, row, at); }
static void pending_rest(struct state_table *t) { sb_hashmap.rest(inner_of(t)); }
static void pending_expect(struct state_table *t, uint64_t keys) { sb_hashmap.expect(inner_of(t), keys); }

static uint64_t pending_dirty_count(const struct state_table *t, bool frozen) { return sb_hashmap.dirty_count(inner_of(t), frozen); }

static void *pending_head_next(struct state_table *t, int64_t ns, void *head, struct state_scan *c)
{
    return sb_hashmap.head_next(inner_of(t), ns, head, c);
}

static bool pending_row_is_expired(struct state_table *t, const void *row) { return sb_hashmap.row_is_expired(inner_of(t), row); }

static void pending_row_write(struct state_table *t, int64_t ns, void *head, void *row)
{
    sb_hashmap.row_write(inner_of(t), ns, head, row);
}

static void pending_row_remove(struct state_table *t, int64_t ns, void *head, void *row)
{
    sb_hashmap.row_remove(inner_of(t), ns, head, row);
}

static void pending_head_clear(struct state_table *t, int64_t ns, void *head) { sb_hashmap.head_clear(inner_of(t), ns, head); }

static enum status pending_log_append(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                      const int64_t *times, void **rows)
{
    return sb_hashmap.log_append(inner_of(t), ns, heads, values, times, rows);
}

static enum status pending_packed_append(struct state_table *t, int64_t ns, void *const *heads, const struct batch *in,
                                         const uint32_t *cols, const uint16_t *rows, uint32_t count)
{
    return sb_hashmap.packed_append(inner_of(t), ns, heads, in, cols, rows, count);
}

static const struct state_place *pending_places(const struct state_table *t, const void *head)
{
    return sb_hashmap.places(inner_of(t), head);
}

static void pending_places_set(struct state_table *t, int64_t ns, void *head, const struct state_place *places, uint32_t count)
{
    sb_hashmap.places_set(inner_of(t), ns, head, places, count);
}

static const void *pending_place_row(const struct state_table *t, uint64_t row) { return sb_hashmap.place_row(inner_of(t), row); }

static enum status pending_places_write(struct state_table *t, int64_t ns, const struct batch *in, const uint32_t *cols,
                                        const uint16_t *rows, uint32_t count, uint64_t *out)
{
    return sb_hashmap.places_write(inner_of(t), ns, in, cols, rows, count, out);
}

static void pending_places_free(struct state_table *t, int64_t ns, const uint64_t *rows, uint32_t count)
{
    sb_hashmap.places_free(inner_of(t), ns, rows, count);
}

static void pending_log_prune(struct state_table *t, int64_t ns, void *head, int64_t before)
{
    sb_hashmap.log_prune(inner_of(t), ns, head, before);
}

static void pending_head_fetch(struct state_table *t, const void *head) { sb_hashmap.head_fetch(inner_of(t), head); }

static void pending_log_drop(struct state_table *t, int64_t ns, void *head, uint32_t n)
{
    sb_hashmap.log_drop(inner_of(t), ns, head, n);
}

static enum status pending_multiset_change(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                           const int8_t *deltas, void **rows)
{
    return sb_hashmap.multiset_change(inner_of(t), ns, heads, values, deltas, rows);
}

static enum status pending_ordered_insert(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *sort_keys,
                                          void **rows, uint64_t *created)
{
    return sb_hashmap.ordered_insert(inner_of(t), ns, heads, sort_keys, rows, created);
}

static void *pending_ordered_edge(struct state_table *t, int64_t ns, void *head, bool last)
{
    return sb_hashmap.ordered_edge(inner_of(t), ns, head, last);
}

static uint32_t pending_ordered_remove(struct state_table *t, int64_t ns, void *head, const struct state_range *r, uint32_t i)
{
    return sb_hashmap.ordered_remove(inner_of(t), ns, head, r, i);
}

const struct sb_type sb_pending = {
    .name = "pending",
    .doc = "the hashmap, but every look-up answers S_PENDING the first time: proves that operators cope",
    .example = "state.backend.type: pending",
    .test_only = true,
    .open = pending_open, .close = pending_close, .blocks = pending_blocks,
    .resolve = pending_resolve, .write = pending_write, .touch = pending_touch, .erase = pending_erase, .is_set = pending_is_set,
    .remove = pending_remove, .prune_created = pending_prune_created, .delete = pending_delete, .done = pending_done,
    .get = pending_get, .handle = pending_handle, .rows_at = pending_rows_at, .key_at = pending_key_at,
    .each = pending_each, .drop = pending_drop, .namespaces = pending_namespaces, .count = pending_count,
    .freeze = pending_freeze, .frozen_next = pending_frozen_next, .thaw = pending_thaw, .keep_at = pending_keep_at, .dirty_count = pending_dirty_count,
    .walk = pending_walk, .stamp = pending_stamp, .restamp = pending_restamp, .rest = pending_rest, .expect = pending_expect,
    .scan = pending_scan, .head_next = pending_head_next, .row_is_expired = pending_row_is_expired,
    .row_write = pending_row_write, .row_remove = pending_row_remove,
    .head_clear = pending_head_clear, .log_append = pending_log_append, .packed_append = pending_packed_append,
    .places = pending_places, .places_set = pending_places_set, .place_row = pending_place_row,
    .places_write = pending_places_write, .places_free = pending_places_free,
    .log_prune = pending_log_prune, .log_drop = pending_log_drop, .head_fetch = pending_head_fetch,
    .multiset_change = pending_multiset_change, .multiset_find = pending_multiset_find,
    .entry_resolve = pending_entry_resolve, .ordered_insert = pending_ordered_insert, .ordered_scan = pending_ordered_scan,
    .ordered_count = pending_ordered_count, .ordered_edge = pending_ordered_edge, .ordered_remove = pending_ordered_remove,
};
