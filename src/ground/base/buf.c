/* buf.c - a growable run of bytes; capacity doubles. */
#include "ground/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, struct mem *mem) { *b = (struct buf){.mem = mem}; }

void buf_release(struct buf *b)
{
    mem_free(b->mem, b->data);
    b->data = NULL;
    b->size = b->capacity = 0;
}

struct str buf_give(struct buf *b, struct mem *to)
{
    struct str bytes = {b->data, b->size};

    if (b->data != NULL) mem_give(b->mem, b->data, to);
    buf_init(b, b->mem);
    return bytes;
}

void buf_reserve(struct buf *b, size_t more)
{
    size_t wanted = b->size + more, capacity = MAX(b->capacity, (size_t)64);

    ASSERT(b->mem != NULL);
    if (b->capacity >= wanted) return;
    while (capacity < wanted) capacity *= 2;
    b->data = mem_realloc(b->mem, b->data, capacity);
    b->capacity = capacity;
}

void buf_append(struct buf *b, const void *bytes, size_t size)
{
    if (size == 0) return;
    buf_reserve(b, size);
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

void buf_append_text(struct buf *b, const char *text) { buf_append(b, text, strlen(text)); }

void buf_append_byte(struct buf *b, char c)
{
    buf_reserve(b, 1);
    b->data[b->size++] = c;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(size >= 0);
    buf_reserve(b, (size_t)size + 1);
    vsnprintf(b->data + b->size, (size_t)size + 1, format, again);
    va_end(again);
    b->size += (size_t)size;
}

const char *buf_text(struct buf *b)
{
    buf_reserve(b, 1);
    b->data[b->size] = '\0';
    return b->data;
}
