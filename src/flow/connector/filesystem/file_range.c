/* file_range.c - bytes of a file.
 *
 * A range [start, end) of a big file stands for the lines that begin in it: its first byte is the one behind the first
 * newline at or after start - 1, its last one belongs to the line that begins before `end`. Whoever reads the range before
 * or behind finds the same borders, so every line is read by exactly one of them. Only plain files are cut.
 *
 * A pipe or a terminal is read in order through one open file, and never waited for: the job's event loop does that. */
#include "flow/connector/filesystem/file_range.h"

#include <string.h>

enum { CHUNK = 64 * 1024 };

/* Reads exactly what is there at `offset`, up to size; of a stream what has come, S_IDLE when nothing has. */
static enum status read_at(const struct file_range *f, int64_t offset, void *bytes, size_t size, size_t *got,
                           struct err *e)
{
    if (f->stream == NULL) return f->fs->read_range(f->sys, f->path, offset, bytes, size, got, e);
    ASSERT(offset == f->at);
    *got = 0;
    enum status st = file_wait_read(f->stream, bytes, size, got, e);
    return st == S_END ? S_OK : st; /* nothing more is what a file says at its end, too */
}

/* First line start at or after `from`; INT64_MAX when no line begins there. */
static enum status line_start(const struct file_range *f, int64_t from, int64_t *out, struct err *e)
{
    char *chunk;
    size_t got = 1;
    enum status st = S_OK;

    *out = from;
    if (from == 0 || from == INT64_MAX) return S_OK;
    chunk = mem_alloc(f->mem, CHUNK);
    *out = INT64_MAX;
    for (int64_t at = from - 1; got > 0 && *out == INT64_MAX; at += (int64_t)got) {
        st = read_at(f, at, chunk, CHUNK, &got, e);
        if (st != S_OK) break;
        const char *newline = memchr(chunk, '\n', got);
        if (newline != NULL) *out = at + (newline - chunk) + 1;
    }
    mem_free(f->mem, chunk);
    return st;
}

enum status file_range_open(struct file_range *f, struct op_cx *op, const char *uri, int64_t start, int64_t end,
                            struct err *e)
{
    struct sys_file *stream = NULL;

    ASSERT(start >= 0 && start <= end);
    *f = (struct file_range){.sys = op->sys, .mem = op->mem};
    TRY(fs_find(uri, &f->fs, &f->path, e));
    if (f->fs->open_stream != NULL) TRY(f->fs->open_stream(f->sys, f->path, &stream, e));
    if (stream != NULL) f->stream = file_wait_create(op, stream);
    ASSERT(f->stream == NULL || (start == 0 && end == INT64_MAX));
    enum compression kind = compression_of(f->path);
    if (kind != COMPRESSION_NONE) {
        ASSERT(start == 0 && end == INT64_MAX);
        f->decompressor = decompressor_create(kind, f->path, f->mem);
        f->input = mem_alloc(f->mem, CHUNK);
        f->end = INT64_MAX;
        return S_OK;
    }
    TRY(line_start(f, start, &f->start, e));
    TRY(line_start(f, end, &f->end, e));
    f->at = f->start;
    return S_OK;
}

void file_range_close(struct file_range *f)
{
    file_wait_close(f->stream);
    f->stream = NULL;
    decompressor_free(f->decompressor);
    mem_free(f->mem, f->input);
    f->decompressor = NULL;
    f->input = NULL;
}

/* --- plain and compressed bytes ----------------------------------------------------------------------------------- */
static enum status plain_fill(struct file_range *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    size_t wanted = f->end == INT64_MAX ? size : (size_t)MIN((int64_t)size, f->end - f->at);

    *got = 0;
    if (f->at >= f->end) return S_END;
    TRY(read_at(f, f->at, bytes, wanted, got, e));
    f->at += (int64_t)*got;
    return *got > 0 ? S_OK : S_END;
}

static enum status compressed_fill(struct file_range *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    size_t used;

    for (*got = 0; *got == 0;) {
        if (f->input_at == f->input_size && !f->input_ended) {
            f->input_at = 0;
            TRY(read_at(f, f->at, f->input, CHUNK, &f->input_size, e));
            f->at += (int64_t)f->input_size;
            f->input_ended = f->input_size == 0;
        }
        struct str in = {f->input + f->input_at, f->input_size - f->input_at};
        TRY(decompressor_run(f->decompressor, in, f->input_ended, &used, bytes, size, got, e));
        f->input_at += used;
        if (f->input_ended && *got == 0) return S_END;
    }
    return S_OK;
}

enum status file_range_fill(void *arg, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct file_range *f = arg;

    ASSERT(size > 0);
    return f->decompressor != NULL ? compressed_fill(f, bytes, size, got, e) : plain_fill(f, bytes, size, got, e);
}

enum status file_range_seek(struct file_range *f, int64_t offset, struct err *e)
{
    char *chunk;
    enum status st = S_OK;

    if (f->stream != NULL && offset > 0) {
        err_set(e, E_UNSUPPORTED, "'%s' is a pipe: %lld bytes of it were read before, and cannot be read again", f->path,
                (long long)offset);
        err_hint(e, "write it to a file, and name that as path");
        return E_UNSUPPORTED;
    }
    if (f->decompressor == NULL) {
        f->at = offset;
        return S_OK;
    }
    chunk = mem_alloc(f->mem, CHUNK);
    for (size_t got; st == S_OK && offset > 0; offset -= (int64_t)got)
        st = compressed_fill(f, chunk, (size_t)MIN(offset, (int64_t)CHUNK), &got, e);
    mem_free(f->mem, chunk);
    if (st == S_END) return err_set(e, E_DATA, "'%s' is shorter than it was when it was read before", f->path);
    return st;
}

enum status file_range_lines_before(void *arg, uint64_t *lines, struct err *e)
{
    const struct file_range *f = arg;
    char *chunk;
    size_t got = 1;
    enum status st = S_OK;

    *lines = 0;
    if (f->decompressor != NULL || f->start == 0) return S_OK;
    chunk = mem_alloc(f->mem, CHUNK);
    for (int64_t at = 0; st == S_OK && got > 0 && at < f->start; at += (int64_t)got) {
        st = read_at(f, at, chunk, (size_t)MIN((int64_t)CHUNK, f->start - at), &got, e);
        for (size_t i = 0; st == S_OK && i < got; i++) *lines += chunk[i] == '\n';
    }
    mem_free(f->mem, chunk);
    return st;
}
