/* conn_stdin.c - rows from standard input, by one subtask: the first that asks. Reading waits, so the task has a thread of
 * its own; it looks up every WAIT_MS, so that it can be told to stop. There is no way back in a pipe: the position is empty. */
#include "flow/connector/record_reader.h"

enum { WAIT_MS = 100 };

struct stdin_enumerator {
    bool handed_out;
};

struct stdin_reader {
    struct record_format format;
};

struct stdin_split {
    bool is_fresh; /* bytes came since the task was last idle: sinks flush before anything is waited for */
    struct source_cx *cx;
    struct sys_file *file;
    struct record_reader records;
};

static const struct option_def stdin_options[] = {{.key = NULL}};

static enum status stdin_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                         struct split *out)
{
    struct stdin_enumerator *en = self;

    (void)cx;
    (void)subtask;
    if (en->handed_out) return S_END;
    en->handed_out = true;
    *out = (struct split){.id = arena_strdup(a, "standard input")};
    return S_OK;
}

static enum status stdin_reader_open(struct source_cx *cx, void *reader)
{
    return record_format_open(&((struct stdin_reader *)reader)->format, cx);
}

static void stdin_reader_close(struct source_cx *cx, void *reader)
{
    (void)cx;
    record_format_close(&((struct stdin_reader *)reader)->format);
}

static enum status stdin_fill(void *arg, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct stdin_split *s = arg;
    struct sys *sys = s->cx->sys;
    bool ready = false;

    TRY(sys_file_wait(sys, s->file, s->is_fresh ? 0 : WAIT_MS * INT64_C(1000000), &ready, e));
    s->is_fresh = ready;
    if (!ready) {
        s->cx->wake_ms = sys_wall_ms(sys);
        return S_IDLE;
    }
    TRY(sys_file_read(sys, s->file, bytes, size, got, e));
    return *got > 0 ? S_OK : S_END;
}

static enum status stdin_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct stdin_split *s = split;

    (void)what;
    s->cx = cx;
    TRY(sys_file_standard(cx->sys, 0, &s->file, cx->err));
    s->records.is_slow = true;
    return record_reader_open(&s->records, cx, &((struct stdin_reader *)reader)->format, "standard input",
                              FORMAT_INPUT_START, stdin_fill, s);
}

static enum status stdin_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct stdin_split *s = split;

    (void)cx;
    (void)reader;
    return record_reader_read(&s->records, out);
}

static void stdin_split_close(struct source_cx *cx, void *reader, void *split)
{
    struct stdin_split *s = split;

    (void)reader;
    record_reader_close(&s->records);
    sys_file_close(cx->sys, s->file);
}

static const struct source_type stdin_source = {
    .enumerator_size = sizeof(struct stdin_enumerator),
    .reader_size = sizeof(struct stdin_reader),
    .split_size = sizeof(struct stdin_split),
    .blocking = true,
    .enumerator_next = stdin_enumerator_next,
    .reader_open = stdin_reader_open,
    .reader_close = stdin_reader_close,
    .split_open = stdin_split_open,
    .split_read = stdin_split_read,
    .split_close = stdin_split_close,
};

const struct conn_type conn_stdin = {
    .name = "stdin",
    .doc = "rows from standard input",
    .example = "'connector' = 'stdin', 'format' = 'csv'",
    .options = stdin_options,
    .takes_format = true,
    .source = &stdin_source,
};
