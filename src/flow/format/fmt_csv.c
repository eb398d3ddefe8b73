/* fmt_csv.c - comma-separated values: the descriptor and the options. csv_scan.c finds the fields, csv_read.c turns them
 * into values, csv_decode.c drives both, csv_write.c goes the other way.
 *
 * Records are lines of fields; a field in quotes may hold delimiters, line breaks and, doubled, quotes. The options are
 * Flink's, with two of our own: csv.header and csv.max-record-size. What differs from Flink on purpose: an empty field
 * is NULL in every column that is no string (Flink fails), quoted strings are never NULL, boolean texts other than true
 * and false are errors, and a quoted or commented line is never cut by a split. */
#include "flow/format/csv.h"

#include "ground/base/str.h"

#include <string.h>

static const struct option_def csv_option_defs[] = {
    {.key = "csv.field-delimiter",
     .kind = OPT_STRING,
     .fallback = ",",
     .doc = "one character between fields; \\t for a tab"},
    {.key = "csv.disable-quote-character",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "quotes are ordinary characters"},
    {.key = "csv.quote-character",
     .kind = OPT_STRING,
     .fallback = "\"",
     .doc = "one character around fields; doubled it stands for itself"},
    {.key = "csv.allow-comments", .kind = OPT_BOOL, .fallback = "false", .doc = "lines that begin with # are left out"},
    {.key = "csv.ignore-parse-errors",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "a bad field becomes NULL, a bad record is dropped"},
    {.key = "csv.array-element-delimiter",
     .kind = OPT_STRING,
     .fallback = ";",
     .doc = "text between the elements of arrays and rows"},
    {.key = "csv.escape-character",
     .kind = OPT_STRING,
     .doc = "one character that makes the next one ordinary; none by default"},
    {.key = "csv.null-literal", .kind = OPT_STRING, .doc = "text that stands for NULL, such as \\N; none by default"},
    {.key = "csv.write-bigdecimal-in-scientific-notation",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "decimals are written 1E+5 instead of 100000"},
    {.key = "csv.header",
     .kind = OPT_ENUM,
     .fallback = "false",
     .choices = "false|true|auto|skip",
     .doc =
         "the first line of a file holds the column names: true = always (written too), auto = left out when it does, "
         "skip = left out whatever it says"},
    {.key = "csv.max-record-size", .kind = OPT_SIZE, .fallback = "16mb", .doc = "a longer record is a bad record"},
    {.key = NULL},
};

enum { CHARACTER_OPTION_NONE = -1 };

/* One ASCII character, or \t, \\ or \u0001 for one. */
static enum status character_read(const struct options *o, const char *key, int *out, struct err *e)
{
    const char *text = options_get(o, csv_option_defs, key);
    int64_t code = -1;

    *out = CHARACTER_OPTION_NONE;
    if (!text) return S_OK;
    if (text[0] && !text[1]) code = (unsigned char)text[0];
    else if (strcmp(text, "\\t") == 0) code = '\t';
    else if (strcmp(text, "\\\\") == 0) code = '\\';
    else if (text[0] == '\\' && text[1] == 'u' && strlen(text) == 6 && text[2] == '0' && text[3] == '0') {
        for (int i = 4; i < 6; i++) {
            const char *digits = "0123456789abcdef", *at = strchr(digits, text[i] | 0x20);
            code = at ? (code < 0 ? 0 : code) * 16 + (at - digits) : 256;
        }
    }
    if (code > 0 && code < 0x80 && code != '\n' && code != '\r') {
        *out = (int)code;
        return S_OK;
    }
    err_set(e, E_CONFIG, "option '%s' = '%.32s' is not one ASCII character", key, text);
    err_hint(e, "give one character other than a line end, \\t for a tab or \\u0001 for a control character");
    return E_CONFIG;
}

static enum status characters_differ(const struct csv_syntax *s, struct err *e)
{
    bool clash = s->delimiter == s->quote || s->delimiter == s->escape || (s->quote >= 0 && s->quote == s->escape) ||
                 (s->comments && s->delimiter == '#');

    if (!clash) return S_OK;
    err_set(e, E_CONFIG,
            "csv.field-delimiter, csv.quote-character and csv.escape-character must differ from each other");
    err_hint(e, "doubling a quote needs no csv.escape-character; leave that option out");
    return E_CONFIG;
}

static enum status syntax_read(const struct options *o, struct csv_syntax *out, struct err *e)
{
    int delimiter, quote, escape;

    TRY(character_read(o, "csv.field-delimiter", &delimiter, e));
    TRY(character_read(o, "csv.quote-character", &quote, e));
    TRY(character_read(o, "csv.escape-character", &escape, e));
    if (options_bool(o, csv_option_defs, "csv.disable-quote-character")) quote = CSV_NONE;
    *out = (struct csv_syntax){
        .delimiter = (char)delimiter,
        .quote = quote,
        .escape = escape,
        .comments = options_bool(o, csv_option_defs, "csv.allow-comments"),
    };
    return characters_differ(out, e);
}

enum status csv_options_read(const struct format_config *config, struct csv_options *out, struct err *e)
{
    static const struct options none = {0};
    const struct options *o = config->options ? config->options : &none;
    const char *null_literal;
    int64_t record_max;

    TRY(options_check(o, csv_option_defs, "format 'csv'", e));
    *out = (struct csv_options){0};
    TRY(syntax_read(o, &out->syntax, e));
    null_literal = options_get(o, csv_option_defs, "csv.null-literal");
    if (null_literal) out->null_literal = str_of(null_literal);
    out->element_delimiter = str_of(options_get(o, csv_option_defs, "csv.array-element-delimiter"));
    out->header = (enum csv_header)options_enum(o, csv_option_defs, "csv.header");
    out->ignore_errors = options_bool(o, csv_option_defs, "csv.ignore-parse-errors");
    out->scientific_decimals = options_bool(o, csv_option_defs, "csv.write-bigdecimal-in-scientific-notation");
    record_max = options_int(o, csv_option_defs, "csv.max-record-size");
    if (out->element_delimiter.size == 0) return err_set(e, E_CONFIG, "option 'csv.array-element-delimiter' is empty");
    if (record_max < 1 || record_max > INT32_MAX)
        return err_set(e, E_CONFIG, "option 'csv.max-record-size' = %lld is not between 1 byte and 2 GiB",
                       (long long)record_max);
    out->record_max = (size_t)record_max;
    return S_OK;
}

/* A line break inside quotes or behind an escape does not end a record, so only plain files may be cut at any newline. */
static bool csv_is_splittable(const struct type *schema, const struct options *o)
{
    static const struct options none = {0};

    ASSERT(schema->kind == T_ROW);
    if (!o) o = &none;
    return options_bool(o, csv_option_defs, "csv.disable-quote-character") &&
           !options_get(o, csv_option_defs, "csv.escape-character");
}

const struct fmt_type fmt_csv = {
    .name = "csv",
    .doc = "Comma-separated values, one record per line; quotes, NULL literal, header, arrays and rows of scalars.",
    .example = "'format' = 'csv', 'csv.field-delimiter' = ';', 'csv.header' = 'true'",
    .options = csv_option_defs,
    .is_splittable = csv_is_splittable,
    .decoder_size = sizeof(struct csv_decoder),
    .decoder_open = csv_decoder_open,
    .decode = csv_decode,
    .decode_message = csv_decode_message,
    .decoder_close = csv_decoder_close,
    .encoder_size = sizeof(struct csv_encoder),
    .encoder_open = csv_encoder_open,
    .encode = csv_encode,
    .encode_row = csv_encode_row,
    .encoder_close = csv_encoder_close,
};
