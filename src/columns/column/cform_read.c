/* cform_read.c - values of columns as C values.
 *
 * The idea: elements of fixed width lie in a column as they lie in a C array, so such an array is a view of the column;
 * only strings, nested elements and elements of which one is NULL are laid out anew, in the caller's arena. What is NULL
 * is zero in C, so that nobody meets a stale reference.
 *
 * Invariant: nothing is allocated but from the arena, one piece per array. Not here: how many rows (rowconv.c). */
#include "columns/column/cform.h"

struct reader {
    struct arena *a;
};

/* Elements [first, first + count) of a child of a list. */
struct run {
    const struct vector *v;
    uint32_t first, count;
};

static enum status value_read(struct reader *r, const struct cform *f, const struct vector *v, uint32_t row, char *to);

static bool run_has_nulls(const struct run *run)
{
    if (!vector_values(run->v)->validity) return false;
    for (uint32_t i = 0; i < run->count; i++)
        if (vector_is_null(run->v, run->first + i)) return true;
    return false;
}

static enum status elements_read(struct reader *r, const struct cform *f, const struct run *run, const void **items,
                                 const uint64_t **nulls)
{
    bool has_nulls = run_has_nulls(run);
    uint64_t *bits = NULL;
    char *to;

    *items = NULL;
    *nulls = NULL;
    if (run->count == 0) return S_OK;
    if (!has_nulls && !cform_is_nested(f) && f->type->phys != P_STR && run->v->form == VEC_FLAT) {
        *items = (const char *)run->v->data + (size_t)run->first * f->size;
        return S_OK;
    }
    if (has_nulls) bits = ARENA_ARRAY(r->a, uint64_t, (run->count + 63) / 64);
    *items = to = arena_alloc(r->a, (size_t)run->count * f->size);
    *nulls = bits;
    for (uint32_t i = 0; i < run->count; i++, to += f->size) {
        if (has_nulls && vector_is_null(run->v, run->first + i)) {
            bit_set(bits, i);
            memset(to, 0, f->size);
        } else {
            TRY(value_read(r, f, run->v, run->first + i, to));
        }
    }
    return S_OK;
}

static enum status list_read(struct reader *r, const struct cform *f, const struct vector *base, uint32_t at, char *to)
{
    struct list_ref ref = VECTOR_VALUES(base, struct list_ref)[at];
    struct cform_runs runs = {.count = ref.count};

    for (uint32_t k = 0; k < f->child_count; k++) {
        struct run run = {&base->children[k], ref.first, ref.count};
        TRY(elements_read(r, f->children[k].form, &run, &runs.items[k], &runs.nulls[k]));
    }
    cform_runs_put(f, &runs, to);
    return f->type->kind != T_ARRAY && runs.nulls[0] ? E_DATA : S_OK;
}

static enum status row_read(struct reader *r, const struct cform *f, const struct vector *base, uint32_t at, char *to)
{
    uint64_t mask = 0;

    for (uint32_t i = 0; i < f->child_count; i++) {
        const struct cform *field = f->children[i].form;
        char *place = to + f->children[i].offset;
        if (!vector_is_null(&base->children[i], at)) {
            TRY(value_read(r, field, &base->children[i], at, place));
            continue;
        }
        if (f->null_offset == CFORM_NO_NULLS) return E_DATA;
        mask |= UINT64_C(1) << i;
        memset(place, 0, field->size);
    }
    if (f->null_offset != CFORM_NO_NULLS) memcpy(to + f->null_offset, &mask, sizeof mask);
    return S_OK;
}

static enum status value_read(struct reader *r, const struct cform *f, const struct vector *v, uint32_t row, char *to)
{
    const struct vector *base = vector_values(v);
    uint32_t at = vector_at(v, row);

    ASSERT_ROW(base->phys == f->type->phys);
    switch ((enum phys)base->phys) {
    case P_LIST: return list_read(r, f, base, at, to);
    case P_ROW: return row_read(r, f, base, at, to);
    case P_STR: {
        const struct text *t = &VECTOR_VALUES(base, struct text)[at];
        struct tw_str view = {text_data(t), t->size};
        memcpy(to, &view, sizeof view);
        return S_OK;
    }
    default: memcpy(to, (const char *)base->data + (size_t)at * f->size, f->size); return S_OK;
    }
}

enum status cform_read(const struct cform *f, const struct vector *v, uint32_t row, void *value, struct arena *a)
{
    struct reader r = {a};

    return value_read(&r, f, v, row, value);
}
