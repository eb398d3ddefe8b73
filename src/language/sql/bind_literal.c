/* bind_literal.c - literals as constants of Flink's types: 1 is INT (BIGINT or DECIMAL when it is too long), 1.5 DECIMAL(2, 1),
 * 1e0 DOUBLE, 'ab' CHAR(2), and dates, times, timestamps and intervals by their text. */
#include "language/sql/bind.h"

#include "ground/base/str.h"

#include <math.h>
#include <string.h>

enum { DECIMAL_MAX = 38 };

static enum status constant(struct binder *b, const struct ast_expr *x, const struct type *type, struct str text, struct expr **out)
{
    struct err inner = {0};
    return expr_constant(&b->m, type, text, out, &inner) == S_OK ? S_OK : bind_fail(b, x->place, &inner);
}

static const struct type *type_of(struct binder *b, enum type_kind kind, int32_t precision, int32_t scale)
{
    return type_new(b->m.a, kind, precision, scale, false);
}

/* As in Flink, the digits of a number are those of a BIGINT at most, wherever its point is. */
static enum status out_of_range(struct binder *b, const struct ast_expr *x)
{
    return sql_error(b->e, b->t, x->place.at, x->place.size, "Numeric literal '%.*s' out of range", (int)x->text.size, x->text.data);
}

static enum status bind_whole(struct binder *b, const struct ast_expr *x, struct str s, struct expr **out)
{
    int64_t n;

    if (!str_to_int64(s, &n)) return out_of_range(b, x);
    return constant(b, x, type_of(b, n == (int32_t)n ? T_INT : T_BIGINT, 0, 0), s, out);
}

enum status bind_negative(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    const char *text = arena_printf(b->m.a, "-%.*s", (int)x->text.size, x->text.data);
    return bind_whole(b, x, str_of(text), out);
}

static enum status bind_number(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct str s = x->text;
    char bare[DECIMAL_MAX];
    size_t point = 0, digits = 0;
    int64_t n;
    double d;

    if (x->literal == LITERAL_DOUBLE && str_to_double(s, &d) && isfinite(d)) return constant(b, x, type_of(b, T_DOUBLE, 0, 0), s, out);
    if (x->literal == LITERAL_DOUBLE) return out_of_range(b, x);
    if (x->literal == LITERAL_INTEGER) return bind_whole(b, x, s, out);
    while (point < s.size && s.data[point] != '.') point++;
    size_t scale = point < s.size ? s.size - point - 1 : 0;
    if (scale == 0) return bind_whole(b, x, (struct str){s.data, point}, out);
    digits = MAX(point + scale, (size_t)1); /* zeros before the point count, as in Flink: 0.50 is DECIMAL(3, 2) */
    if (digits > DECIMAL_MAX) return out_of_range(b, x);
    memcpy(bare, s.data, point);
    memcpy(bare + point, s.data + point + 1, scale);
    if (!str_to_int64((struct str){bare, digits}, &n)) return out_of_range(b, x);
    return constant(b, x, type_of(b, T_DECIMAL, (int32_t)digits, (int32_t)scale), s, out);
}

static enum status bind_string(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    bool bytes = x->literal == LITERAL_BYTES;
    size_t length = bytes ? x->text.size : str_utf8_length(x->text);

    if (length == 0) /* there is no CHAR(0), and CHAR(1) would be a blank */
        return constant(b, x, type_of(b, bytes ? T_VARBINARY : T_VARCHAR, 1, 0), x->text, out);
    return constant(b, x, type_of(b, bytes ? T_BINARY : T_CHAR, (int32_t)length, 0), x->text, out);
}

/* Digits behind the last point: the precision of a timestamp or time. */
static int32_t fraction_of(struct str s)
{
    size_t n = 0;
    while (n < s.size && s.data[n] != '.') n++;
    return n < s.size ? (int32_t)MIN(s.size - n - 1, (size_t)9) : 0;
}

/* --- intervals --------------------------------------------------------------------------------------------------- */
static const struct unit {
    const char *name;
    int64_t months, ms; /* one of them */
    const char *behind; /* what parts it from the next smaller one */
} units[] = {{"YEAR", 12, 0, "-"},      {"MONTH", 1, 0, NULL},       {"DAY", 0, 86400000, " "},
             {"HOUR", 0, 3600000, ":"}, {"MINUTE", 0, 60000, ":"},   {"SECOND", 0, 1000, NULL}};

/* The unit at the front of a type's text, and what is behind it. */
static int cut_unit(struct str *s)
{
    *s = str_trim(*s);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        struct str name = str_of(units[i].name), head = {s->data, MIN(s->size, name.size)};
        if (!str_equal_nocase(head, name)) continue;
        *s = (struct str){s->data + name.size, s->size - name.size};
        if (s->size > 0 && (s->data[0] | 32) == 's') *s = (struct str){s->data + 1, s->size - 1}; /* MINUTES */
        *s = str_trim(*s);
        struct str inside;
        if (s->size > 0 && s->data[0] == '(') str_cut(s, ')', &inside);
        *s = str_trim(*s);
        return (int)i;
    }
    return -1;
}

/* "10", "1.5" seconds: thousandths. */
static bool seconds_ms(struct str s, int64_t *ms)
{
    struct str whole;
    int64_t n;

    if (!str_cut(&s, '.', &whole) || !str_to_int64(whole, &n) || s.size > 9) return false;
    int64_t fraction = 0;
    for (int64_t i = 0, unit = 100; i < (int64_t)s.size; i++, unit /= 10) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
        fraction += (s.data[i] - '0') * unit;
    }
    return !__builtin_mul_overflow(n, (int64_t)1000, ms) && !__builtin_add_overflow(*ms, fraction, ms);
}

/* "1-2" of YEAR TO MONTH, "3 10:20:30" of DAY TO SECOND. */
static bool read_interval(struct str s, int first, int last, int64_t *out)
{
    *out = 0;
    for (int i = first; i <= last; i++) {
        struct str part = s;
        int64_t n = 0;
        if (i < last) {
            size_t at = 0;
            while (at < s.size && s.data[at] != units[i].behind[0]) at++;
            if (at == s.size) return false;
            part = (struct str){s.data, at};
            s = (struct str){s.data + at + 1, s.size - at - 1};
        }
        if (i == 5 ? !seconds_ms(part, &n) : !str_to_int64(part, &n)) return false;
        int64_t unit = i == 5 ? 1 : units[i].months > 0 ? units[i].months : units[i].ms;
        if (__builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(*out, n, out)) return false;
    }
    return true;
}

static enum status bind_interval(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct str rest = x->type.text, s = str_trim(x->text);
    int first = cut_unit(&rest), last = first;
    int64_t value;
    bool minus = x->flag;

    if (rest.size > 2) {
        rest = (struct str){rest.data + 2, rest.size - 2}; /* TO */
        last = cut_unit(&rest);
    }
    if (s.size > 0 && (s.data[0] == '-' || s.data[0] == '+')) {
        minus ^= s.data[0] == '-';
        s = (struct str){s.data + 1, s.size - 1};
    }
    bool months = first <= 1;
    if (first < 0 || last < first || (last <= 1) != months || !read_interval(s, first, last, &value))
        return sql_error(b->e, b->t, x->place.at, x->place.size, "'%.*s' is no interval of %.*s", (int)MIN(x->text.size, (size_t)60),
                         x->text.data, (int)x->type.text.size, x->type.text.data);
    if (months && (value > INT32_MAX || value < -INT32_MAX)) return sql_error(b->e, b->t, x->place.at, x->place.size, "the interval is too long");
    struct expr *number;
    char digits[24];
    if (minus) value = -value;
    size_t size = str_from_int64(value, digits);
    TRY(constant(b, x, type_of(b, months ? T_INT : T_BIGINT, 0, 0), (struct str){digits, size}, &number));
    struct err inner = {0};
    const struct type *type = type_of(b, months ? T_INTERVAL_MONTH : T_INTERVAL_SECOND, 0, 0);
    const struct expr_maker folding = expr_maker_folding(&b->m);
    return expr_cast(&folding, number, type, false, out, &inner) == S_OK ? S_OK : bind_fail(b, x->place, &inner);
}

enum status bind_literal(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    switch ((enum ast_literal)x->literal) {
    case LITERAL_NULL: *out = expr_null(&b->m, &type_null); return S_OK;
    case LITERAL_UNKNOWN: *out = expr_null(&b->m, &type_boolean); return S_OK;
    case LITERAL_TRUE: return constant(b, x, type_of(b, T_BOOLEAN, 0, 0), STR("true"), out);
    case LITERAL_FALSE: return constant(b, x, type_of(b, T_BOOLEAN, 0, 0), STR("false"), out);
    case LITERAL_STRING:
    case LITERAL_BYTES: return bind_string(b, x, out);
    case LITERAL_DATE: return constant(b, x, type_of(b, T_DATE, 0, 0), x->text, out);
    case LITERAL_TIME: return constant(b, x, type_of(b, T_TIME, MIN(fraction_of(x->text), 3), 0), x->text, out);
    case LITERAL_TIMESTAMP: return constant(b, x, type_of(b, T_TIMESTAMP, fraction_of(x->text), 0), x->text, out);
    case LITERAL_INTERVAL: return bind_interval(b, x, out);
    default: return bind_number(b, x, out);
    }
}
