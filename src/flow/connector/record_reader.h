/* record_reader.h - bytes that come in pieces to batches of rows, through a format: the window that format.h asks for, and
 * what becomes of bad records. Files, standard input and sockets read through it. */
#pragma once
#include "flow/connector/connector.h"

/* What the readers of one source have in common. */
struct record_format {
    const struct fmt_type *format;
    struct options options;   /* the format's own */
    enum on_error on_error;
    struct arena arena;
};
enum status record_format_open(struct record_format *f, const struct source_cx *cx) CHECKED;
void record_format_close(struct record_format *f);

/* Up to size bytes: S_OK with *got > 0, S_END when nothing follows, S_IDLE when nothing is there now. */
typedef enum status (*record_fill_fn)(void *arg, void *bytes, size_t size, size_t *got, struct err *e);

struct record_reader {
    struct source_cx *cx;
    const struct record_format *format;
    const char *name;          /* of the file, in errors; outlives the reader */
    void *decoder;
    struct format_input in;
    char *window;
    size_t capacity;           /* of the window, without its padding */
    record_fill_fn fill;
    void *arg;
    /* Reading that begins in the middle: answers how many lines stand before it, when an error wants to know. May be NULL. */
    enum status (*lines_before)(void *arg, uint64_t *lines, struct err *e);
    bool lines_known;
    uint64_t lines;
};

/* start: offset and line of the first byte that fill gives (FORMAT_INPUT_START at the beginning). */
enum status record_reader_open(struct record_reader *r, struct source_cx *cx, const struct record_format *f,
                               const char *name, struct format_input start, record_fill_fn fill, void *arg) CHECKED;
/* Appends rows: S_OK, S_IDLE (with or without rows), S_END, or an error in cx->err. */
enum status record_reader_read(struct record_reader *r, struct batch *out) CHECKED;
/* One record given whole: S_OK, or S_MORE when out is full and the same message must be passed again. */
enum status record_reader_message(struct record_reader *r, struct str message, uint64_t offset,
                                  struct batch *out) CHECKED;
void record_reader_close(struct record_reader *r);
