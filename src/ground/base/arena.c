/* arena.c - bump allocation in chunks. A reset goes back to the first chunk and keeps all of them, so an arena that has
 * seen its largest step never allocates again. Chunks double up to 1 MiB; larger requests get a chunk of their own. Under
 * AddressSanitizer what is not handed out is poisoned, so that a use after the reset is caught like a use after free. */
#include "ground/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK_FIRST = 16 * 1024, CHUNK_MAX = 1024 * 1024 };

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
#endif

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used; /* of the payload */
};
_Static_assert(sizeof(struct arena_chunk) <= 32, "the payload begins 32 bytes in");
enum { CHUNK_HEADER = 32 };

static char *payload_of(struct arena_chunk *c) { return (char *)c + CHUNK_HEADER; }

void arena_init(struct arena *a, struct mem *mem, size_t chunk_size)
{
    *a = (struct arena){.mem = mem, .chunk_size = chunk_size != 0 ? chunk_size : CHUNK_FIRST};
}

void arena_release(struct arena *a)
{
    for (struct arena_chunk *c = a->first, *next; c != NULL; c = next) {
        next = c->next;
        ASAN_UNPOISON_MEMORY_REGION(payload_of(c), c->size);
        mem_free(a->mem, c);
    }
    a->first = a->current = NULL;
    a->used = 0;
}

void arena_reset(struct arena *a)
{
    if (a->used == 0) return;
    for (struct arena_chunk *c = a->first; c != NULL; c = c->next) {
        ASAN_POISON_MEMORY_REGION(payload_of(c), c->used);
        c->used = 0;
    }
    a->current = a->first;
    a->used = 0;
}

static struct arena_chunk *chunk_for(struct arena *a, size_t size)
{
    while (a->current != NULL && a->current->size - a->current->used < size) {
        if (a->current->next == NULL) break;
        a->current = a->current->next;
    }
    if (a->current != NULL && a->current->size - a->current->used >= size) return a->current;
    size_t payload = MAX(size, a->chunk_size);
    struct arena_chunk *c = mem_alloc(a->mem, CHUNK_HEADER + payload);
    *c = (struct arena_chunk){.size = payload};
    ASAN_POISON_MEMORY_REGION(payload_of(c), payload);
    if (a->chunk_size < CHUNK_MAX) a->chunk_size *= 2;
    if (a->current != NULL) a->current->next = c;
    else a->first = c;
    return a->current = c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t rounded = ALIGN_UP(MAX(size, (size_t)1), 16);
    struct arena_chunk *c = chunk_for(a, rounded);
    char *p = payload_of(c) + c->used;

    ASAN_UNPOISON_MEMORY_REGION(p, size);
    c->used += rounded;
    a->used += rounded;
    ASSERT_ROW(c->used <= c->size);
    return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);

    return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *text, size_t size)
{
    char *p = arena_alloc(a, size + 1);

    if (size > 0) memcpy(p, text, size);
    p[size] = '\0';
    return p;
}

char *arena_strdup(struct arena *a, const char *text) { return arena_strndup(a, text, strlen(text)); }

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(size >= 0);
    char *p = arena_alloc(a, (size_t)size + 1);
    vsnprintf(p, (size_t)size + 1, format, again);
    va_end(again);
    return p;
}
