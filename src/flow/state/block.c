/* block.c - blocks of varying size in segments of one size class each.
 *
 * The idea: 55 classes (8 bytes apart up to 64, then eight per doubling up to 4 KiB), each with its own segments that grow
 * from 512 B to a frame; a free block is linked through its first word; a segment whose last block was given back returns
 * to the pool. Larger blocks are segments of their own. So a block never moves: references, and rows pinned for a batch
 * or read by a helper, need no fixing up, which compaction would cost; what is lost is at most a ninth inside a block.
 *
 * Invariants: segment number 0 is never used; a segment is on its class's partial list exactly when it has room;
 * `live` counts blocks in use. Not here: who refers to a block. */
#include "flow/state/block.h"

#include <string.h>

enum { SEGMENT_ORDER_MIN = 3 }; /* 512 B */

static uint32_t class_of(size_t size)
{
    uint32_t top;

    if (size <= 16) return 0;
    if (size <= 64) return (uint32_t)((size + 7) / 8) - 2;
    top = 63 - (uint32_t)__builtin_clzll((uint64_t)size - 1); /* 2^top <= size - 1 < 2^(top+1) */
    return 7 + (top - 6) * 8 + (uint32_t)(((size - 1) >> (top - 3)) & 7);
}

static uint32_t class_size(uint32_t class)
{
    uint32_t doubling, eighth;

    if (class < 7) return 16 + class * 8;
    doubling = (class - 7) / 8 + 6;
    eighth = (class - 7) % 8;
    return (1U << doubling) + ((eighth + 1) << (doubling - 3));
}

void segments_init(struct segments *s, struct state_pool *pool)
{
    memset(s, 0, sizeof *s);
    s->pool = pool;
    s->count = 1;
}

void segments_release(struct segments *s)
{
    if (s->pool == NULL) return;
    mem_free(s->pool->mem, s->base);
    mem_free(s->pool->mem, s->info);
    memset(s, 0, sizeof *s);
}

static uint32_t number_take(struct segments *s)
{
    uint32_t number = s->free_number;

    if (number != 0) {
        s->free_number = s->info[number].next;
        return number;
    }
    if (s->count >= s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 16;
        s->base = mem_realloc(s->pool->mem, s->base, s->capacity * sizeof *s->base);
        s->info = mem_realloc(s->pool->mem, s->info, s->capacity * sizeof *s->info);
        s->base[0] = NULL;
    }
    ASSERT(s->count < UINT32_MAX);
    return s->count++;
}

static void partial_add(struct blocks *b, struct segments *s, uint32_t number)
{
    struct segment *g = &s->info[number];
    uint32_t head = b->partial[g->class];

    g->is_partial = true;
    g->prev_partial = 0;
    g->next_partial = head;
    if (head) s->info[head].prev_partial = number;
    b->partial[g->class] = number;
}

static void partial_drop(struct blocks *b, struct segments *s, uint32_t number)
{
    struct segment *g = &s->info[number];

    g->is_partial = false;
    if (g->next_partial) s->info[g->next_partial].prev_partial = g->prev_partial;
    if (g->prev_partial) {
        s->info[g->prev_partial].next_partial = g->next_partial;
    } else {
        b->partial[g->class] = g->next_partial;
    }
}

static uint32_t segment_add(struct blocks *b, struct segments *s, uint32_t class, uint32_t bytes)
{
    uint32_t number = number_take(s);
    struct segment *g = &s->info[number];

    memset(g, 0, sizeof *g);
    g->bytes = bytes;
    g->class = (uint8_t)class;
    g->next = b->first;
    if (b->first) s->info[b->first].prev = number;
    b->first = number;
    b->bytes += bytes;
    s->base[number] = pool_take_size(s->pool, bytes);
    return number;
}

static void segment_drop(struct blocks *b, struct segments *s, uint32_t number)
{
    struct segment *g = &s->info[number];

    if (g->is_partial) partial_drop(b, s, number);
    if (g->next) s->info[g->next].prev = g->prev;
    if (g->prev) {
        s->info[g->prev].next = g->next;
    } else {
        b->first = g->next;
    }
    if (g->class != BLOCK_LARGE) s->pool->idle -= (size_t)(g->bump / class_size(g->class) - g->live) * class_size(g->class);
    b->bytes -= g->bytes;
    if (g->class != BLOCK_LARGE && b->order[g->class] > SEGMENT_ORDER_MIN) b->order[g->class]--;
    pool_give_size(s->pool, s->base[number], g->bytes);
    s->base[number] = NULL;
    g->next = s->free_number;
    s->free_number = number;
}

void blocks_release(struct blocks *b, struct segments *s)
{
    while (b->first) segment_drop(b, s, b->first);
    memset(b, 0, sizeof *b);
}

static uint32_t slab_add(struct blocks *b, struct segments *s, uint32_t class)
{
    uint32_t order = MAX((uint32_t)b->order[class], (uint32_t)SEGMENT_ORDER_MIN), number;

    while (((uint32_t)POOL_PIECE_MIN << order) < 4 * class_size(class)) order++;
    ASSERT(order <= POOL_FRAME_ORDER);
    number = segment_add(b, s, class, (uint32_t)POOL_PIECE_MIN << order);
    b->order[class] = (uint8_t)MIN(order + 1, (uint32_t)POOL_FRAME_ORDER);
    partial_add(b, s, number);
    return number;
}

struct state_ref block_take(struct blocks *b, struct segments *s, size_t size)
{
    uint32_t class, number, offset;
    struct segment *g;

    ASSERT(size > 0 && size <= UINT32_MAX - 64);
    if (size > BLOCK_SLAB_MAX) {
        number = segment_add(b, s, BLOCK_LARGE, (uint32_t)ALIGN_UP(size, 64));
        s->info[number].live = 1;
        return (struct state_ref){number, 0};
    }
    class = class_of(size);
    number = b->partial[class] ? b->partial[class] : slab_add(b, s, class);
    g = &s->info[number];
    if (g->free_head) {
        offset = g->free_head - 1;
        memcpy(&g->free_head, s->base[number] + offset, sizeof g->free_head);
        s->pool->idle -= class_size(class);
    } else {
        offset = g->bump;
        g->bump += class_size(class);
    }
    g->live++;
    if (g->free_head == 0 && g->bump + class_size(class) > g->bytes) partial_drop(b, s, number);
    return (struct state_ref){number, offset};
}

void block_give(struct blocks *b, struct segments *s, struct state_ref ref)
{
    struct segment *g = &s->info[ref.segment];

    ASSERT(ref.segment != 0 && ref.segment < s->count && g->live > 0);
    if (g->class != BLOCK_LARGE) s->pool->idle += class_size(g->class);
    if (--g->live == 0) {
        segment_drop(b, s, ref.segment);
        return;
    }
    memcpy(s->base[ref.segment] + ref.offset, &g->free_head, sizeof g->free_head);
    g->free_head = ref.offset + 1;
    if (!g->is_partial) partial_add(b, s, ref.segment);
}

uint32_t block_room(const struct segments *s, struct state_ref ref)
{
    const struct segment *g = &s->info[ref.segment];

    return g->class == BLOCK_LARGE ? g->bytes : class_size(g->class);
}
