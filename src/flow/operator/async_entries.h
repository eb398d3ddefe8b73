/* async_entries.h - the entries of an asynchronous sink: a buffer with two ends, and what requests took out of it. */
#pragma once
#include "columns/column/rowconv.h"

struct entry_chunk;

/* In the buffer or in a request; its values lie in a chunk, which it holds. */
struct entry {
    struct entry_chunk *chunk;
    uint32_t row;
    int64_t bytes;
};

struct entry_buffer {
    struct mem *mem;
    const struct type *schema;
    const struct rowconv *conv;
    struct entry *items; /* a ring */
    uint32_t first, count, capacity;
    int64_t bytes; /* of all that wait */
    struct entry_chunk *open, *spare;
};

void entries_init(struct entry_buffer *b, const struct type *schema, const struct rowconv *conv, struct mem *mem);
void entries_release(struct entry_buffer *b); /* no entry is held outside */
/* Copies a struct to the end. E_DATA when a nested value of it has too many elements. */
enum status entries_add(struct entry_buffer *b, const void *row, int64_t bytes) CHECKED;
void entries_put_front(struct entry_buffer *b, struct entry e); /* and its hold of the chunk */
struct entry entries_first(const struct entry_buffer *b);       /* stays */
struct entry entries_take(struct entry_buffer *b);
void entry_hold(struct entry e); /* once more */
void entry_drop(struct entry_buffer *b, struct entry e);
/* Structs of entries that were taken; strings lie in the chunks, nested values in `items`. */
void entries_read(struct entry_buffer *b, const struct entry *e, uint32_t count, char *structs, struct arena *items);
