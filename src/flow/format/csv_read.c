/* csv_read.c - fields to values, a column at a time.
 *
 * A run of regular records is read with one loop per column, chosen when the decoder opens: no switch per value. Each
 * loop knows the usual spelling of its type only and hands the rest (quotes, NULL, spaces, mistakes) to csv_field_read,
 * which defines what a field means. NULL: a field that equals csv.null-literal; without one, an empty field that is no
 * string. A quoted string is never NULL, so the empty string and the literal itself can be told from it.
 *
 * A loop stops at its first bad field; the driver takes the smallest such row over all columns. */
#include "flow/format/csv.h"

#include "flow/format/text_fast.h"
#include "flow/format/value_parse.h"
#include "ground/base/str.h"

#include <string.h>

#define SPAN_START(span, r) ((span)->base + (span)->starts[(size_t)(r) * (span)->start_stride] + (span)->start_add)
#define SPAN_END(span, r) ((span)->base + (span)->ends[(size_t)(r) * (span)->end_stride])

/* ---- one field, slowly ------------------------------------------------------------------------------------------ */

static char unescape(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '0': return 0;
    default: return c;
    }
}

static const char hint_null[] =
    "correct the record, or let the column be NULL: a type without NOT NULL, which in a struct of TW_ROW needs TW_NULLS "
    "too; 'on-error' = 'skip' drops the record";
static const char hint_record[] = "correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it";
static const char hint_value[] =
    "correct the value; 'csv.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record";

static bool fault(struct csv_reader *rd, const char *at, const char *hint)
{
    rd->fault_at = at;
    rd->fault_hint = hint;
    return false;
}

static bool malformed(struct csv_reader *rd, const char *at)
{
    buf_append_text(report_begin(rd->report), "text after the closing quote of a field");
    return fault(rd, at, hint_record);
}

/* The inside of a quoted field whose opening quote stands at s. */
static bool quoted_text(struct csv_reader *rd, const char *s, const char *e, struct str *text)
{
    const struct csv_syntax *syntax = &rd->options.syntax;
    struct buf *out = &rd->unquoted;

    buf_clear(out);
    buf_reserve(out, (size_t)(e - s));
    for (const char *p = s + 1; p < e; p++) {
        if (*p == syntax->quote) {
            if (p + 1 == e) {
                *text = (struct str){out->data, out->size};
                return true;
            }
            if (*++p != syntax->quote) return malformed(rd, p);
            out->data[out->size++] = *p;
        } else if (*p == syntax->escape && p + 1 < e) {
            out->data[out->size++] = unescape(*++p);
        } else {
            out->data[out->size++] = *p;
        }
    }
    return malformed(rd, e); /* no closing quote: the scans do not let such a field pass */
}

static struct str escaped_text(struct csv_reader *rd, const char *s, const char *e)
{
    struct buf *out = &rd->unquoted;

    buf_clear(out);
    buf_reserve(out, (size_t)(e - s));
    for (const char *p = s; p < e; p++) {
        bool is_escape = *p == rd->options.syntax.escape && p + 1 < e;
        out->data[out->size++] = is_escape ? unescape(*++p) : *p;
    }
    return (struct str){out->data, out->size};
}

bool csv_field_text(struct csv_reader *rd, const char *s, const char *e, struct str *text, bool *was_quoted)
{
    const struct csv_syntax *syntax = &rd->options.syntax;
    size_t size = (size_t)(e - s);
    bool has_escape = syntax->escape >= 0 && memchr(s, syntax->escape, size);

    *was_quoted = size > 0 && *s == syntax->quote;
    if (!*was_quoted) {
        *text = has_escape ? escaped_text(rd, s, e) : (struct str){s, size};
        return true;
    }
    if (size >= 2 && e[-1] == syntax->quote && !has_escape && !memchr(s + 1, syntax->quote, size - 2)) {
        *text = (struct str){s + 1, size - 2};
        return true;
    }
    return quoted_text(rd, s, e, text);
}

/* Is the text NULL? In quotes strings, bytes and nested values never are: "" is the empty string or array. */
static bool text_is_null(const struct csv_options *o, const struct type *t, struct str text, bool was_quoted)
{
    bool is_text = t->phys == P_STR || t->child_count > 0;

    if (o->null_literal.data && str_equal(text, o->null_literal)) return !was_quoted || !is_text;
    if (text.size > 0 || type_is_string(t)) return false;
    return !is_text || (!was_quoted && !o->null_literal.data);
}

static bool null_put(struct csv_reader *rd, struct csv_column *col, struct vector *v, uint32_t row, const char *at)
{
    if (col->type->nullable) {
        vector_set_null(v, row);
        return true;
    }
    buf_append_text(report_begin_column(rd->report, col->name, col->type),
                    "the field is empty, but the column is NOT NULL");
    return fault(rd, at, hint_null);
}

/* Says why and answers false, or makes it NULL when mistakes in fields are to be ignored. */
static bool value_bad(struct csv_reader *rd, struct csv_column *col, struct vector *v, uint32_t row, const char *at,
                      struct str text, enum value_fault why, const struct type *t)
{
    struct buf *reason;

    if (rd->options.ignore_errors && col->type->nullable) {
        vector_set_null(v, row);
        return true;
    }
    reason = report_begin_column(rd->report, col->name, col->type);
    report_quote(reason, text);
    buf_append_byte(reason, ' ');
    value_fault_print(why, t, reason);
    return fault(rd, at, hint_value);
}

/* ---- arrays and rows: elements between csv.array-element-delimiter ------------------------------------------------ */

/* Cuts the next element off rest; false when there is none. An empty rest that was never cut is one empty element. */
static bool element_next(struct str *rest, bool *more, struct str delimiter, struct str *element)
{
    const char *at;

    if (!*more) return false;
    at = memmem(rest->data, rest->size, delimiter.data, delimiter.size);
    *element = (struct str){rest->data, at ? (size_t)(at - rest->data) : rest->size};
    *more = at != NULL;
    if (at) *rest = (struct str){at + delimiter.size, rest->size - element->size - delimiter.size};
    return true;
}

/* One element into child[row]; *why is set when it is bad. */
static void element_read(struct csv_reader *rd, struct str element, struct vector *child, uint32_t row,
                         enum value_fault *why)
{
    if (!text_is_null(&rd->options, child->type, element, false))
        *why = value_parse(child->type, element, child, row, rd->heap);
    else if (child->type->nullable) vector_set_null(child, row);
    else *why = VALUE_NULL;
}

static bool array_read(struct csv_reader *rd, struct csv_column *col, struct vector *v, uint32_t row, const char *at,
                       struct str text)
{
    struct vector *child = &v->children[0];
    uint32_t first = child->used;
    struct str rest = text, element;
    bool more = text.size > 0;

    while (element_next(&rest, &more, rd->options.element_delimiter, &element)) {
        enum value_fault why = VALUE_OK;
        if (child->used >= child->capacity) vector_child_reserve(v, child->used + 1, rd->mem);
        element_read(rd, element, child, child->used, &why);
        if (why != VALUE_OK) {
            format_vector_forget(child, first, child->used + 1 - first);
            child->used = first;
            return value_bad(rd, col, v, row, at, element, why, child->type);
        }
        child->used++;
    }
    VECTOR_VALUES(v, struct list_ref)[row] = (struct list_ref){first, child->used - first};
    return true;
}

static bool row_read(struct csv_reader *rd, struct csv_column *col, struct vector *v, uint32_t row, const char *at,
                     struct str text)
{
    struct str rest = text, element;
    bool more = true;
    uint32_t count = 0;

    while (element_next(&rest, &more, rd->options.element_delimiter, &element)) {
        enum value_fault why = VALUE_OK;
        if (count < v->child_count) element_read(rd, element, &v->children[count], row, &why);
        if (why != VALUE_OK) return value_bad(rd, col, v, row, at, element, why, v->children[count].type);
        count++;
    }
    if (count == v->child_count) return true;
    if (rd->options.ignore_errors && col->type->nullable) {
        vector_set_null(v, row);
        return true;
    }
    buf_printf(report_begin_column(rd->report, col->name, col->type), "expected %u elements, found %u in ",
               v->child_count, count);
    report_quote(&rd->report->reason, text);
    return fault(rd, at, hint_value);
}

bool csv_field_read(struct csv_reader *rd, struct csv_column *col, struct vector *v, uint32_t row, const char *s,
                    const char *e)
{
    enum value_fault why;
    struct str text;
    bool was_quoted;

    ASSERT_ROW(e >= s);
    if (!csv_field_text(rd, s, e, &text, &was_quoted)) return false;
    if (text_is_null(&rd->options, col->type, was_quoted ? text : (struct str){s, (size_t)(e - s)}, was_quoted))
        return null_put(rd, col, v, row, s);
    if (v->phys == P_LIST) return array_read(rd, col, v, row, s, text);
    if (v->phys == P_ROW) return row_read(rd, col, v, row, s, text);
    why = value_parse(col->type, text, v, row, rd->heap);
    if (LIKELY(why == VALUE_OK)) return true;
    return value_bad(rd, col, v, row, s, text, why, col->type);
}

/* ---- a column of a run -------------------------------------------------------------------------------------------- */

static uint32_t read_any(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span, struct vector *v)
{
    for (uint32_t r = 0; r < span->rows; r++)
        if (!csv_field_read(rd, col, v, span->first + r, SPAN_START(span, r), SPAN_END(span, r))) return r;
    return span->rows;
}

#define DEFINE_READ_WHOLE(NAME, T, LOW, HIGH)                                                                          \
    static uint32_t NAME(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span, struct vector *v) \
    {                                                                                                                  \
        T *out = VECTOR_VALUES(v, T) + span->first;                                                                    \
        for (uint32_t r = 0; r < span->rows; r++) {                                                                    \
            const char *s = SPAN_START(span, r), *e = SPAN_END(span, r);                                               \
            int64_t value;                                                                                             \
            if (LIKELY(int64_parse_fast(s, (size_t)(e - s), &value) && value >= (LOW) && value <= (HIGH)))             \
                out[r] = (T)value;                                                                                     \
            else if (!csv_field_read(rd, col, v, span->first + r, s, e)) return r;                                     \
        }                                                                                                              \
        return span->rows;                                                                                             \
    }
DEFINE_READ_WHOLE(read_i8, int8_t, INT8_MIN, INT8_MAX)
DEFINE_READ_WHOLE(read_i16, int16_t, INT16_MIN, INT16_MAX)
DEFINE_READ_WHOLE(read_i32, int32_t, INT32_MIN, INT32_MAX)
DEFINE_READ_WHOLE(read_i64, int64_t, INT64_MIN, INT64_MAX)

#define DEFINE_READ_FLOATING(NAME, T, CONVERT)                                                                         \
    static uint32_t NAME(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span, struct vector *v) \
    {                                                                                                                  \
        T *out = VECTOR_VALUES(v, T) + span->first;                                                                    \
        for (uint32_t r = 0; r < span->rows; r++) {                                                                    \
            const char *s = SPAN_START(span, r), *e = SPAN_END(span, r);                                               \
            struct number n;                                                                                           \
            if (LIKELY(number_parse(s, (size_t)(e - s), &n) && CONVERT(&n, &out[r]))) continue;                        \
            if (!csv_field_read(rd, col, v, span->first + r, s, e)) return r;                                          \
        }                                                                                                              \
        return span->rows;                                                                                             \
    }
DEFINE_READ_FLOATING(read_f32, float, float_from_number)
DEFINE_READ_FLOATING(read_f64, double, double_from_number)

static uint32_t read_decimal64(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span,
                               struct vector *v)
{
    int64_t *out = VECTOR_VALUES(v, int64_t) + span->first;
    int precision = col->type->precision, scale = col->type->scale;

    for (uint32_t r = 0; r < span->rows; r++) {
        const char *s = SPAN_START(span, r), *e = SPAN_END(span, r);
        struct number n;
        if (LIKELY(number_parse(s, (size_t)(e - s), &n) && decimal_from_number(&n, precision, scale, &out[r])))
            continue;
        if (!csv_field_read(rd, col, v, span->first + r, s, e)) return r;
    }
    return span->rows;
}

static uint32_t read_date(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span, struct vector *v)
{
    int32_t *out = VECTOR_VALUES(v, int32_t) + span->first;

    for (uint32_t r = 0; r < span->rows; r++) {
        const char *s = SPAN_START(span, r), *e = SPAN_END(span, r);
        if (LIKELY(date_parse_fast(s, (size_t)(e - s), &out[r]))) continue;
        if (!csv_field_read(rd, col, v, span->first + r, s, e)) return r;
    }
    return span->rows;
}

/* Precision 3 and 6, the ones in use; other precisions cut or widen and go the general way. */
#define DEFINE_READ_TIMESTAMP(NAME, VALUE)                                                                             \
    static uint32_t NAME(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span, struct vector *v) \
    {                                                                                                                  \
        int64_t *out = VECTOR_VALUES(v, int64_t) + span->first;                                                        \
        struct minute_cache cache = col->minute;                                                                       \
        for (uint32_t r = 0; r < span->rows; r++) {                                                                    \
            const char *s = SPAN_START(span, r), *e = SPAN_END(span, r);                                               \
            struct ts96 ts;                                                                                            \
            if (LIKELY(timestamp_parse_fast(s, (size_t)(e - s), &cache, &ts))) out[r] = (VALUE);                       \
            else if (!csv_field_read(rd, col, v, span->first + r, s, e)) return r;                                     \
        }                                                                                                              \
        col->minute = cache;                                                                                           \
        return span->rows;                                                                                             \
    }
DEFINE_READ_TIMESTAMP(read_timestamp3, ts.ms)
DEFINE_READ_TIMESTAMP(read_timestamp6, ts.ms * 1000 + ts.ns / 1000)

/* Bytes of the strings of a run that will not fit their references. */
static size_t far_bytes(const struct csv_span *span)
{
    size_t total = 0;

    for (uint32_t r = 0; r < span->rows; r++) {
        size_t size = (size_t)(SPAN_END(span, r) - SPAN_START(span, r));
        total += size > TEXT_INLINE ? size : 0;
    }
    return total;
}

static uint32_t read_string(struct csv_reader *rd, struct csv_column *col, const struct csv_span *span,
                            struct vector *v)
{
    struct text *out = VECTOR_VALUES(v, struct text) + span->first;
    struct str null = rd->options.null_literal;
    size_t null_size = null.data ? null.size : SIZE_MAX, room = far_bytes(span);
    char *far = room ? text_reserve(rd->heap, room + 32) : NULL;
    int quote = rd->options.syntax.quote, escape = rd->options.syntax.escape;

    for (uint32_t r = 0; r < span->rows; r++) {
        const char *s = SPAN_START(span, r), *e = SPAN_END(span, r);
        size_t size = (size_t)(e - s);
        if (UNLIKELY((size && *s == quote) || size == null_size || escape >= 0)) {
            if (!csv_field_read(rd, col, v, span->first + r, s, e)) return r;
        } else if (size <= TEXT_INLINE) {
            out[r] = text_inline(s, size);
        } else {
            copy_steps(far, s, size);
            out[r] = text_view(far, size);
            far += size;
        }
    }
    return span->rows;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* Could the fast loop of a number or timestamp take the null literal for a value? */
static bool null_looks_like_value(const struct csv_options *o)
{
    const char *c = o->null_literal.data;
    return c && o->null_literal.size && ((*c >= '0' && *c <= '9') || *c == '-' || *c == '.' || *c == '+');
}

static csv_read_fn read_fn_of(const struct type *t, const struct csv_options *o)
{
    if (type_is_string(t)) return read_string;
    if (null_looks_like_value(o)) return read_any;
    switch (t->kind) {
    case T_TINYINT: return read_i8;
    case T_SMALLINT: return read_i16;
    case T_INT:
    case T_INTERVAL_MONTH: return read_i32;
    case T_BIGINT:
    case T_INTERVAL_SECOND: return read_i64;
    case T_FLOAT: return read_f32;
    case T_DOUBLE: return read_f64;
    case T_DECIMAL: return t->phys == P_I64 ? read_decimal64 : read_any;
    case T_DATE: return read_date;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return t->precision == 3 ? read_timestamp3 : t->precision == 6 ? read_timestamp6 : read_any;
    default: return read_any;
    }
}

static bool type_is_supported(const struct type *t)
{
    if (value_type_is_scalar(t)) return true;
    if (t->kind != T_ARRAY && t->kind != T_ROW) return false;
    for (uint32_t i = 0; i < t->child_count; i++)
        if (!value_type_is_scalar(t->children[i])) return false;
    return true;
}

enum status csv_column_init(struct csv_column *col, const struct csv_options *options, uint32_t index,
                            const struct type *schema, struct mem *mem, struct err *e)
{
    const struct type *t = schema->children[index];
    struct buf text;

    ASSERT(index < schema->child_count);
    *col = (struct csv_column){
        .type = t, .name = str_of(schema->names[index]), .index = index, .read = read_fn_of(t, options)};
    if (type_is_supported(t)) return S_OK;
    buf_init(&text, mem);
    report_type(&text, t);
    err_set(e, E_UNSUPPORTED, "format 'csv' cannot hold column '%.64s' of type %s", schema->names[index],
            buf_text(&text));
    err_hint(e, "csv holds scalars, and arrays and rows of scalars; use the format json for maps and deeper nesting");
    buf_release(&text);
    return E_UNSUPPORTED;
}
