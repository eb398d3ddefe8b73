/* check_includes.c - who may include whom.
 *
 * - The groups of src/ stand in a straight line; a file includes its own group and those before it. sim sees all and is
 *   seen by nobody but main.c, which starts everything. include/thalweg may be included by all and includes itself only.
 * - A header *_internal.h belongs to its folder (and to the tests of that module).
 * - A .c file includes its own header first: that proves that the header stands alone.
 * - Every quoted path is written from an include root, and every header is included by someone. */
#include "tidy.h"

#include <stdio.h>
#include <string.h>

static const char *const layers[] = {"ground", "columns", "flow", "control", "language", "surface", "sim"};

enum { LAYER_COUNT = sizeof layers / sizeof layers[0], LAYER_NONE = -1 };

static int layer_of(const char *path)
{
    for (int i = 0; i < LAYER_COUNT; i++) {
        size_t size = strlen(layers[i]);

        if (strncmp(path, layers[i], size) == 0 && path[size] == '/') {
            return i;
        }
    }
    return LAYER_NONE;
}

static void folder_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');

    snprintf(out, size, "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
}

static bool is_main(const char *path) { return strcmp(path, "src/surface/cli/main.c") == 0; }

static void layer_check(struct tidy *t, const struct source *s, const struct include *in)
{
    int own = starts_with(s->path, "src/") ? layer_of(s->path + 4) : LAYER_NONE;
    int other = layer_of(in->path);

    if (own == LAYER_NONE || other == LAYER_NONE || other <= own || is_main(s->path)) {
        return;
    }
    t->layer_problem_count++;
    problem(t, s->path, in->line,
            "includes \"%s\": %s stands before %s, and a file includes its own group or groups before it; "
            "hand down a vtable at creation, or move the code to %s/",
            in->path, layers[own], layers[other], layers[other]);
}

static void private_check(struct tidy *t, const struct source *s, const struct include *in)
{
    char owner[256], own[256], test[300];

    if (!ends_with(in->path, "_internal.h")) {
        return;
    }
    folder_of(in->path, owner, sizeof owner);
    folder_of(starts_with(s->path, "src/") ? s->path + 4 : s->path, own, sizeof own);
    snprintf(test, sizeof test, "test/unit/%s", base_name(owner));
    if (owner[0] == 0 || strcmp(owner, own) == 0 || starts_with(own, test)) {
        return;
    }
    problem(t, s->path, in->line,
            "includes \"%s\": it is private to src/%s/; use the module's public header, or add what you need there",
            in->path, owner);
}

static void public_check(struct tidy *t, const struct source *s, const struct include *in)
{
    bool is_public = starts_with(s->path, "include/") || starts_with(s->path, "examples/");

    if (is_public && layer_of(in->path) != LAYER_NONE) {
        problem(t, s->path, in->line,
                "includes \"%s\": the public headers and the examples use <thalweg/...> and the C library only, "
                "so that they work for a user who has nothing else",
                in->path);
    }
}

static bool include_exists(const struct tidy *t, const struct source *s, const char *path)
{
    const char *const roots[] = {"src", "include", "test", "bench"};
    char folder[256];

    folder_of(s->path, folder, sizeof folder);
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        if (tree_find(t, format("%s/%s", roots[i], path)) != NULL) {
            return true;
        }
    }
    return (!starts_with(s->path, "src/") && tree_find(t, format("%s/%s", folder, path)) != NULL) ||
           ends_with(path, "_registry.def") || strcmp(path, "zone_data.def") == 0;
}

static void root_check(struct tidy *t, const struct source *s, const struct include *in)
{
    if (in->is_quoted && !include_exists(t, s, in->path)) {
        problem(t, s->path, in->line, "includes \"%s\": no such file below src/ or include/; write the path from there",
                in->path);
    }
}

/* The header beside a source, as it must be included; NULL when there is none. */
static const char *own_header(const struct tidy *t, const struct source *s)
{
    char *path = format("%s", s->path);

    path[strlen(path) - 1] = 'h';
    return starts_with(path, "src/") && tree_find(t, path) != NULL ? path + 4 : NULL;
}

static void own_header_check(struct tidy *t, const struct source *s)
{
    const char *own = own_header(t, s);

    if (own != NULL && (s->include_count == 0 || strcmp(s->includes[0].path, own) != 0)) {
        problem(t, s->path, s->include_count > 0 ? s->includes[0].line : 1,
                "does not include its own header \"%s\" first: that is what proves that the header stands alone", own);
    }
}

static bool is_included(const struct tidy *t, const char *path)
{
    for (int i = 0; i < t->source_count; i++) {
        for (int j = 0; j < t->sources[i].include_count; j++) {
            const char *other = t->sources[i].includes[j].path;

            if (strcmp(other, path) == 0 || strcmp(base_name(other), path) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void dead_header_check(struct tidy *t, const struct source *s)
{
    if (starts_with(s->path, "src/") && !is_included(t, s->path + 4)) {
        problem(t, s->path, 1, "is included by nobody: delete it, or use it");
    }
}

void check_includes(struct tidy *t)
{
    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        for (int j = 0; j < s->include_count; j++) {
            layer_check(t, s, &s->includes[j]);
            private_check(t, s, &s->includes[j]);
            public_check(t, s, &s->includes[j]);
            root_check(t, s, &s->includes[j]);
        }
        if (s->is_header) {
            dead_header_check(t, s);
        } else if (s->is_c) {
            own_header_check(t, s);
        }
    }
}
