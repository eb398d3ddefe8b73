/* main.c - sqltest [--fill | --update] PATH...: runs test files, or all of a folder, in every mode, and says what differs. With
 * --fill, what the first mode answers is written where a case expects nothing yet, with --update also where expected lines differ;
 * never when the modes disagree. */
#include "sqltest.h"

#include "ground/base/buf.h"
#include "ground/base/hash.h"
#include "ground/base/str.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 1024 };

enum writing { WRITE_NOTHING, WRITE_MISSING, WRITE_ALL };

struct totals {
    uint32_t files, cases, runs, wrong, updated;
};

static const char *files[FILES_MAX];
static uint32_t file_count;
static char feeds[4096]; /* beside the program: folder of files that feeds become */

/* --- writing back ------------------------------------------------------------------------------------------------ */
static void put(struct buf *out, const char *line)
{
    buf_append_text(out, line);
    buf_append_byte(out, '\n');
}

/* The file with new lines in the blocks of the records that are `changed`. */
static enum status write_back(const struct script *s, struct sys *sys, const struct answer *n, const bool *changed,
                              struct err *e)
{
    struct buf out;
    struct sys_file *f;
    uint32_t at = 0;

    buf_init(&out, s->a->mem);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct record *r = &s->records[i];
        const struct block *b = record_block(r, &modes[0]);
        uint32_t first = b != NULL ? b->first : r->sql_end;
        if (!changed[i]) continue;
        while (at < first) put(&out, s->lines.items[at++]);
        if (b == NULL) put(&out, "----");
        struct lines lines = answer_lines(s, r, &modes[0], &n[i]);
        for (uint32_t l = 0; l < lines.count; l++) put(&out, lines.items[l]);
        at += b != NULL ? b->count : 0;
    }
    while (at < s->lines.count) put(&out, s->lines.items[at++]);
    enum status st = sys_file_open(sys, s->path, SYS_WRITE | SYS_TRUNCATE, &f, e);
    if (st == S_OK) {
        st = sys_file_write(sys, f, out.data, out.size, e);
        sys_file_close(sys, f);
    }
    buf_release(&out);
    return st;
}

/* Do all modes say what the first one says? Then the case may be written: its answers are judged as if they stood there. */
static bool modes_agree(const struct script *s, uint32_t i, struct answer *const *n)
{
    struct script written = *s;
    struct record r = s->records[i];
    struct lines first = answer_lines(s, &r, &modes[0], &n[0][i]);

    if (!n[0][i].ran || n[0][i].failed != r.wants_error || r.d.error_mode != NULL) return false;
    written.lines = first;
    r.blocks[0] = (struct block){NULL, 0, first.count};
    r.block_count = 1;
    for (uint32_t m = 0; m < MODES; m++)
        if (answer_judge(&written, &r, &modes[m], &n[m][i]) != NULL) return false;
    return true;
}

/* --- one file ---------------------------------------------------------------------------------------------------- */
static void judge(const struct script *s, struct answer *const *n, enum writing writing, bool *changed,
                  struct totals *t)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const char *said = NULL, *more;
        for (uint32_t m = 0; m < MODES; m++) {
            t->runs += n[m][i].ran;
            more = answer_judge(s, &s->records[i], &modes[m], &n[m][i]);
            if (said == NULL) said = more;
        }
        t->cases++;
        if (said == NULL) continue;
        bool may = writing == WRITE_ALL || (writing == WRITE_MISSING && s->records[i].block_count == 0);
        changed[i] = may && modes_agree(s, i, n);
        t->updated += changed[i];
        t->wrong += !changed[i];
        if (!changed[i]) printf("%s\n", said);
    }
}

/* Maps on disk cost their time: an eighth of the files sees them, and those whose world is made up. */
static bool file_takes(const struct script *s, const struct mode *m)
{
    return !mode_is(m, "rocksdb") || s->clock != NULL || hash64(s->path, strlen(s->path)) % 8 == 0;
}

static void skip_all(const struct script *s, struct answer *answers)
{
    for (uint32_t i = 0; i < s->count; i++) answers[i] = (struct answer){0};
}

static enum status run_file(const char *path, struct sys *sys, enum writing writing, struct totals *t, struct err *e)
{
    struct mem mem;
    struct arena a;
    struct script s;
    struct answer *answers[MODES];

    mem_init(&mem, "sqltest", 0);
    arena_init(&a, &mem, 0);
    enum status st = script_read(&s, sys, path, &a, e);
    if (st == S_OK) {
        s.feeds = feeds;
        uint32_t updated = t->updated;
        bool *changed = ARENA_ARRAY(&a, bool, MAX(s.count, 1u));
        for (uint32_t m = 0; m < MODES; m++) {
            answers[m] = ARENA_ARRAY(&a, struct answer, MAX(s.count, 1u));
            if (file_takes(&s, &modes[m])) script_execute(&s, sys, &modes[m], answers[m]);
            else skip_all(&s, answers[m]);
        }
        judge(&s, answers, writing, changed, t);
        if (t->updated > updated) st = write_back(&s, sys, answers[0], changed, e);
        t->files++;
    }
    arena_release(&a);
    mem_release(&mem);
    return st;
}

/* --- the command ------------------------------------------------------------------------------------------------- */
static int take_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type == FTW_F && str_ends(str_of(path), STR(".test")) && file_count < FILES_MAX)
        files[file_count++] = strdup(path);
    return 0;
}

static int by_name(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

/* A mode that cannot run is named, so that nobody takes its silence for agreement. */
static void say_absent(void)
{
    for (uint32_t m = 0; m < MODES; m++)
        if (modes[m].absent != NULL && (m == 0 || modes[m - 1].absent != modes[m].absent))
            printf("skipped: mode %.*s: %s\n", (int)strcspn(modes[m].name, " "), modes[m].name, modes[m].absent);
}

int main(int argc, char **argv)
{
    struct totals t = {0};
    struct sys *sys = sys_linux_create_quiet();
    struct err e = {0};
    const char *first = argc > 1 ? argv[1] : "";
    enum writing writing = strcmp(first, "--update") == 0 ? WRITE_ALL
                           : strcmp(first, "--fill") == 0 ? WRITE_MISSING
                                                          : WRITE_NOTHING;

    for (int i = writing != WRITE_NOTHING ? 2 : 1; i < argc; i++)
        if (nftw(argv[i], take_file, 16, FTW_PHYS) != 0)
            fprintf(stderr, "sqltest: cannot read '%s'\n", argv[i]), t.wrong++;
    const char *slash = strrchr(argv[0], '/');
    snprintf(feeds, sizeof feeds, "%.*sfeeds", slash != NULL ? (int)(slash + 1 - argv[0]) : 0, argv[0]);
    if (sys_dir_make(sys, feeds, &e) != S_OK) fprintf(stderr, "sqltest: %s\n", e.text), t.wrong++;
    qsort(files, file_count, sizeof *files, by_name);
    for (uint32_t i = 0; i < file_count; i++) {
        err_clear(&e);
        if (run_file(files[i], sys, writing, &t, &e) == S_OK) continue;
        fprintf(stderr, "sqltest: %s\n", e.text);
        t.wrong++;
    }
    say_absent();
    printf("%u files, %u cases, %u runs: %u differ", t.files, t.cases, t.runs, t.wrong);
    if (t.updated > 0) printf(", %u written", t.updated);
    printf("\n");
    sys_linux_free(sys);
    return t.wrong > 0 || t.files == 0;
}
