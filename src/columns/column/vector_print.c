/* vector_print.c - values and rows as text, the way Flink's print sink shows them.
 *
 * The forms are those of the Java objects behind Row.toString: timestamps as LocalDateTime ("2001-01-01T00:00", seconds
 * only when there are any, fraction cut to 3, 6 or 9 digits), instants with seconds and "Z", doubles as Double.toString,
 * decimals plain, intervals as ISO periods and durations, arrays "[a, b]", maps "{k=v}", rows "+I[a, b]". Bytes are
 * hexadecimal, x'0a'. A NULL is <NULL> on its own, as in the SQL client, and null inside of something. */
#include "columns/column/batch.h"
#include "columns/column/decimal.h"
#include "columns/column/timestamp.h"

#include "ground/base/str.h"

static void print_value(const struct vector *v, uint32_t row, struct buf *out);

/* ".5" of a second in ns: nothing, or 3, 6 or 9 digits. */
static void print_fraction(int32_t nano, struct buf *out)
{
    if (nano == 0) return;
    if (nano % 1000000 == 0) {
        buf_printf(out, ".%03d", nano / 1000000);
    } else if (nano % 1000 == 0) {
        buf_printf(out, ".%06d", nano / 1000);
    } else {
        buf_printf(out, ".%09d", nano);
    }
}

/* As java.time.LocalTime: seconds are left out when they and the fraction are zero, unless asked for. */
static void print_clock(const struct civil *c, bool seconds_always, struct buf *out)
{
    buf_printf(out, "%02d:%02d", c->hour, c->minute);
    if (c->second || c->nano || seconds_always) buf_printf(out, ":%02d", c->second);
    print_fraction(c->nano, out);
}

static void print_timestamp(struct ts96 t, bool is_instant, struct buf *out)
{
    struct civil c;

    civil_from_ms(t.ms, &c);
    c.nano += t.ns;
    civil_date_print(&c, out);
    buf_append_byte(out, 'T');
    print_clock(&c, is_instant, out);
    if (is_instant) buf_append_byte(out, 'Z');
}

/* As java.time.Period: "P1Y2M", "P0D". */
static void print_months(int32_t months, struct buf *out)
{
    if (months == 0) {
        buf_append_text(out, "P0D");
        return;
    }
    buf_append_byte(out, 'P');
    if (months / 12) buf_printf(out, "%dY", months / 12);
    if (months % 12) buf_printf(out, "%dM", months % 12);
}

/* As java.time.Duration: "PT26H3M4.5S", "PT0S", "PT-0.5S". */
static void print_duration(int64_t ms, struct buf *out)
{
    int64_t seconds = ms / 1000, rest = seconds % 60;
    int fraction = (int)(ms % 1000), digits = 3;

    buf_append_text(out, "PT");
    if (seconds / 3600) buf_printf(out, "%lldH", (long long)(seconds / 3600));
    if (seconds / 60 % 60) buf_printf(out, "%lldM", (long long)(seconds / 60 % 60));
    if (rest == 0 && fraction == 0 && ms != 0) return;
    if (rest == 0 && fraction < 0) buf_append_byte(out, '-');
    buf_printf(out, "%lld", (long long)rest);
    if (fraction) {
        fraction = fraction < 0 ? -fraction : fraction;
        for (; fraction % 10 == 0; fraction /= 10) digits--;
        buf_printf(out, ".%0*d", digits, fraction);
    }
    buf_append_byte(out, 'S');
}

static void print_bytes(struct str s, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";

    buf_append_text(out, "x'");
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        buf_append_byte(out, hex[c >> 4]);
        buf_append_byte(out, hex[c & 15]);
    }
    buf_append_byte(out, '\'');
}

static void print_int(int64_t value, struct buf *out)
{
    char text[24];

    buf_append(out, text, str_from_int64(value, text));
}

static void print_float(double value, bool is_double, struct buf *out)
{
    char text[32];

    buf_append(out, text, is_double ? str_from_double(value, text) : str_from_float((float)value, text));
}

static void print_list(const struct vector *v, struct list_ref list, struct buf *out)
{
    bool is_map = v->child_count == 2;

    buf_append_byte(out, is_map ? '{' : '[');
    for (uint32_t i = list.first; i < list.first + list.count; i++) {
        if (i > list.first) buf_append_text(out, ", ");
        print_value(&v->children[0], i, out);
        if (!is_map) continue;
        buf_append_byte(out, '=');
        print_value(&v->children[1], i, out);
    }
    buf_append_byte(out, is_map ? '}' : ']');
}

static void print_fields(const char *kind, const struct vector *fields, uint32_t count, uint32_t row, struct buf *out)
{
    buf_append_text(out, kind);
    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_value(&fields[i], row, out);
    }
    buf_append_byte(out, ']');
}

static void print_number(const struct vector *v, uint32_t at, struct buf *out)
{
    int128 wide = v->phys == P_I128  ? VECTOR_VALUES(v, int128)[at]
                  : v->phys == P_I64 ? VECTOR_VALUES(v, int64_t)[at]
                                     : 0;

    switch ((enum type_kind)v->type->kind) {
    case T_TINYINT: print_int(VECTOR_VALUES(v, int8_t)[at], out); break;
    case T_SMALLINT: print_int(VECTOR_VALUES(v, int16_t)[at], out); break;
    case T_INT: print_int(VECTOR_VALUES(v, int32_t)[at], out); break;
    case T_BIGINT: print_int(VECTOR_VALUES(v, int64_t)[at], out); break;
    case T_FLOAT: print_float(VECTOR_VALUES(v, float)[at], false, out); break;
    case T_DOUBLE: print_float(VECTOR_VALUES(v, double)[at], true, out); break;
    default: decimal_print(wide, v->type->scale, out);
    }
}

static void print_time(const struct vector *v, uint32_t at, struct buf *out)
{
    struct civil c;

    switch ((enum type_kind)v->type->kind) {
    case T_DATE: date_print(VECTOR_VALUES(v, int32_t)[at], out); break;
    case T_TIME:
        civil_from_ms(VECTOR_VALUES(v, int32_t)[at], &c);
        print_clock(&c, false, out);
        break;
    case T_INTERVAL_MONTH: print_months(VECTOR_VALUES(v, int32_t)[at], out); break;
    case T_INTERVAL_SECOND: print_duration(VECTOR_VALUES(v, int64_t)[at], out); break;
    default: {
        const char *value = (const char *)v->data + at * phys_width((enum phys)v->phys);
        print_timestamp(timestamp_load(value, v->type->precision), v->type->kind == T_TIMESTAMP_LTZ, out);
    }
    }
}

/* A value that is there, of a vector that holds values itself. */
static void print_valid(const struct vector *v, uint32_t at, struct buf *out)
{
    enum type_kind kind = (enum type_kind)v->type->kind;

    if (type_is_numeric(v->type)) {
        print_number(v, at, out);
    } else if (kind >= T_DATE && kind <= T_INTERVAL_SECOND) {
        print_time(v, at, out);
    } else if (v->phys == P_BOOL) {
        buf_append_text(out, VECTOR_VALUES(v, uint8_t)[at] ? "true" : "false");
    } else if (v->phys == P_STR) {
        struct str s = text_str(&VECTOR_VALUES(v, struct text)[at]);
        if (type_is_string(v->type)) buf_append(out, s.data, s.size);
        else print_bytes(s, out);
    } else if (v->phys == P_LIST) {
        print_list(v, VECTOR_VALUES(v, struct list_ref)[at], out);
    } else {
        ASSERT(v->phys == P_ROW);
        print_fields("+I", v->children, v->child_count, at, out);
    }
}

static void print_value(const struct vector *v, uint32_t row, struct buf *out)
{
    if (v->form == VEC_ABSENT) {
        buf_append_text(out, "?"); /* nobody needs the column: there is no value to show */
    } else if (vector_is_null(v, row)) {
        buf_append_text(out, "null");
    } else {
        print_valid(vector_values(v), vector_at(v, row), out);
    }
}

void vector_print(const struct vector *v, uint32_t row, struct buf *out)
{
    if (v->form != VEC_ABSENT && vector_is_null(v, row)) {
        buf_append_text(out, "<NULL>");
    } else {
        print_value(v, row, out);
    }
}

static const char *const kind_texts[] = {"+I", "-U", "+U", "-D"};

void batch_print_row(const struct batch *b, uint32_t row, struct buf *out)
{
    ASSERT(row < b->count);
    print_fields(kind_texts[batch_kind(b, row)], b->cols, b->col_count, row, out);
}

void batch_show_row(const struct batch *b, uint32_t row, struct buf *out)
{
    bool is_whole = true, is_first = true;

    for (uint32_t i = 0; i < b->col_count; i++) is_whole &= b->cols[i].form != VEC_ABSENT;
    if (is_whole) {
        batch_print_row(b, row, out);
        return;
    }
    buf_printf(out, "%s[", kind_texts[batch_kind(b, row)]);
    for (uint32_t i = 0; i < b->col_count; i++) {
        if (b->cols[i].form == VEC_ABSENT) continue;
        buf_printf(out, "%s%s = ", is_first ? "" : ", ", b->schema->names[i]);
        print_value(&b->cols[i], row, out);
        is_first = false;
    }
    buf_append_text(out, is_first ? "...]" : "]");
}
