/* sql_error.c - places in a statement's text, and errors that show them: the line, and a caret below the token. */
#include "language/sql/token.h"

#include "ground/base/width.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EXCERPT_WIDTH = 120 /* columns of a line that are shown */, CARETS_MAX = 40 };

static bool is_start(char c) { return ((unsigned char)c & 0xC0) != 0x80; }

struct text_place text_place_of(struct str text, uint32_t at)
{
    struct text_place p = {1, 1};

    for (uint32_t i = 0; i < at && i < text.size; i++) {
        if (text.data[i] == '\n') p = (struct text_place){p.line + 1, 1};
        else p.column += is_start(text.data[i]);
    }
    return p;
}

static uint32_t width_at(struct str text, uint32_t at, size_t *size)
{
    return width_of_point(width_point((struct str){text.data + at, text.size - at}, size));
}

/* Where the character before `at` begins. */
static uint32_t step_back(struct str text, uint32_t at)
{
    do at--;
    while (at > 0 && !is_start(text.data[at]));
    return at;
}

/* The bytes of the line around `at`, cut to what fits, and how many columns stand before `at` in it. */
static struct str line_around(struct str text, uint32_t at, uint32_t *before)
{
    uint32_t from = at, to = at, width = 0;
    size_t size;

    for (*before = 0; from > 0 && text.data[from - 1] != '\n' && *before < EXCERPT_WIDTH * 2 / 3;) {
        from = step_back(text, from);
        *before += width_at(text, from, &size);
    }
    for (; to < text.size && text.data[to] != '\n' && text.data[to] != '\r' && width < EXCERPT_WIDTH - *before; to += (uint32_t)size)
        width += width_at(text, to, &size);
    return (struct str){text.data + from, to - from};
}

void sql_error_excerpt(struct err *e, struct str text, uint32_t at, uint32_t size)
{
    uint32_t before, room = ERR_EXCERPT_MAX - 1, n;
    struct str line = line_around(text, at, &before);
    uint32_t carets = width_of((struct str){text.data + at, MIN((size_t)size, text.size - at)});
    char out[ERR_EXCERPT_MAX];

    if (line.size > room / 2) line.size = step_back(line, room / 2);
    n = (uint32_t)snprintf(out, room, "%.*s\n%*s", (int)line.size, line.data, (int)before, "");
    for (char *c = out; c < out + n && c < out + line.size; c++)
        if (*c == '\t') *c = ' '; /* so that the caret stands below its token */
    for (carets = MIN(MAX(carets, 1u), (uint32_t)CARETS_MAX); carets > 0 && n + 1 < room; carets--) out[n++] = '^';
    out[n] = '\0';
    err_excerpt(e, out);
}

enum status sql_error(struct err *e, const struct tokens *t, uint32_t at, uint32_t size, const char *format, ...)
{
    char text[ERR_TEXT_MAX / 2];
    struct text_place p = text_place_of(t->text, at);
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    p.line += t->first_line - 1;
    if (t->source != NULL) err_set(e, E_DATA, "%s:%u:%u: %s", t->source, p.line, p.column, text);
    else err_set(e, E_DATA, "%s at line %u, column %u", text, p.line, p.column);
    sql_error_excerpt(e, t->text, MIN(at, (uint32_t)t->text.size), size);
    return E_DATA;
}
