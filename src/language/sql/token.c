/* token.c - cutting a text into tokens. One pass, no copies: a token is a place in the text, and what a string or a quoted
 * name means is worked out when somebody asks (token_value.c).
 *
 * Invariants: tokens ascend and do not overlap; the last one is END at the text's size; bytes between tokens are white space
 * and comments. Nothing here knows of grammar, but that `/``*+` opens a hint and closes with a symbol of its own. */
#include "language/sql/token.h"

#include "ground/base/str.h"

#include <string.h>

struct cutter {
    struct tokens *t;
    struct arena *arena;
    uint32_t at, capacity;
    bool in_hint;
    struct err *e;
};

static char peek(const struct cutter *c, uint32_t ahead)
{
    return c->at + ahead < c->t->text.size ? c->t->text.data[c->at + ahead] : '\0';
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80; }
static bool is_name(char c) { return is_name_start(c) || is_digit(c) || c == '$' || c == '@'; }

static struct token *push(struct cutter *c, enum token_kind kind, uint32_t size)
{
    struct tokens *t = c->t;

    if (t->count == c->capacity) {
        struct token *more = ARENA_ARRAY(c->arena, struct token, c->capacity * 2);
        memcpy(more, t->items, sizeof *more * t->count);
        t->items = more;
        c->capacity *= 2;
    }
    t->items[t->count] = (struct token){.kind = (uint8_t)kind, .at = c->at, .size = size};
    c->at += size;
    return &t->items[t->count++];
}

/* Moves behind the next `close` after the `open` bytes at the front. */
static enum status skip_comment(struct cutter *c, uint32_t open, const char *close)
{
    uint32_t start = c->at;
    size_t width = strlen(close);

    for (c->at += open; c->at + width <= c->t->text.size; c->at++)
        if (memcmp(c->t->text.data + c->at, close, width) == 0) {
            c->at += (uint32_t)width;
            return S_OK;
        }
    c->at = (uint32_t)c->t->text.size;
    if (*close == '\n') return S_OK;
    return sql_error(c->e, c->t, start, open, "comment is not closed");
}

static enum status skip_blank(struct cutter *c)
{
    for (;;) {
        if (is_space(peek(c, 0))) c->at++;
        else if (peek(c, 0) == '-' && peek(c, 1) == '-') TRY(skip_comment(c, 2, "\n"));
        else if (peek(c, 0) == '/' && peek(c, 1) == '/') TRY(skip_comment(c, 2, "\n"));
        else if (peek(c, 0) == '/' && peek(c, 1) == '*' && peek(c, 2) != '+') TRY(skip_comment(c, 2, "*/"));
        else return S_OK;
    }
}

/* Size of a quoted run that starts `lead` bytes on; a doubled quote does not end it, nor one behind a backslash where escapes
 * count. 0: not closed. */
static uint32_t quoted_size(const struct cutter *c, uint32_t lead, bool escapes)
{
    char quote = peek(c, lead);

    for (uint32_t i = lead + 1; c->at + i < c->t->text.size; i++) {
        if (escapes && peek(c, i) == '\\') i++;
        else if (peek(c, i) != quote) continue;
        else if (peek(c, i + 1) == quote) i++;
        else return i + 1;
    }
    return 0;
}

static enum status cut_quoted(struct cutter *c, uint32_t lead, enum token_kind kind)
{
    bool escapes = lead == 1 && (peek(c, 0) == 'e' || peek(c, 0) == 'E');
    uint32_t size = quoted_size(c, lead, escapes);

    if (size == 0)
        return sql_error(c->e, c->t, c->at, lead + 1, kind == TOKEN_NAME ? "quoted name is not closed" : "string is not closed");
    if (kind == TOKEN_NAME && size == 2) return sql_error(c->e, c->t, c->at, 2, "a quoted name cannot be empty");
    push(c, kind, size)->quoted = kind == TOKEN_NAME;
    return S_OK;
}

static enum status cut_number(struct cutter *c)
{
    uint32_t n = 0;
    enum token_kind kind = TOKEN_INTEGER;

    while (is_digit(peek(c, n))) n++;
    if (peek(c, n) == '.') {
        kind = TOKEN_DECIMAL;
        for (n++; is_digit(peek(c, n)); n++) continue;
    }
    if (peek(c, n) == 'e' || peek(c, n) == 'E') {
        uint32_t sign = peek(c, n + 1) == '+' || peek(c, n + 1) == '-';
        if (is_digit(peek(c, n + 1 + sign))) {
            kind = TOKEN_DOUBLE;
            for (n += 1 + sign; is_digit(peek(c, n)); n++) continue;
        }
    }
    if (is_name_start(peek(c, n))) return sql_error(c->e, c->t, c->at, n + 1, "a number ends where a name begins");
    push(c, kind, n);
    return S_OK;
}

static enum status cut_word(struct cutter *c)
{
    uint32_t n = 1;

    while (is_name(peek(c, n))) n++;
    struct str word = {c->t->text.data + c->at, n};
    if (n == 1 && peek(c, 1) == '\'' && strchr("eEnN", word.data[0]) != NULL) return cut_quoted(c, 1, TOKEN_STRING);
    if (n == 1 && peek(c, 1) == '\'' && (word.data[0] == 'x' || word.data[0] == 'X')) return cut_quoted(c, 1, TOKEN_BYTES);
    if (n == 1 && peek(c, 1) == '&' && peek(c, 2) == '\'' && (word.data[0] == 'u' || word.data[0] == 'U'))
        return cut_quoted(c, 2, TOKEN_STRING);
    enum keyword k = keyword_find(word);
    push(c, k == KEYWORD_NONE ? TOKEN_NAME : TOKEN_KEYWORD, n)->keyword = (uint16_t)k;
    return S_OK;
}

static enum status cut_symbol(struct cutter *c)
{
    static const char *const pairs[] = {"<>", "<=", ">=", "!=", "||", "=>", "->", "::", ".."};

    if (peek(c, 0) == '/' && peek(c, 1) == '*' && peek(c, 2) == '+') {
        push(c, TOKEN_HINT, 3);
        c->in_hint = true;
        return S_OK;
    }
    if (c->in_hint && peek(c, 0) == '*' && peek(c, 1) == '/') {
        push(c, TOKEN_SYMBOL, 2);
        c->in_hint = false;
        return S_OK;
    }
    for (uint32_t i = 0; i < COUNT_OF(pairs); i++)
        if (peek(c, 0) == pairs[i][0] && peek(c, 1) == pairs[i][1]) {
            push(c, TOKEN_SYMBOL, 2);
            return S_OK;
        }
    if (strchr("()[]{},.;:?+-*/%=<>|", peek(c, 0)) == NULL || peek(c, 0) == '\0') {
        unsigned char odd = (unsigned char)peek(c, 0);
        if (odd < ' ') return sql_error(c->e, c->t, c->at, 1, "a byte %u cannot stand in a statement", odd);
        return sql_error(c->e, c->t, c->at, 1, "'%c' cannot stand here", odd);
    }
    push(c, TOKEN_SYMBOL, 1);
    return S_OK;
}

static enum status cut_one(struct cutter *c)
{
    char first = peek(c, 0);

    if (is_digit(first) || (first == '.' && is_digit(peek(c, 1)))) return cut_number(c);
    if (is_name_start(first)) return cut_word(c);
    if (first == '\'') return cut_quoted(c, 0, TOKEN_STRING);
    if (first == '`') return cut_quoted(c, 0, TOKEN_NAME);
    if (first == '"') {
        err_hint(c->e, "write names in `backticks` and text in 'single quotes'");
        return sql_error(c->e, c->t, c->at, 1, "double quotes mean nothing in this dialect");
    }
    return cut_symbol(c);
}

enum status tokens_cut(struct tokens *t, struct str text, const char *source, struct arena *a, struct err *e)
{
    return tokens_cut_from(t, text, source, 1, a, e);
}

enum status tokens_cut_from(struct tokens *t, struct str text, const char *source, uint32_t first_line, struct arena *a, struct err *e)
{
    struct cutter c = {.t = t, .arena = a, .capacity = 64, .e = e};

    *t = (struct tokens){.text = text, .source = source, .first_line = first_line};
    t->items = ARENA_ARRAY(a, struct token, c.capacity);
    if (text.size > SQL_TEXT_MAX)
        return err_set(e, E_DATA, "the text has %zu bytes; at most %d are taken at once", text.size, SQL_TEXT_MAX);
    t->text.size = str_utf8_prefix(text);
    if (t->text.size < text.size)
        return sql_error(e, t, (uint32_t)t->text.size, 1, "the text is not UTF-8: the byte 0x%02X cannot stand here",
                         (unsigned char)text.data[t->text.size]);
    for (;;) {
        TRY(skip_blank(&c));
        if (c.at >= text.size) break;
        TRY(cut_one(&c));
    }
    push(&c, TOKEN_END, 0);
    return S_OK;
}
