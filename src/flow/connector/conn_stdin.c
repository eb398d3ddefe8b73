/* conn_stdin.c - rows from standard input, by one subtask: the first that asks. With nothing there the task sleeps until the
 * job's event loop wakes it. There is no way back in a pipe: the position is empty. */
#include "flow/connector/record_reader.h"
#include "flow/source/file_wait.h"

struct stdin_enumerator {
    bool handed_out;
};

struct stdin_reader {
    struct record_format format;
};

struct stdin_split {
    struct file_wait *file;
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

static enum status stdin_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct stdin_split *s = split;
    struct sys_file *file = NULL;

    (void)what;
    TRY(sys_file_standard(cx->sys, 0, &file, cx->err));
    s->file = file_wait_create(cx->op, file);
    enum status st = record_reader_open(&s->records, cx, &((struct stdin_reader *)reader)->format, "standard input",
                              FORMAT_INPUT_START, file_wait_read, s->file);
    if (st != S_OK) file_wait_close(s->file);
    return st;
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

    (void)cx;
    (void)reader;
    record_reader_close(&s->records);
    file_wait_close(s->file);
}

static const struct source_type stdin_source = {
    .enumerator_size = sizeof(struct stdin_enumerator),
    .reader_size = sizeof(struct stdin_reader),
    .split_size = sizeof(struct stdin_split),
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
    .notes = "**Checkpoints.** This connector cannot go back: what came between a checkpoint and a failure does not come again, or all of\n"
             "it does. A job that takes checkpoints says so when it starts.",
    .options = stdin_options,
    .takes_format = true,
    .source = &stdin_source,
};
