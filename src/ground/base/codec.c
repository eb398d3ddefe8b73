/* codec.c - encoded bytes out and in; see codec.h. Varints are LEB128, at most ten bytes; signed ones are zigzag. */
#include "ground/base/codec.h"

#include <string.h>

void enc_u8(struct buf *b, uint8_t v) { buf_append(b, &v, 1); }

void enc_u32(struct buf *b, uint32_t v)
{
    unsigned char bytes[4];

    for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(v >> (8 * i));
    buf_append(b, bytes, sizeof bytes);
}

void enc_u64(struct buf *b, uint64_t v)
{
    enc_u32(b, (uint32_t)v);
    enc_u32(b, (uint32_t)(v >> 32));
}

void enc_varint(struct buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) enc_u8(b, (uint8_t)(v | 0x80));
    enc_u8(b, (uint8_t)v);
}

void enc_zigzag(struct buf *b, int64_t v) { enc_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63)); }

void enc_f64(struct buf *b, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    enc_u64(b, bits);
}

void enc_str(struct buf *b, struct str s)
{
    enc_varint(b, s.size);
    buf_append(b, s.data, s.size);
}

void enc_text(struct buf *b, const char *text) { enc_str(b, (struct str){text, text != NULL ? strlen(text) : 0}); }

void dec_init(struct dec *d, const void *bytes, size_t size)
{
    const uint8_t *first = bytes != NULL ? bytes : (const uint8_t *)"";

    ASSERT(bytes != NULL || size == 0);
    *d = (struct dec){.at = first, .end = first + size};
}

static const uint8_t *take(struct dec *d, size_t size)
{
    if (d->failed || dec_left(d) < size) {
        d->failed = true;
        return NULL;
    }
    const uint8_t *p = d->at;
    d->at += size;
    return p;
}

uint8_t dec_u8(struct dec *d)
{
    const uint8_t *p = take(d, 1);

    return p != NULL ? *p : 0;
}

uint32_t dec_u32(struct dec *d)
{
    const uint8_t *p = take(d, 4);

    return p != NULL ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

uint64_t dec_u64(struct dec *d)
{
    uint64_t low = dec_u32(d);

    return low | (uint64_t)dec_u32(d) << 32;
}

uint64_t dec_varint(struct dec *d)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = dec_u8(d);
        if (shift == 63 && byte > 1) break;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return d->failed ? 0 : v;
    }
    d->failed = true;
    return 0;
}

int64_t dec_zigzag(struct dec *d)
{
    uint64_t v = dec_varint(d);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

double dec_f64(struct dec *d)
{
    uint64_t bits = dec_u64(d);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

struct str dec_str(struct dec *d, size_t size_max)
{
    uint64_t size = dec_varint(d);

    if (size > size_max) d->failed = true;
    const uint8_t *p = take(d, (size_t)size);
    return p != NULL ? (struct str){(const char *)p, (size_t)size} : (struct str){NULL, 0};
}
