/* cform_write.c - C values into columns, checked before and copied where they must outlive the call.
 *
 * C values come from the user: cform_check looks at everything that can be wrong with one, so that writing and copying
 * cannot fail, but for a column that gets too many elements altogether. Elements of fixed width go into the column in one
 * copy, all others one by one.
 *
 * Invariant: what stands in place of a NULL is never looked at. */
#include "columns/column/cform.h"
#include "columns/column/vector_internal.h"

struct writer {
    struct text_heap *heap;
    struct mem *mem;
};

/* ---- checking */

struct checker {
    const char **why;
    uint64_t elements; /* so far: a small array of arrays may stand for a huge value when they share their items */
};

static enum status value_check(struct checker *c, const struct cform *f, const void *value);

static enum status fault(struct checker *c, const char *text)
{
    *c->why = text;
    return E_DATA;
}

static enum status list_check(struct checker *c, const struct cform *f, const void *value)
{
    struct cform_runs r = cform_runs_get(f, value);

    c->elements += r.count;
    if (c->elements > CFORM_ELEMENTS_MAX) return fault(c, "an array or map has more than 16777216 elements");
    for (uint32_t k = 0; k < f->child_count && r.count > 0; k++) {
        const struct cform *element = f->children[k].form;
        const char *at = r.items[k];
        bool is_plain = !cform_is_nested(element) && element->type->phys != P_STR;
        if (at == NULL)
            return fault(c, "an array or map has a count, but no elements: items, keys or values is NULL");
        if (is_plain && r.nulls[k] == NULL) continue;
        for (uint32_t i = 0; i < r.count; i++, at += element->size) {
            if (!cform_null(r.nulls[k], i))
                TRY(value_check(c, element, at));
            else if (!element->type->nullable)
                return fault(c, "an element is NULL, but its type says NOT NULL");
        }
    }
    return S_OK;
}

static enum status row_check(struct checker *c, const struct cform *f, const void *value)
{
    for (uint32_t i = 0; i < f->child_count; i++) {
        const struct cform *field = f->children[i].form;
        if (!cform_field_null(f, value, i))
            TRY(value_check(c, field, (const char *)value + f->children[i].offset));
        else if (!field->type->nullable)
            return fault(c, "a field is NULL, but its type says NOT NULL");
    }
    return S_OK;
}

static enum status value_check(struct checker *c, const struct cform *f, const void *value)
{
    struct tw_str s;

    switch ((enum phys)f->type->phys) {
    case P_LIST: return list_check(c, f, value);
    case P_ROW: return row_check(c, f, value);
    case P_STR:
        memcpy(&s, value, sizeof s);
        if (s.size > INT32_MAX) return fault(c, "a string is longer than 2147483647 bytes");
        if (s.size > 0 && s.data == NULL) return fault(c, "a string has a size, but its data is NULL");
        return S_OK;
    default: return S_OK;
    }
}

enum status cform_check(const struct cform *f, const void *value, const char **why)
{
    struct checker c = {.why = why};

    return value_check(&c, f, value);
}

/* ---- copying */

static const void *elements_hold(const struct cform *f, const void *items, const uint64_t *nulls, uint32_t count,
                                 struct arena *a)
{
    char *copy;

    if (count == 0) return NULL;
    copy = arena_alloc(a, (size_t)count * f->size);
    memcpy(copy, items, (size_t)count * f->size);
    if (!cform_is_nested(f) && f->type->phys != P_STR) return copy;
    for (uint32_t i = 0; i < count; i++)
        if (!cform_null(nulls, i)) cform_hold(f, copy + (size_t)i * f->size, a);
    return copy;
}

static const uint64_t *nulls_hold(const uint64_t *nulls, uint32_t count, struct arena *a)
{
    size_t size = (size_t)(count + 63) / 64 * sizeof *nulls;

    if (nulls == NULL || count == 0) return NULL;
    return memcpy(arena_alloc(a, size), nulls, size);
}

static void list_hold(const struct cform *f, void *value, struct arena *a)
{
    struct cform_runs r = cform_runs_get(f, value);

    for (uint32_t k = 0; k < f->child_count; k++) {
        r.items[k] = elements_hold(f->children[k].form, r.items[k], r.nulls[k], r.count, a);
        r.nulls[k] = nulls_hold(r.nulls[k], r.count, a);
    }
    cform_runs_put(f, &r, value);
}

void cform_hold(const struct cform *f, void *value, struct arena *a)
{
    struct tw_str s;

    switch ((enum phys)f->type->phys) {
    case P_LIST: list_hold(f, value, a); break;
    case P_ROW:
        for (uint32_t i = 0; i < f->child_count; i++)
            if (!cform_field_null(f, value, i))
                cform_hold(f->children[i].form, (char *)value + f->children[i].offset, a);
        break;
    case P_STR:
        memcpy(&s, value, sizeof s);
        if (s.size == 0) break;
        s.data = memcpy(arena_alloc(a, s.size), s.data, s.size);
        memcpy(value, &s, sizeof s);
        break;
    default: break;
    }
}

/* ---- writing */

static enum status value_write(struct writer *w, const struct cform *f, const char *from, struct vector *v, uint32_t at);

static enum status elements_write(struct writer *w, const struct cform *f, const char *from, const uint64_t *nulls,
                                  uint32_t count, struct vector *v, uint32_t first)
{
    if (v->validity) bits_fill(v->validity, first, count, true);
    if (!cform_is_nested(f) && f->type->phys != P_STR)
        memcpy((char *)v->data + (size_t)first * f->size, from, (size_t)count * f->size);
    else
        for (uint32_t i = 0; i < count; i++)
            if (!cform_null(nulls, i)) TRY(value_write(w, f, from + (size_t)i * f->size, v, first + i));
    for (uint32_t i = 0; nulls && i < count; i++)
        if (cform_null(nulls, i)) cform_write_null(v, first + i);
    return S_OK;
}

static enum status list_write(struct writer *w, const struct cform *f, const char *from, struct vector *v, uint32_t at)
{
    struct cform_runs r = cform_runs_get(f, from);
    uint32_t first = v->children[0].used;

    if ((uint64_t)first + r.count > INT32_MAX) return E_DATA;
    vector_child_reserve(v, first + r.count, w->mem);
    for (uint32_t k = 0; k < f->child_count; k++) v->children[k].used = first + r.count;
    VECTOR_VALUES(v, struct list_ref)[at] = (struct list_ref){first, r.count};
    for (uint32_t k = 0; k < f->child_count && r.count > 0; k++)
        TRY(elements_write(w, f->children[k].form, r.items[k], r.nulls[k], r.count, &v->children[k], first));
    return S_OK;
}

static enum status row_write(struct writer *w, const struct cform *f, const char *from, struct vector *v, uint32_t at)
{
    for (uint32_t i = 0; i < f->child_count; i++) {
        struct vector *child = &v->children[i];
        if (child->form == VEC_ABSENT) continue;
        if (cform_field_null(f, from, i)) {
            cform_write_null(child, at);
        } else {
            if (child->validity) bit_set(child->validity, at);
            TRY(value_write(w, f->children[i].form, from + f->children[i].offset, child, at));
        }
    }
    return S_OK;
}

static enum status value_write(struct writer *w, const struct cform *f, const char *from, struct vector *v, uint32_t at)
{
    struct tw_str s;

    ASSERT_ROW(v->form == VEC_FLAT && v->phys == f->type->phys && at < v->capacity);
    switch ((enum phys)v->phys) {
    case P_LIST: return list_write(w, f, from, v, at);
    case P_ROW: return row_write(w, f, from, v, at);
    case P_STR:
        memcpy(&s, from, sizeof s);
        VECTOR_VALUES(v, struct text)[at] = text_put(w->heap, s.size ? s.data : "", s.size);
        return S_OK;
    default: memcpy((char *)v->data + (size_t)at * f->size, from, f->size); return S_OK;
    }
}

/* Zero as well: who walks lists or strings without looking at validity meets empty ones. */
void cform_write_null(struct vector *v, uint32_t at)
{
    size_t width = phys_width((enum phys)v->phys);

    if (width) memset((char *)v->data + (size_t)at * width, 0, width);
    vector_set_null(v, at);
}

enum status cform_write(const struct cform *f, const void *value, struct vector *v, uint32_t at, struct text_heap *heap,
                        struct mem *mem)
{
    struct writer w = {heap, mem};

    return value_write(&w, f, value, v, at);
}
