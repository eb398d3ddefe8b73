/* cdc_json.h - changes of a database's rows as JSON, one change per line or message: what debezium-json, canal-json, maxwell-json and
 * ogg-json have in common. Each is a descriptor: how the parts of a change are called, and what its operations mean.
 *
 * A change holds the row before, the row after, and an operation. An update is two rows, -U and +U; a change may hold several rows
 * (canal-json). The input stands behind a record when all its rows are in the batch, and before one that is refused: it is met again,
 * as format.h says. Only a change of more rows than a whole batch holds is cut: while decode answers S_MORE some may be in hand. */
#pragma once
#include "flow/format/json.h"

#include <regex.h>

enum cdc_change { CDC_NOTHING, CDC_INSERT, CDC_UPDATE, CDC_DELETE };
struct cdc_operation {
    const char *name;
    uint8_t change; /* enum cdc_change */
};

struct cdc_kind {
    const char *format, *title;            /* "debezium-json", "Debezium" */
    const char *before, *after, *operation; /* names of the parts */
    const struct option_def *options;
    struct cdc_operation operations[6];    /* ends with name NULL */
    const char *insertion[2], *deletion[2]; /* what is written before and behind the row */
    bool lists;                            /* rows before and after stand in lists of equal length */
    bool before_is_partial;                /* what is missing in a row before is as after, and a deleted row is the one after */
};

struct cdc_decoder {
    const struct cdc_kind *kind;
    struct json_decoder json, old; /* of changes; of rows before, where these are partial */
    struct batch *change, *before; /* one row each; before: NULL, they are not partial */
    struct format_report report;
    struct arena arena;
    const struct type *schema;
    uint32_t count, *cols; /* the wanted columns: field i of a row is column cols[i] */
    bool is_wrapped;       /* debezium-json.schema-include: the change is in "payload" */
    bool has_filter[2];
    regex_t filters[2];    /* of database and table */
    struct buf text;       /* of rows before */
    struct str record;     /* that was read last, until the window moves */
    uint64_t line, offset; /* of it */
    /* the change that is being handed on */
    enum cdc_change what;
    uint32_t at, rows;     /* of its rows: an update has two each */
};

/* The options that all of them have: json's, under their own names. */
#define CDC_JSON_OPTIONS(name)                                                                                         \
    {.key = name ".ignore-parse-errors",                                                                               \
     .kind = OPT_BOOL,                                                                                                 \
     .fallback = "false",                                                                                              \
     .doc = "a bad field becomes NULL, a bad record is dropped"},                                                      \
        {.key = name ".timestamp-format.standard",                                                                     \
         .kind = OPT_ENUM,                                                                                             \
         .fallback = "SQL",                                                                                            \
         .choices = "SQL|ISO-8601",                                                                                    \
         .doc = "how timestamps are written; both spellings are read"},                                                \
        {.key = name ".map-null-key.mode",                                                                             \
         .kind = OPT_ENUM,                                                                                             \
         .fallback = "FAIL",                                                                                           \
         .choices = "FAIL|DROP|LITERAL",                                                                               \
         .doc = "writing a map with a NULL key: fail, leave the entry out, or write the literal"},                     \
        {.key = name ".map-null-key.literal", .kind = OPT_STRING, .fallback = "null", .doc = "the key written for NULL in mode LITERAL"}, \
        {.key = name ".encode.decimal-as-plain-number",                                                                \
         .kind = OPT_BOOL,                                                                                             \
         .fallback = "false",                                                                                          \
         .doc = "decimals are written 0.000000027 instead of 2.7E-8"},                                                 \
        {.key = name ".encode.ignore-null-fields", .kind = OPT_BOOL, .fallback = "false", .doc = "NULL fields are not written"}

struct cdc_encoder {
    const struct cdc_kind *kind;
    struct json_encoder json;
};

enum status cdc_encoder_open(void *self, const struct format_config *config, const struct cdc_kind *kind, struct err *e);
enum status cdc_encode(void *self, const struct batch *in, struct buf *out, struct err *e);
enum status cdc_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e);
void cdc_encoder_close(void *self);
enum status cdc_decoder_open(void *self, const struct format_config *config, const struct cdc_kind *kind, struct err *e);
enum status cdc_decode(void *self, struct format_input *in, struct batch *out, struct err *e);
enum status cdc_decode_message(void *self, const struct format_message *message, struct batch *out, struct err *e);
void cdc_decoder_close(void *self);
bool cdc_is_splittable(const struct type *schema, const struct options *o); /* never: changes have an order */
