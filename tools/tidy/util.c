/* util.c - strings, files and the two voices of tidy.
 *
 * A tool that runs for a second and exits: it never frees, and it ends at once when memory or a file fails it. */
#include "tidy.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *grow(void *array, int count, size_t item_size)
{
    if (count != 0 && (count & (count - 1)) != 0) {
        return array; /* capacities are powers of two: room is left */
    }
    array = realloc(array, (count == 0 ? 1 : (size_t)count * 2) * item_size);
    if (array == NULL) {
        fputs("tidy: no memory\n", stderr);
        exit(2);
    }
    return array;
}

char *format(const char *format, ...)
{
    char *out = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&out, format, args) < 0) {
        exit(2);
    }
    va_end(args);
    return out;
}

char *file_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long length;

    *size = 0;
    if (f == NULL) {
        return NULL;
    }
    if (fseek(f, 0, SEEK_END) == 0 && (length = ftell(f)) >= 0 && (text = malloc((size_t)length + 1)) != NULL) {
        rewind(f);
        *size = fread(text, 1, (size_t)length, f);
        text[*size] = 0;
    }
    fclose(f);
    return text;
}

bool starts_with(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool is_word_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

const char *word_find(const char *text, const char *word)
{
    size_t size = strlen(word);

    for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word)) {
        if ((p == text || !is_word_char(p[-1])) && !is_word_char(p[size])) {
            return p;
        }
    }
    return NULL;
}

int line_of(const char *text, const char *place)
{
    int line = 1;

    for (const char *p = text; p < place; p++) {
        line += *p == '\n';
    }
    return line;
}

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static void say(const char *kind, const char *path, int line, const char *format, va_list args)
{
    printf("%s:%d: %s", path, line, kind);
    vprintf(format, args);
    putchar('\n');
}

void problem(struct tidy *t, const char *path, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("", path, line, format, args);
    va_end(args);
    t->problem_count++;
}

void remark(struct tidy *t, const char *path, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("remark: ", path, line, format, args);
    va_end(args);
    t->remark_count++;
}
