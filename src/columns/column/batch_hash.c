/* batch_hash.c - the canonical hash of keys. This is a FORMAT: key groups, and with them savepoints, depend on it.
 *
 * The hash H of a value, with U(x) = hash64_u64(x) and B(bytes) = hash64(bytes):
 *   NULL of any type                   HASH_NULL
 *   BOOLEAN, TINYINT .. BIGINT, DATE,
 *   TIME, both INTERVALs               U of the value as int64 (a boolean is 0 or 1): width does not matter
 *   FLOAT, DOUBLE                      U of the bits of the value as double, with -0 as 0 and every NaN as one
 *   DECIMAL                            of the unscaled value: U when it fits int64, else B of its 16 bytes, little endian
 *   CHAR, VARCHAR, BINARY, VARBINARY   B of the bytes
 *   TIMESTAMP, TIMESTAMP_LTZ (0-6)     U of the value in its unit; (7-9): C(U(ms), U(ns))
 *   ROW                                C over the fields, from HASH_NESTED
 *   ARRAY                              C over the elements, from U(count)
 *   MAP, MULTISET                      C(U(count), sum of C(H(key), H(value)) over the entries): the order is nothing
 * where C(h, g) = U(h * 0x9e3779b97f4a7c15 + g) combines in order. One key column hashes as H of its value, several as
 * C(.. C(H(first), H(second)) .., H(last)); no column at all gives HASH_NULL. test_batch_hash.c keeps golden vectors.
 *
 * The idea: one loop per physical type over a chunk of rows, then one loop that combines; NULLs are patched in after
 * the loop. Only nested values are hashed by recursion, value by value. */
#include "columns/column/batch.h"

#include "ground/base/hash.h"

#define HASH_NULL UINT64_C(0x4be98134a5976fd3)
#define HASH_NESTED UINT64_C(0x3bc0993a5ad19a13)

enum { CHUNK = 256 };

/* The rows of a chunk: values at rows[i], or at first + i when rows is NULL. */
struct rows {
    const uint16_t *rows;
    uint32_t first;
};

static inline uint64_t hash_combine(uint64_t h, uint64_t g)
{
    return hash64_u64(h * UINT64_C(0x9e3779b97f4a7c15) + g);
}

/* ---- one value of each physical type */

static inline uint64_t hash_bool(uint8_t v) { return hash64_u64(v); }
static inline uint64_t hash_i8(int8_t v) { return hash64_u64((uint64_t)(int64_t)v); }
static inline uint64_t hash_i16(int16_t v) { return hash64_u64((uint64_t)(int64_t)v); }
static inline uint64_t hash_i32(int32_t v) { return hash64_u64((uint64_t)(int64_t)v); }
static inline uint64_t hash_i64(int64_t v) { return hash64_u64((uint64_t)v); }

static inline uint64_t hash_i128(int128 v)
{
    return v >= INT64_MIN && v <= INT64_MAX ? hash64_u64((uint64_t)(int64_t)v) : hash64(&v, sizeof v);
}

static inline uint64_t hash_f64(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    if (v == 0) bits = 0;
    if (v != v) bits = UINT64_C(0x7ff8000000000000);
    return hash64_u64(bits);
}

static inline uint64_t hash_f32(float v) { return hash_f64(v); }

static inline uint64_t hash_ts96(struct ts96 v)
{
    return hash_combine(hash64_u64((uint64_t)v.ms), hash64_u64((uint64_t)(int64_t)v.ns));
}

/* ---- loops */

#define HASH_LOOP(name, T, hash_one)                                                                                   \
    static void name(const void *data, const struct rows *r, uint32_t n, uint64_t *restrict out)                       \
    {                                                                                                                  \
        const T *restrict values = data;                                                                               \
        const uint16_t *restrict rows = r->rows;                                                                       \
        if (rows) {                                                                                                    \
            for (uint32_t i = 0; i < n; i++) out[i] = hash_one(values[rows[i]]);                                       \
        } else {                                                                                                       \
            values += r->first;                                                                                        \
            for (uint32_t i = 0; i < n; i++) out[i] = hash_one(values[i]);                                             \
        }                                                                                                              \
    }

HASH_LOOP(hash_all_bool, uint8_t, hash_bool)
HASH_LOOP(hash_all_i8, int8_t, hash_i8)
HASH_LOOP(hash_all_i16, int16_t, hash_i16)
HASH_LOOP(hash_all_i32, int32_t, hash_i32)
HASH_LOOP(hash_all_i64, int64_t, hash_i64)
HASH_LOOP(hash_all_i128, int128, hash_i128)
HASH_LOOP(hash_all_f32, float, hash_f32)
HASH_LOOP(hash_all_f64, double, hash_f64)
HASH_LOOP(hash_all_ts96, struct ts96, hash_ts96)

/* References of NULL rows may be wild: they are not followed. */
static void hash_all_text(const struct vector *v, const struct rows *r, uint32_t n, uint64_t *restrict out)
{
    const struct text *values = v->data;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = r->rows ? r->rows[i] : r->first + i;
        if (v->validity && !bit_get(v->validity, row)) continue;
        out[i] = hash64(text_data(&values[row]), values[row].size);
    }
}

/* ---- nested values */

static uint64_t hash_value(const struct vector *v, uint32_t row);

static uint64_t hash_map(const struct vector *v, struct list_ref list)
{
    uint64_t sum = 0;

    for (uint32_t i = list.first; i < list.first + list.count; i++) {
        sum += hash_combine(hash_value(&v->children[0], i), hash_value(&v->children[1], i));
    }
    return hash_combine(hash64_u64(list.count), sum);
}

static uint64_t hash_nested(const struct vector *v, uint32_t row)
{
    uint64_t h = HASH_NESTED;

    if (v->phys == P_ROW) {
        for (uint32_t i = 0; i < v->child_count; i++) h = hash_combine(h, hash_value(&v->children[i], row));
        return h;
    }
    struct list_ref list = VECTOR_VALUES(v, struct list_ref)[row];
    if (v->child_count == 2) return hash_map(v, list);
    h = hash64_u64(list.count);
    for (uint32_t i = list.first; i < list.first + list.count; i++) h = hash_combine(h, hash_value(&v->children[0], i));
    return h;
}

static void hash_chunk(const struct vector *v, const struct rows *r, uint32_t n, uint64_t *out);

static uint64_t hash_value(const struct vector *v, uint32_t row)
{
    struct rows r = {.first = vector_at(v, row)};
    uint64_t h;

    hash_chunk(vector_values(v), &r, 1, &h);
    return h;
}

/* ---- columns */

/* n values of a vector that holds values itself. */
static void hash_chunk(const struct vector *v, const struct rows *r, uint32_t n, uint64_t *out)
{
    switch ((enum phys)v->phys) {
    case P_BOOL: hash_all_bool(v->data, r, n, out); break;
    case P_I8: hash_all_i8(v->data, r, n, out); break;
    case P_I16: hash_all_i16(v->data, r, n, out); break;
    case P_I32: hash_all_i32(v->data, r, n, out); break;
    case P_I64: hash_all_i64(v->data, r, n, out); break;
    case P_I128: hash_all_i128(v->data, r, n, out); break;
    case P_F32: hash_all_f32(v->data, r, n, out); break;
    case P_F64: hash_all_f64(v->data, r, n, out); break;
    case P_TS96: hash_all_ts96(v->data, r, n, out); break;
    case P_STR: hash_all_text(v, r, n, out); break;
    default:
        for (uint32_t i = 0; i < n; i++) {
            uint32_t row = r->rows ? r->rows[i] : r->first + i;
            if (!v->validity || bit_get(v->validity, row)) out[i] = hash_nested(v, row);
        }
    }
    for (uint32_t i = 0; v->validity && i < n; i++) {
        if (!bit_get(v->validity, r->rows ? r->rows[i] : r->first + i)) out[i] = HASH_NULL;
    }
}

uint64_t vector_hash(const struct vector *v, uint32_t row) { return hash_value(v, row); }

/* Selected rows first..first+n of one column, n <= CHUNK. */
static void hash_column(const struct vector *v, const uint16_t *sel, uint32_t first, uint32_t n, uint64_t *out)
{
    const uint16_t *codes = v->data;
    struct rows r = {.rows = sel ? sel + first : NULL, .first = first};
    uint16_t picked[CHUNK];

    if (v->form == VEC_CONST) {
        out[0] = hash_value(v, 0);
        for (uint32_t i = 1; i < n; i++) out[i] = out[0];
        return;
    }
    if (v->form == VEC_DICT) {
        for (uint32_t i = 0; i < n; i++) picked[i] = codes[sel ? sel[first + i] : first + i];
        r.rows = picked;
    }
    hash_chunk(vector_values(v), &r, n, out);
}

void batch_hash(const struct batch *b, const uint32_t *cols, uint32_t col_count, uint64_t *out)
{
    uint32_t count = batch_rows(b);
    uint64_t further[CHUNK];

    for (uint32_t k = 0; k < col_count; k++) ASSERT(cols[k] < b->col_count && b->cols[cols[k]].form != VEC_ABSENT);
    for (uint32_t first = 0, n; first < count; first += n) {
        uint64_t *restrict h = out + first;
        n = MIN(count - first, (uint32_t)CHUNK);
        if (col_count == 0) {
            for (uint32_t i = 0; i < n; i++) h[i] = HASH_NULL;
            continue;
        }
        hash_column(&b->cols[cols[0]], b->sel, first, n, h);
        for (uint32_t k = 1; k < col_count; k++) {
            hash_column(&b->cols[cols[k]], b->sel, first, n, further);
            for (uint32_t i = 0; i < n; i++) h[i] = hash_combine(h[i], further[i]);
        }
    }
}
