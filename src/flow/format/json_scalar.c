/* json_scalar.c - values that hold no others, from the record into a column.
 *
 * This is what a value means; json_fast.h knows the usual spellings and was asked before. A fault is soft when
 * the text is json but no value of the column's type: only those can become NULL under json.ignore-parse-errors, because
 * only then is it known where the value ends. Numbers may stand in quotes; a string column takes any value as its text. */
#include "flow/format/json.h"

#include "flow/format/text_fast.h"

#include <stdio.h>

enum { ROOM_STEP = 4096 };

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

/* What to do about a value: only what the table's format takes, and what would help. */
static const char *advice_make(struct json_reader *rd, const struct type *t)
{
    char null[96] = "";

    if (t->nullable && !rd->options.fail_on_missing)
        snprintf(null, sizeof null, "'%s.ignore-parse-errors' = 'true' reads it as NULL, ", rd->options.format);
    snprintf(rd->advice, sizeof rd->advice, "correct the value; %s'on-error' = 'skip' drops the record", null);
    return rd->advice;
}

/* The value at `at` cannot be kept: begins the reason with the column. NULL is answered by the callers. */
struct buf *json_soft_begin(struct json_reader *rd, const char *at, const struct type *t)
{
    rd->fault_at = at;
    rd->fault_hint = advice_make(rd, t);
    rd->is_soft = true;
    return report_begin_column(rd->report, path_text(rd), t);
}

static const char *soft_value(struct json_reader *rd, const char *at, const struct type *t, struct str text,
                              enum value_fault why)
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
    case 't':
    case 'f': return "a boolean";
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

const char *json_null_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row,
                           const char *p)
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
static const char *quoted_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row,
                               const char *p)
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
static const char *number_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row,
                               const char *p)
{
    const char *next;
    enum value_fault why;

    if (*p == '"') return quoted_read(rd, node, v, row, p);
    if (*p != '-' && (unsigned)(*p - '0') > 9) return json_soft_kind(rd, p, node->type, "a number");
    if (!(next = json_number_end(rd, p))) return NULL;
    why = value_parse(node->type, (struct str){p, (size_t)(next - p)}, v, row, rd->heap);
    return why == VALUE_OK ? next : soft_value(rd, p, node->type, (struct str){p, (size_t)(next - p)}, why);
}

static const char *boolean_read(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row,
                                const char *p)
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

const char *json_unread_take(struct json_reader *rd, const struct json_node *node, struct vector *v, uint32_t row, const char *p)
{
    if (*p != '{' && *p != '[') return json_soft_kind(rd, p, node->type, "an object");
    return any_as_string(rd, v, row, p);
}

static const char *string_read(struct json_reader *rd, struct vector *v, uint32_t row, const char *p)
{
    struct json_string s;
    const char *next;

    if (UNLIKELY(*p != '"')) return any_as_string(rd, v, row, p);
    next = json_string_read(rd, p + 1, &s);
    return LIKELY(next) && LIKELY(json_string_put(rd, &s, v, row)) ? next : NULL;
}

const char *json_scalar_read(struct json_reader *rd, struct json_node *node, struct vector *v, uint32_t row,
                             const char *p)
{
    switch ((enum json_code)node->code) {
    case JSON_I8:
    case JSON_I16:
    case JSON_I32:
    case JSON_I64:
    case JSON_F32:
    case JSON_F64:
    case JSON_DECIMAL64:
    case JSON_DECIMAL128: return number_read(rd, node, v, row, p);
    case JSON_BOOLEAN: return boolean_read(rd, node, v, row, p);
    case JSON_STRING: return string_read(rd, v, row, p);
    case JSON_TIMESTAMP3:
    case JSON_TIMESTAMP6:
    case JSON_TIMESTAMP:
        return *p == '"' ? quoted_read(rd, node, v, row, p)
                         : json_soft_kind(rd, p, node->type, "a timestamp in quotes");
    case JSON_DATE:
        return *p == '"' ? quoted_read(rd, node, v, row, p) : json_soft_kind(rd, p, node->type, "a date in quotes");
    case JSON_QUOTED:
        return *p == '"' ? quoted_read(rd, node, v, row, p) : json_soft_kind(rd, p, node->type, "a string");
    case JSON_ARRAY:
    case JSON_MAP:
    case JSON_ROW:
    case JSON_UNREAD: break;
    }
    ASSERT(!"nested values are read elsewhere");
    return NULL;
}
