/* config_properties.c - a file of Java's properties as keys and values, by the rules of Properties.load: `key=value`, `key:value`
 * or `key value`, comments behind '#' and '!', a backslash at the end of a line goes on in the next one, \t \n \r \f \uXXXX, and
 * any other character behind a backslash is itself. Unlike there the bytes are UTF-8. Bounds: those of config_read_file.
 *
 * One pass: a piece (key or value) is read to its end with its escapes resolved; only a newline that is not escaped ends it. */
#include "control/config.h"

#include "ground/base/buf.h"
#include "ground/base/str.h"

#include <string.h>

struct reader {
    const char *at, *end, *path;
    uint32_t line; /* of `at`, from 1 */
    struct buf key, value;
    struct err *e;
};

static bool is_newline(char c) { return c == '\n' || c == '\r'; }
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

static void skip_newline(struct reader *r)
{
    r->at += r->end - r->at >= 2 && r->at[0] == '\r' && r->at[1] == '\n' ? 2 : 1;
    r->line++;
}

/* Blanks, also over the end of a line that goes on. */
static void skip_blanks(struct reader *r)
{
    while (r->at < r->end) {
        if (is_blank(*r->at)) {
            r->at++;
        } else if (*r->at == '\\' && r->end - r->at >= 2 && is_newline(r->at[1])) {
            r->at++;
            skip_newline(r);
        } else {
            return;
        }
    }
}

static enum status refuse(struct reader *r, const char *why)
{
    return err_set(r->e, E_DATA, "%s:%u: %s", r->path, r->line, why);
}

static bool read_four_digits(struct reader *r, uint32_t *out)
{
    *out = 0;
    if (r->end - r->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        char c = *r->at++, small = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            *out = *out * 16 + (uint32_t)(c - '0');
        else if (small >= 'a' && small <= 'f')
            *out = *out * 16 + (uint32_t)(small - 'a') + 10;
        else
            return false;
    }
    return true;
}

static void append_utf8(struct buf *to, uint32_t c)
{
    if (c < 0x80) {
        buf_append_byte(to, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_append_byte(to, (char)(0xC0 | c >> 6));
    } else {
        if (c < 0x10000)
            buf_append_byte(to, (char)(0xE0 | c >> 12));
        else
            buf_append_byte(to, (char)(0xF0 | c >> 18));
        if (c >= 0x10000) buf_append_byte(to, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_append_byte(to, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    buf_append_byte(to, (char)(0x80 | (c & 0x3F)));
}

/* Behind "\u". What lies beyond 16 bits is written as two of them. */
static enum status read_unicode(struct reader *r, struct buf *to)
{
    uint32_t c, low;

    if (!read_four_digits(r, &c)) return refuse(r, "\\u needs four hexadecimal digits behind it");
    if (c >= 0xD800 && c < 0xE000) {
        bool is_pair = c < 0xDC00 && r->end - r->at >= 2 && r->at[0] == '\\' && r->at[1] == 'u';
        r->at += is_pair ? 2 : 0;
        if (!is_pair || !read_four_digits(r, &low) || low < 0xDC00 || low >= 0xE000)
            return refuse(r, "\\u with half of a surrogate pair is no character");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    if (c == 0) return refuse(r, "the character 0 cannot be part of a text");
    append_utf8(to, c);
    return S_OK;
}

static enum status read_escape(struct reader *r, struct buf *to)
{
    if (++r->at == r->end) return S_OK;
    char c = *r->at;
    if (is_newline(c)) {
        skip_newline(r);
        skip_blanks(r);
        return S_OK;
    }
    r->at++;
    if (c == 'u') return read_unicode(r, to);
    buf_append_byte(to, (char)(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c));
    return S_OK;
}

static enum status read_piece(struct reader *r, struct buf *to, bool is_key)
{
    buf_clear(to);
    while (r->at < r->end && !is_newline(*r->at)) {
        char c = *r->at;
        if (is_key && (c == '=' || c == ':' || is_blank(c))) break;
        if (c == '\\') {
            TRY(read_escape(r, to));
            continue;
        }
        if (c == '\0') return refuse(r, "the character 0 cannot be part of a text");
        buf_append_byte(to, c);
        r->at++;
    }
    if (!str_is_utf8((struct str){to->data, to->size})) return refuse(r, "the text is not UTF-8");
    return S_OK;
}

/* One logical line, which begins here and is neither blank nor a comment. */
static enum status read_line(struct reader *r)
{
    TRY(read_piece(r, &r->key, true));
    skip_blanks(r);
    if (r->at < r->end && (*r->at == '=' || *r->at == ':')) {
        r->at++;
        skip_blanks(r);
    }
    return read_piece(r, &r->value, false);
}

static enum status read_all(struct reader *r, struct config *c)
{
    while (skip_blanks(r), r->at < r->end) {
        if (is_newline(*r->at)) {
            skip_newline(r);
        } else if (*r->at == '#' || *r->at == '!') {
            while (r->at < r->end && !is_newline(*r->at)) r->at++;
        } else {
            const char *place = arena_printf(c->arena, "%s:%u", r->path, r->line);
            TRY(read_line(r));
            config_set_from(c, buf_text(&r->key), buf_text(&r->value), place);
        }
    }
    return S_OK;
}

enum status config_read_properties(struct config *c, struct sys *sys, const char *path, struct err *e)
{
    struct reader r = {.path = path, .line = 1, .e = e};
    struct buf bytes;

    ASSERT(path != NULL);
    buf_init(&bytes, c->arena->mem);
    buf_init(&r.key, c->arena->mem);
    buf_init(&r.value, c->arena->mem);
    enum status st = config_read_file(sys, path, &bytes, e);
    if (st == S_OK && bytes.size > 0) {
        r.at = bytes.data;
        r.end = bytes.data + bytes.size;
        st = read_all(&r, c);
    }
    buf_release(&bytes);
    buf_release(&r.key);
    buf_release(&r.value);
    return st;
}
