/* text.c - 16-byte string references and the heap of long strings behind them.
 *
 * A heap is a list of chunks. Bytes are handed out from the current chunk; when it has no room the next chunk of the
 * list is taken when it is large enough, else a larger one takes its place. Clearing goes back to the first chunk and
 * keeps all but the oversized ones, so a batch that is filled again and again reaches a steady state without
 * allocation, and one huge string does not pin its memory for ever.
 *
 * Invariant: first..current hold live bytes, chunks behind current are empty. Bytes never move until the clear. */
#include "columns/column/vector.h"

#include "ground/base/mem.h"

enum { CHUNK_SIZE = 32 * 1024, CHUNK_KEPT_MAX = 512 * 1024 };

struct text_chunk {
    struct text_chunk *next;
    size_t size, used;
    char bytes[];
};

void text_heap_init(struct text_heap *heap, struct mem *mem)
{
    *heap = (struct text_heap){.mem = mem};
}

void text_heap_release(struct text_heap *heap)
{
    for (struct text_chunk *chunk = heap->first, *next; chunk; chunk = next) {
        next = chunk->next;
        mem_free(heap->mem, chunk);
    }
    *heap = (struct text_heap){.mem = heap->mem};
}

static void oversized_drop(struct text_heap *heap)
{
    struct text_chunk **link = &heap->first;

    while (*link) {
        struct text_chunk *chunk = *link;
        if (chunk->size > CHUNK_KEPT_MAX) {
            *link = chunk->next;
            mem_free(heap->mem, chunk);
        } else {
            link = &chunk->next;
        }
    }
}

void text_heap_clear(struct text_heap *heap)
{
    if (heap->used == 0) return;
    if (heap->used > CHUNK_KEPT_MAX) oversized_drop(heap);
    heap->current = heap->first;
    if (heap->first) heap->first->used = 0;
    heap->used = 0;
}

static struct text_chunk *chunk_new(struct text_heap *heap, size_t size)
{
    size_t wanted = heap->current ? MIN(heap->current->size * 2, (size_t)CHUNK_KEPT_MAX) : (size_t)CHUNK_SIZE;
    struct text_chunk *chunk;

    while (wanted < size && wanted < CHUNK_KEPT_MAX) wanted *= 2; /* few sizes: a chunk fits again after the clear */
    wanted = MAX(wanted, size);
    chunk = mem_alloc(heap->mem, sizeof(struct text_chunk) + wanted);
    chunk->size = wanted;
    return chunk;
}

/* Takes the chunk behind the current one; one that is too small holds nothing and is replaced. */
static char *reserve_slow(struct text_heap *heap, size_t size)
{
    struct text_chunk **link = heap->current ? &heap->current->next : &heap->first;
    struct text_chunk *chunk = *link;

    ASSERT(heap->mem);
    if (!chunk || chunk->size < size) {
        struct text_chunk *fresh = chunk_new(heap, size);
        fresh->next = chunk ? chunk->next : NULL;
        mem_free(heap->mem, chunk);
        *link = chunk = fresh;
    }
    chunk->used = size;
    heap->current = chunk;
    heap->used += size;
    return chunk->bytes;
}

char *text_reserve(struct text_heap *heap, size_t size)
{
    struct text_chunk *chunk = heap->current;
    char *at;

    if (UNLIKELY(!chunk || chunk->size - chunk->used < size)) return reserve_slow(heap, size);
    at = chunk->bytes + chunk->used;
    chunk->used += size;
    heap->used += size;
    return at;
}

struct text text_put(struct text_heap *heap, const char *bytes, size_t size)
{
    if (size > TEXT_INLINE) {
        char *far = text_reserve(heap, size);
        ASSERT(size <= UINT32_MAX);
        memcpy(far, bytes, size);
        bytes = far;
    }
    return text_view(bytes, size);
}

bool text_equal(const struct text *a, const struct text *b)
{
    uint64_t head_a, head_b, tail_a, tail_b;

    memcpy(&head_a, a, 8); /* size and prefix */
    memcpy(&head_b, b, 8);
    if (head_a != head_b) return false;
    if (a->size <= TEXT_INLINE) {
        memcpy(&tail_a, a->rest, 8);
        memcpy(&tail_b, b->rest, 8);
        return tail_a == tail_b;
    }
    return a->far == b->far || memcmp(a->far + 4, b->far + 4, a->size - 4) == 0;
}

int text_compare(const struct text *a, const struct text *b)
{
    uint32_t prefix_a, prefix_b;
    int order;

    memcpy(&prefix_a, a->prefix, 4);
    memcpy(&prefix_b, b->prefix, 4);
    if (prefix_a != prefix_b) return __builtin_bswap32(prefix_a) < __builtin_bswap32(prefix_b) ? -1 : 1;
    order = memcmp(text_data(a), text_data(b), MIN(a->size, b->size));
    if (order != 0) return order < 0 ? -1 : 1;
    return a->size < b->size ? -1 : a->size > b->size;
}
