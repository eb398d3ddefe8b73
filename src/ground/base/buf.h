/* buf.h - a growable run of bytes. */
#pragma once
#include "ground/base/mem.h"

struct buf {
    struct mem *mem;
    char *data; /* NULL while empty */
    size_t size, capacity;
};

void buf_init(struct buf *b, struct mem *mem);
void buf_release(struct buf *b);
/* What it holds belongs to `to` from now on, as it lies; the buffer is empty and without memory. */
struct str buf_give(struct buf *b, struct mem *to);
static inline void buf_clear(struct buf *b) { b->size = 0; }
void buf_reserve(struct buf *b, size_t more);               /* room for `more` further bytes */
void buf_append(struct buf *b, const void *bytes, size_t size);
void buf_append_text(struct buf *b, const char *text);
void buf_append_byte(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buf_text(struct buf *b); /* NUL-terminated view; the NUL is not counted */
