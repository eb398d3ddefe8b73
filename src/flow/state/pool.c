/* pool.c - frames and smaller pieces for keyed state.
 *
 * The idea: rows, index buckets and text all live in 16 KiB frames, so that what one table, namespace or index gives back
 * serves any other, and large regions can be backed by huge pages (a random access to 10 M keys is a TLB miss before it
 * is a cache miss). Pieces below a frame come from the allocator; some are kept for reuse, the rest goes back to it, so
 * that an index growing from 64 B to a frame leaves nothing behind. Regions grow from 256 KiB to 16 MiB: a small job
 * stays small.
 *
 * Invariant: a frame was cut from a region and is never given to the allocator by itself.
 * Not here: accounting by table. */
#include "flow/state/pool.h"

#include "flow/state/disk.h"
#include "flow/state/pool_ahead.h"

enum { REGION_MIN = 256 * 1024, REGION_MAX = 16 * 1024 * 1024 };

struct state_pool *pool_create(struct mem *mem)
{
    struct state_pool *p = mem_zalloc(mem, sizeof *p);

    p->mem = mem;
    p->region_bytes = REGION_MIN;
    return p;
}

/* Regions, and blocks that are larger than a frame, are what counts. */
static void budget_add(struct state_pool *p, size_t bytes)
{
    p->budgeted += bytes;
    if (p->budget != NULL) sys_atomic_add(&p->budget->used, bytes);
}

static void budget_give(struct state_pool *p, size_t bytes)
{
    p->budgeted -= bytes;
    if (p->budget != NULL) sys_atomic_add(&p->budget->used, (uint64_t)0 - bytes);
}

static size_t budget_room(const struct state_pool *p, size_t held)
{
    if (p->budget == NULL || p->budget->max == 0) return SIZE_MAX;
    uint64_t used = sys_atomic_load(&p->budget->used);
    if (used + REGION_MIN > p->budget->max) return held; /* a region more would not fit */
    return held + (size_t)(p->budget->max - used);
}

void pool_free(struct state_pool *p)
{
    if (p == NULL) return;
    pool_ahead_stop(p);
    budget_give(p, p->budgeted);
    for (uint32_t order = 0; order < POOL_FRAME_ORDER; order++) {
        while (p->free_pieces[order] != NULL) {
            struct pool_piece *piece = p->free_pieces[order];
            p->free_pieces[order] = piece->next;
            mem_free(p->mem, piece);
        }
    }
    for (uint32_t i = 0; i < p->region_count; i++) mem_free(p->mem, p->regions[i]);
    mem_free(p->mem, p->regions);
    mem_free(p->mem, p);
}

size_t pool_room(const struct state_pool *p)
{
    size_t held = (size_t)(p->region_end - p->region_at) + p->free_counts[POOL_FRAME_ORDER] * (size_t)POOL_FRAME;
    size_t room = p->taken_max == 0 ? SIZE_MAX : p->taken_max - MIN(p->taken, p->taken_max);

    room = MIN(room, budget_room(p, held));
    if (p->mem->limit == 0) return room;
    if (p->mem->used + REGION_MIN >= p->mem->limit) return MIN(room, held); /* a region more would not fit */
    return MIN(room, held + (p->mem->limit - p->mem->used));
}

static void region_add(struct state_pool *p)
{
    char *ready = pool_ahead_take(p);

    if (ready != NULL) p->region_bytes = POOL_AHEAD_REGION;
    if (p->mem->limit != 0 && p->mem->used + p->region_bytes > p->mem->limit) p->region_bytes = REGION_MIN;
    if (p->region_count == p->region_capacity) {
        p->region_capacity = p->region_capacity ? p->region_capacity * 2 : 16;
        p->regions = mem_realloc(p->mem, p->regions, p->region_capacity * sizeof *p->regions);
    }
    if (ready == NULL && budget_room(p, 0) < p->region_bytes) p->region_bytes = REGION_MIN;
    budget_add(p, p->region_bytes);
    p->region_at = ready != NULL ? ready : mem_pages(p->mem, p->region_bytes);
    p->region_end = p->region_at + p->region_bytes;
    p->regions[p->region_count++] = p->region_at;
    p->region_bytes = MIN(p->region_bytes * 2, (size_t)REGION_MAX);
}

static void *frame_cut(struct state_pool *p)
{
    void *frame;

    if (p->region_at == p->region_end) region_add(p);
    frame = p->region_at;
    p->region_at += POOL_FRAME;
    return frame;
}

void *pool_take(struct state_pool *p, uint32_t order)
{
    struct pool_piece *piece = p->free_pieces[order];

    ASSERT(order <= POOL_FRAME_ORDER);
    p->taken += (size_t)POOL_PIECE_MIN << order;
    if (piece != NULL) {
        p->free_pieces[order] = piece->next;
        p->free_counts[order]--;
        return piece;
    }
    if (order == POOL_FRAME_ORDER) return frame_cut(p);
    return mem_alloc_aligned(p->mem, (size_t)POOL_PIECE_MIN << order, 64);
}

void pool_give(struct state_pool *p, void *memory, uint32_t order)
{
    struct pool_piece *piece = memory;

    ASSERT(order <= POOL_FRAME_ORDER && memory != NULL);
    p->taken -= (size_t)POOL_PIECE_MIN << order;
    if (order < POOL_FRAME_ORDER && p->free_counts[order] >= (uint32_t)POOL_KEEP_BYTES / POOL_PIECE_MIN >> order) {
        mem_free(p->mem, memory);
        return;
    }
    piece->next = p->free_pieces[order];
    p->free_pieces[order] = piece;
    p->free_counts[order]++;
}

static uint32_t order_of(size_t size)
{
    return size <= POOL_PIECE_MIN ? 0 : (uint32_t)(64 - __builtin_clzll((uint64_t)size - 1)) - 6;
}

void *pool_take_size(struct state_pool *p, size_t size)
{
    if (size <= POOL_FRAME) return pool_take(p, order_of(size));
    p->taken += size;
    budget_add(p, size);
    return mem_alloc_aligned(p->mem, size, 64);
}

void pool_give_size(struct state_pool *p, void *piece, size_t size)
{
    if (size <= POOL_FRAME) {
        pool_give(p, piece, order_of(size));
    } else {
        p->taken -= size;
        budget_give(p, size);
        mem_free(p->mem, piece);
    }
}
