/* check_sizes.c - files and functions stay small, by ratchet.
 *
 * tools/tidy_ratchet.txt lists what is larger, each with its present length; a length there may only shrink, and when
 * the thing has shrunk the line must follow, so that it cannot grow back:
 *     file <path> <lines> <reason>
 *     function <path>:<name> <lines> <reason> */
#include "tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_REFUSED = 1500, FILE_LISTED = 1000, FUNCTION_MAX = 70, HEADER_MAX = 250 };

#define RATCHET "tools/tidy_ratchet.txt"

struct ratchet {
    char kind[16], what[512];
    int lines, at_line;
    bool is_used;
};

static int ratchet_read(const struct tidy *t, struct ratchet *list, int max)
{
    const struct source *s = tree_find(t, RATCHET);
    int count = 0, line = 1;

    if (s == NULL) {
        return 0;
    }
    for (const char *p = s->text; *p != 0 && count < max; line++) {
        struct ratchet r = {.at_line = line};

        if (*p != '#' && sscanf(p, "%15s %511s %d", r.kind, r.what, &r.lines) == 3) {
            list[count++] = r;
        }
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    return count;
}

static struct ratchet *ratchet_find(struct ratchet *list, int count, const char *kind, const char *what)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(list[i].kind, kind) == 0 && strcmp(list[i].what, what) == 0) {
            list[i].is_used = true;
            return &list[i];
        }
    }
    return NULL;
}

static void ratchet_check(struct tidy *t, const struct ratchet *r, const char *path, int line, int lines)
{
    if (lines > r->lines) {
        problem(t, path, line, "%s has grown to %d lines, listed with %d in " RATCHET ": it may only shrink; split it",
                r->what, lines, r->lines);
    } else if (lines < r->lines) {
        problem(t, RATCHET, r->at_line, "%s has shrunk to %d lines: write that here, so that it cannot grow back",
                r->what, lines);
    }
}

static void file_check(struct tidy *t, const struct source *s, struct ratchet *list, int count)
{
    struct ratchet *r;

    if (s->line_count > FILE_REFUSED) {
        problem(t, s->path, 1, "has %d lines; more than %d are refused: split it where it has two reasons to change",
                s->line_count, FILE_REFUSED);
    }
    if (s->line_count > FILE_LISTED) {
        r = ratchet_find(list, count, "file", s->path);
        if (r != NULL) {
            ratchet_check(t, r, s->path, 1, s->line_count);
        } else {
            problem(t, s->path, 1,
                    "has %d lines; more than %d need a line in " RATCHET " with the reason: better split it",
                    s->line_count, FILE_LISTED);
        }
    }
    if (s->is_header && s->line_count > HEADER_MAX) {
        remark(t, s->path, 1, "has %d lines; a header above %d is hard to take in: split it by what its readers need",
               s->line_count, HEADER_MAX);
    }
}

static void function_check(struct tidy *t, const struct source *s, const struct function *f, struct ratchet *list,
                           int count)
{
    struct ratchet *r;

    if (f->line_count <= FUNCTION_MAX) {
        return;
    }
    r = ratchet_find(list, count, "function", format("%s:%s", s->path, f->name));
    if (r != NULL) {
        ratchet_check(t, r, s->path, f->line, f->line_count);
        return;
    }
    problem(t, s->path, f->line, "%s has %d lines; above %d is refused: give its steps names of their own", f->name,
            f->line_count, FUNCTION_MAX);
}

void check_sizes(struct tidy *t)
{
    static struct ratchet list[200];
    int count = ratchet_read(t, list, 200);

    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        if (s->is_c) {
            file_check(t, s, list, count);
            for (int j = 0; j < s->function_count; j++) {
                function_check(t, s, &s->functions[j], list, count);
            }
        }
    }
    for (int i = 0; i < count; i++) {
        if (!list[i].is_used) {
            problem(t, RATCHET, list[i].at_line, "%s is not above the limit any more: delete the line", list[i].what);
        }
    }
}
