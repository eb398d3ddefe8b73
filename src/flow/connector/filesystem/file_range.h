/* file_range.h - reading a file as bytes, whole or the lines that begin within a range, through decompression where its
 * suffix says so. */
#pragma once
#include "flow/connector/filesystem/decompress.h"
#include "flow/source/file_wait.h"
#include "ground/fs/fs.h"

struct file_range {
    struct sys *sys;
    struct mem *mem;
    const struct fs_type *fs;
    const char *path;
    int64_t start, end;      /* the lines that are read: bytes [start, end); end INT64_MAX = to the end of the file */
    int64_t at;              /* next byte of the file to read */
    struct file_wait *stream; /* a pipe or a terminal: read in order, once; NULL = a file */
    struct decompressor *decompressor;
    char *input;             /* compressed bytes */
    size_t input_at, input_size;
    bool input_ended;
};

/* The lines that begin in bytes [start, end) of the file; 0 and INT64_MAX = all of it. */
enum status file_range_open(struct file_range *f, struct op_cx *op, const char *uri, int64_t start, int64_t end,
                            struct err *e) CHECKED;
/* Goes on at `offset` bytes (of the decompressed data) instead of at the start. E_UNSUPPORTED: a pipe has no way back. */
enum status file_range_seek(struct file_range *f, int64_t offset, struct err *e) CHECKED;
/* As record_fill_fn; arg is the file_range. S_IDLE: nothing lies in the pipe now; the task is woken when something does. */
enum status file_range_fill(void *arg, void *bytes, size_t size, size_t *got, struct err *e);
/* Lines that end before the range. */
enum status file_range_lines_before(void *arg, uint64_t *lines, struct err *e);
void file_range_close(struct file_range *f);
