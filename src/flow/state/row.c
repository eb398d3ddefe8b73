/* row.c - layouts of rows, and moving one field between many rows and a column.
 *
 * The idea: every field is a word, a double or 16 bytes at an offset known when the table is opened, so that an operator
 * updates state with plain loads and stores; columns are moved field by field, one loop per physical type.
 *
 * Invariants: offsets are multiples of 8; null bits come last and exist only if a field is nullable; the value of a NULL
 * field is zero. Not here: probe rows (probe.c), whole-row operations (rowops.c), nested values (nested.c). */
#include "flow/state/row.h"

#include "flow/state/pack.h"
#include "flow/state/rowops.h"
#include "flow/state/sb.h"

enum { TEXTS_AHEAD = 12 };

static bool field_init(struct state_field *f, const struct type *t)
{
    static const uint8_t forms[P_COUNT] = {
        [P_BOOL] = STATE_WORD, [P_I8] = STATE_WORD, [P_I16] = STATE_WORD, [P_I32] = STATE_WORD, [P_I64] = STATE_WORD,
        [P_I128] = STATE_WIDE, [P_F32] = STATE_REAL, [P_F64] = STATE_REAL, [P_STR] = STATE_STRING, [P_TS96] = STATE_WIDE,
        [P_LIST] = STATE_NESTED, [P_ROW] = STATE_NESTED,
    };

    f->phys = t->phys;
    f->nullable = t->nullable || t->kind == T_NULL;
    if (t->phys >= P_COUNT) return false;
    f->form = forms[t->phys];
    return true;
}

enum status state_layout_init(struct state_layout *l, const struct type *row, struct mem *mem, struct err *e)
{
    uint32_t offset = 0;

    ASSERT(row != NULL && row->kind == T_ROW);
    memset(l, 0, sizeof *l);
    l->type = row;
    l->field_count = row->child_count;
    l->fields = mem_zalloc(mem, (row->child_count + 1) * sizeof *l->fields);
    for (uint32_t i = 0; i < l->field_count; i++) {
        struct state_field *f = &l->fields[i];
        if (!field_init(f, row->children[i])) {
            state_layout_release(l, mem);
            return err_set(e, E_UNSUPPORTED, "field %u cannot be kept in state", i);
        }
        f->offset = offset;
        offset += f->form >= STATE_WIDE ? 16 : 8;
        l->has_nulls |= f->nullable;
        l->text_count += field_is_text(f);
    }
    l->null_offset = offset;
    l->size = offset + (l->has_nulls ? (uint32_t)ALIGN_UP(l->field_count, 64) / 8 : 0);
    if (l->size > STATE_ROW_BYTES_MAX / 2) {
        uint32_t size = l->size;
        state_layout_release(l, mem);
        return err_set(e, E_UNSUPPORTED, "a row of %u bytes is longer than %d", size, STATE_ROW_BYTES_MAX / 2);
    }
    return S_OK;
}

void state_layout_release(struct state_layout *l, struct mem *mem)
{
    mem_free(mem, l->fields);
    memset(l, 0, sizeof *l);
}

struct str state_text_get(const struct state_table *t, const struct state_text *field)
{
    return stored_text(t->segments, field);
}

void state_text_set(struct state_table *t, int64_t ns, struct state_text *field, struct str value)
{
    stored_text_set(t->segments, table_blocks(t, ns), field, value);
}

/* The column of row i of a call: sel or 0, 1, 2 .. */
static inline uint32_t picked(const uint16_t *sel, uint32_t i) { return sel ? sel[i] : i; }

/* One loop for each physical type; the form of the vector does not change inside. */
#define STORE_LOOP(T, W)                                                                                               \
    for (uint32_t i = 0; i < count; i++)                                                                               \
        if (rows[i]) *(W *)((char *)rows[i] + offset) = (W)((const T *)base->data)[vector_at(v, picked(sel, i))]
#define STORE_WIDE_LOOP()                                                                                              \
    for (uint32_t i = 0; i < count; i++)                                                                               \
        if (rows[i]) memcpy((char *)rows[i] + offset, (const char *)base->data + 16 * (size_t)vector_at(v, picked(sel, i)), 16)

static void store_texts(struct segments *s, struct blocks *b, void *const *rows, uint32_t count, uint32_t offset,
                        const struct vector *v, const uint16_t *sel)
{
    const struct text *values = vector_values(v)->data;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = picked(sel, i);
        if (rows[i] == NULL) continue;
        stored_text_set(s, b, state_text_at(rows[i], offset),
                        vector_is_null(v, row) ? (struct str){"", 0} : text_str(&values[vector_at(v, row)]));
    }
}

static void store_nested(struct state_table *t, struct blocks *b, void *const *rows, uint32_t count, uint32_t offset,
                         const struct vector *v, const uint16_t *sel)
{
    struct buf bytes;

    buf_init(&bytes, t->host->mem);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = picked(sel, i);
        if (rows[i] == NULL) continue;
        buf_clear(&bytes);
        if (!vector_is_null(v, row)) nested_encode(v, row, &bytes);
        stored_text_set(t->segments, b, state_text_at(rows[i], offset), (struct str){bytes.data, bytes.size});
    }
    buf_release(&bytes);
}

static void store_nulls(const struct state_layout *l, void *const *rows, uint32_t count, uint32_t field,
                        const struct vector *v, const uint16_t *sel)
{
    const struct state_field *f = &l->fields[field];

    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] == NULL) continue;
        if (!vector_is_null(v, picked(sel, i))) {
            state_set_valid(l, rows[i], field);
            continue;
        }
        state_set_null(l, rows[i], field);
        if (!field_is_text(f)) memset((char *)rows[i] + f->offset, 0, f->form == STATE_WIDE ? 16 : 8);
    }
}

void state_rows_store(struct state_table *t, int64_t ns, void *const *rows, uint32_t count, uint32_t field,
                      const struct vector *v, const uint16_t *sel)
{
    const struct state_field *f = &t->value.fields[field];
    const struct vector *base = vector_values(v);
    uint32_t offset = f->offset;

    ASSERT(t->pack == NULL && field < t->value.field_count && v->form != VEC_ABSENT);
    ASSERT(f->phys == base->phys);
    switch (f->phys) {
    case P_BOOL: STORE_LOOP(uint8_t, int64_t); break;
    case P_I8: STORE_LOOP(int8_t, int64_t); break;
    case P_I16: STORE_LOOP(int16_t, int64_t); break;
    case P_I32: STORE_LOOP(int32_t, int64_t); break;
    case P_I64: STORE_LOOP(int64_t, int64_t); break;
    case P_F32: STORE_LOOP(float, double); break;
    case P_F64: STORE_LOOP(double, double); break;
    case P_STR: store_texts(t->segments, table_blocks(t, ns), rows, count, offset, v, sel); break;
    case P_LIST:
    case P_ROW: store_nested(t, table_blocks(t, ns), rows, count, offset, v, sel); break;
    default: STORE_WIDE_LOOP(); break;
    }
    if (f->nullable) store_nulls(&t->value, rows, count, field, v, sel);
}

#define LOAD_LOOP(T, W)                                                                                                \
    for (uint32_t i = 0; i < count; i++)                                                                               \
        if (rows[i]) ((T *)v->data)[first + i] = (T)*(const W *)((const char *)rows[i] + offset)
#define LOAD_WIDE_LOOP()                                                                                               \
    for (uint32_t i = 0; i < count; i++)                                                                               \
        if (rows[i]) memcpy((char *)v->data + 16 * (size_t)(first + i), (const char *)rows[i] + offset, 16)

/* Long strings lie anywhere: those of rows to come are fetched. */
static inline __attribute__((always_inline)) void fetch_text(const struct segments *s, const void *const *rows, uint32_t i, uint32_t count, uint32_t offset)
{
    const struct state_text *text;

    if (i >= count || rows[i] == NULL) return;
    text = (const struct state_text *)((const char *)rows[i] + offset);
    if (text->size > TEXT_INLINE) __builtin_prefetch(block_at(s, (struct state_ref){text->segment, text->offset}));
}

static void load_texts(const struct segments *s, const void *const *rows, uint32_t count, uint32_t offset, struct vector *v,
                       uint32_t first, struct text_heap *heap)
{
    for (uint32_t i = 0; i < count; i++) {
        struct str value;
        fetch_text(s, rows, i + TEXTS_AHEAD, count, offset);
        if (rows[i] == NULL) continue;
        value = stored_text(s, (const struct state_text *)((const char *)rows[i] + offset));
        ((struct text *)v->data)[first + i] = text_put(heap, value.data, value.size);
    }
}

static void load_nested(const struct state_layout *l, const struct segments *s, const void *const *rows, uint32_t count,
                        uint32_t field, struct vector *v, uint32_t first, struct text_heap *heap, struct mem *mem)
{
    uint32_t offset = l->fields[field].offset;

    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] == NULL || state_is_null(l, rows[i], field)) continue;
        nested_decode(stored_text(s, (const struct state_text *)((const char *)rows[i] + offset)), v, first + i, heap, mem);
    }
}

static void load_nulls(const struct state_layout *l, const void *const *rows, uint32_t count, uint32_t field, struct vector *v,
                       uint32_t first)
{
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] == NULL || state_is_null(l, rows[i], field)) {
            vector_set_null(v, first + i);
        } else if (v->validity) {
            bit_set(v->validity, first + i);
        }
    }
}

/* Shared by value rows and map or sort keys. */
static void layout_load(const struct state_table *t, const struct state_layout *l, const void *const *rows, uint32_t count,
                        uint32_t field, struct vector *v, uint32_t first, struct text_heap *heap, struct mem *mem)
{
    const struct state_field *f = &l->fields[field];
    uint32_t offset = f->offset;

    ASSERT(field < l->field_count && v->form == VEC_FLAT && first + count <= v->capacity);
    ASSERT(f->phys == v->phys);
    switch (f->phys) {
    case P_BOOL: LOAD_LOOP(uint8_t, int64_t); break;
    case P_I8: LOAD_LOOP(int8_t, int64_t); break;
    case P_I16: LOAD_LOOP(int16_t, int64_t); break;
    case P_I32: LOAD_LOOP(int32_t, int64_t); break;
    case P_I64: LOAD_LOOP(int64_t, int64_t); break;
    case P_F32: LOAD_LOOP(float, double); break;
    case P_F64: LOAD_LOOP(double, double); break;
    case P_STR: load_texts(t->segments, rows, count, offset, v, first, heap); break;
    case P_LIST:
    case P_ROW: load_nested(l, t->segments, rows, count, field, v, first, heap, mem); break;
    default: LOAD_WIDE_LOOP(); break;
    }
    load_nulls(l, rows, count, field, v, first);
}

void state_rows_load(const struct state_table *t, const void *const *rows, uint32_t count, uint32_t field, struct vector *v,
                     uint32_t first, struct text_heap *heap, struct mem *mem)
{
    if (t->pack != NULL) pack_load(t->pack, rows, count, field, v, first);
    else layout_load(t, &t->value, rows, count, field, v, first, heap, mem);
}

void state_extra_load(const struct state_table *t, const void *const *rows, uint32_t count, uint32_t field, struct vector *v,
                      uint32_t first, struct text_heap *heap, struct mem *mem)
{
    const void *extra[BATCH_ROWS];

    ASSERT(count <= BATCH_ROWS && t->extra.size > 0);
    for (uint32_t i = 0; i < count; i++) extra[i] = rows[i] != NULL ? (const char *)rows[i] - t->extra.size : NULL;
    layout_load(t, &t->extra, extra, count, field, v, first, heap, mem);
}
