/* conn_script.c - rows of a file in any format of lines, with pauses between them: a line `@pause 5 s` is no row; what stands behind it
 * comes so much later. For tests, whose clock is made up, and for demonstrations, where one sees rows come.
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
};

static const struct option_def script_options[] = {
    {.key = "path", .kind = OPT_STRING, .required = true, .doc = "the file"},
    {.key = NULL},
};

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

/* Bytes up to the next pause. */
static enum status script_fill(void *arg, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct script_split *s = arg;

    for (;;) {
        if (s->waits && sys_wall_ms(s->cx->sys) < s->until_ms) {
            s->cx->wake_ms = s->until_ms;
            return S_IDLE;
        }
        s->waits = false;
        if (!stands_at_pause(s)) break;
        TRY(pause_begin(s, e));
    }
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
    *s = (struct script_split){.cx = cx, .path = options_get(cx->options, cx->option_defs, "path")};
    buf_init(&s->text, cx->mem);
    enum status st = read_whole(s, cx->err);
    if (st == S_OK)
        st = record_reader_open(&s->records, cx, &((struct script_reader *)reader)->format, s->path, FORMAT_INPUT_START, script_fill, s);
    if (st != S_OK) buf_release(&s->text);
    return st;
}

static enum status script_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    (void)cx;
    (void)reader;
    return record_reader_read(&((struct script_split *)split)->records, out);
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
    .options = script_options,
    .takes_format = true,
    .source = &script_source,
};
