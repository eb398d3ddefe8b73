/* check_documents.c - what README and ARCHITECTURE name must exist.
 *
 * Every word in `backticks` of README.md, ARCHITECTURE.md, CONTRIBUTING.md and the READMEs of src/ that looks like a file
 * (it has a known ending, or begins with a folder of ours) must be one, by its path from the root, from src/ or from the
 * document, or by its bare name; a pattern must match something. A word that looks like a function of ours
 * (lower_case_with_underscores, or a name followed by parentheses) must occur in the code. Other words are let pass. */
#include "tidy.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200, README_LINES_MAX = 80 };

static bool is_document(const char *path)
{
    return strcmp(path, "README.md") == 0 || strcmp(path, "ARCHITECTURE.md") == 0 ||
           strcmp(path, "CONTRIBUTING.md") == 0 || (starts_with(path, "src/") && ends_with(path, "README.md"));
}

static bool has_file_ending(const char *name)
{
    static const char *const endings[] = {".c",   ".h",     ".md",  ".sh",       ".def",  ".csv",
                                          ".txt", ".cmake", ".map", ".expected", ".pc.in"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (ends_with(name, endings[i])) {
            return true;
        }
    }
    return false;
}

static bool begins_with_folder(const char *name)
{
    static const char *const folders[] = {"src/",     "include/", "test/",   "tools/",   "examples/", "bench/",
                                          "docs/",    "cmake/",   "ground/", "columns/", "flow/",     "language/",
                                          "control/", "surface/", "sim/",    ".ci/"};

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (starts_with(name, folders[i])) {
            return true;
        }
    }
    return false;
}

/* Does a path of the tree answer to the name? A folder answers when a file lies below it. */
static bool path_answers(const char *path, const char *name)
{
    size_t size = strlen(name);

    if (name[size - 1] == '/') {
        return starts_with(path, name);
    }
    return strcmp(path, name) == 0 || fnmatch(name, path, FNM_PATHNAME) == 0 ||
           (starts_with(path, name) && path[size] == '/');
}

/* The path of a name written from the document's folder; each leading ../ goes up one. */
static char *path_from(const char *document, const char *name)
{
    int size = (int)(base_name(document) - document);

    for (; starts_with(name, "../"); name += 3) {
        for (size -= size > 0; size > 0 && document[size - 1] != '/'; size--) {
        }
    }
    return format("%.*s%s", size, document, name);
}

static bool tree_answers(const struct tidy *t, const char *document, const char *name)
{
    const char *const names[] = {name, format("src/%s", name), format("test/%s", name), path_from(document, name)};

    for (int i = 0; i < t->source_count + t->blob_count; i++) {
        const char *path = i < t->source_count ? t->sources[i].path : t->blobs[i - t->source_count].path;

        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            if (path_answers(path, names[j])) {
                return true;
            }
        }
        if (strchr(name, '/') == NULL && fnmatch(name, base_name(path), 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool code_has(const struct tidy *t, const char *word)
{
    for (int i = 0; i < t->source_count; i++) {
        if (t->sources[i].is_c && word_find(t->sources[i].code, word) != NULL) {
            return true;
        }
    }
    return tree_find(t, format("tools/%s.sh", word)) != NULL;
}

static bool looks_like_function(char *name)
{
    size_t size = strlen(name), word = 0;
    bool has_call = size > 2 && name[size - 1] == ')' && strchr(name, '(') != NULL;
    bool has_underscore = false;

    while (is_word_char(name[word])) {
        has_underscore |= name[word] == '_' && word > 0;
        if (isupper((unsigned char)name[word]) && !has_call) {
            return false;
        }
        word++;
    }
    if (word == 0 || isdigit((unsigned char)name[0]) || name[word - 1] == '_' ||
        (has_call ? name[word] != '(' : name[word] != 0)) {
        return false;
    }
    name[word] = 0;
    return has_underscore || has_call;
}

static void name_check(struct tidy *t, const struct source *s, const char *place, const char *raw, size_t size)
{
    char name[NAME_MAX_BYTES];
    int line;

    if (size == 0 || size >= sizeof name || memchr(raw, ' ', size) != NULL || strpbrk(raw, "<$\n`") < raw + size) {
        return; /* a command, a placeholder */
    }
    snprintf(name, sizeof name, "%.*s", (int)size, raw);
    line = line_of(s->text, place);
    if (strstr(name, "://") != NULL || name[0] == '/' || name[0] == '-' || starts_with(name, "build") ||
        starts_with(name, "~")) {
        return;
    }
    if (has_file_ending(name) || begins_with_folder(name)) {
        if (!tree_answers(t, s->path, name)) {
            problem(t, s->path, line,
                    "names the file `%s`, which does not exist: correct the document, or the name of the file", name);
        }
    } else if (looks_like_function(name) && !code_has(t, name)) {
        problem(t, s->path, line, "names `%s`, which no source knows: correct the document, or the name in the code",
                name);
    }
}

static void document_check(struct tidy *t, const struct source *s)
{
    const char *p = s->text;
    bool is_fenced = false;

    if (starts_with(s->path, "src/") && s->line_count > README_LINES_MAX) {
        problem(t, s->path, 1, "has %d lines; a folder's README says in at most %d what the folder is for",
                s->line_count, README_LINES_MAX);
    }
    while (*p != 0) {
        if ((p == s->text || p[-1] == '\n') && starts_with(p, "```")) {
            is_fenced = !is_fenced;
            p += 3;
        } else if (*p == '`' && !is_fenced) {
            size_t size = strcspn(p + 1, "`\n");

            name_check(t, s, p, p + 1, size);
            p += 1 + size + (p[1 + size] == '`');
        } else {
            p++;
        }
    }
}

/* A folder with three sources or more says what it is for. */
static void folder_check(struct tidy *t, const struct source *s)
{
    int folder_size = (int)(base_name(s->path) - s->path), count = 0;

    for (int i = 0; i < t->source_count; i++) {
        const char *path = t->sources[i].path;

        if (ends_with(path, ".c") && strncmp(path, s->path, (size_t)folder_size) == 0 &&
            base_name(path) - path == folder_size) {
            if (count++ == 0 && strcmp(path, s->path) != 0) {
                return; /* the first file of a folder speaks for it */
            }
        }
    }
    if (count >= 3 && tree_find(t, format("%.*sREADME.md", folder_size, s->path)) == NULL) {
        remark(t, s->path, 1, "%d sources in a folder without README.md: say what it is for and which file to open",
               count);
    }
}

static int count_lines(const char *text)
{
    int lines = 0;

    for (; *text != 0; text++) {
        lines += *text == '\n';
    }
    return lines;
}

void check_documents(struct tidy *t)
{
    for (int i = 0; i < t->source_count; i++) {
        if (is_document(t->sources[i].path)) {
            t->sources[i].line_count = count_lines(t->sources[i].text);
            document_check(t, &t->sources[i]);
        } else if (starts_with(t->sources[i].path, "src/") && ends_with(t->sources[i].path, ".c")) {
            folder_check(t, &t->sources[i]);
        }
    }
}
