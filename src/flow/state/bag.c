/* bag.c - elements of a head: adding, removing, walking, settling when the batch is done.
 *
 * The idea: elements are appended to chunks that double, so the rows of one key lie together, in the order in which they
 * came, and never move while a batch looks at them. Removing marks; state_done gives back strings, frees chunks without
 * live elements, and when more than half of a bag is dead copies the live ones together: at once, or for a large ORDERED
 * one, whose elements may lie anywhere, some chunks at the end of each batch.
 *
 * Invariants: rows = elements with count > 0 (LOG: all); a removed element is on the doomed list exactly while its
 * DOOMED flag is set; dead elements are in no index. Heads with BAG_TOUCHED are on the table's list.
 * Not here: finding (bag_index.c), order (leaf.c), the verbs (shape_*.c). */
#include "flow/state/bag.h"
#include "flow/state/freeze.h"
#include "flow/state/shape_verbs.h"

enum { COMPACT_MIN = 16, ROLLING_CHUNKS = 2, ROLLING_MIN = 4 };
enum {
    THIN_MIN = CHUNK_ELEMENTS_MAX, /* elements of an ORDERED bag from which on it is not copied at once */
    THIN_BUDGET = 512,             /* elements that are moved at the end of a batch, beside one per removed one */
    THIN_STEP = 8,                 /* what looking at a chunk counts */
};

enum status bag_open(struct hm_table *t, struct err *e)
{
    const struct state_def *def = t->base.def;
    const struct type *extra = def->map_key ? def->map_key : def->sort_key;
    struct bag_layout *l = mem_zalloc(t->base.host->mem, sizeof *l);

    t->bag = l;
    if (extra) TRY(state_layout_init(&t->base.extra, extra, t->base.host->mem, e));
    l->is_log = def->shape == STATE_LOG;
    l->is_ordered = def->shape == STATE_ORDERED;
    l->is_counted = def->counted;
    ASSERT(!def->counted || (l->is_ordered && !def->sort_unique && def->ttl.update != STATE_TTL_ON_READ_AND_WRITE &&
                             def->ttl.visibility == STATE_TTL_NEVER_RETURN_EXPIRED));
    l->is_packed = def->shape == STATE_PACKED;
    l->is_places = def->shape == STATE_PLACES;
    if (l->is_packed || l->is_places) {
        pack_init(&l->pack, def->value, !def->namespaced, &t->segments, t->base.host->mem);
        t->base.pack = &l->pack;
    }
    l->has_header = !l->is_log && t->base.pack == NULL;
    l->row_offset = t->base.extra.size + (l->has_header ? (uint32_t)sizeof(struct state_element) : 0);
    l->size = l->row_offset + t->base.value.size;
    if (def->ttl.update != STATE_TTL_OFF) {
        l->ttl_offset = MAX(t->base.value.size, (uint32_t)sizeof(int64_t)); /* 0 means none */
        l->size = l->row_offset + l->ttl_offset + (uint32_t)sizeof(int64_t);
    }
    l->size = MAX(l->size, (uint32_t)sizeof(int64_t));
    if (!l->is_ordered) return S_OK;
    row_order_init(&l->order, &t->base.extra, def->sort_descending, def->sort_nulls_last);
    l->probe = mem_alloc(t->base.host->mem, t->base.extra.size + 1);
    return S_OK;
}

void bag_close(struct hm_table *t)
{
    if (t->bag == NULL) return;
    if (t->base.pack != NULL) pack_release(&t->bag->pack, t->base.host->mem);
    mem_free(t->base.host->mem, t->bag->doomed);
    mem_free(t->base.host->mem, t->bag->probe);
    mem_free(t->base.host->mem, t->bag);
}

uint32_t bag_head_bytes(const struct hm_table *t)
{
    return t->bag->is_packed ? PACKED_HEAD_BYTES : t->bag->is_places ? PLACES_HEAD_BYTES : (uint32_t)sizeof(struct bag);
}

void bag_created(struct hm_table *t, struct space *s, struct bag *b, uint32_t shard, uint32_t slot)
{
    b->shard = (uint16_t)shard;
    b->slot = slot;
    bag_touch(t, s, b); /* nothing may ever be added */
}

void bag_touch(struct hm_table *t, struct space *s, struct bag *b)
{
    if (b->flags & BAG_TOUCHED) return;
    b->flags |= BAG_TOUCHED;
    handles_add(t, &t->touched, s, b->shard, b->slot);
}

/* ---- adding */

static struct chunk *chunk_at(const struct hm_table *t, struct state_ref ref) { return block_at(&t->segments, ref); }

static struct chunk *chunk_add(struct hm_table *t, struct space *s, struct bag *b)
{
    const struct bag_layout *l = t->bag;
    struct chunk *last = b->last.segment ? chunk_at(t, b->last) : NULL, *c;
    uint32_t wanted = last ? MIN(last->capacity * 2, (uint32_t)CHUNK_ELEMENTS_MAX) : 2, fits = CHUNK_BYTES_MAX / l->size;
    struct state_ref ref;

    if (b->flags & BAG_ROLLS) wanted = MIN(wanted, MAX(b->rows / ROLLING_CHUNKS, (uint32_t)ROLLING_MIN));
    wanted = MAX(MIN(wanted, fits), 1U);
    ref = block_take(&s->blocks, &t->segments, sizeof *c + (size_t)wanted * l->size);
    c = chunk_at(t, ref);
    memset(c, 0, sizeof *c);
    c->capacity = MIN((block_room(&t->segments, ref) - (uint32_t)sizeof *c) / l->size, (uint32_t)CHUNK_ELEMENTS_MAX);
    c->prev = b->last;
    if (l->is_log) c->newest = INT64_MIN;
    else c->oldest = INT64_MAX;
    if (last) last->next = ref;
    else b->first = ref;
    b->last = ref;
    return c;
}

static int64_t stamp_of(const struct hm_table *t, const char *row) { return *(const int64_t *)(const void *)(row + t->bag->ttl_offset); }

/* A new row has its stamp: bounds below those of its chunk and of the bag. */
static void stamp_note(const struct hm_table *t, struct bag *b, struct chunk *c, const char *row)
{
    int64_t at = stamp_of(t, row);
    uint32_t second = (uint32_t)MAX(MIN(at / 1000, (int64_t)UINT32_MAX), INT64_C(0));

    if (t->bag->is_log) return;
    c->oldest = MIN(c->oldest, at);
    if (t->bag->is_ordered) b->oldest_s = b->rows == 1 ? second : MIN(b->oldest_s, second);
}

char *bag_add(struct hm_table *t, struct space *s, struct bag *b, struct state_ref *ref)
{
    const struct bag_layout *l = t->bag;
    struct chunk *c = b->last.segment ? chunk_at(t, b->last) : NULL;
    char *row;

    if (c == NULL || c->used == c->capacity) c = chunk_add(t, s, b);
    row = chunk_row(l, c, c->used);
    memset(row - l->row_offset, 0, l->size);
    if (l->has_header) {
        row_element(l, row)->flags = c->used << ELEMENT_PLACE_SHIFT;
        row_element(l, row)->count = 1;
    }
    *ref = (struct state_ref){b->last.segment, b->last.offset + (uint32_t)(row - (char *)c)};
    c->used++;
    c->live++;
    b->used++;
    b->rows++;
    if (l->ttl_offset) {
        row_stamp(t, row);
        stamp_note(t, b, c, row);
    }
    return row;
}

void row_stamp(struct hm_table *t, char *row)
{
    *(int64_t *)(void *)(row + t->bag->ttl_offset) = hm_now(t);
}

bool row_is_expired(struct hm_table *t, const char *row)
{
    int64_t at = *(const int64_t *)(const void *)(row + t->bag->ttl_offset), ttl = t->base.def->ttl.ms;

    return (at > INT64_MAX - ttl ? INT64_MAX : at + ttl) <= hm_now(t);
}

void row_touch(struct hm_table *t, char *row)
{
    if (t->bag->ttl_offset && t->base.def->ttl.update == STATE_TTL_ON_READ_AND_WRITE && !row_is_expired(t, row)) row_stamp(t, row);
}

bool row_is_shown(struct hm_table *t, const char *row)
{
    const struct bag_layout *l = t->bag;

    if (l->has_header && row_element(l, row)->count == 0) return false;
    if (l->ttl_offset == 0 || t->base.def->ttl.visibility != STATE_TTL_NEVER_RETURN_EXPIRED) return true;
    return !row_is_expired(t, row);
}

char *bag_next(struct hm_table *t, struct bag *b, uint64_t *chunk, uint64_t *place)
{
    if (*chunk == 0) {
        *chunk = ref_word(b->first);
        *place = 0;
    }
    while (*chunk != 0) {
        struct chunk *c = chunk_at(t, ref_of_word(*chunk));
        *place = MAX(*place, (uint64_t)c->gone);
        while (*place < c->used) {
            char *row = chunk_row(t->bag, c, (uint32_t)(*place)++);
            if (row_is_shown(t, row)) return row;
        }
        if (c->next.segment == 0) return NULL; /* stays at the end: what is appended later is found */
        *chunk = ref_word(c->next);
        *place = 0;
    }
    return NULL;
}

/* ---- removing */

void bag_remove(struct hm_table *t, struct space *s, struct bag *b, char *row)
{
    struct bag_layout *l = t->bag;
    struct state_element *e = row_element(l, row);

    ASSERT(l->has_header && e->count > 0 && !(e->flags & ELEMENT_DEAD));
    e->count = 0;
    b->rows--;
    bag_touch(t, s, b);
    if (e->flags & ELEMENT_DOOMED) return;
    e->flags |= ELEMENT_DOOMED;
    if (l->is_counted) {
        leaves_remove(t, s, b, row);
        e->flags |= ELEMENT_OUT;
    }
    if (l->doomed_count == l->doomed_capacity) {
        l->doomed_capacity = l->doomed_capacity ? l->doomed_capacity * 2 : 64;
        l->doomed = mem_realloc(t->base.host->mem, l->doomed, l->doomed_capacity * sizeof *l->doomed);
    }
    l->doomed[l->doomed_count++] = (struct doomed){b, s, row};
}

static void texts_free(struct hm_table *t, struct space *s, char *row)
{
    row_free_texts(&t->base.value, &t->segments, &s->blocks, row);
    if (t->base.extra.text_count) row_free_texts(&t->base.extra, &t->segments, &s->blocks, row - t->base.extra.size);
}

static void chunk_free(struct hm_table *t, struct space *s, struct bag *b, struct state_ref ref)
{
    struct chunk *c = chunk_at(t, ref);

    if (c->next.segment) chunk_at(t, c->next)->prev = c->prev;
    else b->last = c->prev;
    if (c->prev.segment) chunk_at(t, c->prev)->next = c->next;
    else b->first = c->next;
    b->used -= c->used;
    block_give(&s->blocks, &t->segments, ref);
}

static struct state_ref chunk_ref(const struct hm_table *t, const struct bag *b, const struct chunk *c)
{
    if (c->prev.segment) return chunk_at(t, c->prev)->next;
    return b->first;
}

void bag_clear(struct hm_table *t, struct space *s, struct bag *b)
{
    struct bag_layout *l = t->bag;
    bool has_texts = t->base.value.text_count + t->base.extra.text_count > 0;
    uint32_t kept = 0;

    if (t->base.pack != NULL) {
        if (l->is_packed) packed_clear(t, s, b);
        else places_clear(t, s, b);
        return;
    }
    for (uint32_t i = 0; i < l->doomed_count; i++) {
        if (l->doomed[i].bag != b) l->doomed[kept++] = l->doomed[i];
    }
    l->doomed_count = kept;
    while (b->first.segment) {
        struct chunk *c = chunk_at(t, b->first);
        for (uint32_t i = c->gone; has_texts && i < c->used; i++) texts_free(t, s, chunk_row(l, c, i));
        chunk_free(t, s, b, b->first);
    }
    if (l->is_ordered) leaves_release(t, s, b);
    else if (b->index.segment) block_give(&s->blocks, &t->segments, b->index);
    *b = (struct bag){.slot = b->slot, .shard = b->shard, .flags = b->flags};
}

void bags_forget(struct hm_table *t, const struct space *s)
{
    struct bag_layout *l = t->bag;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < l->doomed_count; i++) {
        if (l->doomed[i].space != s) l->doomed[kept++] = l->doomed[i];
    }
    l->doomed_count = kept;
}

/* ---- the end of a batch */

static void doomed_settle(struct hm_table *t, const struct doomed *d)
{
    struct bag_layout *l = t->bag;
    struct state_element *e = row_element(l, d->row);
    struct chunk *c = row_chunk(l, d->row);

    e->flags &= ~(uint32_t)ELEMENT_DOOMED;
    if (e->count > 0) return; /* it came back */
    if (l->is_ordered && !(e->flags & ELEMENT_OUT)) leaves_remove(t, d->space, d->bag, d->row);
    else if (l->is_ordered) e->flags &= ~(uint32_t)ELEMENT_OUT;
    else if (!(e->flags & ELEMENT_DEAD)) bag_index_remove(t, d->bag, d->row);
    texts_free(t, d->space, d->row);
    e->flags |= ELEMENT_DEAD;
    if (--c->live == 0) chunk_free(t, d->space, d->bag, chunk_ref(t, d->bag, c));
}

/* Copies what lives into fresh chunks; ORDERED: in sort order, and the leaves learn the new places. */
static void bag_compact(struct hm_table *t, struct space *s, struct bag *b)
{
    struct bag_layout *l = t->bag;
    struct bag old = *b;
    struct leaf_position p = {0, 0};
    struct state_ref ref, at = old.first;

    b->first = b->last = (struct state_ref){0, 0};
    b->used = b->rows = 0;
    for (char *row; l->is_ordered && (row = leaves_row(t, b, &p)) != NULL; p.at++) {
        char *to = bag_add(t, s, b, &ref);
        uint32_t place = row_element(l, to)->flags;
        memcpy(to - l->row_offset, row - l->row_offset, l->size);
        row_element(l, to)->flags = place;
        if (l->ttl_offset) stamp_note(t, b, chunk_at(t, b->last), to);
        leaves_set(t, b, p, ref);
    }
    while (at.segment) {
        struct chunk *c = chunk_at(t, at);
        struct state_ref next = c->next;
        for (uint32_t i = 0; !l->is_ordered && i < c->used; i++) {
            char *row = chunk_row(l, c, i), *to;
            uint32_t place;
            if (row_element(l, row)->flags & ELEMENT_DEAD) continue;
            to = bag_add(t, s, b, &ref);
            place = row_element(l, to)->flags;
            memcpy(to - l->row_offset, row - l->row_offset, l->size);
            row_element(l, to)->flags = place;
            if (l->ttl_offset) stamp_note(t, b, chunk_at(t, b->last), to);
        }
        block_give(&s->blocks, &t->segments, at);
        at = next;
    }
    ASSERT(b->rows == old.rows);
    if (!l->is_ordered) bag_index_rebuild(t, s, b);
}

static void element_move(struct hm_table *t, struct space *s, struct bag *b, char *row)
{
    const struct bag_layout *l = t->bag;
    struct leaf_position p = leaves_find(t, b, row);
    struct state_ref ref;
    char *to = bag_add(t, s, b, &ref);
    uint32_t place = row_element(l, to)->flags;

    memcpy(to - l->row_offset, row - l->row_offset, l->size);
    row_element(l, to)->flags = place;
    if (l->ttl_offset) stamp_note(t, b, chunk_at(t, b->last), to);
    leaves_set(t, b, p, ref);
    b->rows--;
}

/* Its elements go where new ones go, and it is given back. */
static void chunk_empty(struct hm_table *t, struct space *s, struct bag *b, struct state_ref ref)
{
    struct chunk *c = chunk_at(t, ref);

    for (uint32_t i = 0; i < c->used; i++) {
        char *row = chunk_row(t->bag, c, i);
        if (!(row_element(t->bag, row)->flags & ELEMENT_DEAD)) element_move(t, s, b, row);
    }
    chunk_free(t, s, b, ref);
}

/* The first chunk becomes the last but one. */
static void chunk_rotate(struct hm_table *t, struct bag *b)
{
    struct state_ref ref = b->first;
    struct chunk *c = chunk_at(t, ref), *last = chunk_at(t, b->last);

    if (c->next.segment == b->last.segment && c->next.offset == b->last.offset) return;
    b->first = c->next;
    chunk_at(t, b->first)->prev = (struct state_ref){0, 0};
    chunk_at(t, last->prev)->next = ref;
    c->prev = last->prev;
    c->next = b->last;
    last->prev = ref;
}

/* A large ORDERED bag that is mostly dead, chunk by chunk: its order is that of the leaves, so elements may lie anywhere. What
 * is appended to is left out. False: there is more to do, at the end of the next batch. */
static bool bag_thin(struct hm_table *t, struct space *s, struct bag *b, uint32_t *budget)
{
    for (;;) {
        const struct chunk *last = chunk_at(t, b->last), *c = chunk_at(t, b->first);
        uint32_t used = b->used - last->used;
        if (used <= COMPACT_MIN || used <= 2 * (b->rows - last->live)) return true;
        if (*budget == 0) return false;
        bool is_sparse = c->used > 2 * c->live;
        *budget -= MIN(*budget, is_sparse ? MAX(c->live, (uint32_t)THIN_STEP) : (uint32_t)THIN_STEP);
        if (is_sparse) chunk_empty(t, s, b, b->first);
        else chunk_rotate(t, b);
    }
}

/* True: the bag wants to be looked at again. */
static bool touched_settle(struct hm_table *t, const struct handle *h, uint32_t *budget)
{
    struct shard *sh = &h->space->shards[h->shard];
    struct bag *b = (struct bag *)(void *)(entry_at(t, sh, h->slot) + t->row_offset);

    b->flags &= (uint16_t)~BAG_TOUCHED;
    if (!slot_is_live(t, sh, h->slot)) return false; /* removed whole, and on that list */
    if (b->rows == 0) {
        entry_remove(t, h->space, sh, h->slot);
    } else if (t->bag->is_ordered && b->used > THIN_MIN) {
        if (bag_thin(t, h->space, b, budget)) return false;
        b->flags |= BAG_TOUCHED;
        return true;
    } else if (t->bag->has_header && b->used > COMPACT_MIN && b->used > b->rows * 2) {
        bag_compact(t, h->space, b);
    }
    return false;
}

void bags_done(struct hm_table *t)
{
    uint32_t budget = THIN_BUDGET + t->bag->doomed_count, kept = 0;

    for (uint32_t i = 0; i < t->bag->doomed_count; i++) doomed_settle(t, &t->bag->doomed[i]);
    t->bag->doomed_count = 0;
    for (uint32_t i = 0; i < t->touched.count; i++) {
        struct handle h = t->touched.items[i];
        if (touched_settle(t, &h, &budget)) t->touched.items[kept++] = h;
    }
    t->touched.count = kept;
}

static void log_chunk_drop(struct hm_table *t, struct space *s, struct bag *b, struct state_ref ref)
{
    struct chunk *c = chunk_at(t, ref);

    for (uint32_t i = c->gone; t->base.value.text_count && i < c->used; i++) texts_free(t, s, chunk_row(t->bag, c, i));
    b->rows -= c->used - c->gone;
    chunk_free(t, s, b, ref);
    bag_touch(t, s, b);
}

void log_drop_before(struct hm_table *t, struct space *s, struct bag *b, int64_t before)
{
    for (struct state_ref at = b->first, next; at.segment; at = next) {
        struct chunk *c = chunk_at(t, at);
        next = c->next;
        if (c->newest < before) log_chunk_drop(t, s, b, at);
    }
}

void log_drop_first(struct hm_table *t, struct space *s, struct bag *b, uint32_t n)
{
    while (n > 0) {
        struct chunk *c = chunk_at(t, b->first);
        uint32_t take = MIN(n, c->used - c->gone);
        n -= take;
        if (take == c->used - c->gone) {
            log_chunk_drop(t, s, b, b->first);
            continue;
        }
        for (uint32_t i = 0; t->base.value.text_count && i < take; i++) texts_free(t, s, chunk_row(t->bag, c, c->gone + i));
        c->gone += take;
        b->rows -= take;
    }
    b->flags |= BAG_ROLLS;
}

void bag_restamped(struct hm_table *t, struct bag *b, const char *row)
{
    if (t->bag->has_header) stamp_note(t, b, row_chunk(t->bag, row), row);
}

static bool is_due(struct hm_table *t, int64_t oldest)
{
    int64_t ttl = t->base.def->ttl.ms;

    return (oldest > INT64_MAX - ttl ? INT64_MAX : oldest + ttl) <= hm_now(t);
}

/* Removes what is expired of a chunk, whose bound becomes exact. */
static void chunk_expire(struct hm_table *t, struct space *s, struct bag *b, struct chunk *c)
{
    c->oldest = INT64_MAX;
    for (uint32_t i = 0; i < c->used; i++) {
        char *row = chunk_row(t->bag, c, i);
        if (row_element(t->bag, row)->count == 0) continue;
        if (row_is_expired(t, row)) bag_remove(t, s, b, row);
        else c->oldest = MIN(c->oldest, stamp_of(t, row));
    }
}

/* Most of the time the bound of the whole bag says that there is nothing to do, and then that of each chunk. So that places can be
 * counted, nothing expires in the midst of a batch: there is one instant per batch. */
void bag_expire(struct hm_table *t, struct space *s, struct bag *b)
{
    int64_t least = INT64_MAX;

    if (t->bag->ttl_offset == 0 || b->rows == 0 || !is_due(t, (int64_t)b->oldest_s * 1000)) return;
    if (UNLIKELY(t->frozen != NULL)) frozen_keep_head(t, s, b);
    for (struct state_ref at = b->first; at.segment; at = chunk_at(t, at)->next) {
        struct chunk *c = chunk_at(t, at);
        if (is_due(t, c->oldest)) chunk_expire(t, s, b, c);
        least = MIN(least, c->oldest);
    }
    b->oldest_s = (uint32_t)MAX(MIN(least / 1000, (int64_t)UINT32_MAX), INT64_C(0));
    head_mark(t, s, b);
}

/* A LOG drops whole chunks from its beginning, the others single elements. */
void bag_sweep(struct hm_table *t, struct space *s, struct bag *b, uint32_t *left)
{
    struct bag_layout *l = t->bag;

    for (struct state_ref at = b->first, next; at.segment; at = next) {
        struct chunk *c = chunk_at(t, at);
        uint32_t expired = c->gone;
        next = c->next;
        if (!l->is_log) {
            bool due = is_due(t, c->oldest);
            if (due) chunk_expire(t, s, b, c);
            *left -= MIN(*left, due ? c->used : 1);
            continue;
        }
        while (expired < c->used && row_is_expired(t, chunk_row(l, c, expired))) expired++;
        *left -= MIN(*left, c->used);
        if (expired < c->used) return;
        log_chunk_drop(t, s, b, at);
    }
}
