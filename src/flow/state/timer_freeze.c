/* timer_freeze.c - the timers of a barrier, while the heap goes on.
 *
 * The idea: chunks of items are only ever appended to, until they are given back whole. So it is enough to note which chunks there are
 * and how far they are filled, and to put off giving anything back: chunks, and bytes of keys. The few items that are ready are copied.
 *
 * Invariants: until the thaw what was noted stays as it is. Timers that move are in rows of a table, which is frozen by itself: of these
 * only the ready ones are looked at. Not here: what becomes of items (snapshot_timers.c). */
#include "flow/state/timer_heap.h"

#include <string.h>

static uint32_t order_of(const struct timer_heap *h, const struct heap_chunk *c)
{
    size_t bytes = sizeof *c + (size_t)c->capacity * h->words * sizeof(uint64_t);

    return (uint32_t)(64 - __builtin_clzll(bytes - 1)) - 6;
}

void timer_chunk_free(struct timer_heap *h, struct heap_chunk *c)
{
    struct heap_frozen *f = h->frozen;

    if (f == NULL) {
        pool_give(h->pool, c, order_of(h, c));
        return;
    }
    c->next = f->chunks_put_off;
    f->chunks_put_off = c;
}

void timer_heap_bytes_free(struct timer_heap *h, uint64_t ref)
{
    struct heap_frozen *f = h->frozen;

    if (ref == 0) return;
    if (f == NULL) {
        block_give(&h->blocks, &h->segments, ref_of_word(ref));
        return;
    }
    if (f->ref_count == f->ref_capacity) {
        f->ref_capacity = MAX(64u, 2 * f->ref_capacity);
        f->refs = mem_realloc(h->pool->mem, f->refs, f->ref_capacity * sizeof *f->refs);
    }
    f->refs[f->ref_count++] = ref;
}

/* Every chunk of a bucket, and where the bucket ends. */
static void bucket_note(void *arg, struct heap_bucket *b)
{
    struct timer_heap *h = arg;
    struct heap_frozen *f = h->frozen;

    for (const struct heap_chunk *c = b->head; c != NULL; c = c->next) {
        if (f->piece_count == f->piece_capacity) {
            f->piece_capacity = MAX(16u, 2 * f->piece_capacity);
            f->pieces = mem_realloc(h->pool->mem, f->pieces, f->piece_capacity * sizeof *f->pieces);
        }
        f->pieces[f->piece_count++] = (struct heap_piece){c->items, c->used, c->next == NULL};
    }
}

void timer_heap_freeze(struct timer_heap *h)
{
    struct heap_frozen *f = mem_zalloc(h->pool->mem, sizeof *f);

    ASSERT(h->frozen == NULL);
    if (!h->moves) timer_heap_merge(h);
    f->ready_count = h->ready.count - h->ready.head;
    size_t size = (size_t)f->ready_count * h->words * sizeof(uint64_t);
    f->ready = mem_alloc(h->pool->mem, size + 1);
    if (size > 0) memcpy(f->ready, timer_heap_first(h), size);
    h->frozen = f;
    if (!h->moves) timer_heap_each(h, bucket_note, h);
}

void timer_heap_thaw(struct timer_heap *h)
{
    struct heap_frozen *f = h->frozen;

    if (f == NULL) return;
    h->frozen = NULL;
    for (struct heap_chunk *c = f->chunks_put_off, *next; c != NULL; c = next) {
        next = c->next;
        timer_chunk_free(h, c);
    }
    for (uint32_t i = 0; i < f->ref_count; i++) timer_heap_bytes_free(h, f->refs[i]);
    mem_free(h->pool->mem, f->refs);
    mem_free(h->pool->mem, f->pieces);
    mem_free(h->pool->mem, f->ready);
    mem_free(h->pool->mem, f);
}
