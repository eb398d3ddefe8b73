/* fmt_maxwell_json.c - changes of a database's rows as Maxwell writes them: {"data": .., "old": .., "type": "update"}; in the old row stand
 * the columns that changed. The work is done in cdc_json.c. */
#include "flow/format/cdc_json.h"

static const struct option_def maxwell_json_options[] = {
    CDC_JSON_OPTIONS("maxwell-json"),
    {.key = NULL},
};

static const struct cdc_kind maxwell_json_kind = {
    .format = "maxwell-json",
    .title = "Maxwell",
    .options = maxwell_json_options,
    .before = "old",
    .after = "data",
    .operation = "type",
    .insertion = {"{\"data\":", ",\"type\":\"insert\"}"},
    .deletion = {"{\"data\":", ",\"type\":\"delete\"}"},
    .operations = {{"insert", CDC_INSERT}, {"update", CDC_UPDATE}, {"delete", CDC_DELETE}},
    .before_is_partial = true,
};

static enum status maxwell_json_encoder_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_encoder_open(self, config, &maxwell_json_kind, e);
}

static enum status maxwell_json_open(void *self, const struct format_config *config, struct err *e)
{
    return cdc_decoder_open(self, config, &maxwell_json_kind, e);
}

const struct fmt_type fmt_maxwell_json = {
    .name = "maxwell-json",
    .doc = "Changes as Maxwell writes them: data, old, type; one per line or message.",
    .example = "'format' = 'maxwell-json'",
    .options = maxwell_json_options,
    .changes = CHANGES_BEFORE | CHANGES_AFTER | CHANGES_DELETE,
    .is_splittable = cdc_is_splittable,
    .decoder_size = sizeof(struct cdc_decoder),
    .decoder_open = maxwell_json_open,
    .decode = cdc_decode,
    .decode_message = cdc_decode_message,
    .decoder_close = cdc_decoder_close,
    .encoder_size = sizeof(struct cdc_encoder),
    .encoder_open = maxwell_json_encoder_open,
    .encode = cdc_encode,
    .encode_row = cdc_encode_row,
    .encoder_close = cdc_encoder_close,
};
