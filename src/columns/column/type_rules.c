/* type_rules.c - the tables of implicit and explicit casts, least common types, and decimal derivations.
 *
 * Implicit: integers widen, every number becomes DECIMAL, FLOAT or DOUBLE in that order, character and binary strings stand for
 * one another by length, DATE becomes TIMESTAMP, the two timestamps and NULL become what is asked for. */
#include "columns/column/type_rules.h"

enum { DECIMAL_MAX = 38, MIN_SCALE = 6 };

static bool is_integer(const struct type *t) { return t->kind >= T_TINYINT && t->kind <= T_BIGINT; }
static bool is_binary(const struct type *t) { return t->kind == T_BINARY || t->kind == T_VARBINARY; }
static bool is_timestamp(const struct type *t) { return t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ; }
static bool is_list(const struct type *t) { return t->kind == T_ARRAY || t->kind == T_MAP || t->kind == T_MULTISET; }
static bool is_nested(const struct type *t) { return is_list(t) || t->kind == T_ROW; }
static bool is_interval(const struct type *t) { return t->kind == T_INTERVAL_MONTH || t->kind == T_INTERVAL_SECOND; }

/* --- implicit ---------------------------------------------------------------------------------------------------- */
static bool children_cast(const struct type *from, const struct type *to, bool (*cast)(const struct type *, const struct type *))
{
    if (from->kind != to->kind || from->child_count != to->child_count) return false;
    for (uint32_t i = 0; i < from->child_count; i++)
        if (!cast(from->children[i], to->children[i])) return false;
    return true;
}

bool type_casts_implicitly(const struct type *from, const struct type *to)
{
    if (from->kind == T_NULL) return true;
    if (is_nested(from)) return children_cast(from, to, type_casts_implicitly);
    if (from->kind == to->kind) return true;
    if (is_integer(from) && is_integer(to)) return from->kind < to->kind;
    if (type_is_numeric(from) && type_is_numeric(to)) /* DECIMAL after BIGINT, before FLOAT */
        return to->kind == T_DOUBLE || (to->kind == T_FLOAT && from->kind != T_DOUBLE) || (to->kind == T_DECIMAL && is_integer(from));
    if (type_is_string(from) && type_is_string(to)) return true;
    if (is_binary(from) && is_binary(to)) return true;
    if (from->kind == T_DATE) return is_timestamp(to);
    return is_timestamp(from) && is_timestamp(to);
}

/* --- explicit ---------------------------------------------------------------------------------------------------- */
bool type_casts(const struct type *from, const struct type *to)
{
    bool from_time = from->kind == T_DATE || from->kind == T_TIME || is_timestamp(from);
    bool to_time = to->kind == T_DATE || to->kind == T_TIME || is_timestamp(to);

    if (type_casts_implicitly(from, to)) return true;
    if (is_nested(from)) return type_is_string(to) || children_cast(from, to, type_casts);
    if (type_is_string(to)) return true;
    if (type_is_string(from)) return !is_interval(to) && !is_nested(to);
    if (is_integer(from) && is_interval(to)) return true;
    if (type_is_numeric(from) && (type_is_numeric(to) || to->kind == T_BOOLEAN)) return true;
    if (from->kind == T_BOOLEAN) return type_is_numeric(to);
    if (from_time && to_time) return (from->kind != T_DATE || to->kind != T_TIME) && (from->kind != T_TIME || to->kind != T_DATE);
    return is_interval(from) && is_integer(to);
}

/* --- the least type ---------------------------------------------------------------------------------------------- */
bool type_as_decimal(const struct type *t, int32_t *precision, int32_t *scale)
{
    static const int32_t digits[] = {[T_TINYINT] = 3, [T_SMALLINT] = 5, [T_INT] = 10, [T_BIGINT] = 19};

    if (t->kind != T_DECIMAL && !is_integer(t)) return false;
    *precision = t->kind == T_DECIMAL ? t->precision : digits[t->kind];
    *scale = t->kind == T_DECIMAL ? t->scale : 0;
    return true;
}

/* A DECIMAL of p digits, s behind the point; when p is too much, digits behind the point go first, but for six. */
static const struct type *decimal_adjusted(struct arena *a, int32_t p, int32_t s)
{
    if (p > DECIMAL_MAX) {
        int32_t whole = p - s;
        s = MAX(DECIMAL_MAX - whole, MIN(s, MIN_SCALE));
        p = DECIMAL_MAX;
    }
    return type_new(a, T_DECIMAL, p, s, false);
}

static const struct type *common_decimal(struct arena *a, const struct type *x, const struct type *y)
{
    int32_t p1 = 0, s1 = 0, p2 = 0, s2 = 0;

    if (!type_as_decimal(x, &p1, &s1) || !type_as_decimal(y, &p2, &s2)) return NULL;
    int32_t s = MAX(s1, s2), whole = MAX(p1 - s1, p2 - s2);
    return whole + s <= DECIMAL_MAX ? type_new(a, T_DECIMAL, whole + s, s, false)
                                    : type_new(a, T_DECIMAL, DECIMAL_MAX, MAX(DECIMAL_MAX - whole, 0), false);
}

static const struct type *common_string(struct arena *a, const struct type *x, const struct type *y)
{
    int32_t length = MAX(x->precision, y->precision);

    if (x->kind == y->kind && x->precision == y->precision) return x;
    return type_new(a, type_is_string(x) ? T_VARCHAR : T_VARBINARY, length, 0, false); /* of two lengths: neither is padded */
}

static const struct type *common_time(struct arena *a, const struct type *x, const struct type *y)
{
    bool zoned = x->kind == T_TIMESTAMP_LTZ || y->kind == T_TIMESTAMP_LTZ;

    if (x->kind == T_DATE && y->kind == T_DATE) return x;
    int32_t p = MAX(x->kind == T_DATE ? 0 : x->precision, y->kind == T_DATE ? 0 : y->precision);
    return type_new(a, zoned ? T_TIMESTAMP_LTZ : T_TIMESTAMP, p, 0, false);
}

static const struct type *common_nested(struct arena *a, const struct type *x, const struct type *y)
{
    if (x->kind != y->kind || x->child_count != y->child_count) return NULL;
    const struct type **children = ARENA_ARRAY(a, const struct type *, MAX(x->child_count, 1u));
    for (uint32_t i = 0; i < x->child_count; i++) {
        children[i] = type_common(a, x->children[i], y->children[i]);
        if (children[i] == NULL) return NULL;
    }
    if (x->kind == T_ROW) return type_row(a, x->child_count, x->names, children, false);
    return type_list(a, (enum type_kind)x->kind, children[0], x->kind == T_MAP ? children[1] : NULL, false);
}

static const struct type *common_number(struct arena *a, const struct type *x, const struct type *y)
{
    if (is_integer(x) && is_integer(y)) return x->kind > y->kind ? x : y;
    if (x->kind == T_DOUBLE || y->kind == T_DOUBLE) return x->kind == T_DOUBLE ? x : y;
    if (x->kind == T_FLOAT || y->kind == T_FLOAT) { /* DECIMAL and FLOAT meet in DOUBLE */
        bool decimal = x->kind == T_DECIMAL || y->kind == T_DECIMAL;
        return decimal ? type_new(a, T_DOUBLE, 0, 0, false) : x->kind == T_FLOAT ? x : y;
    }
    return common_decimal(a, x, y);
}

const struct type *type_common(struct arena *a, const struct type *x, const struct type *y)
{
    const struct type *t = NULL;
    bool times = (x->kind == T_DATE || is_timestamp(x)) && (y->kind == T_DATE || is_timestamp(y));

    if (x->kind == T_NULL) return type_with_null(a, y, true);
    if (y->kind == T_NULL) return type_with_null(a, x, true);
    if (type_is_numeric(x) && type_is_numeric(y)) t = common_number(a, x, y);
    else if ((type_is_string(x) && type_is_string(y)) || (is_binary(x) && is_binary(y))) t = common_string(a, x, y);
    else if (times) t = common_time(a, x, y);
    else if (is_nested(x)) t = common_nested(a, x, y);
    else if (x->kind == y->kind) t = x->precision >= y->precision ? x : y;
    return t == NULL ? NULL : type_with_null(a, t, x->nullable || y->nullable);
}

const struct type *type_common_of(struct arena *a, const struct type *const *types, uint32_t count)
{
    const struct type *t = types[0];

    for (uint32_t i = 1; i < count && t != NULL; i++) t = type_common(a, t, types[i]);
    return t;
}

static bool is_approximate(const struct type *t) { return t->kind == T_FLOAT || t->kind == T_DOUBLE; }

const struct type *type_least_restrictive(struct arena *a, const struct type *x, const struct type *y)
{
    if (is_approximate(x) && is_approximate(y)) return type_with_null(a, x, x->nullable || y->nullable);
    return type_common(a, x, y);
}

/* --- decimals ---------------------------------------------------------------------------------------------------- */
const struct type *type_decimal_sum(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2)
{
    int32_t s = MAX(s1, s2);
    return decimal_adjusted(a, MAX(p1 - s1, p2 - s2) + s + 1, s);
}

const struct type *type_decimal_product(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2)
{
    return decimal_adjusted(a, p1 + p2 + 1, s1 + s2);
}

const struct type *type_decimal_quotient(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2)
{
    int32_t s = MAX(MIN_SCALE, s1 + p2 + 1);
    return decimal_adjusted(a, p1 - s1 + s2 + s, s);
}

const struct type *type_decimal_remainder(struct arena *a, int32_t p1, int32_t s1, int32_t p2, int32_t s2)
{
    int32_t s = MAX(s1, s2);
    return decimal_adjusted(a, MIN(p1 - s1, p2 - s2) + s, s);
}
