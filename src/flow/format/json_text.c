/* json_text.c - the grammar of json: strings, numbers, and values that nobody wants.
 *
 * Strings are looked through 32 bytes at a time for what can end or complicate them: a quote, a backslash, a control
 * character. Everything is checked as RFC 8259 says, also in values that are only skipped, so that a record is good or
 * bad whatever columns are asked for. Recursion is none: skipping keeps the kinds of the open brackets in one word.
 *
 * Reads go up to 31 bytes beyond rd->end; what is found there is not believed. */
#include "flow/format/json.h"

#include "flow/format/utf8_check.h"

#include <stdarg.h>
#include <stdio.h>

static const char hint_record[] = "correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it";

const char *json_fault(struct json_reader *rd, const char *at, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_append_text(report_begin(rd->report), text);
    rd->fault_at = MIN(at, rd->end);
    rd->fault_hint = hint_record;
    rd->is_soft = false;
    return NULL;
}

const char *json_unexpected(struct json_reader *rd, const char *at, const char *expected)
{
    size_t size = 1;

    if (at >= rd->end)
        return json_fault(rd, rd->end, "expected %s, but the record ends here; it may be cut off", expected);
    while (size < 16 && at + size < rd->end && ((unsigned char)at[size] & 0xc0) == 0x80) size++; /* a whole character */
    json_fault(rd, at, "expected %s, found ", expected);
    report_quote(&rd->report->reason, (struct str){at, size});
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \uXXXX: the four digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t value = 0;

    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* p stands behind a backslash. */
static const char *escape_skip(struct json_reader *rd, const char *p)
{
    if (p >= rd->end) return json_fault(rd, p, "the record ends inside a string; it may be cut off");
    if (*p == 'u')
        return hex4(p + 1, rd->end) >= 0 ? p + 5 : json_fault(rd, p - 1, "\\u without four hexadecimal digits");
    if (*p && memchr("\"\\/bfnrt", *p, 8)) return p + 1;
    json_fault(rd, p - 1, "a backslash before ");
    report_quote(&rd->report->reason, (struct str){p, 1});
    buf_append_text(&rd->report->reason, " means nothing in json");
    return NULL;
}

const char *json_string_read(struct json_reader *rd, const char *p, struct json_string *out)
{
    const char *start = p, *stop;
    uint32_t high = 0;

    out->has_escapes = false;
    while (stop = json_string_stop(p, rd->end, &high), LIKELY(stop < rd->end) && *stop == '\\') {
        out->has_escapes = true;
        if (!(p = escape_skip(rd, stop + 1))) return NULL;
    }
    if (UNLIKELY(stop >= rd->end)) return json_fault(rd, rd->end, "the record ends inside a string; it may be cut off");
    if (UNLIKELY(*stop != '"'))
        return json_fault(rd, stop, "control character 0x%02x in a string; json wants it escaped",
                          (unsigned char)*stop);
    out->raw = (struct str){start, (size_t)(stop - start)};
    if (UNLIKELY(high)) {
        size_t bad = utf8_bad_at(start, out->raw.size);
        if (bad < out->raw.size)
            return json_fault(rd, start + bad, "byte 0x%02x is not valid UTF-8", (unsigned char)start[bad]);
    }
    return stop + 1;
}

static char *utf8_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* *p stands at the u of an escape that was checked; *c is the character, surrogates joined. */
static bool unicode_read(struct json_reader *rd, const char **p, const char *end, uint32_t *c)
{
    const char *at = *p;
    uint32_t first = (uint32_t)hex4(at + 1, end), second;

    *p += 5;
    *c = first;
    if (first < 0xd800 || first > 0xdfff) return true;
    if (first < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        second = (uint32_t)hex4(*p + 2, end);
        if (second >= 0xdc00 && second <= 0xdfff) {
            *p += 6;
            *c = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return true;
        }
    }
    json_fault(rd, at - 1, "\\u%04x is half of a surrogate pair, alone", first);
    return false;
}

bool json_unescape(struct json_reader *rd, const struct json_string *s, char *out, size_t *size)
{
    const char *p = s->raw.data, *end = p + s->raw.size;
    char *start = out;

    while (p < end) {
        const char *backslash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((backslash ? backslash : end) - p);
        uint32_t c;
        memmove(out, p, plain);
        out += plain;
        if (!backslash) break;
        p = backslash + 1;
        switch (*p) {
        case 'b': *out++ = '\b', p++; break;
        case 'f': *out++ = '\f', p++; break;
        case 'n': *out++ = '\n', p++; break;
        case 'r': *out++ = '\r', p++; break;
        case 't': *out++ = '\t', p++; break;
        case 'u':
            if (!unicode_read(rd, &p, end, &c)) return false;
            out = utf8_put(out, c);
            break;
        default: *out++ = *p++; break;
        }
    }
    *size = (size_t)(out - start);
    ASSERT_ROW(*size <= s->raw.size);
    return true;
}

static const char *digits_skip(const char *p, const char *end)
{
    while (p < end && (unsigned)(*p - '0') < 10) p++;
    return p;
}

const char *json_number_end(struct json_reader *rd, const char *p)
{
    const char *end = rd->end, *start = p, *digits;

    p += p < end && *p == '-';
    digits = p;
    p = digits_skip(p, end);
    if (p == digits) return json_unexpected(rd, p, *start == '-' ? "a digit" : "a value");
    if (*digits == '0' && p - digits > 1) return json_fault(rd, digits, "a number must not begin with 0");
    if (p < end && *p == '.') {
        digits = ++p;
        p = digits_skip(p, end);
        if (p == digits) return json_unexpected(rd, p, "a digit");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        digits = p;
        p = digits_skip(p, end);
        if (p == digits) return json_unexpected(rd, p, "a digit");
    }
    return p;
}

static const char *literal_skip(struct json_reader *rd, const char *p)
{
    static const struct str literals[] = {{"true", 4}, {"false", 5}, {"null", 4}};

    for (size_t i = 0; i < COUNT_OF(literals); i++) {
        struct str l = literals[i];
        if ((size_t)(rd->end - p) >= l.size && memcmp(p, l.data, l.size) == 0) return p + l.size;
    }
    return json_unexpected(rd, p, "a value");
}

/* A value that holds no others. */
static const char *scalar_skip(struct json_reader *rd, const char *p)
{
    struct json_string s;

    if (p >= rd->end) return json_unexpected(rd, p, "a value");
    if (*p == '"') return json_string_read(rd, p + 1, &s);
    if (*p == '-' || (*p >= '0' && *p <= '9')) return json_number_end(rd, p);
    return literal_skip(rd, p);
}

/* The key of a member and its colon, up to the value. */
static const char *key_skip(struct json_reader *rd, const char *p)
{
    struct json_string s;

    p = json_space_skip(p, rd->end);
    if (p >= rd->end || *p != '"') return json_unexpected(rd, p, "a field name in quotes");
    if (!(p = json_string_read(rd, p + 1, &s))) return NULL;
    p = json_space_skip(p, rd->end);
    return p < rd->end && *p == ':' ? p + 1 : json_unexpected(rd, p, "':'");
}

/* Open brackets: bit 0 is the innermost, 1 = object. */
struct brackets {
    uint64_t kinds;
    uint32_t depth;
};

/* Behind a value inside brackets: closes all that close here and stops at the next value. depth 0: all is closed. */
static const char *brackets_go_on(struct json_reader *rd, const char *p, struct brackets *b)
{
    while (b->depth) {
        bool is_object = b->kinds & 1;
        p = json_space_skip(p, rd->end);
        if (p < rd->end && *p == ',') return is_object ? key_skip(rd, p + 1) : p + 1;
        if (p >= rd->end || *p != (is_object ? '}' : ']'))
            return json_unexpected(rd, p, is_object ? "',' or '}'" : "',' or ']'");
        p++;
        b->depth--;
        b->kinds >>= 1;
    }
    return p;
}

const char *json_value_skip(struct json_reader *rd, const char *p)
{
    struct brackets b = {0};

    do {
        p = json_space_skip(p, rd->end);
        if (p < rd->end && (*p == '{' || *p == '[')) {
            bool is_object = *p == '{';
            const char *inside = json_space_skip(p + 1, rd->end);
            if (b.depth == FORMAT_DEPTH_MAX)
                return json_fault(rd, p, "nesting is deeper than %d levels", FORMAT_DEPTH_MAX);
            b.kinds = b.kinds << 1 | is_object;
            b.depth++;
            if (inside >= rd->end || *inside != (is_object ? '}' : ']')) {
                p = is_object ? key_skip(rd, inside) : inside;
                continue;
            }
            p = inside;
            p++;
            b.depth--;
            b.kinds >>= 1;
        } else {
            p = scalar_skip(rd, p);
        }
        if (p) p = brackets_go_on(rd, p, &b);
    } while (p && b.depth);
    return p;
}

size_t json_compact(struct str text, char *out)
{
    char *start = out;
    bool in_string = false;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
        *out++ = c;
        if (c == '"') in_string = !in_string;
        else if (c == '\\') *out++ = text.data[++i]; /* only strings hold backslashes */
    }
    return (size_t)(out - start);
}
