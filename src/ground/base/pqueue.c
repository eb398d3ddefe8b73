/* pqueue.c - a binary heap in one array. Every entry carries the number of its push, which makes the order total: what
 * comes out depends on what went in and never on the shape of the heap. */
#include "ground/base/pqueue.h"

enum { CAPACITY_FIRST = 16 };

void pqueue_init(struct pqueue *q, struct mem *mem) { *q = (struct pqueue){.mem = mem}; }

void pqueue_release(struct pqueue *q)
{
    mem_free(q->mem, q->entries);
    *q = (struct pqueue){.mem = q->mem};
}

static bool comes_before(const struct pqueue_entry *a, const struct pqueue_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->turn < b->turn;
}

void pqueue_push(struct pqueue *q, int64_t key, void *value)
{
    struct pqueue_entry entry = {key, q->next_turn++, value};
    uint32_t at = q->count;

    ASSERT(q->mem != NULL && q->count < UINT32_MAX / 4);
    if (q->count == q->capacity) {
        q->capacity = MAX((uint32_t)CAPACITY_FIRST, q->capacity * 2);
        q->entries = mem_realloc(q->mem, q->entries, sizeof *q->entries * q->capacity);
    }
    q->count++;
    for (uint32_t above; at > 0; at = above) {
        above = (at - 1) / 2;
        if (!comes_before(&entry, &q->entries[above])) break;
        q->entries[at] = q->entries[above];
    }
    q->entries[at] = entry;
}

/* Puts an entry where the first was, letting the lower of two children rise as long as it comes before. */
static void sink_from_top(struct pqueue *q, struct pqueue_entry entry)
{
    uint32_t at = 0;

    for (uint32_t child; (child = 2 * at + 1) < q->count; at = child) {
        if (child + 1 < q->count && comes_before(&q->entries[child + 1], &q->entries[child])) child++;
        if (!comes_before(&q->entries[child], &entry)) break;
        q->entries[at] = q->entries[child];
    }
    q->entries[at] = entry;
}

void *pqueue_pop(struct pqueue *q)
{
    if (q->count == 0) return NULL;
    void *value = q->entries[0].value;
    struct pqueue_entry last = q->entries[--q->count];
    if (q->count > 0) sink_from_top(q, last);
    return value;
}
