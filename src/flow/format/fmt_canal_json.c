/* fmt_canal_json.c - changes of a database's rows as Canal writes them: {"data": [..], "old": [..], "type": "UPDATE"}; in old rows
 * stand the columns that changed. The work is done in cdc_json.c. */
#include "flow/format/cdc_json.h"

static const struct option_def canal_json_options[] = {
    CDC_JSON_OPTIONS("canal-json"),
    {.key = "canal-json.database.include", .kind = OPT_STRING, .doc = "regular expression: changes of other databases are left out"},
    {.key = "canal-json.table.include", .kind = OPT_STRING, .doc = "regular expression: changes of other tables are left out"},
    {.key = NULL},
};

static const struct cdc_kind canal_json_kind = {
    .format = "canal-json",
    .title = "Canal",
    .options = canal_json_options,
    .before = "old",
    .after = "data",
    .operation = "type",
    .insertion = {"{\"data\":[", "],\"type\":\"INSERT\"}"},
    .deletion = {"{\"data\":[", "],\"type\":\"DELETE\"}"},
    .operations = {{"INSERT", CDC_INSERT}, {"UPDATE", CDC_UPDATE}, {"DELETE", CDC_DELETE}, {"CREATE", CDC_NOTHING}},
    .lists = true,
    .before_is_partial = true,
};

static enum status canal_json_encoder_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_encoder_open(self, config, &canal_json_kind, e);
}

static enum status canal_json_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_decoder_open(self, config, &canal_json_kind, e);
}

const struct fmt_type fmt_canal_json = {
    .name = "canal-json",
    .doc = "Changes as Canal writes them: lists data and old, type; one list per line or message.",
    .example = "'format' = 'canal-json', 'canal-json.table.include' = 'orders|items'",
    .options = canal_json_options,
    .changes = CHANGES_BEFORE | CHANGES_AFTER | CHANGES_DELETE,
    .is_splittable = cdc_is_splittable,
    .decoder_size = sizeof(struct cdc_decoder),
    .decoder_open = canal_json_open,
    .decode = cdc_decode,
    .decode_message = cdc_decode_message,
    .decoder_close = cdc_decoder_close,
    .encoder_size = sizeof(struct cdc_encoder),
    .encoder_open = canal_json_encoder_open,
    .encode = cdc_encode,
    .encode_row = cdc_encode_row,
    .encoder_close = cdc_encoder_close,
};
