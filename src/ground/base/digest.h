/* digest.h - cryptographic digests, by name. Checksums of our own files are in hash.h. */
#pragma once
#include "ground/base/mem.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA224, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_COUNT };
enum { DIGEST_SIZE_MAX = 64 };

struct digest {
    uint32_t size;
    unsigned char bytes[DIGEST_SIZE_MAX];
};

/* Work space for one digest after another, of any kind: they cost no memory then. */
struct digester;
struct digester *digester_create(struct mem *mem);
void digester_free(struct digester *d, struct mem *mem); /* NULL is a no-op */
void digest_of(struct digester *d, enum digest_kind kind, const void *bytes, size_t size, struct digest *out);
