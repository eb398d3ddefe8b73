/* record_writer.c - an encoder, a buffer and a file. An encoder serves one file: a header, where the format has one, comes
 * with its first row. */
#include "flow/connector/record_writer.h"

#include <string.h>

enum { WRITE_BYTES = 256 * 1024, ENCODER_ALIGNMENT = 64 };

enum status record_writer_open(struct record_writer *w, struct sink_cx *cx)
{
    w->cx = cx;
    arena_init(&w->arena, cx->mem, 1024);
    buf_init(&w->bytes, cx->mem);
    TRY(conn_format(cx->options, &w->format, cx->err));
    w->options = format_options(w->format, cx->options, "", &w->arena);
    return S_OK;
}

enum status record_writer_start(struct record_writer *w, struct sys_file *file)
{
    struct format_config config = {
        .schema = w->cx->schema, .options = &w->options, .mem = w->cx->mem, .name = w->cx->op->name};
    void *encoder = mem_alloc_aligned(w->cx->mem, w->format->encoder_size, ENCODER_ALIGNMENT);

    ASSERT(w->file == NULL && w->encoder == NULL && w->bytes.size == 0);
    w->file = file;
    w->written = 0;
    memset(encoder, 0, w->format->encoder_size);
    enum status st = w->format->encoder_open(encoder, &config, w->cx->err);
    if (st == S_OK) w->encoder = encoder;
    else mem_free(w->cx->mem, encoder);
    return st;
}

enum status record_writer_add(struct record_writer *w, const struct batch *in)
{
    size_t before = w->bytes.size;

    ASSERT(w->encoder != NULL);
    enum status st = w->format->encode(w->encoder, in, &w->bytes, w->cx->err);
    if (st != S_OK) {
        w->bytes.size = before; /* whole batches or nothing */
        return st;
    }
    w->written += (int64_t)(w->bytes.size - before);
    return w->bytes.size >= WRITE_BYTES ? record_writer_flush(w) : S_OK;
}

enum status record_writer_flush(struct record_writer *w)
{
    if (w->bytes.size == 0) return S_OK;
    ASSERT(w->file != NULL);
    enum status st = sys_file_write(w->cx->sys, w->file, w->bytes.data, w->bytes.size, w->cx->err);
    buf_clear(&w->bytes); /* after a failure too: writing it again would double what went through */
    return st;
}

static void encoder_free(struct record_writer *w)
{
    if (w->encoder == NULL) return;
    w->format->encoder_close(w->encoder);
    mem_free(w->cx->mem, w->encoder);
    w->encoder = NULL;
}

enum status record_writer_finish(struct record_writer *w, bool sync)
{
    enum status st = record_writer_flush(w);

    ASSERT(w->file != NULL);
    if (st == S_OK && sync) st = sys_file_sync(w->cx->sys, w->file, w->cx->err);
    sys_file_close(w->cx->sys, w->file);
    w->file = NULL;
    encoder_free(w);
    return st;
}

void record_writer_close(struct record_writer *w)
{
    if (w->cx == NULL) return;
    encoder_free(w);
    sys_file_close(w->cx->sys, w->file);
    buf_release(&w->bytes);
    arena_release(&w->arena);
    w->cx = NULL;
}
