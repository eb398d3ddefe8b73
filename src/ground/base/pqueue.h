/* pqueue.h - a small priority queue: the lowest key first, and among equal keys the one that came first. For deadlines
 * and merges; the timers of keyed state are flow/state/timer.h. */
#pragma once
#include "ground/base/mem.h"

struct pqueue_entry {
    int64_t key;
    uint64_t turn; /* when it came */
    void *value;
};

struct pqueue {
    struct mem *mem;
    struct pqueue_entry *entries; /* a binary heap */
    uint32_t count, capacity;
    uint64_t next_turn;
};

void pqueue_init(struct pqueue *q, struct mem *mem);
void pqueue_release(struct pqueue *q); /* the values are not its own */
void pqueue_push(struct pqueue *q, int64_t key, void *value);
/* The first entry, until the next push or pop; NULL when empty. */
static inline const struct pqueue_entry *pqueue_first(const struct pqueue *q) { return q->count > 0 ? q->entries : NULL; }
/* Takes the first entry out and answers its value; NULL when empty. */
void *pqueue_pop(struct pqueue *q);
