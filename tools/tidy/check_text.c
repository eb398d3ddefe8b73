/* check_text.c - what every text of the tree owes its reader.
 *
 * No unfinished note without an issue's number, no path of one machine, no file too large for a repository; a .c file
 * opens with a comment that says what it does. Files that hold a NUL byte are data and are not read as text. */
#include "tidy.h"

#include <ctype.h>
#include <string.h>

enum { BLOB_REFUSED = 2 * 1024 * 1024, COLUMNS_REMARKED = 140 };

/* Followed by "(#123)" or "#123"? */
static bool has_number(const char *p)
{
    p += strspn(p, " (:");
    return *p == '#' && isdigit((unsigned char)p[1]);
}

static void notes_check(struct tidy *t, const struct source *s)
{
    const char *const notes[] = {format("TO%s", "DO"), format("FIX%s", "ME"), format("XX%s", "X")}; /* not this file */

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        size_t size = strlen(notes[i]);

        for (const char *p = word_find(s->text, notes[i]); p != NULL; p = word_find(p + size, notes[i])) {
            if (!has_number(p + size)) {
                t->todo_count++;
                problem(t, s->path, line_of(s->text, p),
                        "has a %s without an issue's number: finish it, or file it and write %s(#number)", notes[i],
                        notes[i]);
            }
        }
    }
}

static void machine_paths_check(struct tidy *t, const struct source *s)
{
    const char *const places[] = {format("/%s/", "work"), format("/%s/", "root"), format("/%s/", "home")};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (const char *p = strstr(s->text, places[i]); p != NULL; p = strstr(p + 1, places[i])) {
            if (p == s->text || strchr(" \t\n\"'`=(:<>|,", p[-1]) != NULL) {
                problem(t, s->path, line_of(s->text, p),
                        "names a path of one machine (%s...): write it relative to the project", places[i]);
            }
        }
    }
}

static void opening_check(struct tidy *t, const struct source *s)
{
    bool is_ours = starts_with(s->path, "src/") || starts_with(s->path, "include/") ||
                   starts_with(s->path, "examples/") || starts_with(s->path, "bench/");

    if (is_ours && s->is_c && !starts_with(s->text, "/*")) {
        problem(t, s->path, 1,
                "does not open with a comment: say what the file does, its idea, and what it does not do");
    }
}

/* Columns of one line; in UTF-8 the bytes that continue a character take none. */
static size_t line_columns(const char *p)
{
    size_t columns = 0;

    for (; *p != 0 && *p != '\n'; p++) {
        columns += (*p & 0xc0) != 0x80;
    }
    return columns;
}

static void columns_check(struct tidy *t, const struct source *s)
{
    int line = 1, first = 0, count = 0;

    for (const char *p = s->text; *p != 0; line++) {
        if (line_columns(p) > COLUMNS_REMARKED) {
            first = first == 0 ? line : first;
            count++;
        }
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    if (count > 0) {
        remark(t, s->path, first, "%d lines from here on are wider than %d columns: break them", count,
               COLUMNS_REMARKED);
    }
}

/* Threads meet in the door and in lock-free islands that have an interleaving test; everybody else uses sys_atomic_*,
 * sys_mailbox_*, rings. */
static void threads_check(struct tidy *t, const struct source *s)
{
    static const char *const islands[] = {"src/ground/sys/", "src/flow/exchange/ring."};
    static const char *const words[] = {"_Atomic",      "atomic_",    "__atomic_", "__sync_", "stdatomic.h", "pthread_",
                                        "_Thread_local", "thread_local", "__thread",  "mtx_",    "cnd_"};

    if (!starts_with(s->path, "src/") && !starts_with(s->path, "include/")) {
        return;
    }
    for (size_t i = 0; i < sizeof islands / sizeof islands[0]; i++) {
        if (starts_with(s->path, islands[i])) {
            return;
        }
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (const char *p = strstr(s->text, words[i]); p != NULL; p = strstr(p + 1, words[i])) {
            if (p == s->text || (p[-1] != '_' && !isalnum((unsigned char)p[-1]))) {
                problem(t, s->path, line_of(s->text, p),
                        "has '%s': atomics, locks and thread-locals exist in src/ground/sys and in lock-free islands only",
                        words[i]);
            }
        }
    }
}

void check_text(struct tidy *t)
{
    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        if (memchr(s->text, 0, s->size) != NULL || starts_with(s->path, "test/fuzz/corpus/")) {
            continue;
        }
        notes_check(t, s);
        machine_paths_check(t, s);
        opening_check(t, s);
        if (s->is_c) {
            threads_check(t, s);
            columns_check(t, s);
        }
    }
    for (int i = 0; i < t->blob_count; i++) {
        if (t->blobs[i].size > BLOB_REFUSED) {
            problem(t, t->blobs[i].path, 1,
                    "has %lld bytes; a repository carries at most %d per file: generate it, or fetch it in set-up",
                    (long long)t->blobs[i].size, BLOB_REFUSED);
        }
    }
}
