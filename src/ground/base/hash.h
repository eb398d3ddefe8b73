/* hash.h - hashes. hash64 is the canonical one (XXH3, seed 0): it is a format, key groups and savepoints depend on it. */
#pragma once
#include "ground/base/base.h"

uint64_t hash64(const void *bytes, size_t size);
uint64_t hash64_seeded(const void *bytes, size_t size, uint64_t seed);
/* XXH3 of the 8 bytes of v, little endian: equal to hash64(&v, 8), inlined because key hashing is a hot loop. */
static inline uint64_t hash64_u64(uint64_t v)
{
    /* XXH3_len_4to8_64b with seed 0; the secret's bytes 8..23 give the flip */
    uint64_t keyed = ((v >> 32) | (v << 32)) ^ (UINT64_C(0x1cad21f72c81017c) ^ UINT64_C(0xdb979083e96dd4de));
    keyed ^= ((keyed << 49) | (keyed >> 15)) ^ ((keyed << 24) | (keyed >> 40));
    keyed *= UINT64_C(0x9FB21C651E98DF25);
    keyed ^= (keyed >> 35) + 8;
    keyed *= UINT64_C(0x9FB21C651E98DF25);
    return keyed ^ (keyed >> 28);
}
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size); /* start with 0 */

struct sha256 {
    unsigned char bytes[32];
};
void sha256_of(const void *bytes, size_t size, struct sha256 *out);
/* HMAC-SHA256: who knows the key has said these bytes. */
void sha256_hmac(struct str key, const void *bytes, size_t size, struct sha256 *out);
bool sha256_equal(const struct sha256 *a, const struct sha256 *b); /* takes as long whatever they are */
void sha256_hex(const struct sha256 *digest, char out[static 65]);
