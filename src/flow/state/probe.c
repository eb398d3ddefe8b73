/* probe.c - rows outside any table, filled from columns: what is looked for or to be appended.
 *
 * The idea: the columns of a batch are turned into rows once, field by field, in the layout that the table uses; then
 * comparing and copying work on rows. Long strings stay where they are (in the batch), only nested values are encoded.
 *
 * Invariants: fields that are NULL are zero, unused bytes of strings are zero, every NaN is the same NaN.
 * Not here: anything about tables. */
#include "flow/state/rowops.h"

enum status state_probe_init(struct state_probe *p, const struct type *row, struct mem *mem, struct err *e)
{
    *p = (struct state_probe){.mem = mem};
    buf_init(&p->bytes, mem);
    return state_layout_init(&p->layout, row, mem, e);
}

void state_probe_release(struct state_probe *p)
{
    if (p->mem == NULL) return;
    state_layout_release(&p->layout, p->mem);
    mem_free(p->mem, p->rows);
    buf_release(&p->bytes);
    *p = (struct state_probe){0};
}

static inline uint32_t picked(const uint16_t *sel, uint32_t i) { return sel ? sel[i] : i; }

#define PROBE_LOOP(T, W)                                                                                               \
    for (uint32_t i = 0; i < count; i++) *(W *)(to + i * size) = (W)((const T *)base->data)[vector_at(v, picked(sel, i))]
#define PROBE_REAL_LOOP(T)                                                                                             \
    for (uint32_t i = 0; i < count; i++) {                                                                             \
        double x = (double)((const T *)base->data)[vector_at(v, picked(sel, i))];                                      \
        *(double *)(to + i * size) = x != x ? __builtin_nan("") : x;                                                   \
    }
#define PROBE_WIDE_LOOP()                                                                                              \
    for (uint32_t i = 0; i < count; i++)                                                                               \
        memcpy(to + i * size, (const char *)base->data + 16 * (size_t)vector_at(v, picked(sel, i)), 16)

/* The bytes may move while they grow: references hold offsets until the last is encoded. */
static void probe_nested(struct state_probe *p, char *to, const struct vector *v, const uint16_t *sel, uint32_t count)
{
    size_t size = p->layout.size;

    for (uint32_t i = 0; i < count; i++) {
        struct text *t = (struct text *)(to + i * size);
        size_t start = p->bytes.size;
        memset(t, 0, sizeof *t);
        if (vector_is_null(v, picked(sel, i))) continue;
        nested_encode_key(v, picked(sel, i), &p->bytes);
        t->size = (uint32_t)(p->bytes.size - start);
        t->far = (const char *)(uintptr_t)start;
    }
}

static void nested_settle(struct state_probe *p, char *to, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct text *t = (struct text *)(to + i * (size_t)p->layout.size);
        if (t->size) *t = text_view(p->bytes.data + (uintptr_t)t->far, t->size);
    }
}

static void probe_texts(struct state_probe *p, char *to, const struct vector *v, const uint16_t *sel, uint32_t count)
{
    const struct text *values = vector_values(v)->data;
    size_t size = p->layout.size;

    for (uint32_t i = 0; i < count; i++) {
        const struct text *from = &values[vector_at(v, picked(sel, i))];
        struct text *t = (struct text *)(to + i * size);
        if (vector_is_null(v, picked(sel, i))) {
            memset(t, 0, sizeof *t);
        } else {
            *t = text_view(text_data(from), from->size);
        }
    }
}

static void probe_nulls(struct state_probe *p, uint32_t field, const struct vector *v, const uint16_t *sel, uint32_t count)
{
    const struct state_field *f = &p->layout.fields[field];

    if (vector_values(v)->validity == NULL) return;
    for (uint32_t i = 0; i < count; i++) {
        if (!vector_is_null(v, picked(sel, i))) continue;
        ASSERT(f->nullable);
        state_set_null(&p->layout, state_probe_at(p, i), field);
        memset((char *)state_probe_at(p, i) + f->offset, 0, f->form >= STATE_WIDE ? 16 : 8);
    }
}

static void probe_field(struct state_probe *p, uint32_t field, const struct vector *v, const uint16_t *sel, uint32_t count)
{
    const struct vector *base = vector_values(v);
    size_t size = p->layout.size;
    char *to = p->rows + p->layout.fields[field].offset;

    ASSERT(p->layout.fields[field].phys == base->phys && v->form != VEC_ABSENT);
    switch (base->phys) {
    case P_BOOL: PROBE_LOOP(uint8_t, int64_t); break;
    case P_I8: PROBE_LOOP(int8_t, int64_t); break;
    case P_I16: PROBE_LOOP(int16_t, int64_t); break;
    case P_I32: PROBE_LOOP(int32_t, int64_t); break;
    case P_I64: PROBE_LOOP(int64_t, int64_t); break;
    case P_F32: PROBE_REAL_LOOP(float); break;
    case P_F64: PROBE_REAL_LOOP(double); break;
    case P_STR: probe_texts(p, to, v, sel, count); break;
    case P_LIST:
    case P_ROW: probe_nested(p, to, v, sel, count); break;
    default: PROBE_WIDE_LOOP(); break;
    }
    probe_nulls(p, field, v, sel, count);
}

void state_probe_fill(struct state_probe *p, const struct batch *b, const uint32_t *cols, const uint16_t *sel, uint32_t count)
{
    const struct state_layout *l = &p->layout;

    if (count > p->capacity) {
        p->rows = mem_realloc(p->mem, p->rows, MAX((size_t)count * l->size, (size_t)16));
        p->capacity = count;
    }
    p->count = count;
    buf_clear(&p->bytes);
    if (l->has_nulls) memset(p->rows, 0, (size_t)count * l->size);
    for (uint32_t f = 0; f < l->field_count; f++) probe_field(p, f, &b->cols[cols ? cols[f] : f], sel, count);
    for (uint32_t f = 0; f < l->field_count; f++) {
        if (l->fields[f].form == STATE_NESTED) nested_settle(p, p->rows + l->fields[f].offset, count);
    }
}
