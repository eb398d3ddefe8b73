/* squeeze.c - the adapter of LZ4. Its block format: the bytes say neither their size nor that of what they hold, so whoever keeps them
 * writes both down. Not here: checksums. */
#include "ground/base/squeeze.h"

#include <lz4.h>

bool squeeze(struct str in, struct buf *out)
{
    if (in.size < 2 || in.size > (size_t)LZ4_MAX_INPUT_SIZE) return false;
    buf_reserve(out, in.size);
    int n = LZ4_compress_default(in.data, out->data + out->size, (int)in.size, (int)in.size - 1);
    if (n <= 0) return false;
    out->size += (size_t)n;
    return true;
}

bool unsqueeze(struct str packed, char *to, size_t size)
{
    if (packed.size > (size_t)LZ4_MAX_INPUT_SIZE || size > (size_t)LZ4_MAX_INPUT_SIZE) return false;
    int n = LZ4_decompress_safe(packed.data, to, (int)packed.size, (int)size);
    return n >= 0 && (size_t)n == size;
}
