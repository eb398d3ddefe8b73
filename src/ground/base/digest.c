/* digest.c - digests by OpenSSL's libcrypto. Methods are looked up when they are first asked for, and kept: a look-up costs more
 * than the digest of a short text. */
#include "ground/base/digest.h"

#include <openssl/evp.h>

struct digester {
    EVP_MD_CTX *cx;
    EVP_MD *methods[DIGEST_COUNT];
};

struct digester *digester_create(struct mem *mem)
{
    struct digester *d = mem_zalloc(mem, sizeof *d);

    d->cx = EVP_MD_CTX_new();
    ASSERT(d->cx != NULL);
    return d;
}

void digester_free(struct digester *d, struct mem *mem)
{
    if (d == NULL) return;
    EVP_MD_CTX_free(d->cx);
    for (int i = 0; i < DIGEST_COUNT; i++) EVP_MD_free(d->methods[i]);
    mem_free(mem, d);
}

static EVP_MD *method_of(struct digester *d, enum digest_kind kind)
{
    static const char *const names[] = {
        [DIGEST_MD5] = "MD5",         [DIGEST_SHA1] = "SHA1",       [DIGEST_SHA224] = "SHA2-224",
        [DIGEST_SHA256] = "SHA2-256", [DIGEST_SHA384] = "SHA2-384", [DIGEST_SHA512] = "SHA2-512"};

    ASSERT(kind < DIGEST_COUNT);
    if (d->methods[kind] == NULL) d->methods[kind] = EVP_MD_fetch(NULL, names[kind], NULL);
    ASSERT(d->methods[kind] != NULL); /* only a libcrypto in FIPS mode lacks one */
    return d->methods[kind];
}

void digest_of(struct digester *d, enum digest_kind kind, const void *bytes, size_t size, struct digest *out)
{
    unsigned int length = 0;
    bool done = EVP_DigestInit_ex(d->cx, method_of(d, kind), NULL) == 1 && EVP_DigestUpdate(d->cx, bytes, size) == 1 &&
                EVP_DigestFinal_ex(d->cx, out->bytes, &length) == 1;

    ASSERT(done && length <= sizeof out->bytes);
    out->size = length;
}
