/* datagen_fill.c - columns of made-up values, a loop per type.
 *
 * Row number n of a field draws hash mix64(key + n); text draws further words from that hash. Elements of collections have
 * row numbers of their own: n * length + position. */
#include "columns/column/decimal.h"
#include "columns/column/timestamp.h"
#include "flow/connector/datagen/datagen.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#define MS_PER_DAY INT64_C(86400000)
#define NULL_STREAM UINT64_C(0x6e756c6c)

static inline uint64_t row_number(const struct datagen_rows *r, uint32_t i) { return r->first + i * r->stride; }
static inline uint64_t row_hash(const struct datagen_field *f, const struct datagen_rows *r, uint32_t i)
{
    return mix64(f->key + row_number(r, i));
}

/* Uniform in [0, span] by rejection, 128 bits wide. */
static uint128 below_or_equal(uint64_t hash, uint128 span)
{
    if (span <= UINT64_MAX - 1) return (uint128)hash * ((uint64_t)span + 1) >> 64;
    if (span == UINT64_MAX) return hash;
    uint64_t high = (uint64_t)(span >> 64);
    for (;; hash = mix64(hash)) {
        uint128 value = ((uint128)hash * ((uint128)high + 1) >> 64) << 64 | mix64(hash ^ 1);
        if (value <= span) return value;
    }
}

static int128 number_at(const struct datagen_field *f, const struct datagen_rows *r, uint32_t i)
{
    if (f->is_sequence) return (int128)f->start + (int128)row_number(r, i);
    return f->min + (int128)below_or_equal(row_hash(f, r, i), (uint128)(f->max - f->min));
}

#define NUMBER_LOOP(name, T)                                                                                           \
    static void name(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r)                   \
    {                                                                                                                  \
        T *out = VECTOR_VALUES(v, T) + r->at;                                                                          \
        for (uint32_t i = 0; i < r->count; i++) out[i] = (T)number_at(f, r, i);                                        \
    }

NUMBER_LOOP(fill_i8, int8_t)
NUMBER_LOOP(fill_i16, int16_t)
NUMBER_LOOP(fill_i32, int32_t)
NUMBER_LOOP(fill_i64, int64_t)

static void fill_decimal(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r)
{
    int128 unit = f->is_sequence ? decimal_power10(f->type->scale) : 1;

    for (uint32_t i = 0; i < r->count; i++) {
        int128 value = number_at(f, r, i) * unit;
        if (v->phys == P_I64) VECTOR_VALUES(v, int64_t)[r->at + i] = (int64_t)value;
        else VECTOR_VALUES(v, int128)[r->at + i] = value;
    }
}

static void fill_real(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r)
{
    for (uint32_t i = 0; i < r->count; i++) {
        double u = (double)(row_hash(f, r, i) >> 11) * 0x1.0p-53;
        double value = f->is_sequence ? (double)number_at(f, r, i) : f->low + u * (f->high - f->low);
        if (v->phys == P_F32) VECTOR_VALUES(v, float)[r->at + i] = (float)value;
        else VECTOR_VALUES(v, double)[r->at + i] = value;
    }
}

static void fill_bool(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r)
{
    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(v, bool)[r->at + i] = row_hash(f, r, i) >> 63;
}

static void fill_today(struct vector *v, const struct datagen_rows *r)
{
    int64_t day = r->now_ms / MS_PER_DAY, ms = r->now_ms % MS_PER_DAY;
    int32_t value = v->type->kind == T_DATE ? (int32_t)day : (int32_t)ms;

    for (uint32_t i = 0; i < r->count; i++) VECTOR_VALUES(v, int32_t)[r->at + i] = value;
}

static void fill_time(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r)
{
    size_t width = phys_width((enum phys)v->phys);

    for (uint32_t i = 0; i < r->count; i++) {
        uint128 back = below_or_equal(row_hash(f, r, i), (uint128)f->max_past_ms);
        timestamp_store((struct ts96){.ms = r->now_ms - (int64_t)back}, f->type->precision,
                        (char *)v->data + (r->at + i) * width);
    }
}

/* --- text --------------------------------------------------------------------------------------------------------- */
static void bytes_make(const struct datagen_field *f, uint64_t hash, char *out, uint32_t size)
{
    bool is_text = f->type->kind == T_CHAR || f->type->kind == T_VARCHAR;

    for (uint32_t i = 0; i < size; hash = mix64(hash)) {
        uint64_t word = mix64(hash ^ f->key);
        for (uint32_t k = 0; k < (is_text ? 16u : 8u) && i < size; k++, i++)
            out[i] = is_text ? "0123456789abcdef"[word >> (4 * k) & 15] : (char)(word >> (8 * k));
    }
}

static struct text text_made(const struct datagen_field *f, uint64_t hash, struct text_heap *heap)
{
    uint32_t size = f->var_length ? 1 + (uint32_t)((hash >> 32) * f->length >> 32) : f->length;
    char small[TEXT_INLINE];
    char *bytes = size > TEXT_INLINE ? text_reserve(heap, size) : small;

    bytes_make(f, hash, bytes, size);
    return text_view(bytes, size);
}

static void fill_text(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r,
                      struct text_heap *heap)
{
    struct text *out = VECTOR_VALUES(v, struct text) + r->at;
    char digits[24];

    for (uint32_t i = 0; i < r->count; i++) {
        if (f->is_sequence) out[i] = text_put(heap, digits, str_from_int64((int64_t)number_at(f, r, i), digits));
        else out[i] = text_made(f, row_hash(f, r, i), heap);
    }
}

/* --- nested ------------------------------------------------------------------------------------------------------- */
static void fill_array(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r, struct batch *b)
{
    struct vector *element = &v->children[0];

    vector_child_reserve(v, element->used + r->count * f->length, b->mem);
    for (uint32_t i = 0; i < r->count; i++) {
        struct datagen_rows each = {.first = row_number(r, i) * f->length,
                                    .stride = 1,
                                    .at = element->used,
                                    .count = f->length,
                                    .now_ms = r->now_ms};
        datagen_fill(&f->children[0], element, &each, b);
        VECTOR_VALUES(v, struct list_ref)[r->at + i] = (struct list_ref){element->used, f->length};
        element->used += f->length;
    }
}

/* The element among first..last that equals the one at last; last itself when there is none. */
static uint32_t equal_element(const struct vector *v, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i < last; i++)
        if (vector_compare(v, i, v, last) == 0) return i;
    return last;
}

/* Keys of a map and elements of a multiset differ from each other: one that was drawn before is left out, or counted. */
static void fill_distinct(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r,
                          struct batch *b)
{
    struct vector *key = &v->children[0], *other = &v->children[1];

    vector_child_reserve(v, key->used + r->count * f->length, b->mem);
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t first = key->used;
        for (uint32_t k = 0; k < f->length; k++) {
            struct datagen_rows one = {.first = row_number(r, i) * f->length + k,
                                       .stride = 1,
                                       .at = key->used,
                                       .count = 1,
                                       .now_ms = r->now_ms};
            datagen_fill(&f->children[0], key, &one, b);
            uint32_t at = equal_element(key, first, key->used);
            if (v->type->kind == T_MULTISET)
                VECTOR_VALUES(other, int32_t)[at] = at == key->used ? 1 : VECTOR_VALUES(other, int32_t)[at] + 1;
            if (at != key->used) continue;
            if (v->type->kind == T_MAP) datagen_fill(&f->children[1], other, &one, b);
            key->used++;
        }
        other->used = key->used;
        VECTOR_VALUES(v, struct list_ref)[r->at + i] = (struct list_ref){first, key->used - first};
    }
}

static void values_fill(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r, struct batch *b)
{
    switch (f->type->kind) {
    case T_BOOLEAN: fill_bool(f, v, r); break;
    case T_TINYINT: fill_i8(f, v, r); break;
    case T_SMALLINT: fill_i16(f, v, r); break;
    case T_INT: case T_INTERVAL_MONTH: fill_i32(f, v, r); break;
    case T_BIGINT: case T_INTERVAL_SECOND: fill_i64(f, v, r); break;
    case T_DECIMAL: fill_decimal(f, v, r); break;
    case T_FLOAT: case T_DOUBLE: fill_real(f, v, r); break;
    case T_DATE: case T_TIME: fill_today(v, r); break;
    case T_TIMESTAMP: case T_TIMESTAMP_LTZ: fill_time(f, v, r); break;
    case T_ARRAY: fill_array(f, v, r, b); break;
    case T_MAP: case T_MULTISET: fill_distinct(f, v, r, b); break;
    case T_ROW:
        for (uint32_t i = 0; i < v->child_count; i++) datagen_fill(&f->children[i], &v->children[i], r, b);
        break;
    default: fill_text(f, v, r, &b->heap); break;
    }
}

void datagen_fill(const struct datagen_field *f, struct vector *v, const struct datagen_rows *r, struct batch *b)
{
    if (v->form == VEC_ABSENT) return;
    ASSERT(v->form == VEC_FLAT && r->at + r->count <= v->capacity);
    values_fill(f, v, r, b);
    for (uint32_t i = 0; f->null_below > 0 && i < r->count; i++)
        if (mix64(row_hash(f, r, i) ^ NULL_STREAM) < f->null_below || f->null_below == UINT64_MAX)
            vector_set_null(v, r->at + i);
}
