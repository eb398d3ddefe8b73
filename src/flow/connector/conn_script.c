/* conn_script.c - rows of a file in any format of lines, with pauses between them: a line `@pause 5 s` is no row; what stands behind it
 * comes so much later. For tests, whose clock is made up, and for demonstrations, where one sees rows come.
 *
 * With a 'changelog-mode' lines begin with the kind of their row: "+U {...}"; each line is one record then, given to the format whole.
 *
 * The file is read whole when its split is opened, by one subtask: the first that asks. Rows before a pause are handed on first. As with
 * standard input there is no way back: the position is empty. */
#include "flow/connector/record_reader.h"
#include "ground/base/str.h"

#include <string.h>

enum { SCRIPT_MAX = 64 * 1024 * 1024, READ_CHUNK = 64 * 1024 };
#define PAUSE STR("@pause ")

struct script_enumerator {
    bool handed_out;
};

struct script_reader {
    struct record_format format;
};

struct script_split {
    struct source_cx *cx;
    const char *path;
    struct record_reader records;
    struct buf text;
    size_t at;
    bool waits;
    int64_t until_ms; /* when waiting ends */
    uint8_t changes;  /* enum changes: kinds stand before rows; NONE: they do not */
    uint64_t line;    /* of a record with its kind, from 1 */
};

static const struct option_def script_options[] = {
    {.key = "path", .kind = OPT_STRING, .required = true, .doc = "the file"},
    {.key = "changelog-mode",
     .kind = OPT_STRING,
     .fallback = "I",
     .doc = "which kinds of rows come: I alone, or with some of UB, UA, D and, where the columns of the primary key are enough to "
            "delete, PD ('I,UA,D'). Then a line begins with the kind and a blank: +I, -U, +U, -D; none is +I"},
    {.key = NULL},
};

/* --- kinds -------------------------------------------------------------------------------------------------------- */
static bool mode_read(struct str text, uint8_t *changes)
{
    static const char *const names[] = {"I", "UB", "UA", "D", "PD"};
    static const uint8_t bits[] = {CHANGES_NONE, CHANGES_BEFORE, CHANGES_AFTER, CHANGES_DELETE, CHANGES_DELETE | CHANGES_DELETE_BY_KEY};
    struct str one;

    *changes = CHANGES_NONE;
    while (text.size > 0) {
        uint32_t i = 0;
        (void)str_cut(&text, ',', &one);
        while (i < COUNT_OF(names) && !str_equal_nocase(str_trim(one), str_of(names[i]))) i++;
        if (i == COUNT_OF(names)) return false;
        *changes |= bits[i];
    }
    return true;
}

static uint8_t script_changes(const struct options *o, const struct option_def *defs)
{
    uint8_t changes;

    return mode_read(str_of(options_get(o, defs, "changelog-mode")), &changes) ? changes : CHANGES_NONE;
}

static enum status script_check(const struct options *o, const struct option_def *defs, const struct type *row, struct err *e)
{
    const char *mode = options_get(o, defs, "changelog-mode");
    uint8_t changes;

    (void)row;
    if (mode_read(str_of(mode), &changes)) return S_OK;
    err_hint(e, "name kinds of rows, with commas between: I, UB, UA, D, PD; 'I,UA,D' is a table of upserts");
    return err_set(e, E_CONFIG, "option 'changelog-mode' does not take '%s'", mode);
}

/* "+U " in front of a row. *line: what stands behind it. */
static enum row_kind kind_take(struct str *line)
{
    static const char *const texts[] = {"+I ", "-U ", "+U ", "-D "};

    for (uint32_t i = 0; i < COUNT_OF(texts); i++) {
        if (!str_starts(*line, str_of(texts[i]))) continue;
        *line = (struct str){line->data + 3, line->size - 3};
        return (enum row_kind)i;
    }
    return ROW_INSERT;
}

static enum status kind_check(const struct script_split *s, enum row_kind kind, struct err *e)
{
    static const uint8_t bits[] = {CHANGES_NONE, CHANGES_BEFORE, CHANGES_AFTER, CHANGES_DELETE};
    static const char *const texts[] = {"+I", "-U", "+U", "-D"}, *const names[] = {"I", "UB", "UA", "D"};

    if (kind == ROW_INSERT || (s->changes & bits[kind]) != 0) return S_OK;
    err_hint(e, "add %s to the table's 'changelog-mode'", names[kind]);
    return err_set(e, E_DATA, "%s:%llu: a row %s, but the table's 'changelog-mode' has none", s->path, (unsigned long long)s->line,
                   texts[kind]);
}

static enum status script_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a, struct split *out)
{
    struct script_enumerator *en = self;

    (void)cx;
    (void)subtask;
    if (en->handed_out) return S_END;
    en->handed_out = true;
    *out = (struct split){.id = arena_strdup(a, "script")};
    return S_OK;
}

static enum status script_reader_open(struct source_cx *cx, void *reader)
{
    return record_format_open(&((struct script_reader *)reader)->format, cx);
}

static void script_reader_close(struct source_cx *cx, void *reader)
{
    (void)cx;
    record_format_close(&((struct script_reader *)reader)->format);
}

static enum status read_whole(struct script_split *s, struct err *e)
{
    struct sys_file *f;
    size_t got = 1;
    enum status st = S_OK;

    TRY(sys_file_open(s->cx->sys, s->path, SYS_READ, &f, e));
    while (st == S_OK && got > 0) {
        buf_reserve(&s->text, READ_CHUNK);
        st = sys_file_read(s->cx->sys, f, s->text.data + s->text.size, READ_CHUNK, &got, e);
        if (st == S_OK) s->text.size += got;
        if (s->text.size > SCRIPT_MAX) st = err_set(e, E_DATA, "script '%s' is longer than %d MiB", s->path, SCRIPT_MAX >> 20);
    }
    sys_file_close(s->cx->sys, f);
    return st;
}

static struct str rest_of(const struct script_split *s) { return (struct str){s->text.data + s->at, s->text.size - s->at}; }

static bool stands_at_pause(const struct script_split *s)
{
    bool begins_line = s->at == 0 || s->text.data[s->at - 1] == '\n';

    return begins_line && str_starts(rest_of(s), PAUSE);
}

/* Takes the line of a pause. */
static enum status pause_begin(struct script_split *s, struct err *e)
{
    struct str rest = rest_of(s), line;
    int64_t ms;

    (void)str_cut(&rest, '\n', &line);
    s->at = s->text.size - rest.size;
    struct str span = str_trim((struct str){line.data + PAUSE.size, line.size - PAUSE.size});
    if (!parse_duration_ms(span, &ms))
        return err_set(e, E_DATA, "%s: '%.*s' is no duration to pause; write '5 s'", s->path, (int)MIN(span.size, (size_t)100), span.data);
    s->records.in.line++;
    s->waits = true;
    s->until_ms = sys_wall_ms(s->cx->sys) + ms;
    return S_OK;
}

/* Pauses that stand here pass, or S_IDLE. */
static enum status pauses_pass(struct script_split *s, struct err *e)
{
    for (;;) {
        if (s->waits && sys_wall_ms(s->cx->sys) < s->until_ms) {
            s->cx->wake_ms = s->until_ms;
            return S_IDLE;
        }
        s->waits = false;
        if (!stands_at_pause(s)) return S_OK;
        TRY(pause_begin(s, e));
        s->line++;
    }
}

/* Bytes up to the next pause. */
static enum status script_fill(void *arg, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct script_split *s = arg;

    enum status st = pauses_pass(s, e);
    if (st != S_OK) return st;
    struct str rest = rest_of(s);
    if (rest.size == 0) return S_END;
    const char *pause = memmem(rest.data, rest.size, "\n@pause ", 1 + PAUSE.size);
    *got = MIN(pause != NULL ? (size_t)(pause + 1 - rest.data) : rest.size, size);
    memcpy(bytes, rest.data, *got);
    s->at += *got;
    return S_OK;
}

static enum status script_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct script_split *s = split;

    (void)what;
    *s = (struct script_split){.cx = cx, .path = options_get(cx->options, cx->option_defs, "path"), .line = 1,
                               .changes = script_changes(cx->options, cx->option_defs)};
    buf_init(&s->text, cx->mem);
    enum status st = read_whole(s, cx->err);
    if (st == S_OK)
        st = record_reader_open(&s->records, cx, &((struct script_reader *)reader)->format, s->path, FORMAT_INPUT_START, script_fill, s);
    if (st != S_OK) buf_release(&s->text);
    return st;
}

/* The next line and its kind: S_MORE when its row has no room. */
static enum status line_read(struct script_split *s, struct batch *out)
{
    struct str rest = rest_of(s), line;
    uint32_t first = out->count;

    (void)str_cut(&rest, '\n', &line);
    enum row_kind kind = kind_take(&line);
    TRY(kind_check(s, kind, s->cx->err));
    enum status st = line.size == 0 ? S_OK : record_reader_message(&s->records, line, s->line, out);
    for (uint32_t i = first; i < out->count; i++) out->kinds[i] = (uint8_t)kind;
    if (st != S_OK) return st;
    s->at = s->text.size - rest.size;
    s->line++;
    return S_OK;
}

static enum status lines_read(struct script_split *s, struct batch *out)
{
    batch_use_kinds(out);
    for (;;) {
        enum status st = pauses_pass(s, s->cx->err);
        if (st != S_OK) return st;
        if (rest_of(s).size == 0) return S_END;
        st = line_read(s, out);
        if (st == S_MORE) return S_OK;
        if (st != S_OK) return st;
    }
}

static enum status script_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct script_split *s = split;

    (void)cx;
    (void)reader;
    return s->changes != CHANGES_NONE ? lines_read(s, out) : record_reader_read(&s->records, out);
}

static void script_split_close(struct source_cx *cx, void *reader, void *split)
{
    struct script_split *s = split;

    (void)cx;
    (void)reader;
    record_reader_close(&s->records);
    buf_release(&s->text);
}

static const struct source_type script_source = {
    .enumerator_size = sizeof(struct script_enumerator),
    .reader_size = sizeof(struct script_reader),
    .split_size = sizeof(struct script_split),
    .changes = script_changes,
    .check = script_check,
    .enumerator_next = script_enumerator_next,
    .reader_open = script_reader_open,
    .reader_close = script_reader_close,
    .split_open = script_split_open,
    .split_read = script_split_read,
    .split_close = script_split_close,
};

const struct conn_type conn_script = {
    .name = "script",
    .doc = "rows of a file, and pauses between them: a line `@pause 5 s` says how much later the next row comes",
    .example = "'connector' = 'script', 'path' = 'clicks.csv', 'format' = 'csv'",
    .notes = "**Checkpoints.** This connector cannot go back: what came between a checkpoint and a failure does not come again, or all of\n"
             "it does. A job that takes checkpoints says so when it starts.",
    .options = script_options,
    .takes_format = true,
    .source = &script_source,
};
