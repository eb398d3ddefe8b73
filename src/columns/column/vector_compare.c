/* vector_compare.c - the order of values: what ORDER BY, MIN and sorted state mean by "less".
 *
 * NULL comes first and equals NULL. Floats order -0 = 0 and NaN greatest, so that the order is total and agrees with
 * the canonical hash: equal values hash alike. Strings and bytes order by unsigned bytes. Rows and arrays order by
 * their first difference, a shorter array before a longer one. Maps have no order of their own: their entries are
 * visited by ascending key, which needs no memory and takes time quadratic in the entries; equal maps compare as 0
 * whatever order they are stored in. */
#include "columns/column/vector.h"

#include <string.h>

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int order_f64(double a, double b)
{
    if (a != a || b != b) return ORDER(a != a, b != b);
    return ORDER(a, b);
}

static int order_ts96(struct ts96 a, struct ts96 b)
{
    return a.ms != b.ms ? ORDER(a.ms, b.ms) : ORDER(a.ns, b.ns);
}

static int order_array(const struct vector *a, struct list_ref x, const struct vector *b, struct list_ref y)
{
    for (uint32_t i = 0; i < MIN(x.count, y.count); i++) {
        int order = vector_compare(&a->children[0], x.first + i, &b->children[0], y.first + i);
        if (order != 0) return order;
    }
    return ORDER(x.count, y.count);
}

/* The entry with the least key above that of entry `last`; UINT32_MAX = above none. Keys are distinct. */
static uint32_t entry_above(const struct vector *keys, struct list_ref list, uint32_t last)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = list.first; i < list.first + list.count; i++) {
        if (last != UINT32_MAX && vector_compare(keys, i, keys, last) <= 0) continue;
        if (best == UINT32_MAX || vector_compare(keys, i, keys, best) < 0) best = i;
    }
    return best;
}

static int order_map(const struct vector *a, struct list_ref x, const struct vector *b, struct list_ref y)
{
    uint32_t i = UINT32_MAX, j = UINT32_MAX;

    if (x.count != y.count) return ORDER(x.count, y.count);
    for (uint32_t n = 0; n < x.count; n++) {
        int order;
        i = entry_above(&a->children[0], x, i);
        j = entry_above(&b->children[0], y, j);
        if (i == UINT32_MAX || j == UINT32_MAX) return 0; /* keys were not distinct */
        order = vector_compare(&a->children[0], i, &b->children[0], j);
        if (order == 0) order = vector_compare(&a->children[1], i, &b->children[1], j);
        if (order != 0) return order;
    }
    return 0;
}

static int order_fields(const struct vector *a, uint32_t i, const struct vector *b, uint32_t j)
{
    for (uint32_t k = 0; k < a->child_count; k++) {
        int order = vector_compare(&a->children[k], i, &b->children[k], j);
        if (order != 0) return order;
    }
    return 0;
}

#define ORDER_AT(T) ORDER(VECTOR_VALUES(a, T)[i], VECTOR_VALUES(b, T)[j])

/* Valid values of vectors that hold values themselves. */
static int order_values(const struct vector *a, uint32_t i, const struct vector *b, uint32_t j)
{
    switch ((enum phys)a->phys) {
    case P_BOOL: return ORDER_AT(uint8_t);
    case P_I8: return ORDER_AT(int8_t);
    case P_I16: return ORDER_AT(int16_t);
    case P_I32: return ORDER_AT(int32_t);
    case P_I64: return ORDER_AT(int64_t);
    case P_I128: return ORDER_AT(int128);
    case P_F32: return order_f64(VECTOR_VALUES(a, float)[i], VECTOR_VALUES(b, float)[j]);
    case P_F64: return order_f64(VECTOR_VALUES(a, double)[i], VECTOR_VALUES(b, double)[j]);
    case P_STR: return text_compare(&VECTOR_VALUES(a, struct text)[i], &VECTOR_VALUES(b, struct text)[j]);
    case P_TS96: return order_ts96(VECTOR_VALUES(a, struct ts96)[i], VECTOR_VALUES(b, struct ts96)[j]);
    case P_ROW: return order_fields(a, i, b, j);
    default: break;
    }
    struct list_ref x = VECTOR_VALUES(a, struct list_ref)[i], y = VECTOR_VALUES(b, struct list_ref)[j];
    return a->child_count == 2 ? order_map(a, x, b, y) : order_array(a, x, b, y);
}

int vector_compare(const struct vector *a, uint32_t row_a, const struct vector *b, uint32_t row_b)
{
    bool null_a = vector_is_null(a, row_a), null_b = vector_is_null(b, row_b);

    ASSERT_ROW(a->phys == b->phys && a->child_count == b->child_count);
    if (null_a || null_b) return ORDER(null_b, null_a);
    return order_values(vector_values(a), vector_at(a, row_a), vector_values(b), vector_at(b, row_b));
}

static uint64_t prefix_f64(double x)
{
    uint64_t bits;

    if (x != x) return UINT64_MAX;
    x += 0.0; /* -0 is 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t prefix_text(struct str s)
{
    uint64_t prefix = 0;

    for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < s.size ? (unsigned char)s.data[i] : 0);
    return prefix;
}

#define PREFIX_AT(T) ((uint64_t)(int64_t)VECTOR_VALUES(v, T)[row] ^ UINT64_C(1) << 63)

uint64_t vector_order_prefix(const struct vector *v, uint32_t row)
{
    if (vector_is_null(v, row)) return 0;
    row = vector_at(v, row);
    v = vector_values(v);
    switch ((enum phys)v->phys) {
    case P_BOOL: return PREFIX_AT(uint8_t);
    case P_I8: return PREFIX_AT(int8_t);
    case P_I16: return PREFIX_AT(int16_t);
    case P_I32: return PREFIX_AT(int32_t);
    case P_I64: return PREFIX_AT(int64_t);
    case P_I128: return (uint64_t)(VECTOR_VALUES(v, int128)[row] >> 64) ^ UINT64_C(1) << 63;
    case P_F32: return prefix_f64(VECTOR_VALUES(v, float)[row]);
    case P_F64: return prefix_f64(VECTOR_VALUES(v, double)[row]);
    case P_STR: return prefix_text(text_str(&VECTOR_VALUES(v, struct text)[row]));
    case P_TS96: return (uint64_t)VECTOR_VALUES(v, struct ts96)[row].ms ^ UINT64_C(1) << 63;
    default: return 0;
    }
}
