/* hash.c - XXH3 by the xxHash library's header, CRC32C by the processor, SHA-256 and its HMAC by OpenSSL. */
#include "ground/base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash64(const void *bytes, size_t size) { return XXH3_64bits(bytes, size); }
uint64_t hash64_seeded(const void *bytes, size_t size, uint64_t seed) { return XXH3_64bits_withSeed(bytes, size, seed); }

#ifdef __SSE4_2__
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint64_t c = ~crc;

    for (; size >= 8; p += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    for (; size > 0; p++, size--) c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return ~(uint32_t)c;
}
#else
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    /* the remainders of the sixteen values of four bits, by the reflected polynomial 0x82F63B78 */
    static const uint32_t remainders[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
                                            0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
    const unsigned char *p = bytes;

    crc = ~crc;
    for (; size > 0; p++, size--) {
        crc ^= *p;
        crc = (crc >> 4) ^ remainders[crc & 15];
        crc = (crc >> 4) ^ remainders[crc & 15];
    }
    return ~crc;
}
#endif

void sha256_of(const void *bytes, size_t size, struct sha256 *out)
{
    unsigned int length = 0;
    int done = EVP_Digest(bytes, size, out->bytes, &length, EVP_sha256(), NULL);

    ASSERT(done == 1 && length == sizeof out->bytes);
}

void sha256_hmac(struct str key, const void *bytes, size_t size, struct sha256 *out)
{
    unsigned int length = 0;
    const void *done = HMAC(EVP_sha256(), key.size > 0 ? key.data : "", (int)key.size, bytes, size, out->bytes, &length);

    ASSERT(done != NULL && length == sizeof out->bytes);
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b) { return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0; }

void sha256_hex(const struct sha256 *digest, char out[static 65])
{
    for (size_t i = 0; i < sizeof digest->bytes; i++) snprintf(out + 2 * i, 3, "%02x", digest->bytes[i]);
}
