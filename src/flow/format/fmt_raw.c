/* fmt_raw.c - one column, its bytes as they are.
 *
 * Strings and bytes are a message each, or a line each in a file; numbers and booleans take their width, one behind the
 * other in a file. raw.endianness is for numbers, raw.charset for strings. A number's NULL is an empty message; a
 * string's reads back as the empty string. What a file cannot hold (a line break inside a value, NULL) is an error when
 * it is written, because it would read back as something else. */
#include "flow/format/format_report.h"
#include "flow/format/lines.h"
#include "flow/format/raw_text.h"
#include "ground/base/str.h"

static const struct option_def raw_option_defs[] = {
    {.key = "raw.charset",
     .kind = OPT_ENUM,
     .fallback = "UTF-8",
     .choices = RAW_CHARSETS,
     .doc = "of strings; UTF-16 in messages only"},
    {.key = "raw.endianness",
     .kind = OPT_ENUM,
     .fallback = "big-endian",
     .choices = "big-endian|little-endian",
     .doc = "of numbers"},
    {.key = "raw.max-record-size", .kind = OPT_SIZE, .fallback = "16mb", .doc = "a longer record is a bad record"},
    {.key = NULL},
};

static const char hint_record[] = "correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it";

/* What decoder and encoder both know. */
struct raw_layout {
    const struct type *type;
    struct str name;
    uint32_t width; /* bytes of every value; 0 = strings and bytes */
    bool is_little, is_string;
    enum raw_charset charset;
    size_t record_max;
};

struct raw_decoder {
    struct raw_layout layout;
    struct format_report report;
    struct lines lines;
    struct buf text; /* a string on its way from another charset */
    size_t heap_max;
    bool is_needed;
};

struct raw_encoder {
    struct raw_layout layout;
    struct mem *mem;
};

static uint32_t width_of(const struct type *t)
{
    switch (t->kind) {
    case T_BOOLEAN:
    case T_TINYINT: return 1;
    case T_SMALLINT: return 2;
    case T_INT:
    case T_FLOAT: return 4;
    case T_BIGINT:
    case T_DOUBLE: return 8;
    default: return 0;
    }
}

static enum status layout_init(struct raw_layout *l, const struct format_config *config, struct err *e)
{
    static const struct options none = {0};
    const struct options *o = config->options ? config->options : &none;
    const struct type *schema = config->schema;
    int64_t record_max;

    TRY(options_check(o, raw_option_defs, "format 'raw'", e));
    if (schema->child_count != 1) {
        err_set(e, E_UNSUPPORTED, "format 'raw' holds one column, but the table has %u", schema->child_count);
        err_hint(e, "use csv or json for several columns");
        return E_UNSUPPORTED;
    }
    record_max = options_int(o, raw_option_defs, "raw.max-record-size");
    *l = (struct raw_layout){
        .type = schema->children[0],
        .name = str_of(schema->names[0]),
        .width = width_of(schema->children[0]),
        .is_little = options_enum(o, raw_option_defs, "raw.endianness") == 1,
        .is_string = type_is_string(schema->children[0]),
        .charset = (enum raw_charset)options_enum(o, raw_option_defs, "raw.charset"),
        .record_max = (size_t)record_max,
    };
    if (record_max < 1 || record_max > INT32_MAX)
        return err_set(e, E_CONFIG, "option 'raw.max-record-size' = %lld is not between 1 byte and 2 GiB",
                       (long long)record_max);
    if (l->width || l->is_string || l->type->kind == T_BINARY || l->type->kind == T_VARBINARY) return S_OK;
    err_set(e, E_UNSUPPORTED, "format 'raw' cannot hold column '%.64s'", schema->names[0]);
    err_hint(e, "raw holds booleans, whole and floating numbers, strings and bytes");
    return E_UNSUPPORTED;
}

/* Values of 1, 2, 4 or 8 bytes between the file's order and ours, which is little-endian. */
static void value_copy(void *to, const void *from, uint32_t width, bool is_little)
{
    uint64_t value = 0;

    ASSERT_ROW(width <= sizeof value);
    memcpy(&value, from, width <= 8 ? width : 8);
    if (!is_little) value = __builtin_bswap64(value) >> (64 - 8 * width);
    memcpy(to, &value, width <= 8 ? width : 8);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static enum status raw_decoder_open(void *self, const struct format_config *config, struct err *e)
{
    struct raw_decoder *d = self;

    ASSERT(config->schema->kind == T_ROW && config->mem);
    TRY(layout_init(&d->layout, config, e));
    report_init(&d->report, config);
    buf_init(&d->text, config->mem);
    d->lines = (struct lines){.record_max = d->layout.record_max, .seen_offset = UINT64_MAX};
    d->heap_max = format_heap_max(config->schema);
    d->is_needed = !config->needed || bit_get(config->needed, 0);
    return S_OK;
}

static void raw_decoder_close(void *self)
{
    struct raw_decoder *d = self;

    buf_release(&d->text);
    report_release(&d->report);
}

static enum status record_bad(struct raw_decoder *d, const struct format_input *in, struct str record, size_t at,
                              struct err *e)
{
    struct format_position where = report_place(&d->report, record.data, record.data + at, in->line, in->offset);
    return report_record(&d->report, &where, record, record.data + at, hint_record, e);
}

/* A value of fixed width; anything but 0 and 1 is no boolean. */
static enum status fixed_take(struct raw_decoder *d, const struct format_input *in, struct str record,
                              struct batch *out, struct err *e)
{
    struct vector *v = &out->cols[0];

    if (record.size != d->layout.width) {
        struct buf *reason = report_begin_column(&d->report, d->layout.name, d->layout.type);
        buf_printf(reason, "expected %u bytes, found %zu", d->layout.width, record.size);
        return record_bad(d, in, record, 0, e);
    }
    if (d->layout.type->kind == T_BOOLEAN && (unsigned char)record.data[0] > 1) {
        struct buf *reason = report_begin_column(&d->report, d->layout.name, d->layout.type);
        buf_printf(reason, "byte 0x%02x is neither 0 nor 1", (unsigned char)record.data[0]);
        return record_bad(d, in, record, 0, e);
    }
    if (d->is_needed)
        value_copy((char *)v->data + (size_t)out->count * d->layout.width, record.data, d->layout.width,
                   d->layout.is_little);
    out->count++;
    return S_OK;
}

/* A string or bytes. */
static enum status text_take(struct raw_decoder *d, const struct format_input *in, struct str record, struct batch *out,
                             struct err *e)
{
    struct str text = record;
    size_t bad;

    if (d->layout.is_string) {
        buf_clear(&d->text);
        if (!raw_text_decode(d->layout.charset, record, &d->text, &bad)) {
            struct buf *reason = report_begin_column(&d->report, d->layout.name, d->layout.type);
            buf_printf(reason, "byte 0x%02x is not valid in raw.charset", (unsigned char)record.data[bad]);
            return record_bad(d, in, record, bad, e);
        }
        text = (struct str){d->text.data, d->text.size};
    }
    if (d->is_needed)
        VECTOR_VALUES(&out->cols[0], struct text)[out->count] = text_put(&out->heap, text.data, text.size);
    out->count++;
    return S_OK;
}

/* Numbers lie back to back. S_IDLE: the last one is not all there. */
static enum status fixed_step(struct raw_decoder *d, struct format_input *in, struct batch *out, struct err *e)
{
    struct str record = {in->data + in->consumed, MIN(d->layout.width, in->size - in->consumed)};

    if (record.size < d->layout.width && !in->at_end) return S_IDLE;
    TRY(fixed_take(d, in, record, out, e));
    input_take(in, record.size, 0);
    return S_OK;
}

static enum status line_step(struct raw_decoder *d, struct format_input *in, struct batch *out, struct err *e)
{
    struct str line;
    size_t size;

    if (in->discarding) {
        lines_discard(in);
        return S_OK;
    }
    switch (lines_next(&d->lines, in, &line, &size)) {
    case LINE_CUT: return S_IDLE;
    case LINE_OVERLONG:
        line = (struct str){in->data + in->consumed, d->layout.record_max};
        buf_printf(report_begin(&d->report), "the record is longer than %zu bytes (raw.max-record-size)", line.size);
        TRY(record_bad(d, in, line, 0, e));
        input_take(in, line.size, 0);
        in->discarding = true;
        return S_OK;
    case LINE_WHOLE: break;
    }
    bool has_newline = line.data[size - 1] == '\n';
    if (!d->layout.is_string) line.size = size - has_newline; /* a carriage return is a byte like others */
    TRY(text_take(d, in, line, out, e));
    input_take(in, size, has_newline);
    return S_OK;
}

static bool batch_is_full(const struct raw_decoder *d, const struct batch *out)
{
    return out->count == out->capacity || out->heap.used > d->heap_max;
}

static enum status raw_decode(void *self, struct format_input *in, struct batch *out, struct err *e)
{
    struct raw_decoder *d = self;
    enum status st;

    ASSERT(in->consumed <= in->size && out->col_count == 1);
    if (d->layout.is_string && d->layout.charset >= RAW_UTF16)
        return err_set(e, E_UNSUPPORTED, "format 'raw' reads UTF-16 from messages only, not from files");
    if (d->layout.width) in->line = 0; /* there are none */
    if (d->layout.is_string && d->layout.charset == RAW_UTF8 && in->offset == 0 && !lines_start(in)) return S_OK;
    for (;;) {
        if (in->consumed == in->size) return in->at_end ? S_END : S_OK;
        if (batch_is_full(d, out)) return S_MORE;
        st = d->layout.width ? fixed_step(d, in, out, e) : line_step(d, in, out, e);
        if (st != S_OK) return st == S_IDLE ? S_OK : st;
    }
}

static enum status raw_decode_message(void *self, const struct format_message *message, struct batch *out,
                                      struct err *e)
{
    struct raw_decoder *d = self;
    struct format_input in = {.data = message->bytes.data, .size = message->bytes.size, .offset = message->offset};
    struct str record = message->bytes;

    if (batch_is_full(d, out)) return S_MORE;
    d->report.is_message = true;
    if (d->layout.type->nullable && (!record.data || (d->layout.width && record.size == 0))) {
        if (d->is_needed) vector_set_null(&out->cols[0], out->count);
        out->count++;
        return S_OK;
    }
    if (!record.data) return S_OK;
    if (record.size > d->layout.record_max) {
        record.size = d->layout.record_max;
        buf_printf(report_begin(&d->report), "the record is longer than %zu bytes (raw.max-record-size)", record.size);
        return record_bad(d, &in, record, 0, e);
    }
    return d->layout.width ? fixed_take(d, &in, record, out, e) : text_take(d, &in, record, out, e);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

static enum status raw_encoder_open(void *self, const struct format_config *config, struct err *e)
{
    struct raw_encoder *enc = self;

    ASSERT(config->schema->kind == T_ROW && config->mem);
    enc->mem = config->mem;
    return layout_init(&enc->layout, config, e);
}

static void raw_encoder_close(void *self) { (void)self; }

static enum status unwritable(const struct raw_encoder *enc, struct str text, const char *why, struct err *e)
{
    struct buf reason;

    buf_init(&reason, enc->mem);
    report_quote(&reason, text);
    err_set(e, E_DATA, "format 'raw' cannot write column '%.*s': %s %s", (int)MIN(enc->layout.name.size, 64u),
            enc->layout.name.data, buf_text(&reason), why);
    err_hint(e, "use csv or json, or write messages instead of files");
    buf_release(&reason);
    return E_DATA;
}

static struct str string_at(const struct vector *v, uint32_t row)
{
    return text_str(&VECTOR_VALUES(vector_values(v), struct text)[vector_at(v, row)]);
}

static enum status raw_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e)
{
    struct raw_encoder *enc = self;
    const struct vector *v = &in->cols[0];
    size_t before = out->size, bad;
    char bytes[8];

    ASSERT(in->col_count == 1 && row < in->count);
    if (vector_is_null(v, row)) return S_OK;
    if (enc->layout.width) {
        const char *value = (const char *)vector_values(v)->data + (size_t)vector_at(v, row) * enc->layout.width;
        value_copy(bytes, value, enc->layout.width, enc->layout.is_little);
        buf_append(out, bytes, enc->layout.width);
    } else if (!enc->layout.is_string) {
        if (string_at(v, row).size) buf_append(out, string_at(v, row).data, string_at(v, row).size);
    } else if (!raw_text_encode(enc->layout.charset, string_at(v, row), out, &bad)) {
        out->size = before; /* whole records only */
        return unwritable(enc, string_at(v, row), "holds a character that raw.charset does not have", e);
    }
    return S_OK;
}

/* Would the record, as a line of a file, read back as another? */
static const char *line_fault(const struct raw_encoder *enc, struct str text, bool is_first)
{
    if (text.size && memchr(text.data, '\n', text.size)) return "holds a line break, which would end the record";
    if (!enc->layout.is_string) return NULL;
    if (text.size && text.data[text.size - 1] == '\r') return "ends in a carriage return, which would be lost";
    return is_first && text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0 ? "begins with a byte order mark"
                                                                                   : NULL;
}

static enum status raw_encode(void *self, const struct batch *in, struct buf *out, struct err *e)
{
    struct raw_encoder *enc = self;

    if (enc->layout.is_string && enc->layout.charset >= RAW_UTF16)
        return err_set(e, E_UNSUPPORTED, "format 'raw' writes UTF-16 to messages only, not to files");
    BATCH_EACH(in, i, row)
    {
        size_t before = out->size;
        const char *why = NULL;
        if (enc->layout.width && vector_is_null(&in->cols[0], row))
            return unwritable(enc, STR("NULL"), "has no bytes", e);
        TRY(raw_encode_row(enc, in, row, out, e));
        if (enc->layout.width) continue;
        why = line_fault(enc, (struct str){out->data + before, out->size - before}, enc->layout.charset == RAW_UTF8);
        if (why) {
            out->size = before; /* whole records only */
            return unwritable(enc, string_at(&in->cols[0], row), why, e);
        }
        buf_append_byte(out, '\n');
    }
    return S_OK;
}

/* Lines may be cut apart anywhere; numbers without separators may not. */
static bool raw_is_splittable(const struct type *schema, const struct options *o)
{
    (void)o;
    ASSERT(schema->kind == T_ROW);
    return schema->child_count == 1 && width_of(schema->children[0]) == 0;
}

const struct fmt_type fmt_raw = {
    .name = "raw",
    .doc =
        "One column, its bytes as they are: a message, a line of a file, or fixed-width numbers one behind the other.",
    .example = "'format' = 'raw', 'raw.charset' = 'ISO-8859-1'",
    .options = raw_option_defs,
    .is_splittable = raw_is_splittable,
    .decoder_size = sizeof(struct raw_decoder),
    .decoder_open = raw_decoder_open,
    .decode = raw_decode,
    .decode_message = raw_decode_message,
    .decoder_close = raw_decoder_close,
    .encoder_size = sizeof(struct raw_encoder),
    .encoder_open = raw_encoder_open,
    .encode = raw_encode,
    .encode_row = raw_encode_row,
    .encoder_close = raw_encoder_close,
};
