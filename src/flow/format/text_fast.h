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
    struct text t;
#ifdef __AVX2__
    static const uint8_t keep[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    __m128i bytes =
        _mm_and_si128(_mm_loadu_si128((const __m128i *)s), _mm_loadu_si128((const __m128i *)(keep + 16 - size)));
    _mm_storeu_si128((__m128i *)&t, _mm_insert_epi32(_mm_slli_si128(bytes, 4), (int)size, 0));
#else
    memset(&t, 0, sizeof t);
    t.size = (uint32_t)size;
    memcpy(t.prefix, s, size);
#endif
    return t;
}
