/* arena.h - allocation by lifetime: many small objects, freed together. Reset keeps the chunks for reuse. */
#pragma once
#include "ground/base/mem.h"

struct arena_chunk;

struct arena {
    struct mem *mem;
    struct arena_chunk *first, *current;
    size_t used;       /* bytes handed out since the last reset */
    size_t chunk_size; /* size of the next chunk */
};

void arena_init(struct arena *a, struct mem *mem, size_t chunk_size); /* chunk_size 0 = 16 KiB */
void arena_release(struct arena *a);
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull)); /* 16-byte aligned */
void *arena_zalloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *text, size_t size); /* result ends in NUL */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define ARENA_NEW(a, T) ((T *)arena_zalloc((a), sizeof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_zalloc((a), sizeof(T) * (size_t)(n)))
