/* conn_socket.c - rows from a TCP connection to a server, by one subtask. With a newline between records the format reads
 * the stream as it reads a file; with another delimiter each piece is a message of its own. The other end closing the
 * connection is the end of input; what it cannot send again is lost with a failure.
 *
 * Nothing here waits: while the connection comes about, and whenever no bytes are there, the task sleeps until the job's
 * event loop wakes it. */
#include "flow/connector/record_reader.h"
#include "flow/source/file_wait.h"
#include "ground/net/dial.h"

#include <stdio.h>
#include <string.h>

enum { READ_BYTES = 64 * 1024, MESSAGE_MAX = FORMAT_RECORD_MAX, NAME_SIZE = 300 };

static const struct option_def socket_options[] = {
    {.key = "hostname", .kind = OPT_STRING, .fallback = "", .required = true, .doc = "the server"},
    {.key = "port", .kind = OPT_INT, .fallback = "", .required = true, .doc = "its port"},
    {.key = "byte-delimiter", .kind = OPT_INT, .fallback = "10", .doc = "the byte between records; 10 is a newline"},
    {.key = NULL},
};

struct socket_enumerator {
    bool handed_out;
};

struct socket_reader {
    struct record_format format;
};

struct socket_split {
    struct source_cx *cx;
    struct dial dial;
    struct file_wait *file; /* NULL: no connection is begun */
    bool is_connected;
    struct record_reader records;
    char name[NAME_SIZE];
    /* another delimiter than newline: */
    char delimiter;
    struct buf bytes;          /* received; messages from `at` on are not decoded */
    size_t at, searched;       /* no delimiter stands in at..searched */
    uint64_t count;            /* of messages */
    bool ended;
};

static enum boundedness socket_boundedness(const struct options *o, const struct option_def *defs)
{
    (void)o;
    (void)defs;
    return UNBOUNDED;
}

static enum status socket_check(const struct options *o, const struct option_def *defs, const struct type *row,
                                struct err *e)
{
    int64_t port = options_int(o, defs, "port"), delimiter = options_int(o, defs, "byte-delimiter");

    ASSERT(row->kind == T_ROW);
    if (port < 1 || port > 65535)
        return err_set(e, E_CONFIG, "option 'port' of connector 'socket' is %lld, but must be between 1 and 65535",
                       (long long)port);
    if (delimiter >= 0 && delimiter <= 255) return S_OK;
    return err_set(e, E_CONFIG, "option 'byte-delimiter' of connector 'socket' is %lld, but must be a byte, 0 to 255",
                   (long long)delimiter);
}

static enum status socket_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a,
                                          struct split *out)
{
    struct socket_enumerator *en = self;

    (void)subtask;
    if (en->handed_out) return S_END;
    en->handed_out = true;
    *out = (struct split){.id = arena_strdup(a, options_get(cx->options, cx->option_defs, "hostname"))};
    return S_OK;
}

static enum status socket_fill(void *arg, void *bytes, size_t size, size_t *got, struct err *e);

static enum status socket_reader_open(struct source_cx *cx, void *reader)
{
    return record_format_open(&((struct socket_reader *)reader)->format, cx);
}

static void socket_reader_close(struct source_cx *cx, void *reader)
{
    (void)cx;
    record_format_close(&((struct socket_reader *)reader)->format);
}

/* --- connecting --------------------------------------------------------------------------------------------------- */
static void wake_task(void *op)
{
    struct op_cx *cx = op;

    if (cx->parker != NULL) sys_unpark(cx->sys, cx->parker);
}

static enum status socket_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct socket_split *s = split;
    const char *host = options_get(cx->options, cx->option_defs, "hostname");
    int port = (int)options_int(cx->options, cx->option_defs, "port");

    (void)what;
    s->cx = cx;
    s->delimiter = (char)options_int(cx->options, cx->option_defs, "byte-delimiter");
    snprintf(s->name, sizeof s->name, "%.250s:%d", host, port);
    buf_init(&s->bytes, cx->mem);
    TRY(record_reader_open(&s->records, cx, &((struct socket_reader *)reader)->format, s->name, FORMAT_INPUT_START,
                           socket_fill, s));
    enum status st = dial_start(&s->dial, cx->sys, host, port, wake_task, cx->op, cx->err);
    if (st != S_OK) record_reader_close(&s->records);
    return st;
}

/* The next address, when there is one. */
static enum status connection_begin(struct socket_split *s, struct err *e)
{
    struct sys_file *file = NULL;
    enum status st = dial_next(&s->dial, &file, e);

    if (st == S_PENDING) return S_IDLE; /* its name is looked up */
    TRY(st);
    s->file = file_wait_create(s->cx->op, file);
    return S_OK;
}

/* S_OK connected; S_IDLE not yet; the error of the last address. */
static enum status connection_step(struct socket_split *s, struct err *e)
{
    while (!s->is_connected) {
        struct err why = {0};
        enum status st = S_OK;
        if (s->file == NULL) st = connection_begin(s, &why);
        else if (!file_wait_is_ready(s->file)) return S_IDLE;
        if (st == S_OK) st = sys_socket_finish(s->cx->sys, file_wait_file(s->file), &why);
        if (st == S_IDLE && s->file != NULL) TRY(file_wait_arm(s->file, SYS_READY_WRITE, e));
        if (st == S_IDLE) return st;
        s->is_connected = st == S_OK;
        if (st == S_OK) break;
        file_wait_close(s->file);
        s->file = NULL;
        if (!dial_has_more(&s->dial)) return err_pass_on(e, &why);
    }
    return S_OK;
}

static enum status socket_fill(void *arg, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct socket_split *s = arg;

    TRY(connection_step(s, e));
    return file_wait_read(s->file, bytes, size, got, e);
}

/* --- messages ----------------------------------------------------------------------------------------------------- */
static enum status bytes_receive(struct socket_split *s)
{
    size_t got = 0, rest = s->bytes.size - s->at;

    if (s->at > 0) memmove(s->bytes.data, s->bytes.data + s->at, rest);
    s->bytes.size = rest;
    s->searched -= s->at;
    s->at = 0;
    if (rest > MESSAGE_MAX)
        return err_set(s->cx->err, E_DATA, "%s: %zu bytes without the delimiter; a record may have %d", s->name, rest,
                       MESSAGE_MAX);
    buf_reserve(&s->bytes, READ_BYTES);
    enum status st = socket_fill(s, s->bytes.data + rest, READ_BYTES, &got, s->cx->err);
    if (st < 0 || st == S_IDLE) return st;
    s->ended = st == S_END;
    s->bytes.size += got;
    s->cx->bytes_in += got;
    return S_OK;
}

/* The next whole message, or the rest when nothing follows. */
static bool message_find(struct socket_split *s, struct str *out)
{
    const char *data = s->bytes.data, *end;

    if (s->at == s->bytes.size) return false;
    end = memchr(data + s->searched, s->delimiter, s->bytes.size - s->searched);
    if (end == NULL && !s->ended) {
        s->searched = s->bytes.size;
        return false;
    }
    *out = (struct str){data + s->at, (end != NULL ? (size_t)(end - data) : s->bytes.size) - s->at};
    return true;
}

static enum status messages_read(struct socket_split *s, struct batch *out)
{
    struct str message;

    while (out->count < out->capacity) {
        if (!message_find(s, &message)) {
            if (s->ended) return S_END;
            if (out->count > 0) return S_OK;
            TRY(bytes_receive(s));
            buf_reserve(&s->bytes, FORMAT_PADDING);
            continue;
        }
        enum status st = record_reader_message(&s->records, message, s->count, out);
        if (st == S_MORE) return S_OK;
        TRY(st);
        s->count++;
        s->at += message.size + (s->at + message.size < s->bytes.size);
        s->searched = s->at;
    }
    return S_OK;
}

static enum status socket_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct socket_split *s = split;

    (void)cx;
    (void)reader;
    return s->delimiter == '\n' ? record_reader_read(&s->records, out) : messages_read(s, out);
}

static void socket_split_close(struct source_cx *cx, void *reader, void *split)
{
    struct socket_split *s = split;

    (void)cx;
    (void)reader;
    record_reader_close(&s->records);
    file_wait_close(s->file);
    dial_end(&s->dial);
    buf_release(&s->bytes);
}

static const struct source_type socket_source = {
    .enumerator_size = sizeof(struct socket_enumerator),
    .reader_size = sizeof(struct socket_reader),
    .split_size = sizeof(struct socket_split),
    .boundedness = socket_boundedness,
    .check = socket_check,
    .enumerator_next = socket_enumerator_next,
    .reader_open = socket_reader_open,
    .reader_close = socket_reader_close,
    .split_open = socket_split_open,
    .split_read = socket_split_read,
    .split_close = socket_split_close,
};

const struct conn_type conn_socket = {
    .name = "socket",
    .doc = "rows from a TCP connection",
    .example = "'connector' = 'socket', 'hostname' = 'localhost', 'port' = '9999', 'format' = 'csv'",
    .notes = "**Checkpoints.** This connector cannot go back: what came between a checkpoint and a failure does not come again, or all of\n"
             "it does. A job that takes checkpoints says so when it starts.",
    .options = socket_options,
    .takes_format = true,
    .source = &socket_source,
};
