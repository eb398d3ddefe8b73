/* conn_print.c - every row as a line of text on standard output or standard error, as Flink's print connector writes them:
 * "identifier:subtask> +I[1, a]". The subtask is left out when there is one only.
 *
 * Lines are gathered and written whole, at the latest when the task would wait: several subtasks may share the stream, and
 * their lines do not mix. */
#include "flow/connector/connector.h"

enum { WRITE_BYTES = 64 * 1024 };
#define WIPE "\r\033[K"

static const struct option_def print_options[] = {
    {.key = "print-identifier", .kind = OPT_STRING, .doc = "stands in front of every line"},
    {.key = "standard-error",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "write to standard error instead of standard output"},
    {.key = NULL},
};

struct print_writer {
    struct sys_file *file;
    struct buf prefix, lines;
    bool is_broken; /* a write failed: what is gathered may be there in part */
    bool wipes;     /* a status line may stand on the same terminal: what is gathered begins with what wipes it */
};

static void prefix_make(const struct sink_cx *cx, struct buf *out)
{
    const char *identifier = options_get(cx->options, cx->option_defs, "print-identifier");

    if (identifier != NULL) buf_append_text(out, identifier);
    if (cx->parallelism > 1) buf_printf(out, "%s%u", out->size > 0 ? ":" : "", cx->subtask + 1);
    if (out->size > 0) buf_append_text(out, "> ");
}

static enum status print_open(struct sink_cx *cx, void *self)
{
    struct print_writer *w = self;

    buf_init(&w->prefix, cx->mem);
    buf_init(&w->lines, cx->mem);
    prefix_make(cx, &w->prefix);
    w->wipes = sys_is_terminal(cx->sys, 1) && sys_is_terminal(cx->sys, 2);
    return sys_file_standard(cx->sys, options_bool(cx->options, cx->option_defs, "standard-error") ? 2 : 1, &w->file,
                             cx->err);
}

static enum status lines_write(struct sink_cx *cx, struct print_writer *w)
{
    if (w->lines.size == 0) return S_OK;
    size_t from = w->wipes && !sys_line_is_live(cx->sys) ? sizeof WIPE - 1 : 0; /* none stands there now */
    enum status st = sys_file_write(cx->sys, w->file, w->lines.data + from, w->lines.size - from, cx->err);
    w->is_broken = st != S_OK;
    buf_clear(&w->lines);
    return st;
}

static enum status print_write(struct sink_cx *cx, void *self, struct batch *in)
{
    struct print_writer *w = self;

    BATCH_EACH(in, i, row)
    {
        if (w->wipes && w->lines.size == 0) buf_append_text(&w->lines, WIPE);
        buf_append(&w->lines, w->prefix.data, w->prefix.size);
        batch_print_row(in, row, &w->lines);
        buf_append_byte(&w->lines, '\n');
        if (w->lines.size >= WRITE_BYTES) TRY(lines_write(cx, w));
    }
    return S_OK;
}

static enum status print_flush(struct sink_cx *cx, void *self, bool at_end)
{
    (void)at_end;
    return lines_write(cx, self);
}

/* Rows that came before a failure are out, as the job's counts say. */
static void print_close(struct sink_cx *cx, void *self, bool failed)
{
    struct print_writer *w = self;

    if (failed && w->file != NULL && !w->is_broken) (void)lines_write(cx, w);
    sys_file_close(cx->sys, w->file);
    buf_release(&w->prefix);
    buf_release(&w->lines);
}

static const struct sink_type print_sink = {
    .writer_size = sizeof(struct print_writer),
    .accepts_updates = true,
    .open = print_open,
    .write = print_write,
    .flush = print_flush,
    .close = print_close,
};

const struct conn_type conn_print = {
    .name = "print",
    .doc = "writes every row as a line of text on standard output",
    .example = "'connector' = 'print', 'print-identifier' = 'result'",
    .options = print_options,
    .sink = &print_sink,
};
