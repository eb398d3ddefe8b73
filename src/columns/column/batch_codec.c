/* batch_codec.c - rows of a batch as bytes. Values of fixed width lie as they do in memory; texts are a size and bytes each; elements of
 * lists follow their list's (first, count) pairs. Columns that are ABSENT take nothing. */
#include "columns/column/batch_codec.h"

#include <string.h>

enum { HAS_KINDS = 1, HAS_TIMES = 2 };

static size_t bits_size(uint32_t rows) { return sizeof(uint64_t) * ((rows + 63) / 64); }

/* --- writing ----------------------------------------------------------------------------------------------------- */
static void texts_encode(const struct vector *v, uint32_t rows, struct buf *out)
{
    for (uint32_t i = 0; i < rows; i++) enc_str(out, vector_is_null(v, i) ? (struct str){0} : text_str(&VECTOR_VALUES(v, struct text)[i]));
}

static void vector_encode(const struct vector *v, uint32_t rows, struct buf *out)
{
    uint32_t inner = rows;

    ASSERT(v->form == VEC_FLAT);
    enc_u8(out, v->validity != NULL);
    if (v->validity != NULL) buf_append(out, v->validity, bits_size(rows));
    if (v->phys == P_STR) texts_encode(v, rows, out);
    else if (v->phys != P_ROW && rows > 0) buf_append(out, v->data, phys_width((enum phys)v->phys) * rows);
    if (v->phys == P_LIST) {
        inner = v->child_count > 0 ? v->children[0].used : 0;
        enc_u32(out, inner);
    }
    for (uint32_t i = 0; i < v->child_count; i++) vector_encode(&v->children[i], inner, out);
}

void batch_encode(const struct batch *b, struct buf *out)
{
    ASSERT(b->sel == NULL);
    enc_u32(out, b->count);
    enc_u8(out, (b->kinds != NULL ? HAS_KINDS : 0) | (b->times != NULL ? HAS_TIMES : 0));
    if (b->kinds != NULL) buf_append(out, b->kinds, b->count);
    if (b->times != NULL) buf_append(out, b->times, sizeof *b->times * b->count);
    for (uint32_t i = 0; i < b->col_count; i++)
        if (b->cols[i].form != VEC_ABSENT) vector_encode(&b->cols[i], b->count, out);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
static bool bytes_decode(struct dec *d, void *to, size_t size)
{
    if (d->failed || dec_left(d) < size) {
        d->failed = true;
        return false;
    }
    if (size > 0) memcpy(to, d->at, size);
    d->at += size;
    return true;
}

static void texts_decode(struct dec *d, struct vector *v, uint32_t rows, struct text_heap *heap)
{
    for (uint32_t i = 0; i < rows && dec_ok(d); i++) {
        struct str s = dec_str(d, UINT32_MAX);
        VECTOR_VALUES(v, struct text)[i] = text_put(heap, s.data, s.size);
    }
}

static void vector_decode(struct dec *d, struct vector *v, uint32_t rows, struct text_heap *heap, struct mem *mem);

static void elements_decode(struct dec *d, struct vector *v, struct text_heap *heap, struct mem *mem)
{
    uint32_t rows = dec_u32(d);

    if (rows > dec_left(d) + 1) d->failed = true;
    if (!dec_ok(d)) return;
    vector_child_reserve(v, rows, mem);
    for (uint32_t i = 0; i < v->child_count; i++) {
        vector_decode(d, &v->children[i], rows, heap, mem);
        v->children[i].used = rows;
    }
}

/* Lists that are there lie among the elements. Those that are not say nothing: they become empty. */
static void lists_check(struct dec *d, struct vector *v, uint32_t rows)
{
    struct list_ref *lists = VECTOR_VALUES(v, struct list_ref);
    uint64_t elements = v->child_count > 0 ? v->children[0].used : 0;

    for (uint32_t i = 0; i < rows; i++) {
        if (vector_is_null(v, i)) lists[i] = (struct list_ref){0, 0};
        else if ((uint64_t)lists[i].first + lists[i].count > elements) d->failed = true;
    }
}

static void booleans_check(struct dec *d, const struct vector *v, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++) {
        if (VECTOR_VALUES(v, const uint8_t)[i] > 1 && !vector_is_null(v, i)) d->failed = true;
    }
}

static void vector_decode(struct dec *d, struct vector *v, uint32_t rows, struct text_heap *heap, struct mem *mem)
{
    bool has_nulls = dec_u8(d) != 0;

    if (has_nulls && v->validity_space == NULL) d->failed = true;
    if (!dec_ok(d)) return;
    v->validity = has_nulls ? v->validity_space : NULL;
    if (has_nulls && !bytes_decode(d, v->validity, bits_size(rows))) return;
    if (v->phys == P_STR) texts_decode(d, v, rows, heap);
    else if (v->phys != P_ROW && !bytes_decode(d, v->data, phys_width((enum phys)v->phys) * rows)) return;
    if (v->phys == P_LIST) {
        elements_decode(d, v, heap, mem);
        if (dec_ok(d)) lists_check(d, v, rows);
        return;
    }
    if (v->phys == P_BOOL) booleans_check(d, v, rows);
    for (uint32_t i = 0; i < v->child_count; i++) vector_decode(d, &v->children[i], rows, heap, mem);
}

static void kinds_check(struct dec *d, const struct batch *b, uint32_t rows)
{
    for (uint32_t i = 0; i < rows && dec_ok(d); i++)
        if (b->kinds[i] > ROW_DELETE) d->failed = true;
}

enum status batch_decode(struct dec *d, struct batch *b, struct err *e)
{
    uint32_t rows = dec_u32(d);
    uint8_t has = dec_u8(d);

    ASSERT(b->count == 0);
    if (!dec_ok(d) || rows > b->capacity) return err_set(e, E_DATA, "these are no rows of %u columns", b->col_count);
    if ((has & HAS_KINDS) != 0) {
        batch_use_kinds(b);
        bytes_decode(d, b->kinds, rows);
        kinds_check(d, b, rows);
    }
    if ((has & HAS_TIMES) != 0) {
        batch_use_times(b);
        bytes_decode(d, b->times, sizeof *b->times * rows);
    }
    for (uint32_t i = 0; i < b->col_count; i++)
        if (b->cols[i].form != VEC_ABSENT) vector_decode(d, &b->cols[i], rows, &b->heap, b->mem);
    if (!dec_ok(d)) return err_set(e, E_DATA, "these are no rows of %u columns", b->col_count);
    b->count = rows;
    return S_OK;
}
