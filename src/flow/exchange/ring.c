/* ring.c - the single-producer, single-consumer ring; see ring.h for the protocol. Indices run freely over 2^32 and are
 * masked on use: head - tail is the number of items, also across the wrap. */
#include "flow/exchange/ring.h"

#include <string.h>

void ring_init(struct ring *r, struct mem *mem, uint32_t capacity, uint32_t item_size)
{
    ASSERT(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    ASSERT(item_size > 0);
    memset(r, 0, sizeof *r);
    r->mask = capacity - 1;
    r->item_size = item_size;
    r->slots = mem_alloc_aligned(mem, (size_t)capacity * item_size, 64);
}

void ring_release(struct ring *r, struct mem *mem)
{
    mem_free(mem, r->slots);
    r->slots = NULL;
}

bool ring_push(struct ring *r, const void *item, uint32_t keep_free)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint32_t limit = r->mask + 1 - keep_free;

    ASSERT_ROW(keep_free <= r->mask);
    if (head - r->tail_seen >= limit) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head - r->tail_seen >= limit) return false;
    }
    memcpy(r->slots + (size_t)(head & r->mask) * r->item_size, item, r->item_size);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return true;
}

bool ring_is_empty(struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (tail != r->head_seen) return false;
    r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
    return tail == r->head_seen;
}

bool ring_pop(struct ring *r, void *item)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (ring_is_empty(r)) return false;
    memcpy(item, r->slots + (size_t)(tail & r->mask) * r->item_size, r->item_size);
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

bool ring_peek(struct ring *r, uint32_t index, void *item)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (r->head_seen - tail <= index) r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
    if (r->head_seen - tail <= index) return false;
    memcpy(item, r->slots + (size_t)((tail + index) & r->mask) * r->item_size, r->item_size);
    return true;
}

uint32_t ring_count(struct ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    return head - atomic_load_explicit(&r->tail, memory_order_relaxed);
}
