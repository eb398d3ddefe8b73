/* text_fast.h - strings from text to references without looking at single bytes. What is read beyond the text is not kept. */
#pragma once
#include "columns/column/vector.h"
#include "flow/format/scan_block.h"

/* Copies in steps of 32 bytes: reads and writes up to 31 beyond. */
SCAN_INLINE void copy_steps(char *to, const char *from, size_t size)
{
    for (size_t at = 0; at < size; at += 32) memcpy(to + at, from + at, 32);
}

/* A reference to at most 12 bytes: reads 16. */
SCAN_INLINE struct text text_inline(const char *s, size_t size)
{
    uint64_t first = load64(s), second = load64(s + 8);
    struct text t = {.size = (uint32_t)size};

    if (size < 8) {
        first &= (UINT64_C(1) << (8 * size)) - 1;
        second = 0;
    } else {
        second &= (UINT64_C(1) << (8 * (size - 8))) - 1;
    }
    memcpy(t.prefix, &first, 4);
    first = first >> 32 | second << 32;
    memcpy(t.rest, &first, 8);
    return t;
}
