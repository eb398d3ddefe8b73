/* fn_hash.c - MD5, SHA-1 and the SHA-2 family over the bytes of a text, as lower-case hexadecimal digits. The digests are
 * OpenSSL's, by digest.c; this file chooses one and writes it down. */
#include "columns/function/fn_kernels.h"

#include "ground/base/digest.h"

static void put_digest(const struct fn_run *r, const struct vector *const *args, struct vector *out, uint32_t row,
                       enum digest_kind kind)
{
    static const char digits[] = "0123456789abcdef";
    struct digest d;
    struct str s = fn_str(args[0], row);
    char text[2 * DIGEST_SIZE_MAX];

    digest_of(r->state, kind, s.data, s.size, &d);
    for (uint32_t i = 0; i < d.size; i++) {
        text[2 * i] = digits[d.bytes[i] >> 4];
        text[2 * i + 1] = digits[d.bytes[i] & 15];
    }
    fn_put(r, out, row, (struct str){text, (size_t)2 * d.size});
}

#define DIGEST_KERNEL(NAME, KIND)                                                                                      \
    static void NAME(const struct fn_run *r, const struct vector *const *args, struct vector *out)                     \
    {                                                                                                                  \
        FN_EACH_VALID(r, args, 1, i) put_digest(r, args, out, i, KIND);                                                \
    }
DIGEST_KERNEL(md5_text, DIGEST_MD5)
DIGEST_KERNEL(sha1_text, DIGEST_SHA1)
DIGEST_KERNEL(sha224_text, DIGEST_SHA224)
DIGEST_KERNEL(sha256_text, DIGEST_SHA256)
DIGEST_KERNEL(sha384_text, DIGEST_SHA384)
DIGEST_KERNEL(sha512_text, DIGEST_SHA512)

/* The length in bits says which; false when there is no such member of the family. */
static bool sha2_kind(int32_t bits, enum digest_kind *out)
{
    switch (bits) {
    case 224: *out = DIGEST_SHA224; return true;
    case 256: *out = DIGEST_SHA256; return true;
    case 384: *out = DIGEST_SHA384; return true;
    case 512: *out = DIGEST_SHA512; return true;
    default: return false;
    }
}

static void sha2_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    enum digest_kind kind;

    FN_EACH_VALID(r, args, 2, i)
    {
        if (sha2_kind(VECTOR_VALUES(args[1], int32_t)[vector_at(args[1], i)], &kind))
            put_digest(r, args, out, i, kind);
        else
            row_error(r->errors, i, FN_BAD_ARGUMENT, "SHA2 has lengths of 224, 256, 384 and 512 bits");
    }
}

static void *hash_open(const struct fn_call *c, struct mem *mem)
{
    (void)c;
    return digester_create(mem);
}

static void hash_close(void *state, struct mem *mem) { digester_free(state, mem); }

#define EXAMPLES(...)                                                                                                  \
    (const struct fn_example[])                                                                                        \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
#define OF_TEXT(LENGTH, KERNEL)                                                                                        \
    .flags = FN_COSTLY, .open = hash_open, .close = hash_close, .overloads = (const struct fn_overload[])              \
    {                                                                                                                  \
        {"STRING -> CHAR(" LENGTH ")", KERNEL}, { 0 }                                                                  \
    }
static const struct fn_def functions[] = {
    {.name = "MD5",
     .doc = "MD5 digest, 32 digits",
     .examples = EXAMPLES({"MD5('abc')", "900150983cd24fb0d6963f7d28e17f72"}),
     OF_TEXT("32", md5_text)},
    {.name = "SHA1",
     .doc = "SHA-1 digest, 40 digits",
     .examples = EXAMPLES({"SHA1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"}),
     OF_TEXT("40", sha1_text)},
    {.name = "SHA224",
     .doc = "SHA-224 digest, 56 digits",
     .examples = EXAMPLES({"SHA224('abc')", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"}),
     OF_TEXT("56", sha224_text)},
    {.name = "SHA256",
     .doc = "SHA-256 digest, 64 digits",
     .examples = EXAMPLES({"SHA256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}),
     OF_TEXT("64", sha256_text)},
    {.name = "SHA384",
     .doc = "SHA-384 digest, 96 digits",
     .examples = EXAMPLES(
         {"SHA384('abc')",
          "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"}),
     OF_TEXT("96", sha384_text)},
    {.name = "SHA512",
     .doc = "SHA-512 digest, 128 digits",
     .examples = EXAMPLES({"SHA512('abc')", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"}),
     OF_TEXT("128", sha512_text)},
    {.name = "SHA2",
     .doc = "digest of the SHA-2 family of 224, 256, 384 or 512 bits",
     .flags = FN_COSTLY | FN_MAY_FAIL,
     .open = hash_open,
     .close = hash_close,
     .examples = EXAMPLES({"SHA2('abc', 224)", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"}),
     .overloads = (const struct fn_overload[]){{"STRING, INT -> VARCHAR(128)", sha2_text}, {0}}},
    {0},
};

const struct fn_type fn_hash = {
    .name = "hash", .doc = "digests of texts", .example = "SHA256('abc')", .functions = functions};
