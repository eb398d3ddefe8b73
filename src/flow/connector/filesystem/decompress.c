/* decompress.c - streams of gzip members and zstd frames, any number of them behind each other, as the usual tools write
 * them when files are joined. The libraries' memory comes from the given mem. */
#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_createDCtx_advanced: the library's memory is ours to give */
#include "flow/connector/filesystem/decompress.h"

#include "ground/base/str.h"

#include <limits.h>
#include <zlib.h>
#include <zstd.h>

enum { GZIP_WINDOW = 15 + 16, ZSTD_WINDOW_LOG_MAX = 27 };

struct decompressor {
    enum compression kind;
    const char *name;
    struct mem *mem;
    z_stream zlib;
    ZSTD_DCtx *zstd;
    bool in_frame;      /* a member or frame has begun and not ended */
    uint64_t taken;     /* bytes of input so far */
};

enum compression compression_of(const char *path)
{
    struct str p = str_of(path);

    if (str_ends(p, STR(".gz")) || str_ends(p, STR(".gzip"))) return COMPRESSION_GZIP;
    if (str_ends(p, STR(".zst")) || str_ends(p, STR(".zstd"))) return COMPRESSION_ZSTD;
    return COMPRESSION_NONE;
}

static void *zlib_get(void *mem, unsigned count, unsigned size) { return mem_alloc(mem, (size_t)count * size); }
static void zlib_put(void *mem, void *p) { mem_free(mem, p); }
static void *zstd_get(void *mem, size_t size) { return mem_alloc(mem, size); }

struct decompressor *decompressor_create(enum compression kind, const char *name, struct mem *mem)
{
    struct decompressor *d = mem_zalloc(mem, sizeof *d);

    ASSERT(kind != COMPRESSION_NONE);
    d->kind = kind;
    d->name = name;
    d->mem = mem;
    if (kind == COMPRESSION_GZIP) {
        d->zlib = (z_stream){.zalloc = zlib_get, .zfree = zlib_put, .opaque = mem};
        int failed = inflateInit2(&d->zlib, GZIP_WINDOW);
        ASSERT(failed == Z_OK); /* memory is always there */
    } else {
        d->zstd = ZSTD_createDCtx_advanced((ZSTD_customMem){zstd_get, zlib_put, mem});
        ASSERT(d->zstd != NULL);
        ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    }
    return d;
}

void decompressor_free(struct decompressor *d)
{
    if (d == NULL) return;
    if (d->kind == COMPRESSION_GZIP) inflateEnd(&d->zlib);
    else ZSTD_freeDCtx(d->zstd);
    mem_free(d->mem, d);
}

static enum status damaged(const struct decompressor *d, uint64_t at, const char *what, struct err *e)
{
    const char *kind = d->kind == COMPRESSION_GZIP ? "gzip" : "zstd";

    err_set(e, E_DATA, "'%s': damaged %s data at byte %llu: %s", d->name, kind, (unsigned long long)at, what);
    err_hint(e, "copy the file again; the name of one that is not compressed may not end in .%s",
             d->kind == COMPRESSION_GZIP ? "gz" : "zst");
    return E_DATA;
}

static enum status gzip_run(struct decompressor *d, struct str in, size_t *in_used, void *out, size_t out_size,
                            size_t *out_got, struct err *e)
{
    z_stream *z = &d->zlib;

    z->next_in = (unsigned char *)(uintptr_t)in.data;
    z->avail_in = (unsigned)MIN(in.size, (size_t)UINT_MAX);
    z->next_out = out;
    z->avail_out = (unsigned)MIN(out_size, (size_t)UINT_MAX);
    if (in.size > 0) d->in_frame = true;
    int result = d->in_frame ? inflate(z, Z_NO_FLUSH) : Z_BUF_ERROR; /* without input too: it may hold output back */
    *in_used = (size_t)((const char *)z->next_in - in.data);
    *out_got = (size_t)((char *)z->next_out - (char *)out);
    if (result == Z_STREAM_END) {
        d->in_frame = false;
        inflateReset(z);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return damaged(d, d->taken + *in_used, z->msg != NULL ? z->msg : "not gzip", e);
    }
    return S_OK;
}

static enum status zstd_run(struct decompressor *d, struct str in, size_t *in_used, void *out, size_t out_size,
                            size_t *out_got, struct err *e)
{
    ZSTD_inBuffer from = {in.data, in.size, 0};
    ZSTD_outBuffer to = {out, out_size, 0};
    size_t result = ZSTD_decompressStream(d->zstd, &to, &from);

    *in_used = from.pos;
    *out_got = to.pos;
    if (ZSTD_isError(result)) return damaged(d, d->taken + from.pos, ZSTD_getErrorName(result), e);
    if (from.pos > 0 || to.pos > 0) d->in_frame = result != 0;
    return S_OK;
}

enum status decompressor_run(struct decompressor *d, struct str in, bool at_end, size_t *in_used, void *out,
                             size_t out_size, size_t *out_got, struct err *e)
{
    ASSERT(out_size > 0);
    *in_used = *out_got = 0;
    TRY(d->kind == COMPRESSION_GZIP ? gzip_run(d, in, in_used, out, out_size, out_got, e)
                                    : zstd_run(d, in, in_used, out, out_size, out_got, e));
    d->taken += *in_used;
    if (!at_end || *in_used < in.size || *out_got > 0 || !d->in_frame) return S_OK;
    err_set(e, E_DATA, "'%s' ends too early, after %llu bytes: the compressed data goes on", d->name,
            (unsigned long long)d->taken);
    err_hint(e, "the file was cut; copy it again");
    return E_DATA;
}
