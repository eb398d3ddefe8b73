/* codec.h - writing and reading encoded bytes: varints, fixed little-endian, length-prefixed text. The reader is
 * bounded and sticky: after the first failure everything reads as zero and dec_ok answers false. */
#pragma once
#include "ground/base/buf.h"

void enc_u8(struct buf *b, uint8_t v);
void enc_u32(struct buf *b, uint32_t v);  /* fixed, little endian */
void enc_u64(struct buf *b, uint64_t v);
void enc_varint(struct buf *b, uint64_t v);
void enc_zigzag(struct buf *b, int64_t v);
void enc_f64(struct buf *b, double v);
void enc_str(struct buf *b, struct str s); /* varint length, bytes */
void enc_text(struct buf *b, const char *text); /* NULL is written as length 0 */

struct dec {
    const uint8_t *at, *end;
    bool failed;
};

void dec_init(struct dec *d, const void *bytes, size_t size);
uint8_t dec_u8(struct dec *d);
uint32_t dec_u32(struct dec *d);
uint64_t dec_u64(struct dec *d);
uint64_t dec_varint(struct dec *d);
int64_t dec_zigzag(struct dec *d);
double dec_f64(struct dec *d);
struct str dec_str(struct dec *d, size_t size_max); /* view into the input */
static inline bool dec_ok(const struct dec *d) { return !d->failed; }
static inline size_t dec_left(const struct dec *d) { return (size_t)(d->end - d->at); }
