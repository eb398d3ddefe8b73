/* lex.c - just enough C to know what is comment, what is code, what is included, and where functions begin and end.
 *
 * The idea: blank out comments and the insides of literals in place, so offsets stay true; blank out the preprocessor's
 * lines in a second copy; then a function is a brace at depth 0 whose declaration has a parenthesis and no '='.
 * It does not expand macros: a function made whole by a macro is not seen, a `TEST(name) {` is seen as `name`. */
#include "tidy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void blank(char *code, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (code[i] != '\n') {
            code[i] = ' ';
        }
    }
}

static size_t comment_end(const char *text, size_t i)
{
    const char *end;

    if (text[i + 1] == '/') {
        return i + strcspn(text + i, "\n");
    }
    end = strstr(text + i + 2, "*/");
    return end == NULL ? strlen(text) : (size_t)(end - text) + 2;
}

static size_t literal_end(const char *text, size_t i)
{
    char quote = text[i++];

    while (text[i] != 0 && text[i] != quote && text[i] != '\n') {
        i += text[i] == '\\' && text[i + 1] != 0 ? 2 : 1;
    }
    return i;
}

static void code_blank(struct source *s)
{
    for (size_t i = 0; i < s->size;) {
        size_t end = i + 1;

        if (s->text[i] == '/' && (s->text[i + 1] == '*' || s->text[i + 1] == '/')) {
            end = comment_end(s->text, i);
            s->comment_line_count += line_of(s->text + i, s->text + end);
            blank(s->code, i, end);
        } else if (s->text[i] == '"' || s->text[i] == '\'') {
            end = literal_end(s->text, i) + 1;
            blank(s->code, i + 1, end - 1);
        }
        i = end;
    }
}

static bool line_is_blank(const char *line)
{
    line += strspn(line, " \t");
    return *line == '\n' || *line == 0;
}

static const char *line_next(const char *line)
{
    line += strcspn(line, "\n");
    return *line == 0 ? line : line + 1;
}

static void lines_count(struct source *s)
{
    for (const char *p = s->text; *p != 0; p = line_next(p)) {
        s->line_count++;
        s->blank_line_count += line_is_blank(p);
    }
}

static void includes_find(struct source *s)
{
    int line = 1;

    for (const char *p = s->code; *p != 0; p = line_next(p), line++) {
        const char *hash = p + strspn(p, " \t"), *raw;
        struct include in = {.line = line};
        char close;

        if (*hash != '#' || !starts_with(hash + 1 + strspn(hash + 1, " \t"), "include")) {
            continue;
        }
        raw = strpbrk(s->text + (hash - s->code), "\"<\n");
        if (raw == NULL || *raw == '\n') {
            continue;
        }
        in.is_quoted = *raw == '"';
        close = in.is_quoted ? '"' : '>';
        snprintf(in.path, sizeof in.path, "%.*s", (int)(strchrnul(raw + 1, close) - raw - 1), raw + 1);
        s->includes = grow(s->includes, s->include_count, sizeof in);
        s->includes[s->include_count++] = in;
    }
}

/* A copy of the code in which the preprocessor's lines, with their continuations, are blank. */
static char *without_directives(const struct source *s)
{
    char *body = format("%s", s->code);
    char *line = body;

    while (*line != 0) {
        char *end = line + strcspn(line, "\n");

        if (line[strspn(line, " \t")] == '#') {
            while (*end != 0 && end > line && end[-1] == '\\') {
                end += 1 + strcspn(end + 1, "\n");
            }
            blank(body, (size_t)(line - body), (size_t)(end - body));
        }
        line = *end == 0 ? end : end + 1;
    }
    return body;
}

/* The parenthesis that the one at `close` closes; `from` when there is none. */
static const char *parenthesis_open(const char *from, const char *close)
{
    int depth = 0;

    for (; close > from; close--) {
        depth += *close == ')';
        depth -= *close == '(';
        if (depth == 0) {
            return close;
        }
    }
    return from;
}

/* The name that the declaration in [from, brace) gives to a function, or NULL; *size is its length. The parameters are
 * the last parenthesis before the brace, so a macro's call that stands before without a semicolon does not confuse. */
static const char *declared_name(const char *from, const char *brace, size_t *size)
{
    const char *close = brace - 1, *open, *name;

    while (close > from && isspace((unsigned char)*close)) {
        close--;
    }
    if (close <= from || *close != ')') {
        return NULL;
    }
    open = parenthesis_open(from, close);
    if (memchr(from, '=', (size_t)(open - from)) != NULL) {
        return NULL; /* a compound literal */
    }
    for (name = open; name > from && isspace((unsigned char)name[-1]); name--) {
    }
    for (*size = 0; name > from && is_word_char(name[-1]); ++*size) {
        name--;
    }
    if (*size > 0 && isupper((unsigned char)name[0])) { /* TEST(name) */
        name = open + 1 + strspn(open + 1, " \n");
        for (*size = 0; is_word_char(name[*size]); ++*size) {
        }
    }
    return *size > 0 ? name : NULL;
}

static int asserts_count(const char *from, const char *to)
{
    int count = 0;

    for (const char *p = from; p < to; p++) {
        if ((*p == 'A' && starts_with(p, "ASSERT")) || (*p == 'a' && starts_with(p, "assert"))) {
            count += p == from || !is_word_char(p[-1]);
        }
    }
    return count;
}

static void function_add(struct source *s, const char *body, const char *name, size_t size, const char *close)
{
    struct function f = {.line = line_of(body, name)};

    snprintf(f.name, sizeof f.name, "%.*s", (int)size, name);
    f.line_count = line_of(body, close) - f.line + 1;
    f.assert_count = asserts_count(s->code + (name - body), s->code + (close - body));
    s->functions = grow(s->functions, s->function_count, sizeof f);
    s->functions[s->function_count++] = f;
}

static void functions_find(struct source *s)
{
    const char *body = without_directives(s), *start = body, *name = NULL;
    size_t size = 0;
    int depth = 0, parens = 0;

    for (const char *p = body; *p != 0; p++) {
        if (*p == '(' || *p == ')') {
            parens += *p == '(' ? 1 : -1;
        } else if (*p == '{') {
            if (depth++ == 0 && parens == 0) {
                name = declared_name(start, p, &size);
            }
        } else if (*p == '}') {
            if (depth > 0 && --depth == 0) {
                if (name != NULL) {
                    function_add(s, body, name, size, p);
                }
                name = NULL;
                start = p + 1;
            }
        } else if (*p == ';' && depth == 0) {
            start = p + 1;
        }
    }
}

void source_lex(struct source *s)
{
    s->code = format("%s", s->text);
    s->size = strlen(s->text); /* a NUL byte ends the file for us; check_text.c reports it */
    code_blank(s);
    lines_count(s);
    includes_find(s);
    functions_find(s);
}
