/* csv.h - the parts of the csv format among themselves: fmt_csv.c drives csv_scan.c, csv_read.c and csv_write.c. */
#pragma once
#include "flow/format/csv_scan.h"
#include "flow/format/format_report.h"
#include "flow/format/time_fast.h"
#include "flow/format/value_print.h"

enum csv_header { CSV_HEADER_FALSE, CSV_HEADER_TRUE, CSV_HEADER_AUTO, CSV_HEADER_SKIP };

/* What the options say. */
struct csv_options {
    struct csv_syntax syntax;
    struct str null_literal; /* data NULL = none */
    struct str element_delimiter;
    enum csv_header header;
    bool ignore_errors;
    bool scientific_decimals;
    size_t record_max;
};

/* A run of regular records: n fields each, none of them looked at yet. Offsets are from base. */
struct csv_span {
    const char *base;
    const uint16_t *starts; /* start of row r's field: starts[r * start_stride] + start_add */
    uint32_t start_stride, start_add;
    const uint16_t *ends; /* its end: ends[r * end_stride] */
    uint32_t end_stride;
    uint32_t rows;  /* to read */
    uint32_t first; /* row of the batch that the first one becomes */
};

struct csv_reader;
struct csv_column;
/* Reads one field of span->rows records into v; answers how many were good before the first bad one. */
typedef uint32_t (*csv_read_fn)(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span,
                                struct vector *v);

struct csv_column {
    const struct type *type;
    struct str name;
    uint32_t index; /* field and column of the schema */
    csv_read_fn read;
    struct minute_cache minute;
};

struct csv_reader {
    struct csv_options options;
    struct format_report *report;
    struct mem *mem;
    struct text_heap *heap; /* of the batch being filled */
    struct buf unquoted;    /* a field whose text is not what stands in the file */
    const char *fault_at;   /* after a failure: where; why stands in the report */
    const char *fault_hint; /* and what to do */
};

/* Fills col->read. E_UNSUPPORTED names the column whose type csv cannot hold. */
enum status csv_column_init(struct csv_column *col, const struct csv_options *options, uint32_t index,
                            const struct type *schema, struct mem *mem, struct err *e) CHECKED;
/* One field s[0..e - s) into v[row], whatever it looks like. false = bad, see fault_at. */
bool csv_field_read(struct csv_reader *rd, struct csv_column *col, struct vector *v, uint32_t row, const char *s,
                    const char *e) CHECKED;
/* The text of a field without quotes and escapes; a view into the file or into rd->unquoted. false = malformed. */
bool csv_field_text(struct csv_reader *rd, const char *s, const char *e, struct str *text, bool *was_quoted) CHECKED;

enum status csv_options_read(const struct format_config *config, struct csv_options *out, struct err *e) CHECKED;

/* Reading: csv_decode.c. */
struct csv_decoder {
    struct csv_reader reader;
    struct format_report report;
    struct csv_column *columns; /* the needed ones */
    uint32_t needed_count, field_count;
    const struct type *schema;
    struct mem *mem;
    struct csv_chunk *chunk;
    struct csv_record record; /* the exact scan of the record at record_offset */
    uint64_t record_offset;
    bool record_active;
    bool header_due;     /* the first line is still to come */
    uint32_t run_max;    /* records read at once: small behind a bad one, so that little is read twice */
    size_t heap_max;     /* bytes of long strings after which a batch counts as full */
    size_t message_done; /* bytes of the current message whose rows are out */
    uint16_t starts[BATCH_ROWS], text_ends[BATCH_ROWS]; /* of the records of a run */
};
enum status csv_decoder_open(void *self, const struct format_config *config, struct err *e);
enum status csv_decode(void *self, struct format_input *in, struct batch *out, struct err *e);
enum status csv_decode_message(void *self, const struct format_message *message, struct batch *out, struct err *e);
void csv_decoder_close(void *self);

/* Writing: csv_write.c. */
struct csv_encoder {
    struct csv_options options;
    const struct type *schema;
    struct mem *mem;
    struct value_style style;
    struct minute_text minute;
    struct buf field; /* one nested field in the making */
    bool header_due;
};
enum status csv_encoder_open(void *self, const struct format_config *config, struct err *e);
enum status csv_encode(void *self, const struct batch *in, struct buf *out, struct err *e);
enum status csv_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e);
void csv_encoder_close(void *self);
