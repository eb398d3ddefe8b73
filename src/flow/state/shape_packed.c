/* shape_packed.c - the verbs of PACKED: key -> rows that are appended and never change or go, as pack.h writes them.
 *
 * The idea: rows of varying size lie one behind the other in chunks that grow with them, the first ones just as large as a row: most
 * keys of a join have few. The head knows the place behind the last row, so that appending touches the head and that place alone.
 *
 * Invariants: a row stays where it is until its head is cleared; chunks but the last know how much of them is used, of the last the
 * head knows it. Not here: time to live, whose stamps change (LOG has it). */
#include "flow/state/shape_verbs.h"

enum {
    AHEAD = 16,
    CHUNK_PART = 3, /* of the rows that there are, so many go into the next chunk: little is lost, and chunks grow */
    CHUNK_LEAST = 64, /* bytes of rows, where they are short; but the first chunk has one */
    CHUNK_MAX = BLOCK_SLAB_MAX,
    USED_ONE = UINT16_MAX, /* one row, which says itself how long it is */
};

struct packed_chunk {
    uint32_t next_segment; /* 0: it is the last */
    uint16_t next_offset;
    uint16_t used; /* bytes, this included; of the last chunk: see the head */
};
_Static_assert(sizeof(struct packed_chunk) == 8 && POOL_FRAME <= UINT16_MAX, "many keys have a chunk per row");

static struct packed_chunk *chunk_at(const struct hm_table *t, struct state_ref ref) { return block_at(&t->segments, ref); }
static struct state_ref chunk_next(const struct packed_chunk *c) { return (struct state_ref){c->next_segment, c->next_offset}; }

static uint32_t chunk_used(const struct hm_table *t, const struct bag *b, const struct packed_chunk *c)
{
    if (c->next_segment == 0) return b->used;
    return c->used != USED_ONE ? c->used : (uint32_t)sizeof *c + pack_size(t->base.pack, c + 1);
}

/* Rows that are larger than a chunk have one of their own. */
static void chunk_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t size)
{
    uint32_t head = sizeof(struct packed_chunk), least = b->last.segment ? CHUNK_LEAST / size : 0;
    uint32_t rows = MIN(MAX(b->rows / CHUNK_PART, least), (uint32_t)CHUNK_MAX / size), bytes = head + rows * size;

    if (bytes > CHUNK_MAX / 2) bytes = CHUNK_MAX; /* above, sizes leave much of a frame over */
    bytes = MAX(bytes, head + size);
    struct state_ref ref = block_take(&s->blocks, &t->segments, bytes);
    *chunk_at(t, ref) = (struct packed_chunk){0};
    if (b->last.segment) {
        struct packed_chunk *last = chunk_at(t, b->last);
        last->next_segment = ref.segment;
        last->next_offset = (uint16_t)ref.offset;
        last->used = (uint16_t)MIN(b->used, (uint32_t)USED_ONE);
    } else {
        b->first = ref;
    }
    b->last = ref;
    b->used = head;
    b->room = bytes > CHUNK_MAX ? size : block_room(&t->segments, ref) - head;
}

char *packed_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t size)
{
    if (size > b->room) chunk_add(t, s, b, size);
    char *row = (char *)chunk_at(t, b->last) + b->used;
    b->used += size;
    b->room -= size;
    b->rows++;
    return row;
}

/* Where the next row of a head goes. Always inline: see shape_rows.c. */
static inline __attribute__((always_inline)) void fetch_place(const struct hm_table *t, void *const *heads, uint32_t i, uint32_t count)
{
    const struct bag *b = i < count ? heads[i] : NULL;

    if (b == NULL || b->last.segment == 0) return;
    const char *place = (const char *)block_at(&t->segments, b->last) + b->used;
    __builtin_prefetch(place, 1);
    __builtin_prefetch(place + 64, 1);
}

static enum status room_check(const struct hm_table *t, size_t needed, uint32_t count)
{
    if (LIKELY(pool_room(t->base.host->pool) >= needed)) return S_OK;
    return table_refuse(&t->base, count, "rows");
}

enum status strings_budget(const struct hm_table *t, const struct pack_source *from)
{
    if (LIKELY(pool_room(t->base.host->pool) == SIZE_MAX)) return S_OK;
    return room_check(t, 4 * (size_t)POOL_FRAME + pack_strings_most(t->base.pack, from), from->count);
}

enum status packed_budget(const struct hm_table *t, const uint32_t *sizes, uint32_t count)
{
    size_t needed = 4 * (size_t)POOL_FRAME;

    for (uint32_t i = 0; i < count; i++) needed += 2 * (size_t)sizes[i] + 64;
    return room_check(t, needed, count);
}

enum status hm_packed_append(struct state_table *base, int64_t ns, void *const *heads, const struct batch *in, const uint32_t *cols,
                             const uint16_t *rows, uint32_t count)
{
    struct hm_table *t = hm_of(base);
    struct space *s = space_find(t, ns);
    struct pack_source from = {in, cols, rows, count, &s->blocks};
    uint32_t sizes[BATCH_ROWS], n = 0;
    uint16_t which[PACK_ROWS];
    char *at[PACK_ROWS];

    ASSERT(t->bag->is_packed && count <= BATCH_ROWS);
    TRY(strings_budget(t, &from));
    pack_sizes(&t->bag->pack, &from, sizes);
    TRY(packed_budget(t, sizes, count));
    for (uint32_t i = 0; i < count; i++) {
        if (i + 2 * AHEAD < count && heads[i + 2 * AHEAD] != NULL) __builtin_prefetch(heads[i + 2 * AHEAD], 1);
        fetch_place(t, heads, i + AHEAD, count);
        if (heads[i] != NULL) {
            at[n] = packed_add(t, s, heads[i], sizes[i]);
            which[n++] = (uint16_t)i;
            head_mark(t, s, heads[i]);
        }
        if (n < PACK_ROWS && i + 1 < count) continue;
        pack_write(base->pack, &from, which, n, at);
        n = 0;
    }
    return S_OK;
}

void *packed_next(struct hm_table *t, const struct bag *b, struct state_scan *c)
{
    if (c->at[0] == 0) {
        c->at[0] = ref_word(b->first);
        c->at[1] = sizeof(struct packed_chunk);
    }
    while (c->at[0] != 0) {
        struct packed_chunk *k = chunk_at(t, ref_of_word(c->at[0]));
        if (c->at[1] < chunk_used(t, b, k)) {
            char *row = (char *)k + c->at[1];
            c->at[1] += pack_size(t->base.pack, row);
            c->step++;
            return row;
        }
        if (k->next_segment == 0) return NULL; /* stays at the end: what is appended later is found */
        c->at[0] = ref_word(chunk_next(k));
        c->at[1] = sizeof *k;
        k = chunk_at(t, chunk_next(k));
        if (k->next_segment != 0) __builtin_prefetch(chunk_at(t, chunk_next(k)));
    }
    return NULL;
}

void packed_rows(struct hm_table *t, const struct bag *b, struct state_scan *c, struct state_hits *hits)
{
    for (void *row; hits->count < BATCH_ROWS && (row = packed_next(t, b, c)) != NULL;) {
        hits->key[hits->count] = (uint16_t)c->key;
        hits->row[hits->count++] = row;
    }
}

void packed_clear(struct hm_table *t, struct space *s, struct bag *b)
{
    for (struct state_ref at = b->first, next; at.segment; at = next) {
        next = chunk_next(chunk_at(t, at));
        block_give(&s->blocks, &t->segments, at);
    }
    b->rows = b->used = b->room = 0;
    b->first = b->last = (struct state_ref){0, 0};
}
