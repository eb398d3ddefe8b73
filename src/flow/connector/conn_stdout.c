/* conn_stdout.c - rows to standard output, in a format, as whole records: when the task would wait, when much has gathered,
 * and at the end. (Connector `print` writes rows for people to read; this one for programs.) */
#include "flow/connector/record_writer.h"

static const struct option_def stdout_options[] = {{.key = NULL}};

static enum status stdout_open(struct sink_cx *cx, void *self)
{
    struct sys_file *file;

    TRY(record_writer_open(self, cx));
    TRY(sys_file_standard(cx->sys, 1, &file, cx->err));
    return record_writer_start(self, file);
}

static enum status stdout_write(struct sink_cx *cx, void *self, struct batch *in)
{
    (void)cx;
    return record_writer_add(self, in);
}

static enum status stdout_flush(struct sink_cx *cx, void *self, bool at_end)
{
    (void)cx;
    (void)at_end;
    return record_writer_flush(self);
}

/* Records that came before a failure are out, as the job's counts say. */
static void stdout_close(struct sink_cx *cx, void *self, bool failed)
{
    struct record_writer *w = self;

    if (failed && w->file != NULL && record_writer_flush(w) != S_OK) err_hint(cx->err, "what came before it could not be written either");
    record_writer_close(w);
}

static const struct sink_type stdout_sink = {
    .writer_size = sizeof(struct record_writer),
    .open = stdout_open,
    .write = stdout_write,
    .flush = stdout_flush,
    .close = stdout_close,
};

const struct conn_type conn_stdout = {
    .name = "stdout",
    .doc = "rows to standard output, in a format",
    .example = "'connector' = 'stdout', 'format' = 'json'",
    .options = stdout_options,
    .takes_format = true,
    .sink = &stdout_sink,
};
