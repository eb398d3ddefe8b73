/* utf8_check.c - validation of UTF-8 that answers with a place.
 *
 * ASCII is passed in blocks; each other character is checked by the table of the Unicode standard (3-7): the lead byte
 * says how many follow and within which bounds the second one must lie. It does not read beyond size. */
#include "flow/format/utf8_check.h"

#include "flow/format/scan_block.h"

/* Skips bytes below 0x80 from `at` on. */
static size_t ascii_skip(const char *data, size_t at, size_t size)
{
#ifdef __AVX2__
    for (; at + 32 <= size; at += 32) {
        uint32_t high = (uint32_t)_mm256_movemask_epi8(avx2_load(data + at));
        if (high) return at + (size_t)__builtin_ctz(high);
    }
#endif
    for (; at + 8 <= size; at += 8)
        if (load64(data + at) & UINT64_C(0x8080808080808080)) break;
    while (at < size && (unsigned char)data[at] < 0x80) at++;
    return at;
}

/* Bytes of the character at s, of which `left` may be read; 0 = none. */
static size_t character_size(const unsigned char *s, size_t left)
{
    unsigned low = 0x80, high = 0xbf;
    size_t n;

    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n > left) return 0;
    if (s[0] == 0xe0) low = 0xa0;
    else if (s[0] == 0xed) high = 0x9f;
    else if (s[0] == 0xf0) low = 0x90;
    else if (s[0] == 0xf4) high = 0x8f;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

size_t utf8_bad_at(const char *data, size_t size)
{
    size_t at = 0, n;

    for (;;) {
        at = ascii_skip(data, at, size);
        if (at == size) return size;
        do { /* foreign text seldom comes as one character */
            n = character_size((const unsigned char *)data + at, size - at);
            if (n == 0) return at;
            at += n;
        } while (at < size && (unsigned char)data[at] >= 0x80);
    }
}
