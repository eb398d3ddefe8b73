/* pool.h - memory of one state host in frames of 16 KiB, cut from huge-page regions; smaller pieces in powers of two.
 * Internal to flow/state. Frames are taken and given back without going to the allocator in steady state. */
#pragma once
#include "ground/base/mem.h"

struct state_budget;

enum {
    POOL_FRAME = 16 * 1024,
    POOL_PIECE_MIN = 64,
    POOL_FRAME_ORDER = 8, /* pieces of 64 B << order; order 8 is a frame */
    POOL_KEEP_BYTES = 1024 * 1024, /* free pieces kept per order below the frame */
};

struct pool_piece {
    struct pool_piece *next;
};

struct state_pool {
    struct mem *mem;
    struct pool_piece *free_pieces[POOL_FRAME_ORDER + 1];
    uint32_t free_counts[POOL_FRAME_ORDER + 1];
    char *region_at, *region_end; /* what is left of the newest region */
    void **regions;
    uint32_t region_count, region_capacity;
    size_t region_bytes;          /* size of the next region */
    size_t taken;                 /* bytes of what is in use */
    size_t idle;                  /* of these, bytes of entries and blocks that are free, in pieces that are not */
    struct pool_ahead *ahead;     /* pool_ahead.c; NULL: nobody is */
    size_t taken_max;             /* 0: as many as there are */
    size_t budgeted;              /* bytes that count there */
    struct state_budget *budget;  /* of the pools of a job together; NULL: there is none */
};

struct state_pool *pool_create(struct mem *mem);
void pool_free(struct state_pool *p); /* everything taken was given back before, or is lost with it */
/* A piece of 64 B << order, 64-byte aligned, not cleared. */
void *pool_take(struct state_pool *p, uint32_t order);
void pool_give(struct state_pool *p, void *piece, uint32_t order);
/* Any size: a piece up to a frame, a block of its own above. Give back with the same size. */
void *pool_take_size(struct state_pool *p, size_t size);
void pool_give_size(struct state_pool *p, void *piece, size_t size);
/* Bytes that can be had without passing the limit of the mem, the budget, and taken_max; SIZE_MAX without a limit. */
size_t pool_room(const struct state_pool *p);
