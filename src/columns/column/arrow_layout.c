/* arrow_layout.c - Arrow's format strings, and the two tables between them and our types.
 *
 *   BOOLEAN b, TINYINT..BIGINT c s i l, FLOAT f, DOUBLE g, DECIMAL(p,s) d:p,s (128 bits), CHAR and VARCHAR u, BINARY and
 *   VARBINARY z, DATE tdD, TIME ttm, TIMESTAMP(0 / 1-3 / 4-6 / 7-9) tss: tsm: tsu: tsn:, TIMESTAMP_LTZ the same with
 *   UTC, INTERVAL MONTH tiM, INTERVAL SECOND tDm, ARRAY +l, MAP and MULTISET +m, ROW +s, NULL n.
 *
 * Reading knows more than writing: unsigned integers up to 32 bits (they become the next wider type), large and fixed
 * binaries, large lists, date64, the other units of times and durations, any zone (an instant is an instant). */
#include "columns/column/arrow_layout.h"

#include "ground/base/str.h"

struct plain_format {
    const char *format;
    struct arrow_layout layout;
};

static const struct plain_format plain_formats[] = {
    {"n", {.kind = ARROW_NULL}},
    {"b", {.kind = ARROW_BOOL}},
    {"c", {.kind = ARROW_INT, .width = 1}},
    {"s", {.kind = ARROW_INT, .width = 2}},
    {"i", {.kind = ARROW_INT, .width = 4}},
    {"l", {.kind = ARROW_INT, .width = 8}},
    {"C", {.kind = ARROW_UINT, .width = 1}},
    {"S", {.kind = ARROW_UINT, .width = 2}},
    {"I", {.kind = ARROW_UINT, .width = 4}},
    {"f", {.kind = ARROW_FLOAT, .width = 4}},
    {"g", {.kind = ARROW_FLOAT, .width = 8}},
    {"u", {.kind = ARROW_TEXT, .width = 4}},
    {"U", {.kind = ARROW_TEXT, .width = 8}},
    {"z", {.kind = ARROW_BYTES, .width = 4}},
    {"Z", {.kind = ARROW_BYTES, .width = 8}},
    {"tdD", {.kind = ARROW_DATE, .width = 4, .precision = -1}},
    {"tdm", {.kind = ARROW_DATE, .width = 8, .precision = 3}},
    {"tts", {.kind = ARROW_TIME, .width = 4, .precision = 0}},
    {"ttm", {.kind = ARROW_TIME, .width = 4, .precision = 3}},
    {"ttu", {.kind = ARROW_TIME, .width = 8, .precision = 6}},
    {"ttn", {.kind = ARROW_TIME, .width = 8, .precision = 9}},
    {"tiM", {.kind = ARROW_MONTHS, .width = 4}},
    {"tDs", {.kind = ARROW_DURATION, .width = 8, .precision = 0}},
    {"tDm", {.kind = ARROW_DURATION, .width = 8, .precision = 3}},
    {"tDu", {.kind = ARROW_DURATION, .width = 8, .precision = 6}},
    {"tDn", {.kind = ARROW_DURATION, .width = 8, .precision = 9}},
    {"+l", {.kind = ARROW_LIST, .width = 4}},
    {"+L", {.kind = ARROW_LIST, .width = 8}},
    {"+m", {.kind = ARROW_MAP, .width = 4}},
    {"+s", {.kind = ARROW_STRUCT}},
};

/* "ts<unit>:<zone>" */
static bool timestamp_read(struct str s, struct arrow_layout *out)
{
    static const char units[] = "smun";
    const char *unit;

    if (s.size < 4 || s.data[3] != ':') return false;
    unit = memchr(units, s.data[2], 4);
    if (!unit) return false;
    *out = (struct arrow_layout){
        .kind = ARROW_TIMESTAMP, .width = 8, .has_zone = s.size > 4, .precision = (int32_t)(unit - units) * 3};
    return true;
}

static bool number_read(struct str s, int64_t *out)
{
    return str_to_int64(s, out) && *out >= 0 && *out <= INT32_MAX;
}

/* "d:<precision>,<scale>[,128]" */
static bool decimal_read(struct str s, struct arrow_layout *out)
{
    struct str part;
    int64_t precision, scale, bits = 128;

    if (!str_cut(&s, ',', &part) || !number_read(part, &precision)) return false;
    if (!str_cut(&s, ',', &part) || !number_read(part, &scale)) return false;
    if (s.size > 0 && !number_read(s, &bits)) return false;
    if (bits != 128 || precision < 1 || precision > 38 || scale > precision) return false;
    *out = (struct arrow_layout){
        .kind = ARROW_DECIMAL, .width = 16, .precision = (int32_t)precision, .scale = (int32_t)scale};
    return true;
}

bool arrow_layout_read(const char *format, struct arrow_layout *out)
{
    struct str s = str_of(format), rest;
    int64_t length;

    for (size_t i = 0; i < COUNT_OF(plain_formats); i++) {
        if (!str_equal(s, str_of(plain_formats[i].format))) continue;
        *out = plain_formats[i].layout;
        return true;
    }
    if (str_starts(s, STR("ts"))) return timestamp_read(s, out);
    if (s.size < 3 || s.data[1] != ':') return false;
    rest = (struct str){s.data + 2, s.size - 2};
    if (s.data[0] == 'd') return decimal_read(rest, out);
    if (s.data[0] != 'w' || !number_read(rest, &length) || length == 0) return false;
    *out = (struct arrow_layout){.kind = ARROW_FIXED_BYTES, .precision = (int32_t)length};
    return true;
}

static int32_t timestamp_unit(const struct type *t)
{
    return (t->precision + 2) / 3 * 3;
}

void arrow_format_write(const struct type *t, struct buf *out)
{
    static const char *const formats[T_COUNT] = {
        [T_NULL] = "n",
        [T_BOOLEAN] = "b",
        [T_TINYINT] = "c",
        [T_SMALLINT] = "s",
        [T_INT] = "i",
        [T_BIGINT] = "l",
        [T_FLOAT] = "f",
        [T_DOUBLE] = "g",
        [T_CHAR] = "u",
        [T_VARCHAR] = "u",
        [T_BINARY] = "z",
        [T_VARBINARY] = "z",
        [T_DATE] = "tdD",
        [T_TIME] = "ttm",
        [T_INTERVAL_MONTH] = "tiM",
        [T_ARRAY] = "+l",
        [T_INTERVAL_SECOND] = "tDm",
        [T_MAP] = "+m",
        [T_MULTISET] = "+m",
        [T_ROW] = "+s",
    };

    ASSERT(t->kind < T_STRUCTURED);
    if (t->kind == T_DECIMAL) {
        buf_printf(out, "d:%d,%d", t->precision, t->scale);
    } else if (t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ) {
        buf_printf(out, "ts%c:%s", "smun"[timestamp_unit(t) / 3], t->kind == T_TIMESTAMP ? "" : "UTC");
    } else {
        buf_append_text(out, formats[t->kind]);
    }
}

const struct type *arrow_layout_type(struct arena *a, const struct arrow_layout *l)
{
    static const uint8_t ints[] = {[1] = T_TINYINT, [2] = T_SMALLINT, [4] = T_INT, [8] = T_BIGINT};
    static const uint8_t uints[] = {[1] = T_SMALLINT, [2] = T_INT, [4] = T_BIGINT};

    switch ((enum arrow_kind)l->kind) {
    case ARROW_NULL: return &type_null;
    case ARROW_BOOL: return &type_boolean;
    case ARROW_INT: return type_new(a, (enum type_kind)ints[l->width], 0, 0, true);
    case ARROW_UINT: return type_new(a, (enum type_kind)uints[l->width], 0, 0, true);
    case ARROW_FLOAT: return type_new(a, l->width == 4 ? T_FLOAT : T_DOUBLE, 0, 0, true);
    case ARROW_DECIMAL: return type_new(a, T_DECIMAL, l->precision, l->scale, true);
    case ARROW_TEXT: return &type_string;
    case ARROW_BYTES: return &type_bytes;
    case ARROW_FIXED_BYTES: return type_new(a, T_BINARY, l->precision, 0, true);
    case ARROW_DATE: return &type_date;
    case ARROW_TIME: return type_new(a, T_TIME, MIN(l->precision, 3), 0, true);
    case ARROW_TIMESTAMP: return type_new(a, l->has_zone ? T_TIMESTAMP_LTZ : T_TIMESTAMP, l->precision, 0, true);
    case ARROW_MONTHS: return type_new(a, T_INTERVAL_MONTH, 0, 0, true);
    case ARROW_DURATION: return type_new(a, T_INTERVAL_SECOND, 0, 0, true);
    case ARROW_LIST:
    case ARROW_MAP:
    case ARROW_STRUCT: break;
    }
    return NULL;
}

bool arrow_layout_is_of(const struct arrow_layout *l, const struct type *t)
{
    switch ((enum arrow_kind)l->kind) {
    case ARROW_NULL: return t->kind == T_NULL;
    case ARROW_BOOL: return t->kind == T_BOOLEAN;
    case ARROW_INT: return t->kind >= T_TINYINT && t->kind <= T_BIGINT && phys_width((enum phys)t->phys) == l->width;
    case ARROW_UINT:
        return t->kind >= T_SMALLINT && t->kind <= T_BIGINT && phys_width((enum phys)t->phys) == l->width * 2u;
    case ARROW_FLOAT: return t->kind == (l->width == 4 ? T_FLOAT : T_DOUBLE);
    case ARROW_DECIMAL: return t->kind == T_DECIMAL && t->precision == l->precision && t->scale == l->scale;
    case ARROW_TEXT: return type_is_string(t);
    case ARROW_BYTES:
    case ARROW_FIXED_BYTES: return t->kind == T_BINARY || t->kind == T_VARBINARY;
    case ARROW_DATE: return t->kind == T_DATE;
    case ARROW_TIME: return t->kind == T_TIME;
    case ARROW_TIMESTAMP:
        return t->kind == (l->has_zone ? T_TIMESTAMP_LTZ : T_TIMESTAMP) && timestamp_unit(t) == l->precision;
    case ARROW_MONTHS: return t->kind == T_INTERVAL_MONTH;
    case ARROW_DURATION: return t->kind == T_INTERVAL_SECOND;
    case ARROW_LIST: return t->kind == T_ARRAY;
    case ARROW_MAP: return t->kind == T_MAP || t->kind == T_MULTISET;
    case ARROW_STRUCT: return t->kind == T_ROW;
    }
    return false;
}
