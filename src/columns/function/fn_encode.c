/* fn_encode.c - text as bytes and back: TO_BASE64, FROM_BASE64, ENCODE, DECODE, IS_VALID_UTF8, MAKE_VALID_UTF8.
 *
 * The charsets are those that every Java has. As in Java, a character that a charset lacks becomes '?', and bytes that are no
 * character become U+FFFD: one for each run of bytes that begins a character but does not end one. */
#include "columns/function/fn_text.h"

#include "ground/base/str.h"

enum { REPLACEMENT = 0xFFFD };

/* --- UTF-8 with mistakes ------------------------------------------------------------------------------------------ */
/* Bytes of the character at `at`, or of the run that one U+FFFD stands for; *valid says which. */
static size_t run_at(struct str s, size_t at, bool *valid)
{
    const unsigned char *b = (const unsigned char *)s.data + at;
    size_t left = s.size - at, size = point_size(b[0]);
    unsigned low = b[0] == 0xE0 ? 0xA0 : b[0] == 0xF0 ? 0x90 : 0x80, high = b[0] == 0xF4 ? 0x8F : 0xBF;

    *valid = b[0] < 0x80;
    if (b[0] < 0xC2 || b[0] > 0xF4) return 1;
    for (size_t k = 1; k < size; k++) {
        if (k == left || b[k] < low || b[k] > high) return k;
        low = 0x80;
        high = 0xBF;
    }
    *valid = b[0] != 0xED || b[1] < 0xA0; /* half a surrogate pair is one mistake */
    return size;
}

void fn_put_repaired(const struct fn_run *r, struct vector *out, uint32_t row, struct str s)
{
    bool valid;

    if (str_is_utf8(s)) {
        fn_put(r, out, row, s);
        return;
    }
    char *bytes = fn_room(r, row, s.size * 3), *to = bytes;
    if (bytes == NULL) return;
    for (size_t at = 0, n; at < s.size; at += n) {
        n = run_at(s, at, &valid);
        if (valid)
            to = bytes_add(to, str_part(s, at, at + n));
        else
            to += point_put(to, REPLACEMENT);
    }
    fn_keep(out, row, bytes, (size_t)(to - bytes));
}

static void is_valid_utf8(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) VECTOR_VALUES(out, bool)[i] = str_is_utf8(fn_str(args[0], i));
}

static void make_valid_utf8(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i) fn_put_repaired(r, out, i, fn_str(args[0], i));
}

/* --- base 64 ------------------------------------------------------------------------------------------------------ */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void to_base64(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        size_t size = (s.size + 2) / 3 * 4;
        char *bytes = fn_room(r, i, size), *to = bytes;
        if (bytes == NULL) continue;
        const unsigned char *b = (const unsigned char *)s.data;
        for (size_t k = 0; k < s.size; k += 3, to += 4) {
            size_t left = s.size - k;
            uint32_t three = (uint32_t)b[k] << 16 | (left > 1 ? (uint32_t)b[k + 1] << 8 : 0) |
                             (left > 2 ? b[k + 2] : 0);
            to[0] = alphabet[three >> 18];
            to[1] = alphabet[three >> 12 & 63];
            to[2] = left > 1 ? alphabet[three >> 6 & 63] : '=';
            to[3] = left > 2 ? alphabet[three & 63] : '=';
        }
        fn_keep(out, i, bytes, size);
    }
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding may be missing, but not be there in part. Answers the size, or SIZE_MAX. */
static size_t base64_read(struct str s, char *to)
{
    size_t letters = s.size, n = 0;
    uint32_t bits = 0;

    if (s.size % 4 == 0)
        while (letters > 0 && s.size - letters < 2 && s.data[letters - 1] == '=') letters--;
    if (letters % 4 == 1) return SIZE_MAX;
    for (size_t k = 0; k < letters; k++) {
        int six = sextet(s.data[k]);
        if (six < 0) return SIZE_MAX;
        bits = bits << 6 | (uint32_t)six;
        if (k % 4 == 0) continue;
        to[n++] = (char)(bits >> (6 - 2 * (k % 4)));
    }
    return n;
}

static void from_base64(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        char *bytes = fn_room(r, i, s.size);
        if (bytes == NULL) continue;
        size_t size = base64_read(s, bytes);
        if (size == SIZE_MAX)
            row_error(r->errors, i, FN_BAD_TEXT, "the text is not in base 64");
        else
            fn_put_repaired(r, out, i, (struct str){bytes, size});
    }
}

/* --- charsets ----------------------------------------------------------------------------------------------------- */
enum charset { CS_NONE, CS_UTF8, CS_ASCII, CS_LATIN1, CS_UTF16, CS_UTF16BE, CS_UTF16LE };

static enum charset charset_of(struct str name)
{
    static const struct {
        const char *name;
        enum charset charset;
    } known[] = {{"UTF-8", CS_UTF8},       {"UTF8", CS_UTF8},         {"US-ASCII", CS_ASCII},
                 {"ASCII", CS_ASCII},      {"ISO-8859-1", CS_LATIN1}, {"ISO8859-1", CS_LATIN1},
                 {"ISO8859_1", CS_LATIN1}, {"LATIN1", CS_LATIN1},     {"UTF-16", CS_UTF16},
                 {"UTF16", CS_UTF16},      {"UTF-16BE", CS_UTF16BE},  {"UTF-16LE", CS_UTF16LE}};

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_equal_nocase(name, str_of(known[i].name))) return known[i].charset;
    return CS_NONE;
}
#define NO_CHARSET "there is no such charset here: take UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE or UTF-16LE"

static char *add_unit(char *to, uint32_t unit, bool little)
{
    to[little ? 1 : 0] = (char)(unit >> 8);
    to[little ? 0 : 1] = (char)unit;
    return to + 2;
}

static size_t encode_wide(struct str s, enum charset charset, char *bytes)
{
    bool little = charset == CS_UTF16LE;
    char *to = bytes;

    if (charset == CS_UTF16 && s.size > 0) to = add_unit(to, 0xFEFF, false);
    for (size_t at = 0, next; at < s.size; at = next) {
        uint32_t c = point_at(s, at, &next);
        if (c > 0xFFFF) to = add_unit(to, 0xD800 + ((c - 0x10000) >> 10), little);
        to = add_unit(to, c > 0xFFFF ? 0xDC00 + (c & 0x3FF) : c, little);
    }
    return (size_t)(to - bytes);
}

static size_t encode_narrow(struct str s, enum charset charset, char *bytes)
{
    uint32_t limit = charset == CS_ASCII ? 0x80 : 0x100;
    size_t n = 0;

    for (size_t at = 0, next; at < s.size; at = next) {
        uint32_t c = point_at(s, at, &next);
        bytes[n++] = c < limit ? (char)c : '?';
    }
    return n;
}

static void encode(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct str s = fn_str(args[0], i);
        enum charset charset = charset_of(fn_str(args[1], i));
        if (charset == CS_NONE) row_error(r->errors, i, FN_BAD_ARGUMENT, NO_CHARSET);
        if (charset == CS_UTF8) fn_put(r, out, i, s);
        if (charset <= CS_UTF8) continue;
        char *bytes = fn_room(r, i, s.size * 2 + 2);
        if (bytes == NULL) continue;
        fn_keep(out, i, bytes, charset >= CS_UTF16 ? encode_wide(s, charset, bytes) : encode_narrow(s, charset, bytes));
    }
}

static uint32_t unit_at(struct str s, size_t at, bool little)
{
    uint32_t a = (unsigned char)s.data[at], b = (unsigned char)s.data[at + 1];
    return little ? b << 8 | a : a << 8 | b;
}

/* UTF-16 begins with a mark that says which byte comes first; without one it is the high one. */
static size_t decode_wide(struct str s, enum charset charset, char *bytes)
{
    bool little = charset == CS_UTF16LE;
    size_t at = 0, n = 0;

    if (charset == CS_UTF16 && s.size >= 2 && (unit_at(s, 0, false) == 0xFEFF || unit_at(s, 0, true) == 0xFEFF)) {
        little = unit_at(s, 0, true) == 0xFEFF;
        at = 2;
    }
    for (; at + 2 <= s.size; at += 2) {
        uint32_t c = unit_at(s, at, little), low;
        if (c >= 0xD800 && c < 0xDC00 && at + 4 <= s.size && (low = unit_at(s, at + 2, little)) >= 0xDC00 &&
            low < 0xE000) {
            c = 0x10000 + ((c & 0x3FF) << 10) + (low & 0x3FF);
            at += 2;
        }
        n += point_put(bytes + n, c >= 0xD800 && c < 0xE000 ? REPLACEMENT : c);
    }
    if (at < s.size) n += point_put(bytes + n, REPLACEMENT);
    return n;
}

static size_t decode_narrow(struct str s, enum charset charset, char *bytes)
{
    size_t n = 0;

    for (size_t at = 0; at < s.size; at++) {
        unsigned char c = (unsigned char)s.data[at];
        n += point_put(bytes + n, c >= 0x80 && charset == CS_ASCII ? REPLACEMENT : c);
    }
    return n;
}

static void decode(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i)
    {
        struct str s = fn_str(args[0], i);
        enum charset charset = charset_of(fn_str(args[1], i));
        if (charset == CS_NONE) row_error(r->errors, i, FN_BAD_ARGUMENT, NO_CHARSET);
        if (charset == CS_UTF8) fn_put_repaired(r, out, i, s);
        if (charset <= CS_UTF8) continue;
        char *bytes = fn_room(r, i, s.size * 3 + 3);
        if (bytes == NULL) continue;
        fn_keep(out, i, bytes, charset >= CS_UTF16 ? decode_wide(s, charset, bytes) : decode_narrow(s, charset, bytes));
    }
}

static const struct fn_def functions[] = {
    {.name = "TO_BASE64",
     .doc = "the text's bytes in base 64",
     .examples = FN_EXAMPLES({"TO_BASE64('hello')", "aGVsbG8="}),
     .flags = FN_MAY_FAIL | FN_INJECTIVE,
     .overloads = FN_OVERLOADS({"STRING -> STRING", to_base64}, {"BYTES -> STRING", to_base64})},
    {.name = "FROM_BASE64",
     .doc = "the text behind base 64",
     .examples = FN_EXAMPLES({"FROM_BASE64('aGVsbG8=')", "hello"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING -> STRING", from_base64})},
    {.name = "ENCODE",
     .doc = "the text as bytes of a charset",
     .examples = FN_EXAMPLES({"ENCODE('abc', 'UTF-8')", "abc"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING, STRING -> BYTES", encode})},
    {.name = "DECODE",
     .doc = "bytes of a charset as text",
     .examples = FN_EXAMPLES({"DECODE(X'616263', 'UTF-8')", "abc"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"BYTES, STRING -> STRING", decode})},
    {.name = "IS_VALID_UTF8",
     .doc = "are the bytes UTF-8?",
     .examples = FN_EXAMPLES({"IS_VALID_UTF8(X'C3A4')", "TRUE"}, {"IS_VALID_UTF8(X'C3')", "FALSE"}),
     .overloads = FN_OVERLOADS({"BYTES -> BOOLEAN", is_valid_utf8})},
    {.name = "MAKE_VALID_UTF8",
     .doc = "the bytes as text; what is not UTF-8 becomes U+FFFD",
     .examples = FN_EXAMPLES({"MAKE_VALID_UTF8(X'61FF62')", "a\xEF\xBF\xBD"
                                                            "b"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"BYTES -> STRING", make_valid_utf8})},
    {0},
};

const struct fn_type fn_encode = {
    .name = "encode", .doc = "text as bytes and back", .example = "TO_BASE64('hello')", .functions = functions};
