/* fmt_debezium_json.c - changes of a database's rows as Debezium writes them: {"before": .., "after": .., "op": "u"}. The work is done in cdc_json.c. */
#include "flow/format/cdc_json.h"

static const struct option_def debezium_json_options[] = {
    CDC_JSON_OPTIONS("debezium-json"),
    {.key = "debezium-json.schema-include",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "each record describes its schema, too: the change is in its payload"},
    {.key = NULL},
};

static const struct cdc_kind debezium_json_kind = {
    .format = "debezium-json",
    .title = "Debezium",
    .options = debezium_json_options,
    .before = "before",
    .after = "after",
    .operation = "op",
    .insertion = {"{\"before\":null,\"after\":", ",\"op\":\"c\"}"},
    .deletion = {"{\"before\":", ",\"after\":null,\"op\":\"d\"}"},
    .operations = {{"c", CDC_INSERT}, {"r", CDC_INSERT}, {"u", CDC_UPDATE}, {"d", CDC_DELETE}},
};

static enum status debezium_json_encoder_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_encoder_open(self, config, &debezium_json_kind, e);
}

static enum status debezium_json_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_decoder_open(self, config, &debezium_json_kind, e);
}

const struct fmt_type fmt_debezium_json = {
    .name = "debezium-json",
    .doc = "Changes as Debezium writes them: before, after, op; one per line or message.",
    .example = "'format' = 'debezium-json', 'debezium-json.schema-include' = 'true'",
    .options = debezium_json_options,
    .changes = CHANGES_BEFORE | CHANGES_AFTER | CHANGES_DELETE,
    .is_splittable = cdc_is_splittable,
    .decoder_size = sizeof(struct cdc_decoder),
    .decoder_open = debezium_json_open,
    .decode = cdc_decode,
    .decode_message = cdc_decode_message,
    .decoder_close = cdc_decoder_close,
    .encoder_size = sizeof(struct cdc_encoder),
    .encoder_open = debezium_json_encoder_open,
    .encode = cdc_encode,
    .encode_row = cdc_encode_row,
    .encoder_close = cdc_encoder_close,
};
