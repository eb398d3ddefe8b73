/* format.h - a format turns bytes into batches and back. One fmt_<name>.c per format, ending in `const struct fmt_type
 * fmt_<name>`; format_find looks one up by the name users write ('format' = 'csv').
 *
 * Stream mode (files, sockets): the caller keeps a window of bytes and calls decode until it answers S_OK, then moves
 * data[consumed..size) to the front, reads more behind it (growing the window by at least half when nothing could be
 * consumed) and sets at_end when the source has ended. Whole records are consumed, a cut one stays. Message mode (Kafka
 * and its like): one message holds the record or records, there is no separator. Both read FORMAT_PADDING bytes past
 * the end, whatever they hold: the window must be that much larger than `size` says.
 *
 * A bad record never stops decoding half-way: it is an error with its position (FAIL), or it is counted and dropped
 * (SKIP), or counted and handed to dead_letter with position, reason and raw bytes (DEAD_LETTER). What is appended to
 * the batch is whole rows only. The result does not depend on how the bytes were cut into windows. */
#pragma once
#include "columns/column/batch.h"
#include "ground/base/option.h"

enum { FORMAT_PADDING = 64, FORMAT_DEPTH_MAX = 64, FORMAT_RECORD_MAX = 16 * 1024 * 1024 };

enum on_error { ON_ERROR_FAIL, ON_ERROR_SKIP, ON_ERROR_DEAD_LETTER };
#define ON_ERROR_CHOICES "fail|skip|dead-letter" /* for the option table of whoever owns the option */

/* Where a record or a mistake in it stands. */
struct format_position {
    const char *name; /* of the file, or of the topic and partition */
    uint64_t line;    /* from 1; 0 = unknown, or a message */
    uint64_t column;  /* byte in the line (message mode: in the message), from 1 */
    uint64_t offset;  /* of the line's first byte in the file; message mode: the message's offset */
};

/* raw is the record without its line end, valid during the call; at most record limit bytes of an overlong one. */
typedef void (*format_dead_letter_fn)(void *arg, const struct format_position *at, const char *reason, struct str raw);

struct format_config {
    const struct type *schema; /* T_ROW; outlives the decoder or encoder */
    const uint64_t *needed; /* bit i = column i is wanted; NULL = all. Others are ABSENT, checked structurally only */
    const struct options *options; /* of this format: keys "csv.null-literal", see format_options; NULL = defaults */
    enum on_error on_error;
    format_dead_letter_fn dead_letter; /* set when on_error is ON_ERROR_DEAD_LETTER */
    void *dead_letter_arg;
    uint64_t *bad_records; /* counts records dropped by SKIP and DEAD_LETTER; may be NULL */
    struct mem *mem;
    const char *name; /* stands in front of errors: the file's name */
};

/* The window. Set data, size, at_end; offset, line and discarding are the position and belong into checkpoints. */
struct format_input {
    const char *data;
    size_t size;
    bool at_end;     /* nothing follows data[size) */
    bool discarding; /* the rest of an overlong record is being dropped */
    size_t consumed; /* out: bytes of data done with; set it to 0 when the window moves */
    uint64_t offset; /* of data[consumed] in the file; 0 = start: a byte order mark and a header may stand here */
    uint64_t line;   /* of data[consumed], from 1; 0 = unknown, stays so */
};
#define FORMAT_INPUT_START ((struct format_input){.line = 1})

struct format_message {
    struct str bytes; /* data NULL = a tombstone: no row (raw: a NULL) */
    uint64_t offset;  /* for errors */
};

struct fmt_type {
    const char *name, *doc, *example; /* example: one statement of the WITH clause, shown in the reference */
    const struct option_def *options; /* keys carry the name: "csv.field-delimiter"; ends with key NULL */
    uint8_t changes;                  /* what rows come besides +I: enum changes, bits; connector.h says who else is asked */
    /* May a file be cut after any newline into splits that are decoded apart? o may be NULL. A split starts with its
     * offset, and with line 0 (unknown: errors then say "file@offset:column") unless the lines before were counted. */
    bool (*is_splittable)(const struct type *schema, const struct options *o);

    size_t decoder_size; /* of self, zeroed by the caller, 64-byte aligned */
    /* Checks options and schema; E_CONFIG, E_UNSUPPORTED. After an error self needs no close. */
    enum status (*decoder_open)(void *self, const struct format_config *config, struct err *e);
    /* Appends rows to out, which was made by batch_create_needed with the same schema and needed columns. S_OK: the
     * window holds no further whole record. S_MORE: the batch is full, call again with another. S_END: at_end and all
     * is consumed. E_DATA, E_OVERFLOW: bad input under FAIL, in->consumed stands before the bad record. */
    enum status (*decode)(void *self, struct format_input *in, struct batch *out, struct err *e);
    /* S_OK: done with the message (with or without rows). S_MORE: out is full, pass the same message with another. */
    enum status (*decode_message)(void *self, const struct format_message *message, struct batch *out, struct err *e);
    void (*decoder_close)(void *self);

    size_t encoder_size;
    enum status (*encoder_open)(void *self, const struct format_config *config, struct err *e);
    /* Appends the selected rows of in to out, as whole records with their separator. One encoder serves one file. */
    enum status (*encode)(void *self, const struct batch *in, struct buf *out, struct err *e);
    /* Appends one row without separator: a message. */
    enum status (*encode_row)(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e);
    void (*encoder_close)(void *self);
};

extern const struct fmt_type *const fmt_types[]; /* sorted by name, ends with NULL */
/* The format of that name; E_CONFIG names the known ones and suggests the nearest. */
enum status format_find(const char *name, const struct fmt_type **out, struct err *e) CHECKED;
/* Those of `all` that belong to the format: keys that begin with prefix and the format's name and a dot. The prefix
 * ("" or "value.") is cut off. */
struct options format_options(const struct fmt_type *type, const struct options *all, const char *prefix,
                              struct arena *a);
/* "flights.csv:12:7"; without a line "orders-3@1043:7", the offset and the byte from there. */
void format_position_print(const struct format_position *at, struct buf *out);
