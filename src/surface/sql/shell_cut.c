/* shell_cut.c - see the header. It knows quotes, comments and statement sets, whose inner semicolons end nothing; all else is the
 * parser's. */
#include "surface/sql/shell_cut.h"

#include "ground/base/str.h"

struct cutter {
    struct str text;
    size_t at;
    struct str word, before, older; /* the last words, the latest first */
    bool in_set;                    /* STATEMENT SET BEGIN was there, its END not */
};

static char peek(const struct cutter *c, size_t ahead) { return c->at + ahead < c->text.size ? c->text.data[c->at + ahead] : '\0'; }

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || ((unsigned char)c & 0x80) != 0;
}

/* Is there a comment at the cursor that ends? One that does not is a statement's mistake, or there is more to come. */
static bool at_whole_comment(const struct cutter *c)
{
    if (peek(c, 0) != '/' || peek(c, 1) != '*') return true;
    for (size_t i = c->at + 2; i + 1 < c->text.size; i++)
        if (c->text.data[i] == '*' && c->text.data[i + 1] == '/') return true;
    return false;
}

/* Behind the comment at the cursor; false: there is none. */
static bool skip_comment(struct cutter *c)
{
    if ((peek(c, 0) == '-' && peek(c, 1) == '-') || (peek(c, 0) == '/' && peek(c, 1) == '/')) {
        while (c->at < c->text.size && c->text.data[c->at] != '\n') c->at++;
        return true;
    }
    if (peek(c, 0) != '/' || peek(c, 1) != '*') return false;
    for (c->at += 2; c->at < c->text.size; c->at++)
        if (peek(c, 0) == '*' && peek(c, 1) == '/') {
            c->at += 2;
            return true;
        }
    return true;
}

static void skip_blank(struct cutter *c)
{
    for (;;) {
        char have = peek(c, 0);
        if (c->at < c->text.size && (have == ' ' || have == '\n' || have == '\t' || have == '\r' || have == ';')) c->at++;
        else if (peek(c, 1) == '*' && peek(c, 2) == '+') return; /* a hint */
        else if (!at_whole_comment(c) || !skip_comment(c)) return;
    }
}

static void skip_quoted(struct cutter *c, char quote)
{
    bool escapes = quote == '\'' && c->at > 0 && (c->text.data[c->at - 1] | 32) == 'e' && (c->at == 1 || !is_word(c->text.data[c->at - 2]));

    for (c->at++; c->at < c->text.size && c->text.data[c->at] != quote; c->at++)
        if (escapes && c->text.data[c->at] == '\\') c->at++;
    c->at = c->at < c->text.size ? c->at + 1 : c->text.size;
}

static void take_word(struct cutter *c)
{
    size_t from = c->at;

    while (c->at < c->text.size && is_word(c->text.data[c->at])) c->at++;
    c->older = c->before;
    c->before = c->word;
    c->word = (struct str){c->text.data + from, c->at - from};
    if (str_equal_nocase(c->word, STR("BEGIN")) && str_equal_nocase(c->before, STR("SET")) && str_equal_nocase(c->older, STR("STATEMENT")))
        c->in_set = true;
}

static void take_statement(struct cutter *c, struct shell_piece *out)
{
    while (c->at < c->text.size) {
        char have = peek(c, 0);
        if (have == '\'' || have == '`') skip_quoted(c, have);
        else if (is_word(have)) take_word(c);
        else if (!skip_comment(c)) c->at++;
        if (have == ';' && (!c->in_set || str_equal_nocase(c->word, STR("END")))) {
            out->is_whole = true;
            break;
        }
        if (have == ';') c->word = (struct str){0};
    }
    out->to = MIN(c->at, c->text.size);
}

static bool begins_line(const struct cutter *c)
{
    for (size_t i = c->at; i > 0 && c->text.data[i - 1] != '\n'; i--)
        if (c->text.data[i - 1] != ' ' && c->text.data[i - 1] != '\t') return false;
    return true;
}

bool shell_cut(struct str text, size_t at, struct shell_piece *out)
{
    struct cutter c = {.text = text, .at = at};

    skip_blank(&c);
    if (c.at >= text.size) return false;
    *out = (struct shell_piece){.from = c.at};
    char first = peek(&c, 0), next = peek(&c, 1);
    out->is_command = (first == '\\' || first == '.') && is_word(next) && !(next >= '0' && next <= '9') && begins_line(&c);
    if (!out->is_command) {
        take_statement(&c, out);
        return true;
    }
    while (c.at < text.size && text.data[c.at] != '\n') c.at++;
    out->to = c.at;
    out->is_whole = c.at < text.size;
    return true;
}
