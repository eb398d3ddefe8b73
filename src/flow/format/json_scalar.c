/* json_scalar.c - values that hold no others, from the record into a column.
 *
 * Each type has a kernel for its usual spelling and the general parser of value_parse.c behind it. A fault is soft when
 * the text is json but no value of the column's type: only those can become NULL under json.ignore-parse-errors, because
 * only then is it known where the value ends. Numbers may stand in quotes; a string column takes any value as its text. */
#include "flow/format/json.h"

#include "flow/format/text_fast.h"

enum { ROOM_STEP = 4096 };

static const char hint_value[] =
    "correct the value; 'json.ignore-parse-errors' = 'true' reads it as NULL, 'on-error' = 'skip' drops the record";

/* ---- faults of values ------------------------------------------------------------------------------------------------ */

/* "customer.orders[3].price" of the place where the reader is. */
static struct str path_text(struct json_reader *rd)
{
    struct buf *out = &rd->unescaped;

    buf_clear(out);
    for (uint32_t i = 0; i <= rd->depth; i++) {
        struct json_place at = rd->path[i];
        if (at.node && at.node->name.size) {
            if (out->size) buf_append_byte(out, '.');
            buf_append(out, at.node->name.data, at.node->name.size);
        } else if (at.node) {
            buf_printf(out, "[%u]", at.element);
        }
    }
    return (struct str){out->data, out->size};
}

/* The value at `at` cannot be kept: begins the reason with the column. NULL is answered by the callers. */
struct buf *json_soft_begin(struct json_reader *rd, const char *at, const struct type *t)
{
    rd->fault_at = at;
    rd->fault_hint = hint_value;
    rd->is_soft = true;
    return report_begin_column(rd->report, path_text(rd), t);
}

static const char *soft_value(struct json_reader *rd, const char *at, const struct type *t, struct str text, enum value_fault why)
{
    struct str copy = text;
    struct buf kept, *reason;

    buf_init(&kept, rd->mem); /* the text may stand in rd->unescaped, where the path is made */
    buf_append(&kept, copy.data, MIN(copy.size, 2 * (size_t)REPORT_TEXT_MAX));
    reason = json_soft_begin(rd, at, t);
    report_quote(reason, (struct str){kept.data, kept.size});
    buf_append_byte(reason, ' ');
    value_fault_print(why, t, reason);
    buf_release(&kept);
    return NULL;
}

static const char *kind_text(char c)
{
    switch (c) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't': case 'f': return "a boolean";
    case 'n': return "null";
    default: return "a number";
    }
}

/* What stands at p is json of another kind than the type wants; it must be json at all, though. */
const char *json_soft_kind(struct json_reader *rd, const char *p, const struct type *t, const char *expected)
{
    if (!json_value_skip(rd, p)) return NULL;
    buf_printf(json_soft_begin(rd, p, t), "%s where %s is expected", kind_text(*p), expected);
    return NULL;
}

const char *json_null_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    if (rd->end - p < 4 || memcmp(p, "null", 4) != 0) return json_unexpected(rd, p, "a value");
    if (LIKELY(node->type->nullable)) {
        vector_set_null(v, row);
        return p + 4;
    }
    buf_append_text(json_soft_begin(rd, p, node->type), "null, but the type is NOT NULL");
    return NULL;
}

/* ---- scalars ----------------------------------------------------------------------------------------------------------- */

/* Room for size bytes of a string, and 31 more that copying in steps may touch. */
static char *room_take(struct json_reader *rd, size_t size)
{
    char *at;

    if ((size_t)(rd->room_end - rd->room) < size + 32) {
        size_t left = (size_t)(rd->window_end - rd->record), wanted = MAX(size, MIN(left, (size_t)ROOM_STEP)) + 32;
        rd->room = text_reserve(rd->heap, wanted);
        rd->room_end = rd->room + wanted;
    }
    at = rd->room;
    rd->room += size;
    return at;
}

/* Keeps a string: inline, or copied to the heap in steps of 32 bytes. */
bool json_string_put(struct json_reader *rd, const struct json_string *s, struct vector *v, uint32_t row)
{
    struct text *out = &VECTOR_VALUES(v, struct text)[row];
    size_t size = s->raw.size;
    char *far;

    if (LIKELY(!s->has_escapes && size <= TEXT_INLINE)) {
        *out = text_inline(s->raw.data, size);
        return true;
    }
    far = room_take(rd, size);
    if (UNLIKELY(s->has_escapes)) {
        if (!json_unescape(rd, s, far, &size)) return false;
        rd->room -= s->raw.size - size;
    } else {
        copy_steps(far, s->raw.data, size);
    }
    *out = text_view(far, size);
    return true;
}

/* The text of a string value, escapes resolved; a view into the record or into rd->unescaped. */
bool json_string_text(struct json_reader *rd, const struct json_string *s, struct str *out)
{
    size_t size;

    *out = s->raw;
    if (LIKELY(!s->has_escapes)) return true;
    buf_clear(&rd->unescaped);
    buf_reserve(&rd->unescaped, s->raw.size);
    if (!json_unescape(rd, s, rd->unescaped.data, &size)) return false;
    *out = (struct str){rd->unescaped.data, size};
    return true;
}

/* A value given in quotes, by the general parser. */
static const char *quoted_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    struct json_string s;
    struct str text;
    enum value_fault why;
    const char *next = json_string_read(rd, p + 1, &s);

    if (!next || !json_string_text(rd, &s, &text)) return NULL;
    why = value_parse(node->type, text, v, row, rd->heap);
    return why == VALUE_OK ? next : soft_value(rd, p, node->type, text, why);
}

/* A number, by the general parser: numbers in quotes, fractions, exponents, many digits, and what is none. */
static const char *number_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    const char *next;
    enum value_fault why;

    if (*p == '"') return quoted_read(rd, node, v, row, p);
    if (*p != '-' && (unsigned)(*p - '0') > 9) return json_soft_kind(rd, p, node->type, "a number");
    if (!(next = json_number_end(rd, p))) return NULL;
    why = value_parse(node->type, (struct str){p, (size_t)(next - p)}, v, row, rd->heap);
    return why == VALUE_OK ? next : soft_value(rd, p, node->type, (struct str){p, (size_t)(next - p)}, why);
}

/* A whole number of at most 16 digits that ends inside the record. NULL: it is not that simple. */
SCAN_INLINE const char *whole_fast(const char *p, const char *end, int64_t *out)
{
    bool negative = *p == '-', ok = true;
    const char *s = p + negative;
    uint64_t high = load64(s) ^ DIGITS_ZERO, none = ((high + UINT64_C(0x7676767676767676)) | high) & UINT64_C(0x8080808080808080);
    uint32_t count = bits_first(none) >> 3;
    uint64_t value;

    if (LIKELY(count < 8)) {
        if (count == 0) return NULL;
        value = digits8_value(high << (64 - 8 * count), &ok);
    } else {
        uint64_t low = load64(s + 8) ^ DIGITS_ZERO;
        none = ((low + UINT64_C(0x7676767676767676)) | low) & UINT64_C(0x8080808080808080);
        count = bits_first(none) >> 3;
        if (count == 8) return NULL;
        value = digits8_value(high, &ok);
        if (count) value = value * power10_u32(count) + digits8_value(low << (64 - 8 * count), &ok);
        count += 8;
    }
    if ((*s == '0' && count > 1) || s + count >= end || s[count] == '.' || (s[count] | 0x20) == 'e') return NULL;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return s + count;
}

#define WHOLE_READ(T, LOW, HIGH)                                                                                       \
    do {                                                                                                               \
        int64_t value;                                                                                                 \
        const char *next = whole_fast(p, rd->end, &value);                                                             \
        if (UNLIKELY(!next || value < (LOW) || value > (HIGH))) return number_read(rd, node, v, row, p);               \
        VECTOR_VALUES(v, T)[row] = (T)value;                                                                           \
        return next;                                                                                                   \
    } while (0)

/* Digits, perhaps a point and more digits, at most 19 in all, ending inside the record. NULL: it is not that simple. */
SCAN_INLINE const char *plain_number(const char *p, const char *end, struct number *out)
{
    bool negative = *p == '-';
    const char *s = p + negative, *digits = s, *point = NULL;
    uint64_t value = 0;

    for (; s < end; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (digit < 10) value = value * 10 + digit;
        else if (*s == '.' && !point) point = s;
        else break;
    }
    if (s >= end || s == digits || point == digits || point == s - 1 || s - digits > 19 || (*s | 0x20) == 'e' || *s == '.') return NULL;
    if (*digits == '0' && s - digits > 1 && point != digits + 1) return NULL;
    *out = (struct number){.digits = value, .exponent = point ? -(int32_t)(s - point - 1) : 0, .negative = negative, .is_exact = true};
    return s;
}

static const char *floating_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    struct number n;
    const char *next = plain_number(p, rd->end, &n);
    bool ok = next != NULL;

    if (ok && v->phys == P_F64) ok = double_from_number(&n, &VECTOR_VALUES(v, double)[row]);
    else if (ok) ok = float_from_number(&n, &VECTOR_VALUES(v, float)[row]);
    return LIKELY(ok) ? next : number_read(rd, node, v, row, p);
}

static const char *decimal_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    int64_t *out = VECTOR_VALUES(v, int64_t) + (v->phys == P_I64 ? row : 0);
    struct number n;
    const char *next = v->phys == P_I64 ? plain_number(p, rd->end, &n) : NULL;
    bool ok = next && decimal_from_number(&n, node->type->precision, node->type->scale, out);

    return LIKELY(ok) ? next : number_read(rd, node, v, row, p);
}

static const char *boolean_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    if (*p == 't' || *p == 'f') {
        VECTOR_VALUES(v, uint8_t)[row] = *p == 't';
        return json_value_skip(rd, p);
    }
    return *p == '"' ? quoted_read(rd, node, v, row, p) : json_soft_kind(rd, p, node->type, "true or false");
}

/* Whatever it is, as text: numbers and booleans as they stand, objects and arrays without spaces. */
static const char *any_as_string(struct json_reader *rd, struct vector *v, uint32_t row, const char *p)
{
    const char *next = json_value_skip(rd, p);
    size_t size;
    char *far;

    if (!next) return NULL;
    far = room_take(rd, (size_t)(next - p));
    size = json_compact((struct str){p, (size_t)(next - p)}, far);
    rd->room -= (size_t)(next - p) - size;
    VECTOR_VALUES(v, struct text)[row] = text_view(far, size);
    return next;
}

static const char *timestamp_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    struct json_string s;
    struct ts96 ts;
    const char *next;

    if (*p != '"') return json_soft_kind(rd, p, node->type, "a timestamp in quotes");
    if (!(next = json_string_read(rd, p + 1, &s))) return NULL;
    if (UNLIKELY(!timestamp_parse_fast(s.raw.data, s.raw.size, &node->minute, &ts))) return quoted_read(rd, node, v, row, p);
    VECTOR_VALUES(v, int64_t)[row] = node->code == JSON_TIMESTAMP3 ? ts.ms : ts.ms * 1000 + ts.ns / 1000;
    return next;
}

static const char *date_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    if (*p != '"') return json_soft_kind(rd, p, node->type, "a date in quotes");
    if (rd->end - p > 12 && p[11] == '"' && date_parse_fast(p + 1, 10, &VECTOR_VALUES(v, int32_t)[row])) return p + 12;
    return quoted_read(rd, node, v, row, p);
}

static const char *string_read(struct json_reader *rd, struct vector *v, uint32_t row, const char *p)
{
    struct json_string s;
    const char *next;

    if (UNLIKELY(*p != '"')) return any_as_string(rd, v, row, p);
    next = json_string_read(rd, p + 1, &s);
    return LIKELY(next) && LIKELY(json_string_put(rd, &s, v, row)) ? next : NULL;
}

const char *json_scalar_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    switch ((enum json_code)node->code) {
    case JSON_I8: WHOLE_READ(int8_t, INT8_MIN, INT8_MAX);
    case JSON_I16: WHOLE_READ(int16_t, INT16_MIN, INT16_MAX);
    case JSON_I32: WHOLE_READ(int32_t, INT32_MIN, INT32_MAX);
    case JSON_I64: WHOLE_READ(int64_t, INT64_MIN, INT64_MAX);
    case JSON_FLOATING: return floating_read(rd, node, v, row, p);
    case JSON_DECIMAL: return decimal_read(rd, node, v, row, p);
    case JSON_BOOLEAN: return boolean_read(rd, node, v, row, p);
    case JSON_STRING: return string_read(rd, v, row, p);
    case JSON_TIMESTAMP3: case JSON_TIMESTAMP6: return timestamp_read(rd, node, v, row, p);
    case JSON_DATE: return date_read(rd, node, v, row, p);
    case JSON_QUOTED: return *p == '"' ? quoted_read(rd, node, v, row, p) : json_soft_kind(rd, p, node->type, "a string");
    case JSON_ARRAY: case JSON_MAP: case JSON_ROW: break;
    }
    ASSERT(!"nested values are read elsewhere");
    return NULL;
}
