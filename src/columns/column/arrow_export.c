/* arrow_export.c - the selected rows of a batch as an Arrow struct array of copies.
 *
 * Each column is written by recursion over its type from a list of row numbers, so that selections, constants and
 * dictionaries need no step of their own: they only change the numbers. A list column makes the list of its elements'
 * row numbers for its child. Row kinds, event times and the watermark have no place in Arrow and stay behind.
 *
 * Every node owns its buffers, because a consumer may move children away. A node is releasable from the moment it
 * exists: an export that fails half-way (a timestamp that nanoseconds cannot hold) releases what it has made. */
#include "columns/column/arrow_layout.h"
#include "columns/column/timestamp.h"
#include "columns/column/vector_internal.h"

#include "ground/base/mem.h"

enum { BUFFERS_MAX = 3, ALIGNMENT = 64, NS_PER_MS = 1000000 };

struct array_owner {
    struct mem *mem;
    const void *buffers[BUFFERS_MAX];
};

struct export {
    struct mem *mem;
    struct err *e;
};

/* The rows of a vector that holds values itself; rows NULL = 0..n-1. */
struct picked {
    const struct vector *v;
    const uint32_t *rows;
    uint32_t n;
};

static inline uint32_t picked_row(const struct picked *p, uint32_t i)
{
    return p->rows ? p->rows[i] : i;
}

static inline bool picked_valid(const struct picked *p, uint32_t i)
{
    return !p->v->validity || bit_get(p->v->validity, picked_row(p, i));
}

static void array_release(struct ArrowArray *a)
{
    struct array_owner *owner = a->private_data;
    struct mem *mem = owner->mem;

    for (int64_t i = 0; i < a->n_children; i++) {
        if (a->children[i]->release) a->children[i]->release(a->children[i]); /* not when it was moved away */
        mem_free(mem, a->children[i]);
    }
    mem_free(mem, a->children);
    for (int i = 0; i < BUFFERS_MAX; i++) mem_free(mem, (void *)owner->buffers[i]);
    mem_free(mem, owner);
    a->release = NULL;
}

static void array_init(struct export *x, struct ArrowArray *a, uint32_t length, int buffers, uint32_t children)
{
    struct array_owner *owner = mem_zalloc(x->mem, sizeof *owner);

    owner->mem = x->mem;
    *a = (struct ArrowArray){.length = length, .n_buffers = buffers, .n_children = children, .buffers = owner->buffers,
                             .release = array_release, .private_data = owner};
    if (children) a->children = mem_zalloc(x->mem, children * sizeof(struct ArrowArray *));
    for (uint32_t i = 0; i < children; i++) a->children[i] = mem_zalloc(x->mem, sizeof(struct ArrowArray));
}

/* A cleared buffer of the array; at least one byte, so that no consumer meets a NULL where it wants offsets. */
static void *buffer_make(struct export *x, struct ArrowArray *a, int index, size_t size)
{
    struct array_owner *owner = a->private_data;
    size_t padded = ALIGN_UP(size + 1, (size_t)ALIGNMENT);
    void *p = mem_alloc_aligned(x->mem, padded, ALIGNMENT);

    memset(p, 0, padded);
    owner->buffers[index] = p;
    return p;
}

static void validity_export(struct export *x, const struct picked *p, struct ArrowArray *a)
{
    uint64_t *bits;

    if (!p->v->validity) return;
    bits = buffer_make(x, a, 0, (p->n + 63) / 64 * sizeof(uint64_t));
    for (uint32_t i = 0; i < p->n; i++) {
        bool valid = picked_valid(p, i);
        bits[i >> 6] |= (uint64_t)valid << (i & 63);
        a->null_count += !valid;
    }
}

/* ---- values of fixed width */

#define EXPORT_LOOP(name, T, From)                                                                                     \
    static void name(const struct picked *p, void *out)                                                                \
    {                                                                                                                  \
        T *restrict to = out;                                                                                          \
        const From *restrict from = p->v->data;                                                                        \
        for (uint32_t i = 0; i < p->n; i++) to[i] = (T)from[picked_row(p, i)];                                         \
    }

EXPORT_LOOP(export_8, uint8_t, uint8_t)
EXPORT_LOOP(export_16, uint16_t, uint16_t)
EXPORT_LOOP(export_32, uint32_t, uint32_t)
EXPORT_LOOP(export_64, uint64_t, uint64_t)
EXPORT_LOOP(export_128, int128, int128)
EXPORT_LOOP(export_widened, int128, int64_t)

static void bool_export(const struct picked *p, uint64_t *bits)
{
    for (uint32_t i = 0; i < p->n; i++) {
        bits[i >> 6] |= (uint64_t)(VECTOR_VALUES(p->v, uint8_t)[picked_row(p, i)] != 0) << (i & 63);
    }
}

/* {ms, ns} as nanoseconds in 64 bits: 1677-09-21 to 2262-04-11. */
static enum status ns_export(struct export *x, const struct picked *p, int64_t *to)
{
    for (uint32_t i = 0; i < p->n; i++) {
        struct ts96 t = VECTOR_VALUES(p->v, struct ts96)[picked_row(p, i)];
        int128 ns = (int128)t.ms * NS_PER_MS + t.ns;
        if (!picked_valid(p, i)) continue;
        if (ns != (int64_t)ns) {
            struct civil c;
            civil_from_ms(t.ms, &c);
            err_set(x->e, E_OVERFLOW,
                    "row %u: a timestamp of the year %d does not fit Arrow's nanoseconds (years 1677 to 2262)", i,
                    c.year);
            err_hint(x->e, "cast the column to TIMESTAMP(6) first");
            return E_OVERFLOW;
        }
        to[i] = (int64_t)ns;
    }
    return S_OK;
}

static void seconds_export(const struct picked *p, int64_t *to)
{
    for (uint32_t i = 0; i < p->n; i++) {
        int64_t ms = VECTOR_VALUES(p->v, int64_t)[picked_row(p, i)];
        to[i] = ms / 1000 - (ms % 1000 < 0);
    }
}

static enum status fixed_export(struct export *x, const struct picked *p, struct ArrowArray *a)
{
    const struct type *t = p->v->type;
    size_t width = t->kind == T_DECIMAL ? 16 : t->phys == P_TS96 ? 8 : phys_width((enum phys)t->phys);
    void *to = buffer_make(x, a, 1, t->phys == P_BOOL ? (p->n + 63) / 64 * sizeof(uint64_t) : p->n * width);

    if (t->phys == P_TS96) return ns_export(x, p, to);
    if (t->phys == P_BOOL) bool_export(p, to);
    else if ((t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ) && t->precision == 0) seconds_export(p, to);
    else if (t->kind == T_DECIMAL && t->phys == P_I64) export_widened(p, to);
    else if (width == 1) export_8(p, to);
    else if (width == 2) export_16(p, to);
    else if (width == 4) export_32(p, to);
    else if (width == 8) export_64(p, to);
    else export_128(p, to);
    return S_OK;
}

/* ---- strings */

static enum status text_export(struct export *x, const struct picked *p, struct ArrowArray *a)
{
    const struct text *from = p->v->data;
    int32_t *offsets = buffer_make(x, a, 1, (p->n + 1) * sizeof(int32_t));
    uint64_t size = 0;
    char *bytes;

    for (uint32_t i = 0; i < p->n; i++) {
        if (picked_valid(p, i)) size += from[picked_row(p, i)].size;
        if (size > INT32_MAX)
            return err_set(x->e, E_OVERFLOW, "the strings of a batch pass 2 GiB, the most that Arrow's utf8 holds");
        offsets[i + 1] = (int32_t)size;
    }
    bytes = buffer_make(x, a, 2, size);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct text *t = &from[picked_row(p, i)];
        if (offsets[i + 1] > offsets[i]) memcpy(bytes + offsets[i], text_data(t), t->size);
    }
    return S_OK;
}

/* ---- nested values */

static enum status column_export(struct export *x, const struct vector *v, const uint32_t *rows, uint32_t n,
                                 struct ArrowArray *a);

static enum status row_export(struct export *x, const struct picked *p, struct ArrowArray *a)
{
    for (uint32_t i = 0; i < p->v->child_count; i++) {
        TRY(column_export(x, &p->v->children[i], p->rows, p->n, a->children[i]));
    }
    return S_OK;
}

/* The entries of a map: a struct of key and value, without NULL itself. */
static enum status entries_export(struct export *x, const struct vector *v, const uint32_t *rows, uint32_t n,
                                  struct ArrowArray *a)
{
    array_init(x, a, n, 1, 2);
    for (int i = 0; i < 2; i++) TRY(column_export(x, &v->children[i], rows, n, a->children[i]));
    if (a->children[0]->null_count > 0) return err_set(x->e, E_DATA, "a map has a NULL key, which Arrow forbids");
    return S_OK;
}

static enum status list_export(struct export *x, const struct picked *p, struct ArrowArray *a)
{
    const struct list_ref *from = p->v->data;
    int32_t *offsets = buffer_make(x, a, 1, (p->n + 1) * sizeof(int32_t));
    uint64_t total = 0;
    uint32_t *rows, at = 0;
    enum status st;

    for (uint32_t i = 0; i < p->n; i++) {
        if (picked_valid(p, i)) total += from[picked_row(p, i)].count;
        if (total > INT32_MAX)
            return err_set(x->e, E_OVERFLOW,
                           "the lists of a batch pass 2^31 elements, the most that Arrow's list holds");
        offsets[i + 1] = (int32_t)total;
    }
    rows = mem_alloc(x->mem, (total + 1) * sizeof *rows);
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t first = from[picked_row(p, i)].first;
        for (int32_t k = offsets[i]; k < offsets[i + 1]; k++) rows[at++] = first++;
    }
    if (p->v->child_count == 2) st = entries_export(x, p->v, rows, at, a->children[0]);
    else st = column_export(x, &p->v->children[0], rows, at, a->children[0]);
    mem_free(x->mem, rows);
    return st;
}

/* ---- columns */

static enum status picked_export(struct export *x, const struct picked *p, struct ArrowArray *a)
{
    const struct vector *v = p->v;

    if (v->type->kind == T_NULL) {
        array_init(x, a, p->n, 0, 0);
        a->null_count = p->n;
        return S_OK;
    }
    array_init(x, a, p->n, v->phys == P_STR ? 3 : v->phys == P_ROW ? 1 : 2, v->phys == P_LIST ? 1 : v->child_count);
    validity_export(x, p, a);
    switch ((enum phys)v->phys) {
    case P_STR: return text_export(x, p, a);
    case P_LIST: return list_export(x, p, a);
    case P_ROW: return row_export(x, p, a);
    default: return fixed_export(x, p, a);
    }
}

static enum status column_export(struct export *x, const struct vector *v, const uint32_t *rows, uint32_t n,
                                 struct ArrowArray *a)
{
    struct picked p = {vector_values(v), rows, n};
    uint32_t *resolved = NULL;
    enum status st;

    if (v->form == VEC_ABSENT) return err_set(x->e, E_DATA, "the batch does not carry the column: nobody asked for it");
    if (v->form != VEC_FLAT) {
        p.rows = resolved = mem_alloc(x->mem, (n + 1) * sizeof *resolved);
        for (uint32_t i = 0; i < n; i++) resolved[i] = vector_at(v, rows ? rows[i] : i);
    }
    st = picked_export(x, &p, a);
    mem_free(x->mem, resolved);
    return st;
}

enum status arrow_export_batch(const struct batch *b, struct mem *mem, struct ArrowArray *out, struct err *e)
{
    struct export x = {mem, e};
    uint32_t n = batch_rows(b), rows[BATCH_ROWS];
    enum status st = S_OK;

    for (uint32_t i = 0; b->sel && i < n; i++) rows[i] = b->sel[i];
    array_init(&x, out, n, 1, b->col_count);
    for (uint32_t i = 0; i < b->col_count && st == S_OK; i++) {
        st = column_export(&x, &b->cols[i], b->sel ? rows : NULL, n, out->children[i]);
        if (st != S_OK) err_wrap(e, "Arrow export of column '%.200s'", b->schema->names[i]);
    }
    if (st != S_OK) out->release(out);
    return st;
}
