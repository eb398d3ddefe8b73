/* csv_write.c - rows to csv, so that csv_decode reads the same rows back.
 *
 * A string is copied to the output first and looked at there, where bytes beyond it may be read: only when it holds a
 * delimiter, quote, line end or escape is it written again, in quotes. What cannot be written so that it reads back the
 * same is an error and not a wrong file: delimiters where quotes are disabled, or array elements that hold the element
 * delimiter. One loss is Flink's and stays: without csv.null-literal a NULL string reads back as the empty one. */
#include "flow/format/csv.h"

#include "flow/format/value_parse.h"
#include "flow/format/value_print.h"
#include "ground/base/str.h"

#include <string.h>

enum status csv_encoder_open(void *self, const struct format_config *config, struct err *e)
{
    struct csv_encoder *enc = self;

    ASSERT(config->schema->kind == T_ROW && config->mem);
    TRY(csv_options_read(config, &enc->options, e));
    for (uint32_t i = 0; i < config->schema->child_count; i++) {
        struct csv_column col;
        TRY(csv_column_init(&col, &enc->options, i, config->schema, config->mem, e));
    }
    enc->schema = config->schema;
    enc->mem = config->mem;
    enc->style = (struct value_style){.date_separator = ' ', .plain_decimals = !enc->options.scientific_decimals};
    enc->header_due = enc->options.header == CSV_HEADER_TRUE;
    minute_text_init(&enc->minute);
    buf_init(&enc->field, config->mem);
    return S_OK;
}

void csv_encoder_close(void *self)
{
    struct csv_encoder *enc = self;

    buf_release(&enc->field);
}

/* Does data[0..size) hold a byte that means something in csv? Reads up to 31 beyond. */
static bool has_special(const struct csv_syntax *s, const char *data, size_t size)
{
#ifdef __AVX2__
    const __m256i delimiter = _mm256_set1_epi8(s->delimiter), newline = _mm256_set1_epi8('\n'), ret = _mm256_set1_epi8('\r');
    const __m256i quote = _mm256_set1_epi8((char)(s->quote >= 0 ? s->quote : s->delimiter));
    const __m256i escape = _mm256_set1_epi8((char)(s->escape >= 0 ? s->escape : s->delimiter));

    for (size_t at = 0; at < size; at += 32) {
        __m256i block = avx2_load(data + at), hit = _mm256_cmpeq_epi8(block, delimiter);
        uint32_t bits;
        hit = _mm256_or_si256(hit, _mm256_or_si256(_mm256_cmpeq_epi8(block, newline), _mm256_cmpeq_epi8(block, ret)));
        hit = _mm256_or_si256(hit, _mm256_or_si256(_mm256_cmpeq_epi8(block, quote), _mm256_cmpeq_epi8(block, escape)));
        bits = (uint32_t)_mm256_movemask_epi8(hit);
        if (size - at < 32) bits &= (1u << (size - at)) - 1;
        if (bits) return true;
    }
    return false;
#else
    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)data[i];
        if (data[i] == s->delimiter || c == s->quote || c == s->escape || c == '\n' || c == '\r') return true;
    }
    return false;
#endif
}

/* In quotes: quotes doubled, escapes doubled. Room: twice the text and two. */
static char *quoted_put(const struct csv_syntax *s, char *p, struct str text)
{
    *p++ = (char)s->quote;
    for (size_t i = 0; i < text.size; i++) {
        int c = (unsigned char)text.data[i];
        if (c == s->quote || c == s->escape) *p++ = (char)c;
        *p++ = (char)c;
    }
    *p++ = (char)s->quote;
    return p;
}

/* Without quotes: what means something is escaped, line ends by a letter. */
static char *escaped_put(const struct csv_syntax *s, char *p, struct str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool is_line_end = c == '\n' || c == '\r';
        if (is_line_end || c == s->delimiter || c == s->escape) *p++ = (char)s->escape;
        *p++ = c == '\n' ? 'n' : c == '\r' ? 'r' : c;
    }
    return p;
}

static enum status unwritable(const struct csv_encoder *enc, uint32_t col, struct str text, const char *why, const char *hint, struct err *e)
{
    struct buf reason;

    buf_init(&reason, enc->mem);
    report_quote(&reason, text);
    err_set(e, E_DATA, "format 'csv' cannot write column '%.64s': %s %s", enc->schema->names[col], buf_text(&reason), why);
    err_hint(e, "%s", hint);
    buf_release(&reason);
    return E_DATA;
}

/* Would the text, standing bare, mean something else? */
static bool is_ambiguous(const struct csv_encoder *enc, uint32_t col, struct str text)
{
    const struct csv_options *o = &enc->options;

    if (o->null_literal.data && str_equal(text, o->null_literal)) return true;
    if (text.size == 0) return false;
    return col == 0 && (text.data[0] == '\xef' || (o->syntax.comments && text.data[0] == '#'));
}

static enum status text_put_field(struct csv_encoder *enc, uint32_t col, struct str text, bool force, struct buf *out, struct err *e)
{
    const struct csv_syntax *s = &enc->options.syntax;
    char *p;

    buf_reserve(out, 2 * text.size + 64);
    p = out->data + out->size;
    if (text.size) memcpy(p, text.data, text.size);
    force |= is_ambiguous(enc, col, text);
    if (LIKELY(!force && !has_special(s, p, text.size))) {
        out->size += text.size;
        return S_OK;
    }
    if (s->quote >= 0) {
        p = quoted_put(s, p, text);
    } else if (force || s->escape < 0) {
        return unwritable(enc, col, text, force ? "would read back as something else without quotes" : "holds a delimiter or line end",
                          "set 'csv.disable-quote-character' = 'false', or give a 'csv.escape-character'", e);
    } else {
        p = escaped_put(s, p, text);
    }
    out->size = (size_t)(p - out->data);
    ASSERT(out->size <= out->capacity);
    return S_OK;
}

static struct str string_at(const struct vector *v, uint32_t row)
{
    return text_str(&VECTOR_VALUES(vector_values(v), struct text)[vector_at(v, row)]);
}

static void null_append(const struct csv_encoder *enc, struct buf *out)
{
    struct str null = enc->options.null_literal;
    if (null.size) buf_append(out, null.data, null.size);
}

static void scalar_append(struct csv_encoder *enc, const struct vector *v, uint32_t row, struct buf *out)
{
    buf_reserve(out, VALUE_TEXT_MAX);
    out->size = (size_t)(value_put(out->data + out->size, v, row, &enc->style, &enc->minute) - out->data);
}

/* One element of an array or row, appended to the field in the making. */
static enum status element_append(struct csv_encoder *enc, uint32_t col, const struct vector *v, uint32_t row, struct err *e)
{
    const char *hint = "choose a 'csv.array-element-delimiter' and 'csv.null-literal' that no element holds, or another format";
    struct buf *out = &enc->field;
    struct str text;

    if (vector_is_null(v, row)) {
        null_append(enc, out);
        return S_OK;
    }
    if (v->phys != P_STR) {
        scalar_append(enc, v, row, out);
        return S_OK;
    }
    text = string_at(v, row);
    if (!type_is_string(v->type)) {
        base64_encode(text, out);
        return S_OK;
    }
    if (text.size && memmem(text.data, text.size, enc->options.element_delimiter.data, enc->options.element_delimiter.size))
        return unwritable(enc, col, text, "holds the element delimiter", hint, e);
    if (enc->options.null_literal.data && str_equal(text, enc->options.null_literal))
        return unwritable(enc, col, text, "is an element that would read back as NULL", hint, e);
    if (text.size) buf_append(out, text.data, text.size);
    return S_OK;
}

static enum status nested_put(struct csv_encoder *enc, uint32_t col, const struct vector *v, uint32_t row, struct buf *out, struct err *e)
{
    const struct vector *values = vector_values(v);
    uint32_t at = vector_at(v, row), first = 0, count = values->child_count;
    bool is_array = values->phys == P_LIST;

    buf_clear(&enc->field);
    if (is_array) {
        first = VECTOR_VALUES(values, struct list_ref)[at].first;
        count = VECTOR_VALUES(values, struct list_ref)[at].count;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_append(&enc->field, enc->options.element_delimiter.data, enc->options.element_delimiter.size);
        TRY(element_append(enc, col, &values->children[is_array ? 0 : i], is_array ? first + i : at, e));
    }
    if (is_array && count == 1 && enc->field.size == 0)
        return unwritable(enc, col, STR(""), "as the only element of an array would read back as an empty array",
                          "set 'csv.null-literal' where the element is NULL, or use another format", e);
    return text_put_field(enc, col, (struct str){enc->field.data, enc->field.size}, enc->field.size == 0, out, e);
}

static enum status field_put(struct csv_encoder *enc, uint32_t col, const struct vector *v, uint32_t row, struct buf *out, struct err *e)
{
    if (vector_is_null(v, row)) null_append(enc, out);
    else if (v->type->child_count) return nested_put(enc, col, v, row, out, e);
    else if (v->phys != P_STR) scalar_append(enc, v, row, out);
    else if (type_is_string(v->type)) return text_put_field(enc, col, string_at(v, row), false, out, e);
    else base64_encode(string_at(v, row), out);
    return S_OK;
}

enum status csv_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e)
{
    struct csv_encoder *enc = self;
    size_t before = out->size;

    ASSERT(in->col_count == enc->schema->child_count && row < in->count);
    for (uint32_t i = 0; i < in->col_count; i++) {
        enum status st;
        if (i) buf_append_byte(out, enc->options.syntax.delimiter);
        st = field_put(enc, i, &in->cols[i], row, out, e);
        if (st != S_OK) {
            out->size = before; /* whole records only */
            return st;
        }
    }
    return S_OK;
}

static enum status header_put(struct csv_encoder *enc, struct buf *out, struct err *e)
{
    enc->header_due = false;
    for (uint32_t i = 0; i < enc->schema->child_count; i++) {
        if (i) buf_append_byte(out, enc->options.syntax.delimiter);
        TRY(text_put_field(enc, i, str_of(enc->schema->names[i]), false, out, e));
    }
    buf_append_byte(out, '\n');
    return S_OK;
}

enum status csv_encode(void *self, const struct batch *in, struct buf *out, struct err *e)
{
    struct csv_encoder *enc = self;

    if (enc->header_due) TRY(header_put(enc, out, e));
    BATCH_EACH(in, i, row)
    {
        TRY(csv_encode_row(enc, in, row, out, e));
        buf_append_byte(out, '\n');
    }
    return S_OK;
}
