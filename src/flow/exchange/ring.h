/* ring.h - a bounded queue between exactly one sending and one receiving thread: a lock-free island. Each side keeps a
 * copy of the other's index and refreshes it only when the ring looks full or empty, so that in steady state a cache line
 * moves once per lap and not once per element. Release on the own index publishes the slot; acquire on the other's reads it.
 * test/unit/exchange/test_ring.c runs both ends against each other, and walks every order of their calls on a small ring. */
#pragma once
#include "ground/base/mem.h"

#include <stdatomic.h>

struct ring {
    uint32_t mask;
    uint32_t item_size;
    char *slots;
    _Alignas(64) _Atomic uint32_t head; /* next to write; the sender's */
    uint32_t tail_seen;
    _Alignas(64) _Atomic uint32_t tail; /* next to read; the receiver's */
    uint32_t head_seen;
    char pad[56];
};

void ring_init(struct ring *r, struct mem *mem, uint32_t capacity, uint32_t item_size); /* capacity: a power of two */
void ring_release(struct ring *r, struct mem *mem);
/* Sender: false when fewer than 1 + keep_free slots are free. */
bool ring_push(struct ring *r, const void *item, uint32_t keep_free) CHECKED;
/* Receiver: false when empty. */
bool ring_pop(struct ring *r, void *item) CHECKED;
bool ring_is_empty(struct ring *r); /* receiver's view */
/* Receiver: the item that so many others lie before, which stays there; false: there are not so many. */
bool ring_peek(struct ring *r, uint32_t index, void *item) CHECKED;
uint32_t ring_count(struct ring *r); /* sender's view: at most so many lie there */
