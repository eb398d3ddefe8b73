/* check_headers.c - every header compiles alone.
 *
 * A header that its own .c file includes first has been proved by the build; only the others are given to the compiler
 * here, each by itself, two at a time, and its words are repeated when it fails. */
#include "tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 2 };

struct compilation {
    const struct source *header;
    FILE *output;
};

static bool is_proved_by_build(const struct tidy *t, const struct source *header)
{
    char *path = format("%s", header->path);
    const struct source *c;

    path[strlen(path) - 1] = 'c';
    c = tree_find(t, path);
    return c != NULL && starts_with(path, "src/") && c->include_count > 0 &&
           strcmp(c->includes[0].path, header->path + 4) == 0;
}

static struct compilation compile_start(const struct tidy *t, const struct source *header)
{
    char *command =
        format("cd '%s' && %s -std=gnu17 -D_GNU_SOURCE -march=x86-64-v3 -Wall -Wextra -Werror -fsyntax-only "
               "-Isrc -Iinclude -Itest -Ibench -I'%s/gen' -x c -include '%s' /dev/null 2>&1",
               t->root, t->cc, t->build, header->path);
    struct compilation c = {header, popen(command, "r")};

    if (c.output == NULL) {
        perror("tidy: cannot start the compiler");
        exit(2);
    }
    return c;
}

static void compile_finish(struct tidy *t, struct compilation c)
{
    char words[4000];
    size_t size = fread(words, 1, sizeof words - 1, c.output);

    words[size] = 0;
    while (fgetc(c.output) != EOF) { /* let the compiler end by itself */
    }
    if (pclose(c.output) != 0) {
        problem(t, c.header->path, 1, "does not compile alone: it must include what it uses. The compiler says:\n%s",
                words);
    }
    t->headers_compiled++;
}

void check_headers(struct tidy *t)
{
    struct compilation running[AT_ONCE];
    int started = 0, finished = 0;

    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        if (!s->is_header || starts_with(s->path, "tools/")) {
            continue;
        }
        if (strstr(s->code, "#pragma once") == NULL) {
            problem(t, s->path, 1, "has no #pragma once: including it twice would break");
        }
        if (is_proved_by_build(t, s)) {
            continue;
        }
        if (started - finished == AT_ONCE) {
            compile_finish(t, running[finished++ % AT_ONCE]);
        }
        running[started++ % AT_ONCE] = compile_start(t, s);
    }
    while (finished < started) {
        compile_finish(t, running[finished++ % AT_ONCE]);
    }
}
