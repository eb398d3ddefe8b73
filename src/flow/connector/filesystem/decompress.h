/* decompress.h - gzip and zstd as streams of bytes. This is the one place that calls zlib and libzstd for files. */
#pragma once
#include "ground/base/err.h"
#include "ground/base/mem.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };
/* By the suffix: .gz, .gzip, .zst, .zstd. */
enum compression compression_of(const char *path);

struct decompressor;
struct decompressor *decompressor_create(enum compression kind, const char *name, struct mem *mem);
void decompressor_free(struct decompressor *d); /* NULL is a no-op */
/* Takes from in (*in_used bytes) and gives to out (*out_got bytes). Data that is damaged, or that ends too early when
 * `at_end` says that no more comes, is E_DATA with the position. */
enum status decompressor_run(struct decompressor *d, struct str in, bool at_end, size_t *in_used, void *out,
                             size_t out_size, size_t *out_got, struct err *e) CHECKED;
