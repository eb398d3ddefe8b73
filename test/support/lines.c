/* lines.c - see lines.h. */
#include "support/lines.h"

#include <stdlib.h>
#include <string.h>

static int line_compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

char *lines_sorted(const char *text)
{
    size_t size = strlen(text), count = 0, used = 0;
    char *copy = strdup(text), *out = calloc(1, size + 2), **lines = malloc(sizeof *lines * (size / 2 + 2));

    for (char *rest = copy, *line; (line = strsep(&rest, "\n")) != NULL;)
        if (*line != '\0') lines[count++] = line;
    qsort(lines, count, sizeof *lines, line_compare);
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(lines[i]);
        memcpy(out + used, lines[i], n);
        out[used + n] = '\n';
        used += n + 1;
    }
    free(lines);
    free(copy);
    return out;
}
