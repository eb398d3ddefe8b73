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
    const __m256i delimiter = _mm256_set1_epi8(s->delimiter), newline = _mm256_set1_epi8('\n'),
                  ret = _mm256_set1_epi8('\r');
    const __m256i quote = _mm256_set1_epi8((char)(s->quote >= 0 ? s->quote : s->delimiter));
    const __m256i escape = _mm256_set1_epi8((char)(s->escape >= 0 ? s->escape : s->delimiter));

    for (size_t at = 0; at < size; at += 32) {
        __m256i block = avx2_load(data + at), hit = _mm256_cmpeq_epi8(block, delimiter);
        uint32_t bits;
        hit = _mm256_or_si256(hit, _mm256_or_si256(_mm256_cmpeq_epi8(block, newline), _mm256_cmpeq_epi8(block, ret)));
        hit = _mm256_or_si256(hit, _mm256_or_si256(_mm256_cmpeq_epi8(block, quote), _mm256_cmpeq_epi8(block, escape)));
        hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(block, _mm256_setzero_si256()));
        bits = (uint32_t)_mm256_movemask_epi8(hit);
        if (size - at < 32) bits &= (1u << (size - at)) - 1;
        if (bits) return true;
    }
    return false;
#else
    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)data[i];
        if (data[i] == s->delimiter || c == s->quote || c == s->escape || c == '\n' || c == '\r' || c == 0) return true;
    }
    return false;
#endif
}

/* In quotes: quotes and escapes doubled, NUL escaped. Room: twice the text and two. */
static char *quoted_put(const struct csv_syntax *s, char *p, struct str text)
{
    *p++ = (char)s->quote;
    for (size_t i = 0; i < text.size; i++) {
        int c = (unsigned char)text.data[i];
        if (c == s->quote) *p++ = (char)c;
        else if (c == s->escape || c == 0) *p++ = (char)s->escape;
        *p++ = c ? (char)c : '0';
    }
    *p++ = (char)s->quote;
    return p;
}

/* Without quotes: what means something is escaped, line ends and NUL by a letter. */
static char *escaped_put(const struct csv_syntax *s, char *p, struct str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        char letter = c == '\n' ? 'n' : c == '\r' ? 'r' : c == 0 ? '0' : c;
        if (letter != c || c == s->delimiter || c == s->escape) *p++ = (char)s->escape;
        *p++ = letter;
    }
    return p;
}

static enum status unwritable(const struct csv_encoder *enc, uint32_t col, struct str text, const char *why,
                              const char *hint, struct err *e)
{
    struct buf reason;

    buf_init(&reason, enc->mem);
    report_quote(&reason, text);
    err_set(e, E_DATA, "format 'csv' cannot write column '%.64s': %s %s", enc->schema->names[col], buf_text(&reason),
            why);
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

/* A string at p; NULL after an error. */
static char *text_put_field(struct csv_encoder *enc, uint32_t col, struct str text, bool force, struct buf *out,
                            char *p, struct err *e)
{
    const struct csv_syntax *s = &enc->options.syntax;

    p = value_room(out, p, 2 * text.size + 64);
    if (text.size) memcpy(p, text.data, text.size);
    force |= is_ambiguous(enc, col, text);
    if (LIKELY(!force && !has_special(s, p, text.size))) return p + text.size;
    if (s->escape < 0 && text.size && memchr(text.data, 0, text.size)) {
        unwritable(enc, col, text, "holds a NUL byte", "give a 'csv.escape-character', or use another format", e);
        return NULL;
    }
    if (s->quote >= 0) return quoted_put(s, p, text);
    if (!force && s->escape >= 0) return escaped_put(s, p, text);
    unwritable(enc, col, text,
               force ? "would read back as something else without quotes" : "holds a delimiter or line end",
               "set 'csv.disable-quote-character' = 'false', or give a 'csv.escape-character'", e);
    return NULL;
}

static struct str string_at(const struct vector *v, uint32_t row)
{
    return text_str(&VECTOR_VALUES(vector_values(v), struct text)[vector_at(v, row)]);
}

static char *null_put(const struct csv_encoder *enc, struct buf *out, char *p)
{
    struct str null = enc->options.null_literal;

    p = value_room(out, p, null.size + 1);
    if (null.size) memcpy(p, null.data, null.size);
    return p + null.size;
}

/* A value that is no string, at p, where there is room; NULL when it would read back as NULL. */
static char *scalar_put(struct csv_encoder *enc, uint32_t col, const struct vector *v, uint32_t row, char *p,
                        struct err *e)
{
    char *end = value_put(p, v, row, &enc->style, &enc->minute);
    struct str text = {p, (size_t)(end - p)};

    if (LIKELY(text.size != enc->options.null_literal.size || !str_equal(text, enc->options.null_literal))) return end;
    unwritable(enc, col, text, "is csv.null-literal too and would read back as NULL",
               "choose a 'csv.null-literal' that is no value", e);
    return NULL;
}

/* One element of an array or row, appended to the field in the making. */
static enum status element_append(struct csv_encoder *enc, uint32_t col, const struct vector *v, uint32_t row,
                                  struct err *e)
{
    const char *hint =
        "choose a 'csv.array-element-delimiter' and 'csv.null-literal' that no element holds, or another format";
    struct buf *out = &enc->field;
    size_t start = out->size;
    struct str text;

    if (vector_is_null(v, row)) {
        if (enc->options.null_literal.size)
            buf_append(out, enc->options.null_literal.data, enc->options.null_literal.size);
        return S_OK;
    }
    if (v->phys != P_STR) {
        char *p;
        buf_reserve(out, VALUE_TEXT_MAX);
        p = scalar_put(enc, col, v, row, out->data + out->size, e);
        if (p) out->size = (size_t)(p - out->data);
        return p ? S_OK : E_DATA;
    }
    buf_reserve(out, 1); /* an empty first element has a place, too */
    if (type_is_string(v->type)) {
        text = string_at(v, row);
        if (text.size) buf_append(out, text.data, text.size);
    } else {
        base64_encode(string_at(v, row), out);
    }
    text = (struct str){out->data + start, out->size - start};
    if (text.size == 0 && !type_is_string(v->type) && !enc->options.null_literal.data)
        return unwritable(enc, col, text, "is an element that would read back as NULL", hint, e);
    if (text.size &&
        memmem(text.data, text.size, enc->options.element_delimiter.data, enc->options.element_delimiter.size))
        return unwritable(enc, col, text, "holds the element delimiter", hint, e);
    if (enc->options.null_literal.data && str_equal(text, enc->options.null_literal))
        return unwritable(enc, col, text, "is an element that would read back as NULL", hint, e);
    return S_OK;
}

static char *nested_put(struct csv_encoder *enc, uint32_t col, const struct vector *v, uint32_t row, struct buf *out,
                        char *p, struct err *e)
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
        if (element_append(enc, col, &values->children[is_array ? 0 : i], is_array ? first + i : at, e) != S_OK)
            return NULL;
    }
    if (is_array && count == 1 && enc->field.size == 0) {
        unwritable(enc, col, STR(""), "as the only element of an array would read back as an empty array",
                   "set 'csv.null-literal' where the element is NULL, or use another format", e);
        return NULL;
    }
    return text_put_field(enc, col, (struct str){enc->field.data, enc->field.size}, enc->field.size == 0, out, p, e);
}

/* One field at p; NULL after an error. */
static char *field_put(struct csv_encoder *enc, uint32_t col, const struct vector *v, uint32_t row, struct buf *out,
                       char *p, struct err *e)
{
    if (vector_is_null(v, row)) return null_put(enc, out, p);
    if (v->type->child_count) return nested_put(enc, col, v, row, out, p, e);
    if (v->phys != P_STR) return scalar_put(enc, col, v, row, value_room(out, p, VALUE_TEXT_MAX), e);
    if (type_is_string(v->type)) return text_put_field(enc, col, string_at(v, row), false, out, p, e);
    buf_clear(&enc->field);
    base64_encode(string_at(v, row), &enc->field);
    return text_put_field(enc, col, (struct str){enc->field.data, enc->field.size}, enc->field.size == 0, out, p, e);
}

enum status csv_encode_row(void *self, const struct batch *in, uint32_t row, struct buf *out, struct err *e)
{
    struct csv_encoder *enc = self;
    size_t before = out->size;
    char *p = out->data ? out->data + out->size : NULL;

    ASSERT(in->col_count == enc->schema->child_count && row < in->count);
    for (uint32_t i = 0; i < in->col_count; i++) {
        if (i) {
            p = value_room(out, p, 1);
            *p++ = enc->options.syntax.delimiter;
        }
        p = field_put(enc, i, &in->cols[i], row, out, p, e);
        if (UNLIKELY(!p)) {
            out->size = before; /* whole records only */
            return E_DATA;
        }
    }
    out->size = (size_t)(p - out->data);
    return S_OK;
}

static enum status header_put(struct csv_encoder *enc, struct buf *out, struct err *e)
{
    enc->header_due = false;
    for (uint32_t i = 0; i < enc->schema->child_count; i++) {
        char *p;
        if (i) buf_append_byte(out, enc->options.syntax.delimiter);
        p = text_put_field(enc, i, str_of(enc->schema->names[i]), false, out, out->data ? out->data + out->size : NULL,
                           e);
        if (!p) return E_DATA;
        out->size = (size_t)(p - out->data);
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
