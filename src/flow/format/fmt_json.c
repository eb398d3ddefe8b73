/* fmt_json.c - json, one object per line or per message: the descriptor and the options. json_decode.c reads the lines,
 * json_read.c and what lies below it the objects, json_write.c goes the other way.
 *
 * The options are Flink's, with one of our own: json.max-record-size. What differs from Flink on purpose: both spellings
 * of timestamps (a space or T between date and time, Z or none) are read whatever json.timestamp-format.standard says,
 * which is for writing; 1.5 for a whole number is an error and not 1; what is not UTF-8, or goes on behind the object, is
 * an error too. */
#include "flow/format/json.h"

#include "ground/base/str.h"

static const struct option_def json_option_defs[] = {
    {.key = "json.fail-on-missing-field",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "a record without one of the fields is a bad record"},
    {.key = "json.ignore-parse-errors",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "a bad field becomes NULL, a bad record is dropped"},
    {.key = "json.timestamp-format.standard",
     .kind = OPT_ENUM,
     .fallback = "SQL",
     .choices = "SQL|ISO-8601",
     .doc = "how timestamps are written: 2001-01-31 10:20:30.123 or 2001-01-31T10:20:30.123"},
    {.key = "json.map-null-key.mode",
     .kind = OPT_ENUM,
     .fallback = "FAIL",
     .choices = "FAIL|DROP|LITERAL",
     .doc = "writing a map with a NULL key: fail, leave the entry out, or write json.map-null-key.literal"},
    {.key = "json.map-null-key.literal",
     .kind = OPT_STRING,
     .fallback = "null",
     .doc = "the key written for NULL in mode LITERAL"},
    {.key = "json.encode.decimal-as-plain-number",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "decimals are written 0.000000027 instead of 2.7E-8"},
    {.key = "json.encode.ignore-null-fields",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "NULL fields are not written"},
    {.key = "json.decode.json-parser.enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "accepted; there is one parser here"},
    {.key = "json.max-record-size", .kind = OPT_SIZE, .fallback = "16mb", .doc = "a longer record is a bad record"},
    {.key = NULL},
};

enum status json_options_read(const struct format_config *config, struct json_options *out, struct err *e)
{
    static const struct options none = {0};
    const struct options *o = config->options ? config->options : &none;
    int64_t record_max;

    TRY(options_check(o, json_option_defs, "format 'json'", e));
    record_max = options_int(o, json_option_defs, "json.max-record-size");
    *out = (struct json_options){
        .format = "json",
        .fail_on_missing = options_bool(o, json_option_defs, "json.fail-on-missing-field"),
        .ignore_errors = options_bool(o, json_option_defs, "json.ignore-parse-errors"),
        .is_iso = options_enum(o, json_option_defs, "json.timestamp-format.standard") == 1,
        .plain_decimals = options_bool(o, json_option_defs, "json.encode.decimal-as-plain-number"),
        .ignore_null_fields = options_bool(o, json_option_defs, "json.encode.ignore-null-fields"),
        .null_key = (enum json_null_key)options_enum(o, json_option_defs, "json.map-null-key.mode"),
        .null_key_literal = str_of(options_get(o, json_option_defs, "json.map-null-key.literal")),
        .record_max = (size_t)record_max,
    };
    if (out->fail_on_missing && out->ignore_errors) {
        err_set(e, E_CONFIG, "fail-on-missing-field and ignore-parse-errors shouldn't both be true: 'json.fail-on-missing-field' and 'json.ignore-parse-errors'");
        err_hint(e, "set at most one of them to true");
        return E_CONFIG;
    }
    if (record_max < 1 || record_max > INT32_MAX)
        return err_set(e, E_CONFIG, "option 'json.max-record-size' = %lld is not between 1 byte and 2 GiB",
                       (long long)record_max);
    return S_OK;
}

/* A line break inside a string is not json, so every newline ends a record. */
static bool json_is_splittable(const struct type *schema, const struct options *o)
{
    (void)o;
    ASSERT(schema->kind == T_ROW);
    return true;
}

const struct fmt_type fmt_json = {
    .name = "json",
    .doc = "One JSON object per line or message; fields by name, nested rows, arrays and maps.",
    .example = "'format' = 'json', 'json.ignore-parse-errors' = 'true'",
    .options = json_option_defs,
    .is_splittable = json_is_splittable,
    .decoder_size = sizeof(struct json_decoder),
    .decoder_open = json_decoder_open,
    .decode = json_decode,
    .decode_message = json_decode_message,
    .decoder_close = json_decoder_close,
    .encoder_size = sizeof(struct json_encoder),
    .encoder_open = json_encoder_open,
    .encode = json_encode,
    .encode_row = json_encode_row,
    .encoder_close = json_encoder_close,
};
