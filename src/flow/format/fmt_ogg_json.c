/* fmt_ogg_json.c - changes of a database's rows as Oracle GoldenGate writes them: {"before": .., "after": .., "op_type": "U"}. The work is done in cdc_json.c. */
#include "flow/format/cdc_json.h"

static const struct option_def ogg_json_options[] = {
    CDC_JSON_OPTIONS("ogg-json"),
    {.key = NULL},
};

static const struct cdc_kind ogg_json_kind = {
    .format = "ogg-json",
    .title = "Ogg",
    .options = ogg_json_options,
    .before = "before",
    .after = "after",
    .operation = "op_type",
    .insertion = {"{\"before\":null,\"after\":", ",\"op_type\":\"I\"}"},
    .deletion = {"{\"before\":", ",\"after\":null,\"op_type\":\"D\"}"},
    .operations = {{"I", CDC_INSERT}, {"U", CDC_UPDATE}, {"D", CDC_DELETE}},
};

static enum status ogg_json_encoder_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_encoder_open(self, config, &ogg_json_kind, e);
}

static enum status ogg_json_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_decoder_open(self, config, &ogg_json_kind, e);
}

const struct fmt_type fmt_ogg_json = {
    .name = "ogg-json",
    .doc = "Changes as Oracle GoldenGate writes them: before, after, op_type; one per line or message.",
    .example = "'format' = 'ogg-json'",
    .options = ogg_json_options,
    .changes = CHANGES_BEFORE | CHANGES_AFTER | CHANGES_DELETE,
    .is_splittable = cdc_is_splittable,
    .decoder_size = sizeof(struct cdc_decoder),
    .decoder_open = ogg_json_open,
    .decode = cdc_decode,
    .decode_message = cdc_decode_message,
    .decoder_close = cdc_decoder_close,
    .encoder_size = sizeof(struct cdc_encoder),
    .encoder_open = ogg_json_encoder_open,
    .encode = cdc_encode,
    .encode_row = cdc_encode_row,
    .encoder_close = cdc_encoder_close,
};
