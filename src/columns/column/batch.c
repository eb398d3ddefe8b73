/* batch.c - the life of a batch, and moving rows between batches.
 *
 * All buffers are made at creation and stay; clearing touches only headers of columns, so a pool of shells runs
 * without allocation. Kinds and times are off until the first row needs them: most streams are inserts, and inner
 * operators often carry no event time.
 *
 * A batch never hands out its buffers: batch_append copies, batch_swap exchanges whole contents of two batches of one
 * mem. Hashing is batch_hash.c, conversion to C structs rowconv.c. */
#include "columns/column/batch.h"

#include "ground/base/mem.h"

static bool column_needed(const uint64_t *needed, uint32_t col)
{
    return !needed || bit_get(needed, col);
}

struct batch *batch_create_needed(const struct type *schema, const uint64_t *needed, uint32_t capacity, struct mem *mem)
{
    struct batch *b = mem_zalloc(mem, sizeof(struct batch));

    ASSERT(schema->kind == T_ROW);
    ASSERT(capacity > 0 && capacity <= BATCH_ROWS);
    b->schema = schema;
    b->capacity = capacity;
    b->col_count = schema->child_count;
    b->mem = mem;
    b->watermark = TIME_MIN;
    b->cols = mem_zalloc(mem, MAX(b->col_count, 1u) * sizeof(struct vector));
    b->kinds_space = mem_zalloc(mem, capacity);
    b->times_space = mem_zalloc(mem, capacity * sizeof(int64_t));
    text_heap_init(&b->heap, mem);
    for (uint32_t i = 0; i < b->col_count; i++) {
        const struct type *t = schema->children[i];
        if (column_needed(needed, i)) {
            vector_init(&b->cols[i], t, capacity, mem);
        } else {
            b->cols[i] = (struct vector){.type = t, .form = VEC_ABSENT, .phys = t->phys};
        }
    }
    return b;
}

struct batch *batch_create(const struct type *schema, uint32_t capacity, struct mem *mem)
{
    return batch_create_needed(schema, NULL, capacity, mem);
}

void batch_free(struct batch *b)
{
    struct mem *mem;

    if (!b) return;
    mem = b->mem;
    for (uint32_t i = 0; i < b->col_count; i++) vector_release(&b->cols[i], mem);
    text_heap_release(&b->heap);
    mem_free(mem, b->cols);
    mem_free(mem, b->kinds_space);
    mem_free(mem, b->times_space);
    mem_free(mem, b);
}

void batch_clear(struct batch *b)
{
    for (uint32_t i = 0; i < b->col_count; i++) vector_clear(&b->cols[i]);
    text_heap_clear(&b->heap);
    b->count = 0;
    b->sel = NULL;
    b->sel_count = 0;
    b->kinds = NULL;
    b->times = NULL;
    b->watermark = TIME_MIN;
}

void batch_use_times(struct batch *b)
{
    if (b->times) return;
    b->times = b->times_space;
    for (uint32_t i = 0; i < b->count; i++) b->times[i] = TIME_MIN;
}

void batch_use_kinds(struct batch *b)
{
    if (b->kinds) return;
    b->kinds = b->kinds_space;
    memset(b->kinds, ROW_INSERT, b->count);
}

static void kinds_append(struct batch *dst, const struct batch *src, const uint16_t *rows, uint32_t n)
{
    if (!src->kinds && !dst->kinds) return;
    batch_use_kinds(dst);
    uint8_t *to = dst->kinds + dst->count;
    if (!src->kinds) {
        memset(to, ROW_INSERT, n);
    } else if (!rows) {
        memcpy(to, src->kinds, n);
    } else {
        for (uint32_t i = 0; i < n; i++) to[i] = src->kinds[rows[i]];
    }
}

static void times_append(struct batch *dst, const struct batch *src, const uint16_t *rows, uint32_t n)
{
    if (!src->times && !dst->times) return;
    batch_use_times(dst);
    int64_t *to = dst->times + dst->count;
    for (uint32_t i = 0; i < n; i++) to[i] = !src->times ? TIME_MIN : src->times[rows ? rows[i] : i];
}

void batch_append(struct batch *dst, const struct batch *src, const uint16_t *rows, uint32_t n)
{
    if (!rows) {
        rows = src->sel;
        n = batch_rows(src);
    }
    ASSERT(dst != src && !dst->sel);
    ASSERT(dst->col_count == src->col_count);
    ASSERT(dst->count + n <= dst->capacity);
    for (uint32_t i = 0; i < dst->col_count; i++) {
        vector_copy(&dst->cols[i], dst->count, &src->cols[i], rows, n, &dst->heap, dst->mem);
    }
    kinds_append(dst, src, rows, n);
    times_append(dst, src, rows, n);
    dst->count += n;
}

void batch_swap(struct batch *a, struct batch *b)
{
    struct batch kept = *a;

    ASSERT(a->mem == b->mem);
    ASSERT(a->col_count == b->col_count);
    *a = *b;
    a->next = kept.next;
    kept.next = b->next;
    *b = kept;
}

static size_t far_bytes(const struct vector *v, const struct batch *b, uint32_t n)
{
    const struct vector *base = vector_values(v);
    size_t far = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = vector_at(v, b ? batch_row(b, i) : i);
        uint32_t size = VECTOR_VALUES(base, struct text)[at].size;
        bool valid = !base->validity || bit_get(base->validity, at);
        far += valid && size > TEXT_INLINE ? size : 0;
    }
    return far;
}

/* n rows of v: the selected ones of b, or the first ones when b is NULL (the elements of a list). */
static size_t vector_bytes(const struct vector *v, const struct batch *b, uint32_t n)
{
    size_t bytes;

    if (v->form == VEC_ABSENT || n == 0) return 0;
    if (v->form == VEC_CONST) {
        struct vector one = *v;
        one.form = VEC_FLAT;
        return n * vector_bytes(&one, NULL, 1);
    }
    bytes = n * phys_width((enum phys)v->phys) + (vector_values(v)->validity ? n / 8 + 1 : 0);
    if (v->phys == P_STR) return bytes + far_bytes(v, b, n);
    for (uint32_t i = 0; v->phys == P_LIST && i < v->child_count; i++) {
        bytes += vector_bytes(&v->children[i], NULL, v->children[i].used);
    }
    for (uint32_t i = 0; v->phys == P_ROW && i < v->child_count; i++) bytes += vector_bytes(&v->children[i], b, n);
    return bytes;
}

size_t batch_bytes(const struct batch *b)
{
    uint32_t n = batch_rows(b);
    size_t bytes = (b->kinds ? n : 0) + (b->times ? n * sizeof(int64_t) : 0);

    for (uint32_t i = 0; i < b->col_count; i++) bytes += vector_bytes(&b->cols[i], b, n);
    return bytes;
}

static bool is_flat(const struct vector *v)
{
    if (v->form != VEC_FLAT && v->form != VEC_ABSENT) return false;
    for (uint32_t i = 0; i < v->child_count; i++) {
        if (!is_flat(&v->children[i])) return false;
    }
    return true;
}

static bool is_dense(const struct batch *b)
{
    if (b->sel) return false;
    for (uint32_t i = 0; i < b->col_count; i++) {
        if (!is_flat(&b->cols[i])) return false;
    }
    return true;
}

const struct batch *batch_dense(const struct batch *b, struct batch *dst)
{
    if (is_dense(b)) return b;
    batch_clear(dst);
    batch_append(dst, b, NULL, 0);
    for (uint32_t i = 0; i < b->col_count; i++) {
        if (b->cols[i].form == VEC_ABSENT) dst->cols[i].form = VEC_ABSENT; /* until the next clear */
    }
    dst->watermark = b->watermark;
    return dst;
}
