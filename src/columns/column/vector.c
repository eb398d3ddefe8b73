/* vector.c - the life of a column: buffers, growth, validity, constants. Copying is vector_copy.c, ordering
 * vector_compare.c, text vector_print.c.
 *
 * Every buffer a vector will need is made by vector_init, so that filling it allocates nothing; only the children of
 * lists grow, because how many elements come is not known before. Data is zeroed once at creation, therefore an
 * unwritten string is the empty one and never a wild pointer.
 *
 * Invariants: capacity 0 means ABSENT for ever (a column nobody needs), clearing keeps it so. The validity bits of
 * rows that were not written yet are 1 once validity is switched on. A T_NULL vector has validity on and all bits 0.
 * `used` counts only in the direct children of a list. A dictionary is borrowed: clearing and release let go of it. */
#include "columns/column/vector.h"
#include "columns/column/vector_internal.h"

#include "ground/base/mem.h"

enum { BUFFER_ALIGNMENT = 64 };

static size_t validity_words(uint32_t capacity)
{
    return ((size_t)capacity + 63) / 64;
}

static void *buffer_new(struct mem *mem, size_t size)
{
    void *p;

    if (size == 0) return NULL;
    size = ALIGN_UP(size, (size_t)BUFFER_ALIGNMENT); /* kernels may read whole vector registers */
    p = mem_alloc_aligned(mem, size, BUFFER_ALIGNMENT);
    memset(p, 0, size);
    return p;
}

void vector_init(struct vector *v, const struct type *t, uint32_t capacity, struct mem *mem)
{
    ASSERT(capacity > 0);
    ASSERT(t->child_count <= TYPE_FIELDS_MAX);
    *v = (struct vector){.type = t, .form = VEC_FLAT, .phys = t->phys, 
        .child_count = (uint16_t)t->child_count, .capacity = capacity};
    v->data = buffer_new(mem, capacity * phys_width((enum phys)t->phys));
    if (t->nullable) v->validity_space = buffer_new(mem, validity_words(capacity) * sizeof(uint64_t));
    if (t->kind == T_NULL) v->validity = v->validity_space;
    if (t->child_count) v->children = mem_zalloc(mem, t->child_count * sizeof(struct vector));
    for (uint32_t i = 0; i < t->child_count; i++) vector_init(&v->children[i], t->children[i], capacity, mem);
}

void vector_release(struct vector *v, struct mem *mem)
{
    if (v->form != VEC_DICT) {
        for (uint32_t i = 0; i < v->child_count; i++) vector_release(&v->children[i], mem);
        mem_free(mem, v->children);
    }
    mem_free(mem, v->data);
    mem_free(mem, v->validity_space);
    *v = (struct vector){.form = VEC_ABSENT};
}

static void children_clear(struct vector *v)
{
    for (uint32_t i = 0; i < v->child_count; i++) {
        vector_clear(&v->children[i]);
        v->children[i].used = 0;
    }
}

void vector_clear(struct vector *v)
{
    if (v->form == VEC_DICT) {
        v->children = NULL;
        v->child_count = 0;
    }
    v->form = v->capacity ? VEC_FLAT : VEC_ABSENT;
    v->validity = NULL;
    if (v->child_count) children_clear(v);
    if (UNLIKELY(v->phys == P_I8) && v->type->kind == T_NULL) {
        v->validity = v->validity_space;
        if (v->capacity) memset(v->validity, 0, validity_words(v->capacity) * sizeof(uint64_t));
    }
}

void vector_nulls_on(struct vector *v)
{
    if (v->validity) return;
    ASSERT(v->validity_space); /* the type allows NULL */
    v->validity = v->validity_space;
    memset(v->validity, 0xff, validity_words(v->capacity) * sizeof(uint64_t));
}

/* Fields under a NULL row get NULL or zero, so that whoever walks the children meets no stale reference. */
static void fields_reset(struct vector *v, uint32_t row)
{
    for (uint32_t i = 0; i < v->child_count; i++) {
        struct vector *child = &v->children[i];
        if (child->form == VEC_ABSENT) continue;
        size_t width = phys_width((enum phys)child->phys);
        if (child->validity_space) {
            vector_set_null(child, row);
        } else if (child->phys == P_ROW) {
            fields_reset(child, row);
        }
        if (width) memset((char *)child->data + row * width, 0, width);
    }
}

void vector_set_null(struct vector *v, uint32_t row)
{
    ASSERT_ROW(row < v->capacity);
    vector_nulls_on(v);
    bit_clear(v->validity, row);
    if (UNLIKELY(v->phys == P_ROW)) fields_reset(v, row);
}

void vector_set_valid(struct vector *v, uint32_t row)
{
    ASSERT_ROW(row < v->capacity && v->type->kind != T_NULL);
    if (v->validity) bit_set(v->validity, row);
}

static void data_grow(struct vector *v, uint32_t capacity, struct mem *mem)
{
    size_t width = phys_width((enum phys)v->phys);
    void *data = buffer_new(mem, capacity * width);

    if (!data) return;
    memcpy(data, v->data, v->capacity * width);
    mem_free(mem, v->data);
    v->data = data;
}

static void validity_grow(struct vector *v, uint32_t capacity, struct mem *mem)
{
    size_t old_words = validity_words(v->capacity), words = validity_words(capacity);
    uint64_t *space;

    if (!v->validity_space) return;
    space = buffer_new(mem, words * sizeof(uint64_t));
    if (v->validity) {
        memcpy(space, v->validity, old_words * sizeof(uint64_t));
        if (v->type->kind != T_NULL) memset(space + old_words, 0xff, (words - old_words) * sizeof(uint64_t));
        v->validity = space;
    }
    mem_free(mem, v->validity_space);
    v->validity_space = space;
}

/* Makes room for `capacity` values of a FLAT vector, keeping what it holds; fields of rows grow along. */
static void vector_grow(struct vector *v, uint32_t capacity, struct mem *mem)
{
    ASSERT(v->form == VEC_FLAT);
    if (capacity <= v->capacity) return;
    data_grow(v, capacity, mem);
    validity_grow(v, capacity, mem);
    for (uint32_t i = 0; v->phys == P_ROW && i < v->child_count; i++) vector_grow(&v->children[i], capacity, mem);
    v->capacity = capacity;
}

void vector_child_reserve(struct vector *v, uint32_t rows, struct mem *mem)
{
    ASSERT(v->phys == P_LIST && v->form != VEC_DICT);
    ASSERT(rows <= UINT32_MAX / 2);
    for (uint32_t i = 0; i < v->child_count; i++) {
        if (rows > v->children[i].capacity) vector_grow(&v->children[i], MAX(rows, v->children[i].capacity * 2), mem);
    }
}

void vector_make_const(struct vector *v)
{
    ASSERT(v->form == VEC_FLAT || v->form == VEC_CONST);
    v->form = VEC_CONST;
}
