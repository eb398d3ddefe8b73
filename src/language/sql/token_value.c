/* token_value.c - what quoted tokens mean: doubled quotes, C escapes of e'..', code points of U&'..', bytes of X'..'. */
#include "language/sql/token.h"

#include <string.h>

struct reader {
    const struct tokens *t;
    const struct token *token;
    struct str in; /* between the quotes */
    size_t at;
    char *out;
    size_t size;
    struct err *e;
};

static enum status bad(const struct reader *r, const char *why)
{
    return sql_error(r->e, r->t, r->token->at, r->token->size, "%s", why);
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads `digits` digits of the base; false when one is missing. */
static bool read_digits(struct reader *r, uint32_t digits, int base, uint32_t *out)
{
    *out = 0;
    for (uint32_t i = 0; i < digits; i++) {
        int d = r->at < r->in.size ? hex_of(r->in.data[r->at]) : -1;
        if (d < 0 || d >= base) return false;
        *out = *out * (uint32_t)base + (uint32_t)d;
        r->at++;
    }
    return true;
}

static enum status put_code_point(struct reader *r, uint32_t c)
{
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return bad(r, "an escape names no character");
    if (c < 0x80) {
        r->out[r->size++] = (char)c;
        return S_OK;
    }
    uint32_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    r->out[r->size++] = (char)(lead[more] | c >> (6 * more));
    while (more-- > 0) r->out[r->size++] = (char)(0x80 | (c >> (6 * more) & 0x3F));
    return S_OK;
}

/* e'..': the letter after a backslash. */
static enum status escape_c(struct reader *r)
{
    static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
    char c = r->at < r->in.size ? r->in.data[r->at++] : '\0';
    const char *simple = c != '\0' ? strchr(letters, c) : NULL;
    uint32_t code;

    if (simple != NULL) {
        r->out[r->size++] = values[simple - letters];
        return S_OK;
    }
    if (c == 'x' || c == 'u' || c == 'U') {
        if (!read_digits(r, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, &code)) return bad(r, "an escape lacks hexadecimal digits");
        return put_code_point(r, code);
    }
    if (c >= '0' && c <= '7') {
        r->at--;
        for (code = 0; r->at < r->in.size && code < 32 && r->in.data[r->at] >= '0' && r->in.data[r->at] <= '7'; r->at++)
            code = code * 8 + (uint32_t)(r->in.data[r->at] - '0');
        return put_code_point(r, code);
    }
    r->out[r->size++] = c;
    return S_OK;
}

/* U&'..': four hexadecimal digits, or + and six; a doubled backslash is one. */
static enum status escape_unicode(struct reader *r)
{
    uint32_t code;

    if (r->at < r->in.size && r->in.data[r->at] == '\\') {
        r->out[r->size++] = r->in.data[r->at++];
        return S_OK;
    }
    bool six = r->at < r->in.size && r->in.data[r->at] == '+';
    r->at += six;
    if (!read_digits(r, six ? 6 : 4, 16, &code)) return bad(r, "an escape of U&'..' has four hexadecimal digits, or + and six");
    return put_code_point(r, code);
}

static enum status read_bytes(struct reader *r)
{
    uint32_t byte;

    if (r->in.size % 2 != 0) return bad(r, "X'..' has an even number of hexadecimal digits");
    while (r->at < r->in.size) {
        if (!read_digits(r, 2, 16, &byte)) return bad(r, "X'..' holds hexadecimal digits only");
        r->out[r->size++] = (char)byte;
    }
    return S_OK;
}

static enum status read_text(struct reader *r, char quote, enum status (*escape)(struct reader *))
{
    while (r->at < r->in.size) {
        char c = r->in.data[r->at++];
        if (c == quote) r->at++; /* doubled: the lexer saw to it */
        if (c == '\\' && escape != NULL) TRY(escape(r));
        else r->out[r->size++] = c;
    }
    return S_OK;
}

enum status token_value(const struct tokens *t, const struct token *token, struct arena *a, struct str *out, struct err *e)
{
    struct str text = token_text(t, token);
    bool quoted = token->kind == TOKEN_STRING || token->kind == TOKEN_BYTES || token->quoted;

    *out = text;
    if (!quoted) return S_OK;
    size_t lead = 0;
    while (text.data[lead] != '\'' && text.data[lead] != '`') lead++;
    struct reader r = {.t = t, .token = token, .in = {text.data + lead + 1, text.size - lead - 2}, .e = e};
    r.out = arena_alloc(a, r.in.size + 1);
    if (token->kind == TOKEN_BYTES) TRY(read_bytes(&r));
    else if (lead == 2) TRY(read_text(&r, '\'', escape_unicode));
    else TRY(read_text(&r, text.data[lead], lead == 1 && (text.data[0] | 32) == 'e' ? escape_c : NULL));
    r.out[r.size] = '\0';
    *out = (struct str){r.out, r.size};
    return S_OK;
}
