/* sql_text.c - one value as SQL text, nested ones by recursion as deep as their type. */
#include "columns/column/sql_text.h"

#include "columns/column/decimal.h"
#include "columns/column/timestamp.h"
#include "ground/base/str.h"

struct style {
    const struct zone *zone; /* of instants; NULL: UTC */
    bool hex;          /* bytes as x'0a' */
};

static void print_value(const struct vector *v, uint32_t row, const struct style *style, struct buf *out);

static void print_int(int64_t value, struct buf *out)
{
    char text[24];
    buf_append(out, text, str_from_int64(value, text));
}

/* "+1-03" */
static void print_months(int32_t months, struct buf *out)
{
    uint32_t m = months < 0 ? 0u - (uint32_t)months : (uint32_t)months;
    buf_printf(out, "%c%u-%02u", months < 0 ? '-' : '+', m / 12, m % 12);
}

/* "+1 02:03:04.005" */
static void print_duration(int64_t ms, struct buf *out)
{
    uint64_t m = ms < 0 ? 0u - (uint64_t)ms : (uint64_t)ms;
    buf_printf(out, "%c%llu %02u:%02u:%02u.%03u", ms < 0 ? '-' : '+', (unsigned long long)(m / 86400000), (unsigned)(m / 3600000 % 24),
               (unsigned)(m / 60000 % 60), (unsigned)(m / 1000 % 60), (unsigned)(m % 1000));
}

static void print_number(const struct vector *v, uint32_t at, struct buf *out)
{
    char text[32];

    switch ((enum phys)v->phys) {
    case P_I8: print_int(VECTOR_VALUES(v, int8_t)[at], out); break;
    case P_I16: print_int(VECTOR_VALUES(v, int16_t)[at], out); break;
    case P_I32: print_int(VECTOR_VALUES(v, int32_t)[at], out); break;
    case P_F32: buf_append(out, text, str_from_float(VECTOR_VALUES(v, float)[at], text)); break;
    case P_F64: buf_append(out, text, str_from_double(VECTOR_VALUES(v, double)[at], text)); break;
    default: print_int(VECTOR_VALUES(v, int64_t)[at], out); break;
    }
}

/* Years are shown by their last four digits, as Flink does. 10,000 years are a whole number of the calendar's cycles. */
static int64_t within_four_digits(int64_t ms)
{
    const int64_t end = 253402300800000, span = 315569520000000; /* of the year 9999; of 10,000 years */
    return ms < end ? ms : ms - (ms - end + span) / span * span;
}

static void print_stamp(const struct vector *v, uint32_t at, const struct style *style, struct buf *out)
{
    struct ts96 t = timestamp_load((const char *)v->data + phys_width((enum phys)v->phys) * at, v->type->precision);

    if (style->zone != NULL && v->type->kind == T_TIMESTAMP_LTZ) t.ms = zone_to_local_ms(style->zone, t.ms);
    t.ms = within_four_digits(t.ms);
    timestamp_print(t, v->type->precision, out);
}

static void print_part(const struct vector *v, uint32_t row, const struct style *style, struct buf *out)
{
    if (vector_is_null(v, row)) buf_append_text(out, "NULL");
    else print_value(v, row, style, out);
}

/* [a, b], {k=v, l=w} */
static void print_list(const struct vector *v, struct list_ref list, const struct style *style, struct buf *out)
{
    bool pairs = v->type->kind != T_ARRAY;

    buf_append_byte(out, pairs ? '{' : '[');
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_part(&v->children[0], list.first + i, style, out);
        if (!pairs) continue;
        buf_append_byte(out, '=');
        print_part(&v->children[1], list.first + i, style, out);
    }
    buf_append_byte(out, pairs ? '}' : ']');
}

static void print_row(const struct vector *v, uint32_t at, const struct style *style, struct buf *out)
{
    buf_append_byte(out, '(');
    for (uint32_t i = 0; i < v->child_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_part(&v->children[i], at, style, out);
    }
    buf_append_byte(out, ')');
}

static void print_text(const struct vector *v, uint32_t at, const struct style *style, struct buf *out)
{
    struct str s = text_str(&VECTOR_VALUES(v, struct text)[at]);

    if (type_is_string(v->type) || !style->hex) {
        buf_append(out, s.data, s.size);
        return;
    }
    buf_append_text(out, "x'");
    for (size_t i = 0; i < s.size; i++) buf_printf(out, "%02x", (unsigned char)s.data[i]);
    buf_append_byte(out, '\'');
}

static void print_value(const struct vector *v, uint32_t row, const struct style *style, struct buf *out)
{
    if (vector_is_null(v, row)) return;
    uint32_t at = vector_at(v, row);
    v = vector_values(v);
    switch ((enum type_kind)v->type->kind) {
    case T_BOOLEAN: buf_append_text(out, VECTOR_VALUES(v, bool)[at] ? "TRUE" : "FALSE"); break;
    case T_DECIMAL:
        decimal_print(v->phys == P_I64 ? (int128)VECTOR_VALUES(v, int64_t)[at] : VECTOR_VALUES(v, int128)[at], v->type->scale, out);
        break;
    case T_DATE: date_print((int32_t)(within_four_digits(VECTOR_VALUES(v, int32_t)[at] * INT64_C(86400000)) / 86400000), out); break;
    case T_TIME: time_print(VECTOR_VALUES(v, int32_t)[at], v->type->precision, out); break;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: print_stamp(v, at, style, out); break;
    case T_INTERVAL_MONTH: print_months(VECTOR_VALUES(v, int32_t)[at], out); break;
    case T_INTERVAL_SECOND: print_duration(VECTOR_VALUES(v, int64_t)[at], out); break;
    case T_ARRAY:
    case T_MAP:
    case T_MULTISET: print_list(v, VECTOR_VALUES(v, struct list_ref)[at], style, out); break;
    case T_ROW: print_row(v, at, style, out); break;
    default: v->phys == P_STR ? print_text(v, at, style, out) : print_number(v, at, out); break;
    }
}

void sql_text_print(const struct vector *v, uint32_t row, const struct zone *zone, struct buf *out)
{
    print_value(v, row, &(struct style){.zone = zone}, out);
}

void sql_text_show(const struct vector *v, uint32_t row, const struct zone *zone, struct buf *out)
{
    print_value(v, row, &(struct style){.zone = zone, .hex = true}, out);
}
