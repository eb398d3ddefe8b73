/* rowconv.c - columns to C structs and back, for callbacks: one loop per field, typed by width, over at most 64 rows.
 *
 * Reading: the row numbers of the chunk are resolved once per column into indexes of its values (selection, constants,
 * dictionaries), then a strided loop stores them. Whoever needs 8 bytes gets 8 bytes: signedness does not matter for a
 * copy. A field that is NULL is zeroed in the struct, so that no stale string is ever seen.
 *
 * Writing: the mirror image, dense behind the rows that are there. Columns that no field covers become NULL, or zero
 * where the type forbids NULL. Nested values are moved one by one (cform.h). */
#include "columns/column/rowconv.h"
#include "columns/column/vector_internal.h"

struct bytes16 {
    uint64_t low, high;
};

/* Where a field lies in n structs. */
struct lane {
    char *at; /* the field of the first struct */
    size_t stride;
    uint32_t n;
};

/* ---- reading */

#define READ_LOOP(name, T)                                                                                             \
    static void name(const struct lane *l, const void *data, const uint16_t *rows)                                     \
    {                                                                                                                  \
        const T *restrict from = data;                                                                                 \
        char *restrict to = l->at;                                                                                     \
        for (uint32_t i = 0; i < l->n; i++, to += l->stride) memcpy(to, &from[rows[i]], sizeof(T));                    \
    }

READ_LOOP(read_8, uint8_t)
READ_LOOP(read_16, uint16_t)
READ_LOOP(read_32, uint32_t)
READ_LOOP(read_64, uint64_t)
READ_LOOP(read_128, struct bytes16)

static void read_text(const struct lane *l, const struct text *from, const uint16_t *rows)
{
    char *restrict to = l->at;

    for (uint32_t i = 0; i < l->n; i++, to += l->stride) {
        const struct text *t = &from[rows[i]];
        struct tw_str view = {text_data(t), t->size};
        memcpy(to, &view, sizeof view);
    }
}

/* Values of rows that are not NULL; the others are left to nulls_read. */
static enum status read_nested(const struct lane *l, const struct cform *form, const struct vector *v,
                               const uint16_t *rows, struct arena *items)
{
    char *to = l->at;

    ASSERT(form && items);
    for (uint32_t i = 0; i < l->n; i++, to += l->stride) {
        if (v->validity && !bit_get(v->validity, rows[i])) continue;
        TRY(cform_read(form, v, rows[i], to, items));
    }
    return S_OK;
}

static void lane_read(const struct lane *l, const struct vector *v, const uint16_t *rows)
{
    if (v->phys == P_STR) {
        read_text(l, v->data, rows);
        return;
    }
    switch (phys_width((enum phys)v->phys)) {
    case 1: read_8(l, v->data, rows); break;
    case 2: read_16(l, v->data, rows); break;
    case 4: read_32(l, v->data, rows); break;
    case 8: read_64(l, v->data, rows); break;
    default: read_128(l, v->data, rows); break;
    }
}

/* Bytes that a field takes in the struct. */
static size_t field_size(const struct rowconv_field *f)
{
    if (f->form) return f->form->size;
    return f->phys == P_STR ? sizeof(struct tw_str) : phys_width((enum phys)f->phys);
}

/* NULLs of one field into the masks; answers false when there is one and no mask. */
static bool nulls_read(const struct rowconv *c, uint32_t field, const struct lane *l, const struct vector *v,
                       const uint16_t *rows, char *structs)
{
    size_t size = field_size(&c->fields[field]);

    for (uint32_t i = 0; i < l->n; i++) {
        uint64_t mask;
        char *at = structs + i * l->stride + c->null_offset;
        if (bit_get(v->validity, rows[i])) continue;
        if (c->null_offset == ROWCONV_NO_NULLS) return false;
        memcpy(&mask, at, sizeof mask);
        mask |= UINT64_C(1) << field;
        memcpy(at, &mask, sizeof mask);
        memset(l->at + i * l->stride, 0, size);
    }
    return true;
}

static void masks_clear(const struct rowconv *c, char *structs, uint32_t n)
{
    if (c->null_offset == ROWCONV_NO_NULLS) return;
    ASSERT(c->field_count <= 64);
    for (uint32_t i = 0; i < n; i++) memset(structs + i * (size_t)c->size + c->null_offset, 0, sizeof(uint64_t));
}

/* E_DATA: a NULL that has no place in the struct. */
static enum status field_read(const struct rowconv *c, uint32_t field, const struct lane *l, const struct vector *base,
                              const uint16_t *rows, char *structs, struct arena *items)
{
    if (base->phys == P_LIST || base->phys == P_ROW)
        TRY(read_nested(l, c->fields[field].form, base, rows, items));
    else
        lane_read(l, base, rows);
    return !base->validity || nulls_read(c, field, l, base, rows, structs) ? S_OK : E_DATA;
}

enum status rowconv_read(const struct rowconv *c, const struct batch *b, uint32_t first, uint32_t n, void *structs,
                         struct arena *items, uint32_t *bad_field)
{
    uint16_t batch_rows_of[ROWCONV_ROWS], at[ROWCONV_ROWS];

    ASSERT(n <= ROWCONV_ROWS && first + n <= batch_rows(b));
    for (uint32_t i = 0; i < n; i++) batch_rows_of[i] = (uint16_t)batch_row(b, first + i);
    masks_clear(c, structs, n);
    for (uint32_t f = 0; f < c->field_count; f++) {
        const struct rowconv_field *field = &c->fields[f];
        const struct vector *v = &b->cols[field->col], *base = vector_values(v);
        struct lane l = {.at = (char *)structs + field->offset, .stride = c->size, .n = n};
        const uint16_t *rows = batch_rows_of;

        ASSERT(field->col < b->col_count && v->form != VEC_ABSENT && v->phys == field->phys);
        if (v->form != VEC_FLAT) {
            for (uint32_t i = 0; i < n; i++) at[i] = (uint16_t)vector_at(v, batch_rows_of[i]);
            rows = at;
        }
        if (field_read(c, f, &l, base, rows, structs, items) != S_OK) {
            *bad_field = f;
            return E_DATA;
        }
    }
    return S_OK;
}

/* ---- writing */

#define WRITE_LOOP(name, T)                                                                                            \
    static void name(const struct lane *l, void *data)                                                                 \
    {                                                                                                                  \
        T *restrict to = data;                                                                                         \
        const char *restrict from = l->at;                                                                             \
        for (uint32_t i = 0; i < l->n; i++, from += l->stride) memcpy(&to[i], from, sizeof(T));                        \
    }

WRITE_LOOP(write_8, uint8_t)
WRITE_LOOP(write_16, uint16_t)
WRITE_LOOP(write_32, uint32_t)
WRITE_LOOP(write_64, uint64_t)
WRITE_LOOP(write_128, struct bytes16)

static bool lane_null(const struct rowconv *c, uint32_t field, const char *structs, uint32_t i)
{
    uint64_t mask;

    if (c->null_offset == ROWCONV_NO_NULLS) return false;
    memcpy(&mask, structs + i * (size_t)c->size + c->null_offset, sizeof mask);
    return mask >> field & 1;
}

static void write_text(const struct rowconv *c, uint32_t f, const struct lane *l, const char *structs, struct vector *v,
                       struct batch *b)
{
    struct text *to = VECTOR_VALUES(v, struct text) + b->count;

    for (uint32_t i = 0; i < l->n; i++) {
        struct tw_str from;
        memcpy(&from, l->at + i * l->stride, sizeof from);
        if (lane_null(c, f, structs, i)) from = (struct tw_str){"", 0}; /* what stands there may be anything */
        to[i] =
            from.size <= TEXT_INLINE ? text_of_short(from.data, from.size) : text_put(&b->heap, from.data, from.size);
    }
}

static enum status write_nested(const struct rowconv *c, uint32_t f, const struct lane *l, const char *structs,
                                struct vector *v, struct batch *b)
{
    const char *from = l->at;

    ASSERT(c->fields[f].form);
    for (uint32_t i = 0; i < l->n; i++, from += l->stride)
        if (!lane_null(c, f, structs, i)) TRY(cform_write(c->fields[f].form, from, v, b->count + i, &b->heap, b->mem));
    return S_OK;
}

static void fixed_write(const struct lane *l, struct vector *v, uint32_t at)
{
    size_t width = phys_width((enum phys)v->phys);
    char *to = (char *)v->data + at * width;

    switch (width) {
    case 1: write_8(l, to); break;
    case 2: write_16(l, to); break;
    case 4: write_32(l, to); break;
    case 8: write_64(l, to); break;
    default: write_128(l, to); break;
    }
}

static void nulls_write(const struct rowconv *c, uint32_t field, const struct lane *l, const char *structs,
                        struct vector *v, uint32_t at)
{
    if (v->type->kind == T_NULL) return;
    if (v->validity) bits_fill(v->validity, at, l->n, true);
    if (c->null_offset == ROWCONV_NO_NULLS) return;
    for (uint32_t i = 0; i < l->n; i++) {
        if (lane_null(c, field, structs, i)) cform_write_null(v, at + i);
    }
}

/* n rows from `at` become NULL, or zero where NULL is not allowed. */
static void rows_default(struct vector *v, uint32_t at, uint32_t n)
{
    size_t width = phys_width((enum phys)v->phys);

    if (v->form == VEC_ABSENT) return;
    if (v->type->nullable) {
        for (uint32_t i = 0; i < n; i++) vector_set_null(v, at + i);
        return;
    }
    if (width) memset((char *)v->data + at * width, 0, n * width);
    for (uint32_t i = 0; v->phys == P_ROW && i < v->child_count; i++) rows_default(&v->children[i], at, n);
}

static enum status field_write(const struct rowconv *c, uint32_t f, const void *structs, uint32_t n, struct batch *b)
{
    const struct rowconv_field *field = &c->fields[f];
    struct vector *v = &b->cols[field->col];
    struct lane l = {.at = (char *)structs + field->offset, .stride = c->size, .n = n};

    ASSERT(field->col < b->col_count && v->phys == field->phys);
    if (v->form == VEC_ABSENT) return S_OK;
    ASSERT(v->form == VEC_FLAT);
    if (v->phys == P_STR) {
        write_text(c, f, &l, structs, v, b);
    } else if (v->phys == P_LIST || v->phys == P_ROW) {
        TRY(write_nested(c, f, &l, structs, v, b));
    } else {
        fixed_write(&l, v, b->count);
    }
    nulls_write(c, f, &l, structs, v, b->count);
    return S_OK;
}

/* Columns that no field is: NULL, or zero where NULL is not allowed. */
static void others_default(const struct rowconv *c, uint32_t n, struct batch *b)
{
    uint64_t covered[TYPE_FIELDS_MAX / 64] = {0};

    for (uint32_t f = 0; f < c->field_count; f++) bit_set(covered, c->fields[f].col);
    for (uint32_t i = 0; i < b->col_count; i++) {
        if (!bit_get(covered, i)) rows_default(&b->cols[i], b->count, n);
    }
}

static enum status field_check(const struct rowconv *c, uint32_t f, const char *row, const char **why)
{
    const struct rowconv_field *field = &c->fields[f];

    if (!lane_null(c, f, row, 0)) return field->form ? cform_check(field->form, row + field->offset, why) : S_OK;
    if (!field->not_null) return S_OK;
    *why = "it is NULL, but its type says NOT NULL";
    return E_DATA;
}

/* Sizes without bytes, and sizes that none has. One pass without branches; only when something looks wrong are NULLs asked for. */
static enum status texts_check(const struct rowconv *c, uint32_t f, const char *structs, uint32_t n, const char **why)
{
    const char *at = structs + c->fields[f].offset;
    bool is_odd = false;

    for (uint32_t i = 0; i < n; i++) {
        struct tw_str s;
        memcpy(&s, at + i * (size_t)c->size, sizeof s);
        is_odd |= ((s.data == NULL) & (s.size != 0)) | (s.size > INT32_MAX);
    }
    for (uint32_t i = 0; is_odd && i < n; i++) {
        struct tw_str s;
        memcpy(&s, at + i * (size_t)c->size, sizeof s);
        if (lane_null(c, f, structs, i) || (s.size <= INT32_MAX && (s.data != NULL || s.size == 0))) continue;
        *why = s.data == NULL ? "a string has a size, but its data is NULL" : "a string is longer than 2147483647 bytes";
        return E_DATA;
    }
    return S_OK;
}

enum status rowconv_check(const struct rowconv *c, const void *structs, uint32_t n, uint32_t *bad_field,
                          const char **why)
{
    const char *row = structs;

    for (uint32_t f = 0; f < c->field_count; f++) {
        if (c->fields[f].phys != P_STR) continue;
        *bad_field = f;
        TRY(texts_check(c, f, structs, n, why));
    }
    for (uint32_t i = 0; c->must_check && i < n; i++, row += c->size) {
        for (uint32_t f = 0; f < c->field_count; f++) {
            *bad_field = f;
            TRY(field_check(c, f, row, why));
        }
    }
    return S_OK;
}

enum status rowconv_write(const struct rowconv *c, const void *structs, uint32_t n, struct batch *b)
{
    ASSERT(b->count + n <= b->capacity && !b->sel);
    ASSERT(c->null_offset == ROWCONV_NO_NULLS || c->field_count <= 64);
    for (uint32_t f = 0; f < c->field_count; f++) TRY(field_write(c, f, structs, n, b));
    if (c->field_count < b->col_count) others_default(c, n, b); /* fields are of different columns */
    for (uint32_t i = 0; b->kinds && i < n; i++) b->kinds[b->count + i] = ROW_INSERT;
    for (uint32_t i = 0; b->times && i < n; i++) b->times[b->count + i] = TIME_MIN;
    b->count += n;
    return S_OK;
}
