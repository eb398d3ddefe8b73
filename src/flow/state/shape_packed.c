/* shape_packed.c - the verbs of PACKED: key -> rows that are appended and never change or go, as pack.h writes them.
 *
 * The idea: rows of varying size lie one behind the other in chunks that grow by halves, the first one just as large as its row: most
 * keys of a join have one. The head knows the place behind the last row, so that appending touches the head and that place alone.
 *
 * Invariants: a row stays where it is until its head is cleared; chunks but the last know how much of them is used, of the last the
 * head knows it. Not here: time to live, whose stamps change (LOG has it). */
#include "flow/state/shape_verbs.h"

enum { AHEAD = 8, CHUNK_BYTES_MAX_PACKED = BLOCK_SLAB_MAX };

struct packed_chunk {
    struct state_ref next;
    uint32_t used; /* bytes, this included; of the last chunk: see the head */
    uint32_t zero;
};

static struct packed_chunk *chunk_at(const struct hm_table *t, struct state_ref ref) { return block_at(&t->segments, ref); }

static void chunk_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t size)
{
    uint32_t grown = b->last.segment ? (b->used + b->room) / 2 * 3 : 0, head = sizeof(struct packed_chunk);
    uint32_t bytes = head + grown / size * size; /* as many of this size */
    if (bytes > CHUNK_BYTES_MAX_PACKED / 2) bytes = CHUNK_BYTES_MAX_PACKED; /* above, sizes leave much of a frame over */
    bytes = MAX(bytes, head + size);
    struct state_ref ref = block_take(&s->blocks, &t->segments, bytes);
    struct packed_chunk *c = chunk_at(t, ref);

    *c = (struct packed_chunk){.used = head};
    if (b->last.segment) {
        struct packed_chunk *last = chunk_at(t, b->last);
        last->next = ref;
        last->used = b->used;
    } else {
        b->first = ref;
    }
    b->last = ref;
    b->used = head;
    b->room = block_room(&t->segments, ref) - head;
}

static char *packed_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t size)
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

enum status packed_budget(const struct hm_table *t, const uint32_t *sizes, uint32_t count)
{
    struct state_host *h = t->base.host;
    size_t needed = 4 * (size_t)POOL_FRAME;

    for (uint32_t i = 0; i < count; i++) needed += 2 * (size_t)sizes[i] + 64;
    if (LIKELY(pool_room(h->pool) >= needed)) return S_OK;
    return err_set(h->err, E_BUDGET, "state `%s`: no room for %u more rows: %zu of %zu bytes are in use", t->base.def->name, count,
                   h->mem->used, h->mem->limit);
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
    pack_sizes(&t->bag->pack, &from, sizes);
    TRY(packed_budget(t, sizes, count));
    for (uint32_t i = 0; i < count; i++) {
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
        bool is_last = k->next.segment == 0;
        if (c->at[1] < (is_last ? b->used : k->used)) {
            char *row = (char *)k + c->at[1];
            c->at[1] += pack_size(t->base.pack, row);
            c->step++;
            return row;
        }
        if (is_last) return NULL; /* stays at the end: what is appended later is found */
        c->at[0] = ref_word(k->next);
        c->at[1] = sizeof *k;
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
        next = chunk_at(t, at)->next;
        block_give(&s->blocks, &t->segments, at);
    }
    b->rows = b->used = b->room = 0;
    b->first = b->last = (struct state_ref){0, 0};
}
