/* arrow_import.c - rows of an Arrow struct array into an empty batch, by copying.
 *
 * A recursion over array, schema and column together. What is in the array is another program's: layouts, numbers of
 * buffers and children, offsets and ranges are checked and refused with the column's name; only the buffers' sizes
 * must be believed, because the interface does not tell them.
 *
 * NULL where our type forbids it is an error, except under a NULL struct: what stands there is nothing. */
#include "columns/column/arrow_layout.h"
#include "columns/column/decimal.h"
#include "columns/column/vector_internal.h"

enum { MS_PER_DAY = 86400000 };

struct import {
    struct batch *b;
    struct err *e;
};

/* n values of an array from `first` (the array's offset is in it already), into rows at.. of v. */
struct run {
    const struct ArrowArray *array;
    const struct ArrowSchema *schema;
    struct arrow_layout layout;
    int64_t first;
    uint32_t n;
    struct vector *v;
    uint32_t at;
    const struct vector *parent; /* the struct that v is a field of, its validity done; NULL = none */
};

static enum status run_import(struct import *im, struct run *r);

/* ---- validity */

static bool run_valid(const struct run *r, uint32_t i)
{
    const uint8_t *bits = r->array->n_buffers > 0 ? r->array->buffers[0] : NULL;
    int64_t row = r->first + i;

    return !bits || (bits[row >> 3] >> (row & 7) & 1);
}

static enum status validity_import(struct import *im, const struct run *r)
{
    struct vector *v = r->v;

    if (v->type->kind == T_NULL) return S_OK;
    if (v->validity) bits_fill(v->validity, r->at, r->n, true);
    if (r->array->null_count == 0 || r->array->n_buffers == 0 || !r->array->buffers[0]) return S_OK;
    for (uint32_t i = 0; i < r->n; i++) {
        if (run_valid(r, i)) continue;
        if (v->type->nullable) {
            vector_nulls_on(v);
            bit_clear(v->validity, r->at + i);
        } else if (!r->parent || !vector_is_null(r->parent, r->at + i)) {
            return err_set(im->e, E_DATA, "row %u is NULL, which the type forbids", i);
        }
    }
    return S_OK;
}

/* ---- values of fixed width; Arrow does not promise that buffers are aligned */

#define IMPORT_LOOP(name, To, From)                                                                                    \
    static void name(const struct run *r)                                                                              \
    {                                                                                                                  \
        const char *restrict from = (const char *)r->array->buffers[1] + r->first * (int64_t)sizeof(From);             \
        To *restrict to = VECTOR_VALUES(r->v, To) + r->at;                                                             \
        for (uint32_t i = 0; i < r->n; i++) {                                                                          \
            From value;                                                                                                \
            memcpy(&value, from + i * sizeof value, sizeof value);                                                     \
            to[i] = (To)value;                                                                                         \
        }                                                                                                              \
    }

IMPORT_LOOP(import_8, int8_t, int8_t)
IMPORT_LOOP(import_16, int16_t, int16_t)
IMPORT_LOOP(import_32, int32_t, int32_t)
IMPORT_LOOP(import_64, int64_t, int64_t)
IMPORT_LOOP(import_u8, int16_t, uint8_t)
IMPORT_LOOP(import_u16, int32_t, uint16_t)
IMPORT_LOOP(import_u32, int64_t, uint32_t)

static void bool_import(const struct run *r)
{
    const uint8_t *bits = r->array->buffers[1];

    for (uint32_t i = 0; i < r->n; i++) {
        int64_t row = r->first + i;
        VECTOR_VALUES(r->v, uint8_t)[r->at + i] = bits[row >> 3] >> (row & 7) & 1;
    }
}

static enum status decimal_import(struct import *im, const struct run *r)
{
    const char *from = (const char *)r->array->buffers[1] + r->first * 16;

    for (uint32_t i = 0; i < r->n; i++) {
        int128 value;
        memcpy(&value, from + (size_t)i * 16, sizeof value);
        if (!run_valid(r, i)) value = 0;
        if (!decimal_fits(value, r->v->type->precision)) {
            return err_set(im->e, E_OVERFLOW, "row %u has more than %d digits", i, r->v->type->precision);
        }
        if (r->v->phys == P_I128) VECTOR_VALUES(r->v, int128)[r->at + i] = value;
        else VECTOR_VALUES(r->v, int64_t)[r->at + i] = (int64_t)value;
    }
    return S_OK;
}

/* Value or offset i, of 4 or 8 bytes. */
static int64_t raw_value(const struct run *r, uint32_t i)
{
    const char *at = (const char *)r->array->buffers[1] + (r->first + i) * r->layout.width;
    int32_t narrow;
    int64_t value;

    if (r->layout.width == 8) {
        memcpy(&value, at, sizeof value);
        return value;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

/* Times and durations in another unit become ms; what ms cannot say is refused rather than cut off. */
static enum status scaled_import(struct import *im, const struct run *r)
{
    static const int64_t multiply[] = {[0] = 1000, [3] = 1, [6] = 1, [9] = 1},
                         divide[] = {[0] = 1, [3] = 1, [6] = 1000, [9] = 1000000};
    int64_t up = multiply[r->layout.precision], down = divide[r->layout.precision];

    for (uint32_t i = 0; i < r->n; i++) {
        int64_t value = run_valid(r, i) ? raw_value(r, i) : 0, ms;
        if (value % down != 0) return err_set(im->e, E_DATA, "row %u is finer than a millisecond", i);
        if (__builtin_mul_overflow(value / down, up, &ms))
            return err_set(im->e, E_OVERFLOW, "row %u does not fit 64 bits of milliseconds", i);
        if (r->v->type->kind == T_TIME && (ms < 0 || ms >= MS_PER_DAY))
            return err_set(im->e, E_DATA, "row %u is no time of the day", i);
        if (r->v->phys == P_I32) VECTOR_VALUES(r->v, int32_t)[r->at + i] = (int32_t)ms;
        else VECTOR_VALUES(r->v, int64_t)[r->at + i] = ms;
    }
    return S_OK;
}

static enum status date_import(struct import *im, const struct run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        int64_t ms = run_valid(r, i) ? raw_value(r, i) : 0, days = ms / MS_PER_DAY;
        if (ms % MS_PER_DAY != 0 || days != (int32_t)days) return err_set(im->e, E_DATA, "row %u is no whole day", i);
        VECTOR_VALUES(r->v, int32_t)[r->at + i] = (int32_t)days;
    }
    return S_OK;
}

static void ns_import(const struct run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        int64_t value = raw_value(r, i), rest = value % 1000000;
        rest += rest < 0 ? 1000000 : 0;
        int64_t ms = value / 1000000 - (value % 1000000 < 0);
        VECTOR_VALUES(r->v, struct ts96)[r->at + i] = (struct ts96){.ms = ms, .ns = (int32_t)rest};
    }
}

static enum status timestamp_import(struct import *im, const struct run *r)
{
    if (r->layout.precision == 0) return scaled_import(im, r);
    if (r->layout.precision == 9) ns_import(r);
    else import_64(r);
    return S_OK;
}

static void plain_import(const struct run *r)
{
    if (r->layout.kind == ARROW_UINT) {
        r->layout.width == 1 ? import_u8(r) : r->layout.width == 2 ? import_u16(r) : import_u32(r);
        return;
    }
    switch (r->layout.width) {
    case 1: import_8(r); break;
    case 2: import_16(r); break;
    case 4: import_32(r); break;
    default: import_64(r); break;
    }
}

/* ---- offsets, strings */

/* A run of strings, binaries or lists has n + 1 offsets. */
static enum status offsets_check(struct import *im, const struct run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        int64_t from = raw_value(r, i), to = raw_value(r, i + 1);
        if (from < 0 || to < from || to - from > INT32_MAX)
            return err_set(im->e, E_DATA, "row %u has offsets that go backwards", i);
    }
    return S_OK;
}

static enum status text_import(struct import *im, const struct run *r)
{
    struct text *to = VECTOR_VALUES(r->v, struct text) + r->at;
    const char *bytes = r->array->buffers[2];

    TRY(offsets_check(im, r));
    for (uint32_t i = 0; i < r->n; i++) {
        int64_t from = raw_value(r, i), size = raw_value(r, i + 1) - from;
        if (!run_valid(r, i) || size == 0) to[i] = (struct text){.size = 0};
        else to[i] = text_put(&im->b->heap, bytes + from, (size_t)size);
    }
    return S_OK;
}

static void fixed_bytes_import(struct import *im, const struct run *r)
{
    struct text *to = VECTOR_VALUES(r->v, struct text) + r->at;
    size_t size = (size_t)r->layout.precision;
    const char *bytes = r->array->buffers[1];

    for (uint32_t i = 0; i < r->n; i++) {
        if (run_valid(r, i)) to[i] = text_put(&im->b->heap, bytes + (size_t)(r->first + i) * size, size);
        else to[i] = (struct text){.size = 0};
    }
}

/* ---- nested values */

/* A child array: rows first.. of it, its own offset added here. */
static enum status child_import(struct import *im, const struct ArrowArray *array, const struct ArrowSchema *schema,
                                int64_t first, uint32_t n, struct vector *v, uint32_t at, const struct vector *parent)
{
    struct run r = {
        .array = array, .schema = schema, .first = first + array->offset, .n = n, .v = v, .at = at, .parent = parent};

    if (first < 0 || first + n > array->length) {
        return err_set(im->e, E_DATA, "the array is %lld long, %lld are needed", (long long)array->length,
                       (long long)first + n);
    }
    return run_import(im, &r);
}

static enum status struct_import(struct import *im, const struct run *r)
{
    int64_t first = r->first; /* a struct's offset applies to its children too */

    for (uint32_t i = 0; i < r->v->child_count; i++) {
        TRY(child_import(im, r->array->children[i], r->schema->children[i], first, r->n, &r->v->children[i], r->at,
                         r->v));
    }
    for (uint32_t i = 0; r->v->validity && i < r->n; i++) {
        if (!bit_get(r->v->validity, r->at + i)) vector_set_null(r->v, r->at + i); /* resets the fields below */
    }
    return S_OK;
}

/* Elements of the children of a list: one for arrays, key and value below a struct for maps. */
static enum status elements_import(struct import *im, const struct run *r, int64_t first, uint32_t n)
{
    const struct ArrowArray *array = r->array->children[0];
    const struct ArrowSchema *schema = r->schema->children[0];
    uint32_t used = r->v->children[0].used;

    if (r->v->child_count == 1) return child_import(im, array, schema, first, n, &r->v->children[0], used, NULL);
    if (array->n_children != 2 || schema->n_children != 2)
        return err_set(im->e, E_DATA, "the entries of the map are no pairs");
    first += array->offset;
    TRY(child_import(im, array->children[0], schema->children[0], first, n, &r->v->children[0], used, NULL));
    return child_import(im, array->children[1], schema->children[1], first, n, &r->v->children[1], used, NULL);
}

static enum status list_import(struct import *im, const struct run *r)
{
    struct list_ref *to = VECTOR_VALUES(r->v, struct list_ref) + r->at;
    uint32_t used = r->v->children[0].used;
    int64_t start, total;

    if (r->n == 0) return S_OK;
    TRY(offsets_check(im, r));
    start = raw_value(r, 0);
    total = raw_value(r, r->n) - start;
    if (used + total > UINT32_MAX / 2)
        return err_set(im->e, E_OVERFLOW, "the lists of the batch have too many elements");
    vector_child_reserve(r->v, used + (uint32_t)total, im->b->mem);
    TRY(elements_import(im, r, start, (uint32_t)total));
    for (uint32_t i = 0; i < r->n; i++) {
        int64_t from = raw_value(r, i);
        uint32_t count = run_valid(r, i) ? (uint32_t)(raw_value(r, i + 1) - from) : 0;
        to[i] = (struct list_ref){used + (uint32_t)(from - start), count};
    }
    for (uint32_t i = 0; i < r->v->child_count; i++) r->v->children[i].used = used + (uint32_t)total;
    return S_OK;
}

/* ---- columns */

/* Has the array what its layout needs? Buffers may be NULL when there is nothing in them. */
static enum status shape_check(struct import *im, const struct run *r)
{
    static const uint8_t buffers[] = {
        [ARROW_NULL] = 0,    [ARROW_BOOL] = 2,      [ARROW_INT] = 2,    [ARROW_UINT] = 2,        [ARROW_FLOAT] = 2,
        [ARROW_DECIMAL] = 2, [ARROW_TEXT] = 3,      [ARROW_BYTES] = 3,  [ARROW_FIXED_BYTES] = 2, [ARROW_DATE] = 2,
        [ARROW_TIME] = 2,    [ARROW_TIMESTAMP] = 2, [ARROW_MONTHS] = 2, [ARROW_DURATION] = 2,    [ARROW_LIST] = 2,
        [ARROW_MAP] = 2,     [ARROW_STRUCT] = 1};
    uint32_t children = r->v->phys == P_LIST ? 1 : r->v->child_count;

    if (r->array->n_buffers != buffers[r->layout.kind] || r->array->n_children != children ||
        r->schema->n_children != children) {
        return err_set(im->e, E_DATA, "an array of format '%s' has %lld buffers and %lld children", r->schema->format,
                       (long long)r->array->n_buffers, (long long)r->array->n_children);
    }
    for (int64_t i = 1; i < r->array->n_buffers && r->n > 0; i++) {
        if (!r->array->buffers[i] && i == 1)
            return err_set(im->e, E_DATA, "an array of format '%s' lacks a buffer", r->schema->format);
    }
    return S_OK;
}

static enum status run_import(struct import *im, struct run *r)
{
    if (r->v->form == VEC_ABSENT) return S_OK;
    if (r->schema->dictionary)
        return err_set(im->e, E_UNSUPPORTED, "dictionary-encoded Arrow columns are not supported");
    if (!r->schema->format || !arrow_layout_read(r->schema->format, &r->layout) ||
        !arrow_layout_is_of(&r->layout, r->v->type)) {
        return err_set(im->e, E_DATA, "Arrow format '%.64s' is not that of the batch's type",
                       r->schema->format ? r->schema->format : "");
    }
    TRY(shape_check(im, r));
    TRY(validity_import(im, r));
    if (r->n == 0) return S_OK;
    switch ((enum arrow_kind)r->layout.kind) {
    case ARROW_NULL: break;
    case ARROW_BOOL: bool_import(r); break;
    case ARROW_INT:
    case ARROW_UINT:
    case ARROW_FLOAT:
    case ARROW_MONTHS: plain_import(r); break;
    case ARROW_DECIMAL: return decimal_import(im, r);
    case ARROW_TEXT:
    case ARROW_BYTES: return text_import(im, r);
    case ARROW_FIXED_BYTES: fixed_bytes_import(im, r); break;
    case ARROW_DATE:
        if (r->layout.width == 8) return date_import(im, r);
        plain_import(r);
        break;
    case ARROW_TIME:
    case ARROW_DURATION: return scaled_import(im, r);
    case ARROW_TIMESTAMP: return timestamp_import(im, r);
    case ARROW_LIST:
    case ARROW_MAP: return list_import(im, r);
    case ARROW_STRUCT: return struct_import(im, r);
    }
    return S_OK;
}

enum status arrow_import_rows(const struct ArrowArray *in, const struct ArrowSchema *schema, int64_t first, uint32_t n,
                              struct batch *out, struct err *e)
{
    struct import im = {out, e};

    ASSERT(out->count == 0 && !out->sel && n <= out->capacity);
    if (in->n_children != out->col_count || schema->n_children != out->col_count) {
        return err_set(e, E_DATA, "the Arrow struct has %lld columns, the batch %u", (long long)in->n_children,
                       out->col_count);
    }
    if (in->null_count > 0) return err_set(e, E_DATA, "rows of an Arrow table cannot be NULL as a whole");
    if (first < 0 || first + n > in->length)
        return err_set(e, E_DATA, "the Arrow struct has %lld rows", (long long)in->length);
    for (uint32_t i = 0; i < out->col_count; i++) {
        enum status st =
            child_import(&im, in->children[i], schema->children[i], first + in->offset, n, &out->cols[i], 0, NULL);
        if (st == S_OK) continue;
        err_wrap(e, "Arrow import of column '%.200s'", out->schema->names[i]);
        batch_clear(out);
        return st;
    }
    out->count = n;
    return S_OK;
}
