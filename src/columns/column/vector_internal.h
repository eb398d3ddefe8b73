/* vector_internal.h - runs of rows and of validity bits, for the files of vector, batch and rowconv. */
#pragma once
#include "columns/column/vector.h"

/* Switches validity on; every row is valid then. Asserts a nullable type. */
void vector_nulls_on(struct vector *v);

static inline uint64_t bits_mask(uint32_t count) /* 1..64 */
{
    return ~UINT64_C(0) >> (64 - count);
}

/* Bits at..at+count as the low bits of a word; count 1..64. */
static inline uint64_t bits_read(const uint64_t *bits, uint32_t at, uint32_t count)
{
    uint32_t shift = at & 63;
    uint64_t word = bits[at >> 6] >> shift;

    if (shift + count > 64) word |= bits[(at >> 6) + 1] << (64 - shift);
    return word & bits_mask(count);
}

static inline void bits_write(uint64_t *bits, uint32_t at, uint32_t count, uint64_t word)
{
    uint32_t shift = at & 63;
    uint64_t mask = bits_mask(count), *low = &bits[at >> 6];

    *low = (*low & ~(mask << shift)) | (word & mask) << shift;
    if (shift + count > 64) {
        uint64_t *high = low + 1;
        *high = (*high & ~(mask >> (64 - shift))) | (word & mask) >> (64 - shift);
    }
}

static inline void bits_fill(uint64_t *bits, uint32_t at, uint32_t count, bool value)
{
    for (uint32_t n; count > 0; at += n, count -= n) {
        n = MIN(count, 64 - (at & 63));
        bits_write(bits, at, n, value ? ~UINT64_C(0) : 0);
    }
}
