/* fmt_maxwell_json.c - changes of a database's rows as Maxwell writes them: {"data": .., "old": .., "type": "update"}; in the old row stand
 * the columns that changed. The work is done in cdc_json.c. */
#include "flow/format/cdc_json.h"

static const struct option_def maxwell_json_options[] = {
    {.key = "maxwell-json.ignore-parse-errors",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "a bad field becomes NULL, a bad record is dropped"},
    {.key = "maxwell-json.timestamp-format.standard",
     .kind = OPT_ENUM,
     .fallback = "SQL",
     .choices = "SQL|ISO-8601",
     .doc = "accepted: both spellings of timestamps are read"},
    {.key = NULL},
};

static const struct cdc_kind maxwell_json_kind = {
    .format = "maxwell-json",
    .title = "Maxwell",
    .options = maxwell_json_options,
    .before = "old",
    .after = "data",
    .operation = "type",
    .operations = {{"insert", CDC_INSERT}, {"update", CDC_UPDATE}, {"delete", CDC_DELETE}},
    .before_is_partial = true,
};

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
};
