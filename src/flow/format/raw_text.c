/* raw_text.c - ASCII, Latin-1 and UTF-16 to UTF-8 and back, a character at a time.
 *
 * Nothing is replaced: a character that the other side does not have is an error with its place. UTF-16 without a byte
 * order in its name is read by its mark, big end first when there is none, and written with a mark, as Java does. */
#include "flow/format/raw_text.h"

#include "flow/format/utf8_check.h"

static void utf8_append(uint32_t c, struct buf *out)
{
    char bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char leads[5] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n - 1; i > 0; i--, c >>= 6) bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(leads[n] | c);
    buf_append(out, bytes, n);
}

/* The character at s, which is valid UTF-8; *n its bytes. */
static uint32_t utf8_read(const unsigned char *s, size_t *n)
{
    uint32_t c = s[0];

    *n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (*n > 1) c &= 0x7fu >> *n;
    for (size_t i = 1; i < *n; i++) c = c << 6 | (s[i] & 0x3f);
    return c;
}

static uint32_t unit_read(const unsigned char *s, bool is_little)
{
    return is_little ? s[0] | (uint32_t)s[1] << 8 : s[1] | (uint32_t)s[0] << 8;
}

static bool utf16_decode(struct str text, bool is_little, size_t at, struct buf *out, size_t *bad)
{
    const unsigned char *s = (const unsigned char *)text.data;

    for (; at < text.size; at += 2) {
        uint32_t c, low;
        *bad = at;
        if (text.size - at < 2) return false;
        c = unit_read(s + at, is_little);
        if (c >= 0xd800 && c <= 0xdfff) {
            if (c > 0xdbff || text.size - at < 4) return false;
            low = unit_read(s + at + 2, is_little);
            if (low < 0xdc00 || low > 0xdfff) return false;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            at += 2;
        }
        utf8_append(c, out);
    }
    return true;
}

static bool utf16_marked_decode(struct str text, struct buf *out, size_t *bad)
{
    const unsigned char *s = (const unsigned char *)text.data;
    bool is_little = text.size >= 2 && s[0] == 0xff && s[1] == 0xfe,
         is_big = text.size >= 2 && s[0] == 0xfe && s[1] == 0xff;

    return utf16_decode(text, is_little, is_little || is_big ? 2 : 0, out, bad);
}

bool raw_text_decode(enum raw_charset charset, struct str text, struct buf *out, size_t *bad)
{
    switch (charset) {
    case RAW_UTF8:
        *bad = utf8_bad_at(text.data, text.size);
        buf_append(out, text.data, *bad);
        return *bad == text.size;
    case RAW_ASCII:
    case RAW_LATIN1:
        for (*bad = 0; *bad < text.size; ++*bad) {
            unsigned char c = (unsigned char)text.data[*bad];
            if (charset == RAW_ASCII && c > 0x7f) return false;
            utf8_append(c, out);
        }
        return true;
    case RAW_UTF16: return utf16_marked_decode(text, out, bad);
    case RAW_UTF16BE: return utf16_decode(text, false, 0, out, bad);
    case RAW_UTF16LE: return utf16_decode(text, true, 0, out, bad);
    }
    ASSERT(!"a charset of the list");
    return false;
}

static void unit_append(uint32_t unit, bool is_little, struct buf *out)
{
    buf_append_byte(out, (char)(is_little ? unit : unit >> 8));
    buf_append_byte(out, (char)(is_little ? unit >> 8 : unit));
}

static void utf16_append(uint32_t c, bool is_little, struct buf *out)
{
    if (c >= 0x10000) {
        unit_append(0xd800 + ((c - 0x10000) >> 10), is_little, out);
        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    unit_append(c, is_little, out);
}

bool raw_text_encode(enum raw_charset charset, struct str text, struct buf *out, size_t *bad)
{
    size_t n;

    ASSERT(charset <= RAW_UTF16LE);
    if (charset == RAW_UTF8) {
        if (text.size) buf_append(out, text.data, text.size);
        return true;
    }
    if (charset == RAW_UTF16 && text.size) unit_append(0xfeff, false, out);
    for (*bad = 0; *bad < text.size; *bad += n) {
        uint32_t c = utf8_read((const unsigned char *)text.data + *bad, &n);
        if (charset >= RAW_UTF16) utf16_append(c, charset == RAW_UTF16LE, out);
        else if (c > (charset == RAW_ASCII ? 0x7fu : 0xffu)) return false;
        else buf_append_byte(out, (char)c);
    }
    return true;
}
