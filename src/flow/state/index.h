/* index.h - looking into one bucket. Internal to flow/state. */
#pragma once
#include "flow/state/hashmap.h"

#include <immintrin.h>

/* From bits that the bucket (the top ones of the low half) hardly uses; the upper half may be the same for many keys. Never 0. */
static inline uint8_t tag_of(uint64_t hash)
{
    uint8_t tag = (uint8_t)hash;

    return tag ? tag : 1;
}

/* Bit i set: place i has this tag. */
static inline uint32_t bucket_match(const struct bucket *k, uint8_t tag)
{
    __m128i tags = _mm_loadu_si128((const __m128i *)(const void *)k);

    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) & ((1U << BUCKET_SLOTS) - 1);
}
