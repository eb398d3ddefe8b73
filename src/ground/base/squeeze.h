/* squeeze.h - bytes made smaller for files and back, by LZ4: fast rather than small. */
#pragma once
#include "ground/base/buf.h"

/* Appends the packed bytes to out when they are fewer than those of in; else false, and out is as it was. */
bool squeeze(struct str in, struct buf *out) CHECKED;
/* Fills to[0..size) exactly; false: these are no packed bytes of that size. */
bool unsqueeze(struct str packed, char *to, size_t size) CHECKED;
/* So many bytes can at most come out of `packed` ones: who is told another size need not try. */
static inline bool unsqueeze_may(size_t packed, size_t size) { return size / 255 <= packed; }
