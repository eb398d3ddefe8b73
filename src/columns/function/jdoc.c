/* jdoc.c - JSON text to nodes, by the rules of Jackson as Flink sets it: RFC 8259, the first value of a text, at most 1,000 deep.
 *
 * Recursion is bounded by that depth. Texts without escapes point into the input; others are copied once, into room that is made
 * before reading, because a text without its escapes is never longer. */
#include "columns/function/jdoc.h"

#include <string.h>

struct jreader {
    struct jdoc *d;
    const char *at, *end;
    uint32_t depth;
};

void jdoc_init(struct jdoc *d, struct mem *mem)
{
    *d = (struct jdoc){.mem = mem};
    buf_init(&d->bytes, mem);
    buf_init(&d->digits, mem);
}

void jdoc_release(struct jdoc *d)
{
    buf_release(&d->bytes);
    buf_release(&d->digits);
    mem_free(d->mem, d->nodes);
    mem_free(d->mem, d->order);
}

static void skip_blanks(struct jreader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

static uint32_t node_add(struct jdoc *d, struct str key)
{
    if (d->count == d->capacity) {
        d->capacity = MAX(64u, d->capacity * 2);
        d->nodes = mem_realloc(d->mem, d->nodes, sizeof *d->nodes * d->capacity);
    }
    d->nodes[d->count] = (struct jnode){.key = key, .next = d->count + 1};
    return d->count++;
}

/* --- strings ----------------------------------------------------------------------------------------------------- */
static bool read_hex4(const char *at, const char *end, uint32_t *out)
{
    *out = 0;
    if (end - at < 4) return false;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0) return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

static void point_append(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_append_byte(out, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    buf_append_byte(out, (char)(leads[more] | c >> (6 * more)));
    for (; more > 0; more--) buf_append_byte(out, (char)(0x80 | (c >> (6 * (more - 1)) & 0x3F)));
}

/* The point behind "\u": a pair of surrogates is one; a lone one becomes U+FFFD. */
static bool read_point(struct jreader *r, struct buf *out)
{
    uint32_t c, low;

    if (!read_hex4(r->at, r->end, &c)) return false;
    r->at += 4;
    if (c >= 0xD800 && c < 0xDC00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u' &&
        read_hex4(r->at + 2, r->end, &low) && low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        r->at += 6;
    }
    point_append(out, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
    return true;
}

static bool read_escape(struct jreader *r, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = r->at < r->end && *r->at != '\0' ? strchr(from, *r->at) : NULL;

    if (r->at < r->end && *r->at == 'u') {
        r->at++;
        return read_point(r, out);
    }
    if (found == NULL) return false;
    buf_append_byte(out, to[found - from]);
    r->at++;
    return true;
}

/* Behind the opening quote; ends behind the closing one. */
static bool read_string(struct jreader *r, struct str *out)
{
    const char *from = r->at;
    struct buf *bytes = &r->d->bytes;

    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20) r->at++;
    if (r->at < r->end && *r->at == '"') {
        *out = (struct str){from, (size_t)(r->at++ - from)};
        return true;
    }
    size_t start = bytes->size;
    buf_append(bytes, from, (size_t)(r->at - from));
    while (r->at < r->end && *r->at != '"') {
        char c = *r->at++;
        if ((unsigned char)c < 0x20) return false;
        if (c != '\\')
            buf_append_byte(bytes, c);
        else if (!read_escape(r, bytes))
            return false;
    }
    if (r->at == r->end) return false;
    r->at++;
    *out = (struct str){bytes->data + start, bytes->size - start};
    return true;
}

/* --- scalars ----------------------------------------------------------------------------------------------------- */
static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

static bool read_number(struct jreader *r, struct jnode *n)
{
    const char *from = r->at, *digits = from + (*from == '-'), *at = skip_digits(digits, r->end);

    if (at == digits || (*digits == '0' && at - digits > 1)) return false;
    n->kind = J_INT;
    if (at < r->end && *at == '.') {
        n->kind = J_REAL;
        digits = at + 1;
        at = skip_digits(digits, r->end);
        if (at == digits) return false;
    }
    if (at < r->end && (*at == 'e' || *at == 'E')) {
        n->kind = J_REAL;
        digits = at + 1;
        if (digits < r->end && (*digits == '+' || *digits == '-')) digits++;
        at = skip_digits(digits, r->end);
        if (at == digits) return false;
    }
    n->text = (struct str){from, (size_t)(at - from)};
    r->at = at;
    return r->depth > 0 || at == r->end || *at == ' ' || *at == '\t' || *at == '\n' || *at == '\r';
}

static bool read_word(struct jreader *r, struct jnode *n)
{
    static const struct {
        const char *word;
        enum jkind kind;
    } words[] = {{"null", J_NULL}, {"true", J_TRUE}, {"false", J_FALSE}};
    struct str rest = {r->at, (size_t)(r->end - r->at)};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!str_starts(rest, str_of(words[i].word))) continue;
        n->kind = (uint8_t)words[i].kind;
        r->at += strlen(words[i].word);
        char next = r->at < r->end ? *r->at : ' ';
        return !((next | 32) >= 'a' && (next | 32) <= 'z') && !(next >= '0' && next <= '9') && next != '_' &&
               next != '$' && (unsigned char)next < 0x80;
    }
    return false;
}

/* --- values ------------------------------------------------------------------------------------------------------ */
static bool read_value(struct jreader *r, struct str key);

static bool read_member(struct jreader *r, bool object)
{
    struct str key = {0};

    skip_blanks(r);
    if (!object) return read_value(r, key);
    if (r->at == r->end || *r->at++ != '"' || !read_string(r, &key)) return false;
    skip_blanks(r);
    if (r->at == r->end || *r->at++ != ':') return false;
    return read_value(r, key);
}

/* Behind the opening bracket. */
static bool read_members(struct jreader *r, bool object)
{
    char close = object ? '}' : ']';

    skip_blanks(r);
    if (r->at < r->end && *r->at == close) {
        r->at++;
        return true;
    }
    while (read_member(r, object)) {
        skip_blanks(r);
        if (r->at == r->end) return false;
        char c = *r->at++;
        if (c == close) return true;
        if (c != ',') return false;
    }
    return false;
}

static bool read_value(struct jreader *r, struct str key)
{
    uint32_t node = node_add(r->d, key);

    skip_blanks(r);
    if (r->at == r->end) return false;
    char c = *r->at;
    if (c == '{' || c == '[') {
        r->d->nodes[node].kind = c == '{' ? J_OBJECT : J_ARRAY;
        r->at++;
        if (++r->depth > JDOC_DEPTH_MAX || !read_members(r, c == '{')) return false;
        r->depth--;
        r->d->nodes[node].next = r->d->count;
        return true;
    }
    if (c == '"') {
        r->d->nodes[node].kind = J_STRING;
        r->at++;
        return read_string(r, &r->d->nodes[node].text);
    }
    return c == '-' || (c >= '0' && c <= '9') ? read_number(r, &r->d->nodes[node]) : read_word(r, &r->d->nodes[node]);
}

bool jdoc_read(struct jdoc *d, struct str text)
{
    struct jreader r = {.d = d, .at = text.data, .end = text.data + text.size};

    d->count = 0;
    buf_clear(&d->bytes);
    buf_reserve(&d->bytes, text.size + 1);
    bool read = text.size > 0 && read_value(&r, (struct str){0});
    d->end = (size_t)(r.at - text.data);
    return read;
}

uint32_t jdoc_member(const struct jdoc *d, uint32_t object, struct str key)
{
    uint32_t found = UINT32_MAX;

    JDOC_EACH(d, object, child)
    if (str_equal(d->nodes[child].key, key)) found = child;
    return found;
}
