/* record_reader.c - a window over a stream of bytes, and a decoder on it.
 *
 * The window is read full, decoded as far as whole records reach, and its rest moves to the front. It grows only for a
 * record that does not fit; how long one may be is the format's affair. Where a split begins in the middle of a file the
 * number of its first line is not known: it is counted when an error or a dead letter wants it, not before. */
#include "flow/connector/record_reader.h"

#include <string.h>

enum { WINDOW_BYTES = 256 * 1024, DECODER_ALIGNMENT = 64, FILLS_PER_READ = 4 };

enum status record_format_open(struct record_format *f, const struct source_cx *cx)
{
    arena_init(&f->arena, cx->mem, 1024);
    TRY(conn_format(cx->options, &f->format, cx->err));
    f->options = format_options(f->format, cx->options, "", &f->arena);
    f->on_error = conn_on_error(cx->options);
    if (f->on_error == ON_ERROR_DEAD_LETTER && cx->dead_letter == NULL)
        f->on_error = ON_ERROR_SKIP; /* nobody listens */
    return S_OK;
}

void record_format_close(struct record_format *f)
{
    if (f->arena.mem != NULL) arena_release(&f->arena);
}

/* --- bad records -------------------------------------------------------------------------------------------------- */
static enum status lines_count(struct record_reader *r, struct err *e)
{
    if (r->lines_known || r->lines_before == NULL) return S_OK;
    TRY(r->lines_before(r->arg, &r->lines, e));
    r->lines_known = true;
    return S_OK;
}

static void dead_letter(void *arg, const struct format_position *at, const char *reason, struct str raw)
{
    struct record_reader *r = arg;
    struct format_position where = *at;
    struct buf text;

    if (where.line > 0 && lines_count(r, NULL) == S_OK) where.line += r->lines;
    buf_init(&text, r->cx->mem);
    format_position_print(&where, &text);
    r->cx->dead_letter(r->cx->dead_letter_arg, buf_text(&text), reason, raw);
    buf_release(&text);
}

/* Decodes once more from the bad record on, now that the number of its line is known, for the sake of the text. */
static enum status error_with_line(struct record_reader *r, struct batch *out, enum status st, const struct err *first)
{
    const struct fmt_type *format = r->format->format;
    struct err *e = r->cx->err;

    if (r->lines_before != NULL && !r->lines_known && lines_count(r, e) == S_OK) {
        r->in.line += r->lines;
        enum status again = format->decode(r->decoder, &r->in, out, e);
        if (again < 0) return again;
    }
    if (first->status != S_OK) err_pass_on(e, first);
    return st;
}

/* --- life --------------------------------------------------------------------------------------------------------- */
enum status record_reader_open(struct record_reader *r, struct source_cx *cx, const struct record_format *f,
                               const char *name, struct format_input start, record_fill_fn fill, void *arg)
{
    struct format_config config = {.schema = cx->read,
                                   .needed = cx->needed,
                                   .options = &f->options,
                                   .on_error = f->on_error,
                                   .dead_letter = f->on_error == ON_ERROR_DEAD_LETTER ? dead_letter : NULL,
                                   .dead_letter_arg = r,
                                   .bad_records = &cx->bad_records,
                                   .mem = cx->mem,
                                   .name = name};

    ASSERT(f->format != NULL && f->format->decode != NULL);
    r->cx = cx;
    r->format = f;
    r->name = name;
    r->in = start;
    r->fill = fill;
    r->arg = arg;
    r->capacity = WINDOW_BYTES;
    r->window = mem_alloc(cx->mem, r->capacity + FORMAT_PADDING);
    memset(r->window, 0, FORMAT_PADDING);
    r->in.data = r->window;
    void *decoder = mem_alloc_aligned(cx->mem, f->format->decoder_size, DECODER_ALIGNMENT);
    memset(decoder, 0, f->format->decoder_size);
    enum status st = f->format->decoder_open(decoder, &config, cx->err);
    if (st == S_OK) r->decoder = decoder;
    else mem_free(cx->mem, decoder);
    return st;
}

void record_reader_close(struct record_reader *r)
{
    if (r->cx == NULL) return;
    if (r->decoder != NULL) {
        r->format->format->decoder_close(r->decoder);
        mem_free(r->cx->mem, r->decoder);
    }
    mem_free(r->cx->mem, r->window);
    r->cx = NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */
/* Moves the rest to the front; a window that is full of one record grows. */
static void window_shift(struct record_reader *r)
{
    size_t rest = r->in.size - r->in.consumed;

    if (r->in.consumed > 0) memmove(r->window, r->window + r->in.consumed, rest);
    r->in.consumed = 0;
    r->in.size = rest;
    if (rest < r->capacity) return;
    size_t capacity = r->capacity * 2;
    char *window = mem_alloc(r->cx->mem, capacity + FORMAT_PADDING);
    memcpy(window, r->window, rest);
    mem_free(r->cx->mem, r->window);
    r->window = window;
    r->capacity = capacity;
    r->in.data = window;
}

static enum status window_fill(struct record_reader *r)
{
    size_t got = 0;

    ASSERT(!r->in.at_end);
    window_shift(r);
    enum status st = r->fill(r->arg, r->window + r->in.size, r->capacity - r->in.size, &got, r->cx->err);
    if (st < 0 || st == S_IDLE) return st;
    r->in.at_end = st == S_END;
    r->in.size += got;
    r->cx->bytes_in += got;
    memset(r->window + r->in.size, 0, FORMAT_PADDING);
    return S_OK;
}

enum status record_reader_read(struct record_reader *r, struct batch *out)
{
    struct err e = {0};

    for (uint32_t fills = 0; fills <= FILLS_PER_READ; fills++) {
        enum status st = r->format->format->decode(r->decoder, &r->in, out, &e);
        if (st == S_MORE) return S_OK;
        if (st == S_END) return S_END;
        if (st < 0) return error_with_line(r, out, st, &e);
        ASSERT(st == S_OK);
        st = window_fill(r);
        if (st != S_OK) return st;
    }
    return S_OK; /* much was read and little of it was rows */
}

enum status record_reader_message(struct record_reader *r, struct str message, uint64_t offset, struct batch *out)
{
    struct format_message m = {.bytes = message, .offset = offset};

    return r->format->format->decode_message(r->decoder, &m, out, r->cx->err);
}
