/* cdc_json.h - changes of a database's rows as JSON, one change per line or message: what debezium-json, canal-json, maxwell-json and
 * ogg-json have in common. Each is a descriptor: how the parts of a change are called, and what its operations mean.
 *
 * A change holds the row before, the row after, and an operation. An update is two rows, -U and +U; a change may hold several rows
 * (canal-json). While decode answers S_MORE rows of the last record may be in hand: a position is one when it answers S_OK or S_END. */
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
    bool ignores_errors, has_filter[2];
    regex_t filters[2];    /* of database and table */
    struct buf text;       /* of rows before */
    struct str record;     /* that was read last, until the window moves */
    uint64_t line, offset; /* of it */
    /* the change that is being handed on */
    enum cdc_change what;
    uint32_t at, rows;     /* of its rows: an update has two each */
};

enum status cdc_decoder_open(void *self, const struct format_config *config, const struct cdc_kind *kind, struct err *e);
enum status cdc_decode(void *self, struct format_input *in, struct batch *out, struct err *e);
enum status cdc_decode_message(void *self, const struct format_message *message, struct batch *out, struct err *e);
void cdc_decoder_close(void *self);
bool cdc_is_splittable(const struct type *schema, const struct options *o); /* never: changes have an order */
