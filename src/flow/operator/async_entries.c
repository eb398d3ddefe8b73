/* async_entries.c - entries that wait, as columns.
 *
 * The idea: an entry is written once, as a row of a small batch (a chunk), and moves between buffer and requests as a
 * reference, so that trying again copies nothing. A chunk is used again when nobody holds a row of it.
 *
 * Invariants: a chunk with an entry that was taken out takes no more rows, so structs that point into it stay valid for
 * as long as it is held. Once ring and chunks have reached their size, nothing is allocated.
 *
 * Not here: when entries go off, and who answers (op_async_sink.c, async_request.c). */
#include "flow/operator/async_entries.h"

#include "columns/column/batch.h"

enum { CHUNK_ROWS = ROWCONV_ROWS, RING_MIN = 64 };

struct entry_chunk {
    struct entry_chunk *next; /* spare */
    struct batch *rows;
    uint32_t holds; /* entries, and one while it is open */
};

void entries_init(struct entry_buffer *b, const struct type *schema, const struct rowconv *conv, struct mem *mem)
{
    *b = (struct entry_buffer){.mem = mem, .schema = schema, .conv = conv};
}

/* --- chunks -------------------------------------------------------------------------------------------------------------- */
static void chunk_drop(struct entry_buffer *b, struct entry_chunk *c)
{
    ASSERT(c->holds > 0);
    if (--c->holds > 0) return;
    batch_clear(c->rows);
    c->next = b->spare;
    b->spare = c;
}

static void open_close(struct entry_buffer *b)
{
    struct entry_chunk *c = b->open;

    b->open = NULL;
    if (c != NULL) chunk_drop(b, c);
}

static struct entry_chunk *chunk_open(struct entry_buffer *b)
{
    struct entry_chunk *c = b->spare;

    if (c != NULL) {
        b->spare = c->next;
    } else {
        c = mem_zalloc(b->mem, sizeof *c);
        c->rows = batch_create(b->schema, CHUNK_ROWS, b->mem);
    }
    c->next = NULL;
    c->holds = 1;
    b->open = c;
    return c;
}

void entry_hold(struct entry e) { e.chunk->holds++; }
void entry_drop(struct entry_buffer *b, struct entry e) { chunk_drop(b, e.chunk); }

/* --- the ring ------------------------------------------------------------------------------------------------------------ */
static void ring_grow(struct entry_buffer *b)
{
    uint32_t capacity = MAX(RING_MIN, b->capacity * 2);
    struct entry *items;

    if (b->count < b->capacity) return;
    items = mem_alloc(b->mem, sizeof *items * capacity);
    for (uint32_t i = 0; i < b->count; i++) items[i] = b->items[(b->first + i) % b->capacity];
    mem_free(b->mem, b->items);
    b->items = items;
    b->first = 0;
    b->capacity = capacity;
}

enum status entries_add(struct entry_buffer *b, const void *row, int64_t bytes)
{
    struct entry_chunk *c = b->open != NULL ? b->open : chunk_open(b);
    struct entry e = {.chunk = c, .row = c->rows->count, .bytes = bytes};

    ASSERT(bytes >= 0);
    TRY(rowconv_write(b->conv, row, 1, c->rows));
    entry_hold(e);
    if (c->rows->count == CHUNK_ROWS || c->rows->heap.used >= BATCH_BYTES) open_close(b);
    ring_grow(b);
    b->items[(b->first + b->count++) % b->capacity] = e;
    b->bytes += bytes;
    return S_OK;
}

void entries_put_front(struct entry_buffer *b, struct entry e)
{
    ring_grow(b);
    b->first = (b->first + b->capacity - 1) % b->capacity;
    b->items[b->first] = e;
    b->count++;
    b->bytes += e.bytes;
}

struct entry entries_first(const struct entry_buffer *b)
{
    ASSERT(b->count > 0);
    return b->items[b->first];
}

struct entry entries_take(struct entry_buffer *b)
{
    struct entry e = entries_first(b);

    b->first = (b->first + 1) % b->capacity;
    b->count--;
    b->bytes -= e.bytes;
    if (e.chunk == b->open) open_close(b);
    return e;
}

void entries_release(struct entry_buffer *b)
{
    while (b->count > 0) entry_drop(b, entries_take(b));
    open_close(b);
    while (b->spare != NULL) {
        struct entry_chunk *c = b->spare;
        b->spare = c->next;
        batch_free(c->rows);
        mem_free(b->mem, c);
    }
    mem_free(b->mem, b->items);
    b->items = NULL;
    b->capacity = 0;
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */
/* So many entries from the first on are neighbours. */
static uint32_t run_length(const struct entry *e, uint32_t count)
{
    uint32_t n = 1;

    while (n < count && n < ROWCONV_ROWS && e[n].chunk == e->chunk && e[n].row == e->row + n) n++;
    return n;
}

void entries_read(struct entry_buffer *b, const struct entry *e, uint32_t count, char *structs, struct arena *items)
{
    for (uint32_t n, bad; count > 0; e += n, count -= n, structs += (size_t)n * b->conv->size) {
        n = run_length(e, count);
        enum status st = rowconv_read(b->conv, e->chunk->rows, e->row, n, structs, items, &bad);
        ASSERT(st == S_OK); /* they were structs of this row type */
    }
}
