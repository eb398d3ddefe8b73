/* scan_block.h - 64 bytes at a time as bit masks: bit i says something of byte i. The portable forms are always there,
 * so that a test can compare them with the AVX2 ones; scanners take the pair as a constant and are inlined over it. */
#pragma once
#include "ground/base/base.h"

#include <string.h>
#if defined(__AVX2__) || defined(__BMI__)
#include <immintrin.h>
#endif

#define SCAN_INLINE static inline __attribute__((always_inline))

SCAN_INLINE uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

/* The top bit of every byte of w that is zero. */
SCAN_INLINE uint64_t zero_bytes(uint64_t w)
{
    uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    return ~(((w & low) + low) | w | low);
}

/* Top bits of the eight bytes gathered into eight bits, byte 0 lowest. */
SCAN_INLINE uint64_t top_bits(uint64_t w)
{
    return (((w >> 7) & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080)) >> 56;
}

SCAN_INLINE uint64_t portable_equal(const char *p, char c)
{
    uint64_t mask = 0, pattern = (uint8_t)c * UINT64_C(0x0101010101010101);
    for (unsigned i = 0; i < 8; i++) mask |= top_bits(zero_bytes(load64(p + 8 * i) ^ pattern)) << (8 * i);
    return mask;
}

SCAN_INLINE uint64_t portable_high(const char *p)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 8; i++) mask |= top_bits(load64(p + 8 * i)) << (8 * i);
    return mask;
}

#ifdef __AVX2__
SCAN_INLINE uint64_t avx2_bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

SCAN_INLINE __m256i avx2_load(const char *p) { return _mm256_loadu_si256((const __m256i *)p); }

SCAN_INLINE uint64_t avx2_equal(__m256i low, __m256i high, char c)
{
    __m256i pattern = _mm256_set1_epi8(c);
    return avx2_bits(_mm256_cmpeq_epi8(low, pattern), _mm256_cmpeq_epi8(high, pattern));
}
#endif

/* Index of the lowest set bit; 64 when there is none. */
SCAN_INLINE uint32_t bits_first(uint64_t bits)
{
#ifdef __BMI__
    return (uint32_t)_tzcnt_u64(bits);
#else
    return bits ? (uint32_t)__builtin_ctzll(bits) : 64;
#endif
}

/* Bit i = parity of the bits 0..i: from marks at both ends of stretches to the stretches. */
SCAN_INLINE uint64_t prefix_xor(uint64_t bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}
