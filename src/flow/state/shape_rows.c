/* shape_rows.c - verbs on the rows of heads: scanning, LOG, MULTISET, and MAP with a map key.
 *
 * The idea: heads are resolved already; each verb goes through them in order and fetches what the next ones will need.
 * An element of a MULTISET, or a map key, that was removed is inserted anew, behind the others, whether that was in this batch
 * or long ago: where a batch ends must not reach the order.
 *
 * Invariants: rows come in the order of heads and per head in insertion order. Not here: ORDERED (shape_ordered.c). */
#include "flow/state/shape_verbs.h"

enum { AHEAD = 8 };

static struct space *space_of(struct hm_table *t, int64_t ns)
{
    struct space *s = space_find(t, ns);

    ASSERT(s != NULL); /* there are heads, so there is the namespace */
    return s;
}

enum status elements_budget(const struct hm_table *t, uint32_t count)
{
    size_t needed = (size_t)count * (t->bag->size + 64) + 4 * (size_t)POOL_FRAME;

    if (pool_room(t->base.host->pool) >= needed) return S_OK;
    return table_refuse(&t->base, count, "rows");
}

void head_mark(struct hm_table *t, struct space *s, const struct bag *b)
{
    if (t->is_tracked) slot_mark(t, &s->shards[b->shard], b->slot, t->dirty_now);
}

/* The end of the bag, where things are appended, or its beginning, where searches start. Always inline: gcc takes a function
 * that only fetches for one without effects, and leaves out the calls. */
static inline __attribute__((always_inline)) void fetch(const struct hm_table *t, void *const *heads, uint32_t i, uint32_t count, bool end)
{
    const struct bag *b = i < count ? heads[i] : NULL;
    struct state_ref ref;

    if (b == NULL) return;
    ref = end ? b->last : b->index.segment ? b->index : b->first;
    if (ref.segment) __builtin_prefetch(block_at(&t->segments, ref), 1);
}

static inline __attribute__((always_inline)) void fetch_first(const struct hm_table *t, void *const *heads, uint32_t i, uint32_t count)
{
    const struct bag *b = i < count ? heads[i] : NULL;

    if (b != NULL && b->first.segment) __builtin_prefetch(block_at(&t->segments, b->first));
}

static inline __attribute__((always_inline)) void fetch_chunk(const struct hm_table *t, struct state_ref ref)
{
    const char *at = block_at(&t->segments, ref);

    for (uint32_t i = 0; i < 8; i++) __builtin_prefetch(at + (size_t)64 * i);
}

void hm_head_fetch(struct state_table *base, const void *head)
{
    const struct bag *b = head;

    if (b == NULL || b->first.segment == 0) return;
    if (!hm_of(base)->bag->is_places) fetch_chunk(hm_of(base), b->first);
    else if (b->rows > 1) __builtin_prefetch((const struct state_place *)block_at(base->segments, b->first) + b->rows - 1);
}

/* Rows of a LOG whose rows are all shown lie side by side, chunk by chunk. */
static void log_rows(struct hm_table *t, struct bag *b, struct state_scan *c, struct state_hits *hits)
{
    const struct bag_layout *l = t->bag;

    if (c->at[0] == 0) c->at[0] = ref_word(b->first);
    while (c->at[0] != 0) {
        struct chunk *k = block_at(&t->segments, ref_of_word(c->at[0]));
        uint32_t place = MAX((uint32_t)c->at[1], k->gone), n = MIN(k->used - place, BATCH_ROWS - hits->count);
        char *row = chunk_row(l, k, place);
        if (k->next.segment) fetch_chunk(t, k->next);
        for (uint32_t i = 0; i < n; i++, row += l->size) {
            hits->key[hits->count] = (uint16_t)c->key;
            hits->row[hits->count++] = row;
        }
        c->step += n;
        c->at[1] = place + n;
        if (hits->count == BATCH_ROWS || k->next.segment == 0) return; /* stays at the end: what is appended later is found */
        c->at[0] = ref_word(k->next);
        c->at[1] = 0;
    }
}

enum status hm_scan(struct state_table *base, int64_t ns, void *const *heads, uint32_t count, struct state_scan *c,
                    struct state_hits *hits)
{
    struct hm_table *t = hm_of(base);

    ASSERT(!t->bag->is_places);
    hits->count = 0;
    if (t->bag->is_ordered) {
        struct state_range all = {0};
        return hm_ordered_scan(base, ns, heads, count, &all, c, hits);
    }
    for (; c->key < count; *c = (struct state_scan){.key = c->key + 1}) {
        char *row;
        if (heads[c->key] == NULL) continue;
        if (t->bag->is_packed) fetch_first(t, heads, c->key + AHEAD, count);
        else fetch(t, heads, c->key + AHEAD, count, false);
        if (t->bag->is_packed) packed_rows(t, heads[c->key], c, hits);
        else if (t->bag->is_log && t->bag->ttl_offset == 0) log_rows(t, heads[c->key], c, hits);
        else while (hits->count < BATCH_ROWS && (row = bag_next(t, heads[c->key], &c->at[0], &c->at[1])) != NULL) {
            row_touch(t, row);
            hits->key[hits->count] = (uint16_t)c->key;
            hits->row[hits->count++] = row;
            c->step++;
        }
        if (hits->count == BATCH_ROWS) return S_MORE;
    }
    return S_OK;
}

void *hm_head_next(struct state_table *base, int64_t ns, void *head, struct state_scan *c)
{
    struct hm_table *t = hm_of(base);
    char *row;

    ASSERT(t->has_heads && !t->bag->is_ordered && !t->bag->is_places);
    (void)ns;
    if (head == NULL) return NULL;
    if (t->bag->is_packed) return packed_next(t, head, c);
    row = bag_next(t, head, &c->at[0], &c->at[1]);
    if (row) row_touch(t, row);
    c->step += row != NULL;
    return row;
}

bool hm_row_is_expired(struct state_table *base, const void *row)
{
    struct hm_table *t = hm_of(base);

    return t->bag->ttl_offset != 0 && row_is_expired(t, row);
}

void hm_row_write(struct state_table *base, int64_t ns, void *head, void *row)
{
    struct hm_table *t = hm_of(base);

    head_mark(t, space_of(t, ns), head);
    if (t->bag->ttl_offset) row_stamp(t, row);
}

void hm_row_remove(struct state_table *base, int64_t ns, void *head, void *row)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_of(t, ns);

    head_mark(t, s, head);
    bag_remove(t, s, head, row);
}

void hm_head_clear(struct state_table *base, int64_t ns, void *head)
{
    struct hm_table *t = hm_of(base);
    struct space *s;

    if (head == NULL) return;
    s = space_of(t, ns);
    head_mark(t, s, head);
    bag_clear(t, s, head);
    bag_touch(t, s, head);
}

/* ---- LOG */

/* Where the next row of a head goes; its chunk's beginning was fetched before. */
static inline __attribute__((always_inline)) void fetch_place(const struct hm_table *t, void *const *heads, uint32_t i, uint32_t count)
{
    const struct bag *b = i < count ? heads[i] : NULL;

    if (b == NULL || b->last.segment == 0) return;
    struct chunk *c = block_at(&t->segments, b->last);
    __builtin_prefetch(chunk_row(t->bag, c, c->used), 1);
}

static void log_time(const struct hm_table *t, const struct bag *b, int64_t time)
{
    struct chunk *c = block_at(&t->segments, b->last);

    c->newest = MAX(c->newest, time);
}

enum status hm_log_append(struct state_table *base, int64_t ns, void *const *heads, const struct state_probe *values,
                          const int64_t *times, void **rows)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct state_ref ref;

    ASSERT(t->bag->is_log && values->layout.size == base->value.size);
    TRY(elements_budget(t, values->count));
    for (uint32_t i = 0; i < values->count; i++) {
        struct bag *b = heads[i];
        char *row = NULL;
        fetch(t, heads, i + 2 * AHEAD, values->count, true);
        fetch_place(t, heads, i + AHEAD, values->count);
        if (b != NULL) {
            row = bag_add(t, s, b, &ref);
            row_from_probe(&base->value, &t->segments, &s->blocks, row, state_probe_at(values, i));
            log_time(t, b, times ? times[i] : INT64_MAX);
            head_mark(t, s, b);
        }
        if (rows) rows[i] = row;
    }
    return S_OK;
}

void hm_log_prune(struct state_table *base, int64_t ns, void *head, int64_t before)
{
    struct hm_table *t = hm_of(base);
    struct bag *b = head;

    ASSERT(t->bag->is_log);
    if (b == NULL || b->rows == 0) return;
    head_mark(t, space_of(t, ns), b);
    log_drop_before(t, space_of(t, ns), b, before);
}

void hm_log_drop(struct state_table *base, int64_t ns, void *head, uint32_t n)
{
    struct hm_table *t = hm_of(base);
    struct bag *b = head;

    ASSERT(t->bag->is_log && n <= state_head_rows(head));
    if (n == 0) return;
    head_mark(t, space_of(t, ns), b);
    log_drop_first(t, space_of(t, ns), b, n);
}

/* ---- elements that are found by what they are */

static char *element_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t hash, const void *extra, const void *value)
{
    struct state_ref ref;
    char *row = bag_add(t, s, b, &ref);

    row_element(t->bag, row)->hash = hash;
    if (extra) row_from_probe(&t->base.extra, &t->segments, &s->blocks, row - t->base.extra.size, extra);
    if (value) row_from_probe(&t->base.value, &t->segments, &s->blocks, row, value);
    bag_index_add(t, s, b, hash, ref);
    return row;
}

/* A removed or expired element makes room for a new one like it: nobody finds it any more, but until state_done it can be
 * read where it lies. */
static void element_replace(struct hm_table *t, struct space *s, struct bag *b, char *row)
{
    struct state_element *e = row_element(t->bag, row);

    if (e->count > 0) bag_remove(t, s, b, row);
    bag_index_remove(t, b, row);
    e->flags |= ELEMENT_DEAD;
}

/* ---- MULTISET */

static char *multiset_add(struct hm_table *t, struct space *s, struct bag *b, const void *value)
{
    uint32_t hash = (uint32_t)probe_hash(&t->base.value, value);
    char *row = bag_find(t, b, hash, value);

    if (row != NULL && !row_is_shown(t, row)) {
        element_replace(t, s, b, row);
        row = NULL;
    }
    if (row == NULL) return element_add(t, s, b, hash, NULL, value);
    row_element(t->bag, row)->count++;
    if (t->bag->ttl_offset) row_stamp(t, row);
    return row;
}

static char *multiset_take(struct hm_table *t, struct space *s, struct bag *b, const void *value)
{
    uint32_t hash = (uint32_t)probe_hash(&t->base.value, value);
    char *row = bag_find(t, b, hash, value);
    struct state_element *e;

    if (row == NULL || !row_is_shown(t, row)) return NULL;
    e = row_element(t->bag, row);
    if (e->count == 1) bag_remove(t, s, b, row);
    else e->count--;
    if (t->bag->ttl_offset) row_stamp(t, row);
    return row;
}

enum status hm_multiset_change(struct state_table *base, int64_t ns, void *const *heads, const struct state_probe *values,
                               const int8_t *deltas, void **rows)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);

    ASSERT(base->def->shape == STATE_MULTISET && values->layout.size == base->value.size);
    TRY(elements_budget(t, values->count));
    for (uint32_t i = 0; i < values->count; i++) {
        const void *value = state_probe_at(values, i);
        fetch(t, heads, i + AHEAD, values->count, false);
        rows[i] = NULL;
        if (heads[i] == NULL) continue;
        rows[i] = deltas == NULL || deltas[i] > 0 ? multiset_add(t, s, heads[i], value) : multiset_take(t, s, heads[i], value);
        if (rows[i]) head_mark(t, s, heads[i]);
    }
    return S_OK;
}

enum status hm_multiset_find(struct state_table *base, int64_t ns, void *const *heads, const struct state_probe *values, void **rows)
{
    struct hm_table *t = hm_of(base);

    (void)ns;
    ASSERT(base->def->shape == STATE_MULTISET && values->layout.size == base->value.size);
    for (uint32_t i = 0; i < values->count; i++) {
        const void *value = state_probe_at(values, i);
        char *row = heads[i] ? bag_find(t, heads[i], (uint32_t)probe_hash(&base->value, value), value) : NULL;
        fetch(t, heads, i + AHEAD, values->count, false);
        rows[i] = row && row_is_shown(t, row) ? row : NULL;
        if (rows[i]) row_touch(t, row);
    }
    return S_OK;
}

/* ---- MAP with a map key */

static char *entry_insert(struct hm_table *t, struct space *s, struct bag *b, uint32_t hash, const void *key, char *row, bool *is_new)
{
    *is_new = row == NULL || !row_is_shown(t, row);
    if (*is_new && row != NULL) element_replace(t, s, b, row);
    if (*is_new) return element_add(t, s, b, hash, key, NULL);
    if (t->bag->ttl_offset) row_stamp(t, row);
    return row;
}

static char *entry_one(struct hm_table *t, struct space *s, struct bag *b, uint32_t hash, const void *key, enum state_intent intent,
                       bool *is_new)
{
    char *row = bag_find(t, b, hash, key);

    *is_new = false;
    if (intent == STATE_INSERT) {
        row = entry_insert(t, s, b, hash, key, row, is_new);
    } else if (row == NULL || !row_is_shown(t, row)) {
        return NULL;
    } else if (intent == STATE_UPDATE && t->bag->ttl_offset) {
        row_stamp(t, row);
    } else {
        row_touch(t, row);
    }
    if (intent != STATE_READ) head_mark(t, s, b);
    return row;
}

static inline __attribute__((always_inline)) void entry_fetch(const struct hm_table *t, void *const *heads, const uint32_t *hashes,
                                                              uint32_t i, uint32_t count)
{
    uint32_t place = i + 2 * AHEAD, element = i + AHEAD;

    if (place < count && heads[place] != NULL) bag_fetch_place(t, heads[place], hashes[place]);
    if (element < count && heads[element] != NULL) bag_fetch_element(t, heads[element], hashes[element]);
}

enum status hm_entry_resolve(struct state_table *base, int64_t ns, void *const *heads, const struct state_probe *map_keys,
                             enum state_intent intent, void **rows, uint64_t *created)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    uint32_t hashes[BATCH_ROWS];

    ASSERT(base->def->map_key != NULL && map_keys->layout.size == base->extra.size && intent != STATE_RESERVE);
    if (intent == STATE_INSERT) TRY(elements_budget(t, map_keys->count));
    if (created) memset(created, 0, ALIGN_UP(map_keys->count, 64) / 8);
    for (uint32_t i = 0; i < map_keys->count; i++) hashes[i] = (uint32_t)probe_hash(&base->extra, state_probe_at(map_keys, i));
    for (uint32_t i = 0; i < map_keys->count; i++) {
        bool is_new = false;
        entry_fetch(t, heads, hashes, i, map_keys->count);
        rows[i] = heads[i] ? entry_one(t, s, heads[i], hashes[i], state_probe_at(map_keys, i), intent, &is_new) : NULL;
        if (created && is_new) bit_set(created, i);
    }
    return S_OK;
}
