/* block.h - bytes of varying size (long strings, chunks of lists, tree nodes), addressed by (segment, offset).
 * Internal to flow/state. A `struct segments` is the directory of one table; a `struct blocks` is what one namespace of it
 * holds, so that a namespace is dropped in O(segments). Blocks never move. */
#pragma once
#include "flow/state/pool.h"

struct state_ref {
    uint32_t segment, offset; /* segment 0 = none */
};

enum { BLOCK_CLASSES = 55, BLOCK_SLAB_MAX = 4096, BLOCK_LARGE = BLOCK_CLASSES };

struct blocks;

struct segment {
    uint32_t bytes;
    uint32_t live;         /* blocks in use */
    uint32_t bump;         /* offset of the part never used */
    uint32_t free_head;    /* offset + 1 of a free block, linked through its first word; 0 = none */
    uint32_t next, prev;   /* all segments of the namespace */
    uint32_t next_partial, prev_partial; /* those with room, by class; free segment numbers use next */
    uint8_t class;         /* BLOCK_LARGE: one block of its own */
    bool is_partial;
};

struct segments {
    struct state_pool *pool;
    char **base;           /* by segment number; [0] is NULL */
    struct segment *info;
    uint32_t count, capacity, free_number;
};

struct blocks {
    uint32_t partial[BLOCK_CLASSES];
    uint8_t order[BLOCK_CLASSES]; /* of the next segment */
    uint32_t first;
    uint64_t bytes; /* of its segments */
};

void segments_init(struct segments *s, struct state_pool *pool);
void segments_release(struct segments *s); /* after every blocks_release */
/* All zero is an empty struct blocks. */
void blocks_release(struct blocks *b, struct segments *s);
struct state_ref block_take(struct blocks *b, struct segments *s, size_t size); /* 8-byte aligned, not cleared; size > 0 */
void block_give(struct blocks *b, struct segments *s, struct state_ref ref);
uint32_t block_room(const struct segments *s, struct state_ref ref); /* bytes that fit the block */
static inline void *block_at(const struct segments *s, struct state_ref ref) { return s->base[ref.segment] + ref.offset; }
static inline uint64_t ref_word(struct state_ref ref) { return (uint64_t)ref.segment << 32 | ref.offset; }
static inline struct state_ref ref_of_word(uint64_t word) { return (struct state_ref){(uint32_t)(word >> 32), (uint32_t)word}; }
