/* vector_copy.c - copying rows of one column into another, whatever the form of the source.
 *
 * The rows to take are a `pick`: a run, a list of row numbers, or one row again and again. Constants and dictionaries
 * are turned into picks of the vector that holds the values (a constant is "row 0 again and again", a dictionary's
 * codes are row numbers already), so that below that step only FLAT sources exist. Then validity is copied 64 bits at
 * a time and values by one loop per physical width.
 *
 * Strings: references are copied like any 16-byte value, then the long ones among them move to the target's heap in
 * one reservation. Lists: runs of neighbouring elements are copied at once behind what the child already holds. */
#include "columns/column/vector.h"
#include "columns/column/vector_internal.h"

struct pick {
    const uint16_t *rows; /* NULL = the run first, first + 1, .. */
    uint32_t first;
    bool same; /* `first` every time */
};

struct copy {
    struct text_heap *heap;
    struct mem *mem;
};

struct bytes16 {
    uint64_t low, high;
};

static inline uint32_t pick_row(const struct pick *p, uint32_t i)
{
    return p->rows ? p->rows[i] : p->same ? p->first : p->first + i;
}

static void copy_rows(struct vector *dst, uint32_t at, const struct vector *src, struct pick p, uint32_t n,
                      struct copy *c);

/* ---- validity */

static uint64_t validity_word(const uint64_t *bits, const struct pick *p, uint32_t i, uint32_t count)
{
    uint64_t word = 0;

    if (p->same) return bit_get(bits, p->first) ? ~UINT64_C(0) : 0;
    if (!p->rows) return bits_read(bits, p->first + i, count);
    for (uint32_t k = 0; k < count; k++) word |= (uint64_t)bit_get(bits, p->rows[i + k]) << k;
    return word;
}

static void validity_copy(struct vector *dst, uint32_t at, const struct vector *src, const struct pick *p, uint32_t n)
{
    if (!src->validity) {
        if (dst->validity) bits_fill(dst->validity, at, n, true);
        return;
    }
    for (uint32_t i = 0, count; i < n; i += count) {
        count = MIN(n - i, 64u);
        uint64_t word = validity_word(src->validity, p, i, count);
        if (!dst->validity && (word & bits_mask(count)) == bits_mask(count)) continue;
        vector_nulls_on(dst);
        bits_write(dst->validity, at + i, count, word);
    }
}

/* ---- values of fixed width */

#define COPY_LOOP(name, T)                                                                                             \
    static void name(void *restrict to_any, const void *restrict from_any, const struct pick *p, uint32_t n)          \
    {                                                                                                                  \
        T *restrict to = to_any;                                                                                       \
        const T *restrict from = from_any;                                                                             \
        const uint16_t *restrict rows = p->rows;                                                                       \
        if (rows) {                                                                                                    \
            for (uint32_t i = 0; i < n; i++) to[i] = from[rows[i]];                                                    \
        } else if (p->same) {                                                                                          \
            T value = from[p->first];                                                                                  \
            for (uint32_t i = 0; i < n; i++) to[i] = value;                                                            \
        } else {                                                                                                       \
            memcpy(to, from + p->first, n * sizeof(T));                                                                \
        }                                                                                                              \
    }

COPY_LOOP(copy_8, uint8_t)
COPY_LOOP(copy_16, uint16_t)
COPY_LOOP(copy_32, uint32_t)
COPY_LOOP(copy_64, uint64_t)
COPY_LOOP(copy_128, struct bytes16)

static void fixed_copy(struct vector *dst, uint32_t at, const struct vector *src, const struct pick *p, uint32_t n)
{
    char *to = dst->data;

    switch (phys_width((enum phys)dst->phys)) {
    case 1: copy_8(to + at, src->data, p, n); break;
    case 2: copy_16(to + (size_t)at * 2, src->data, p, n); break;
    case 4: copy_32(to + (size_t)at * 4, src->data, p, n); break;
    case 8: copy_64(to + (size_t)at * 8, src->data, p, n); break;
    default: copy_128(to + (size_t)at * 16, src->data, p, n); break;
    }
}

/* ---- strings */

/* What stands in the references of NULL rows may be anything: make them empty before they are looked at. */
static void nulls_to_empty(struct vector *dst, uint32_t at, uint32_t n)
{
    struct text *to = VECTOR_VALUES(dst, struct text) + at;

    for (uint32_t i = 0, count; i < n; i += count) {
        count = MIN(n - i, 64u);
        uint64_t nulls = ~bits_read(dst->validity, at + i, count) & bits_mask(count);
        for (; nulls; nulls &= nulls - 1) to[i + (uint32_t)__builtin_ctzll(nulls)] = (struct text){.size = 0};
    }
}

static void text_copy(struct vector *dst, uint32_t at, const struct vector *src, const struct pick *p, uint32_t n,
                      struct copy *c)
{
    struct text *restrict to = VECTOR_VALUES(dst, struct text) + at;
    size_t far = 0;
    char *bytes;

    copy_128(to, src->data, p, n);
    if (src->validity && dst->validity) nulls_to_empty(dst, at, n);
    if (c->heap == NULL) return;
    for (uint32_t i = 0; i < n; i++) far += to[i].size > TEXT_INLINE ? to[i].size : 0;
    if (far == 0) return;
    bytes = text_reserve(c->heap, far);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size = to[i].size;
        if (size <= TEXT_INLINE) continue;
        memcpy(bytes, to[i].far, size);
        to[i].far = bytes;
        bytes += size;
    }
}

/* ---- nested values */

static void elements_copy(struct vector *dst, uint32_t at, const struct vector *src, struct list_ref run,
                          struct copy *c)
{
    if (run.count == 0) return;
    for (uint32_t k = 0; k < dst->child_count; k++) {
        copy_rows(&dst->children[k], at, &src->children[k], (struct pick){.first = run.first}, run.count, c);
    }
}

static uint64_t elements_total(const struct vector *src, const struct pick *p, uint32_t n)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = pick_row(p, i);
        if (!src->validity || bit_get(src->validity, row)) total += VECTOR_VALUES(src, struct list_ref)[row].count;
    }
    return total;
}

static void list_copy(struct vector *dst, uint32_t at, const struct vector *src, const struct pick *p, uint32_t n,
                      struct copy *c)
{
    struct list_ref *to = VECTOR_VALUES(dst, struct list_ref) + at;
    uint32_t used = dst->children[0].used, copied = used;
    uint64_t total = elements_total(src, p, n);
    struct list_ref run = {0, 0};

    ASSERT(used + total <= UINT32_MAX / 2);
    vector_child_reserve(dst, used + (uint32_t)total, c->mem);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = pick_row(p, i);
        bool valid = !src->validity || bit_get(src->validity, row);
        struct list_ref from = valid ? VECTOR_VALUES(src, struct list_ref)[row] : (struct list_ref){0, 0};

        to[i] = (struct list_ref){used, from.count};
        used += from.count;
        if (from.count == 0) continue;
        if (from.first != run.first + run.count) {
            elements_copy(dst, copied, src, run, c);
            copied += run.count;
            run = (struct list_ref){from.first, 0};
        }
        run.count += from.count;
    }
    elements_copy(dst, copied, src, run, c);
    for (uint32_t k = 0; k < dst->child_count; k++) dst->children[k].used = used;
}

/* ---- one column */

static void flat_copy(struct vector *dst, uint32_t at, const struct vector *src, const struct pick *p, uint32_t n,
                      struct copy *c)
{
    validity_copy(dst, at, src, p, n);
    switch ((enum phys)dst->phys) {
    case P_STR: text_copy(dst, at, src, p, n, c); break;
    case P_LIST: list_copy(dst, at, src, p, n, c); break;
    case P_ROW:
        for (uint32_t k = 0; k < dst->child_count; k++) copy_rows(&dst->children[k], at, &src->children[k], *p, n, c);
        break;
    default: fixed_copy(dst, at, src, p, n); break;
    }
}

static void dict_copy(struct vector *dst, uint32_t at, const struct vector *src, const struct pick *p, uint32_t n,
                      struct copy *c)
{
    const uint16_t *codes = src->data;
    uint16_t rows[256];
    struct pick picked = {.rows = rows};

    if (p->same) {
        picked = (struct pick){.first = codes[p->first], .same = true};
        flat_copy(dst, at, &src->children[0], &picked, n, c);
        return;
    }
    if (!p->rows) {
        picked.rows = codes + p->first;
        flat_copy(dst, at, &src->children[0], &picked, n, c);
        return;
    }
    for (uint32_t i = 0, count; i < n; i += count) {
        count = MIN(n - i, (uint32_t)COUNT_OF(rows));
        for (uint32_t k = 0; k < count; k++) rows[k] = codes[p->rows[i + k]];
        flat_copy(dst, at + i, &src->children[0], &picked, count, c);
    }
}

static void copy_rows(struct vector *dst, uint32_t at, const struct vector *src, struct pick p, uint32_t n,
                      struct copy *c)
{
    if (n == 0 || dst->form == VEC_ABSENT || src->form == VEC_ABSENT) return;
    ASSERT(dst->form == VEC_FLAT && dst->phys == src->phys);
    ASSERT(at + n <= dst->capacity);
    if (src->form == VEC_DICT) {
        dict_copy(dst, at, src, &p, n, c);
        return;
    }
    if (src->form == VEC_CONST) p = (struct pick){.same = true};
    flat_copy(dst, at, src, &p, n, c);
}

void vector_copy(struct vector *dst, uint32_t dst_first, const struct vector *src, const uint16_t *rows, uint32_t n,
                 struct text_heap *heap, struct mem *mem)
{
    struct copy c = {heap, mem};

    copy_rows(dst, dst_first, src, (struct pick){.rows = rows}, n, &c);
}

void vector_copy_run(struct vector *dst, uint32_t dst_first, const struct vector *src, uint32_t first, uint32_t n,
                     struct text_heap *heap, struct mem *mem)
{
    struct copy c = {heap, mem};

    copy_rows(dst, dst_first, src, (struct pick){.first = first}, n, &c);
}
