/* vector.h - one column of a batch. Arrow-compatible buffers: validity bits, fixed-width values, 16-byte string
 * references, lists as (first, count) into a child, rows as children. Booleans are one byte here, bits in Arrow.
 *
 * open struct: hot path. Invariants: FLAT has `capacity` >= row count values; CONST has one value (row 0) that stands
 * for every row; DICT has u16 codes into child[0], a FLAT vector; ABSENT has no values: nobody downstream needs the
 * column. validity NULL = every row valid; else bit i set = row i valid. Values of invalid rows are unspecified, but the
 * fields under a NULL ROW are NULL or zero: vector_set_null sees to it. A dictionary is borrowed from its producer. */
#pragma once
#include "columns/column/type.h"

#include <string.h>

enum vector_form { VEC_FLAT, VEC_CONST, VEC_DICT, VEC_ABSENT };

/* 16-byte string reference: up to 12 bytes inline (rest zero), else 4-byte prefix and pointer into a text heap. */
struct text {
    uint32_t size;
    char prefix[4];
    union {
        char rest[8];
        const char *far;
    };
};
_Static_assert(sizeof(struct text) == 16, "strings are 16-byte references");
enum { TEXT_INLINE = 12 };

/* Bytes of long strings; belongs to one batch; cleared with it, chunks are kept. */
struct text_heap {
    struct mem *mem;
    struct text_chunk *first, *current;
    size_t used; /* bytes since the last clear */
};

struct vector {
    const struct type *type;
    uint8_t form; /* enum vector_form */
    uint8_t phys; /* enum phys, from the type */
    uint16_t child_count;
    uint32_t capacity;       /* values that fit `data` */
    uint32_t used;           /* child vectors of lists: rows filled so far */
    void *data;              /* capacity * phys_width bytes, 64-byte aligned; DICT: uint16_t codes */
    uint64_t *validity;      /* NULL or validity_space */
    uint64_t *validity_space; /* room for capacity bits, made at creation when the type is nullable */
    struct vector *children; /* ROW: fields; LIST: element or key, value; DICT: the dictionary */
};

static inline const char *text_data(const struct text *t) { return t->size <= TEXT_INLINE ? t->prefix : t->far; }
static inline struct str text_str(const struct text *t) { return (struct str){text_data(t), t->size}; }
bool text_equal(const struct text *a, const struct text *b);
int text_compare(const struct text *a, const struct text *b);
/* Reference that holds up to 12 bytes itself: whole words are loaded, overlapping, in place of a call of memcpy. */
static inline struct text text_of_short(const char *bytes, size_t size)
{
    uint64_t words[2], head = 0, tail = 0; /* bytes 0..7 and 8..11 */
    uint32_t low, high;
    struct text t;

    if (size >= 4) {
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + size - 4, 4);
        if (size >= 8) {
            memcpy(&head, bytes, 8);
            tail = (uint64_t)high >> (8 * (TEXT_INLINE - size));
        } else {
            head = low | (uint64_t)high >> (8 * (8 - size)) << 32;
        }
    } else if (size > 0) {
        const unsigned char *b = (const unsigned char *)bytes;
        head = b[0] | (uint64_t)b[size / 2] << (8 * (size / 2)) | (uint64_t)b[size - 1] << (8 * (size - 1));
    }
    words[0] = size | head << 32;
    words[1] = head >> 32 | tail << 32;
    memcpy(&t, words, sizeof t);
    return t;
}
/* Reference to bytes that live at least as long as the reference is used: nothing is copied beyond 12 bytes. */
static inline struct text text_view(const char *bytes, size_t size)
{
    struct text t = {.size = (uint32_t)size};

    if (size <= TEXT_INLINE) return text_of_short(bytes, size);
    memcpy(t.prefix, bytes, 4);
    t.far = bytes;
    return t;
}
struct text text_put(struct text_heap *heap, const char *bytes, size_t size); /* copies when longer than 12 */
char *text_reserve(struct text_heap *heap, size_t size);                      /* room for one string's bytes */
void text_heap_init(struct text_heap *heap, struct mem *mem);
void text_heap_clear(struct text_heap *heap);
void text_heap_release(struct text_heap *heap);

static inline bool bit_get(const uint64_t *bits, uint32_t i) { return (bits[i >> 6] >> (i & 63)) & 1; }
static inline void bit_set(uint64_t *bits, uint32_t i) { bits[i >> 6] |= UINT64_C(1) << (i & 63); }
static inline void bit_clear(uint64_t *bits, uint32_t i) { bits[i >> 6] &= ~(UINT64_C(1) << (i & 63)); }

/* Index into data for a row: constants and dictionaries included. */
static inline uint32_t vector_at(const struct vector *v, uint32_t row)
{
    return v->form == VEC_FLAT ? row : v->form == VEC_CONST ? 0 : ((const uint16_t *)v->data)[row];
}
/* The vector that holds the values: the dictionary for DICT, itself else. */
static inline const struct vector *vector_values(const struct vector *v) { return v->form == VEC_DICT ? &v->children[0] : v; }
static inline bool vector_is_null(const struct vector *v, uint32_t row)
{
    const struct vector *base = vector_values(v);
    return base->validity && !bit_get(base->validity, vector_at(v, row));
}
#define VECTOR_VALUES(v, T) ((T *)(v)->data)

void vector_init(struct vector *v, const struct type *t, uint32_t capacity, struct mem *mem); /* FLAT, buffers made now */
void vector_release(struct vector *v, struct mem *mem);
void vector_clear(struct vector *v);                         /* all valid, FLAT, no list elements */
void vector_set_null(struct vector *v, uint32_t row);        /* asserts a nullable type */
void vector_set_valid(struct vector *v, uint32_t row);
void vector_child_reserve(struct vector *v, uint32_t rows, struct mem *mem); /* list children grow */
/* Makes row 0 of v the value of every row: form CONST. */
void vector_make_const(struct vector *v);
/* Copies rows src[rows[i]] to dst[dst_first + i]; long strings go to heap (NULL: they stay where they are, and dst refers to them); any
 * form of src; dst FLAT. rows NULL = 0..n-1. */
void vector_copy(struct vector *dst, uint32_t dst_first, const struct vector *src, const uint16_t *rows, uint32_t n,
                 struct text_heap *heap, struct mem *mem);
/* The same for the run of rows first..first+n, which may lie behind row 65,535: elements of lists. */
void vector_copy_run(struct vector *dst, uint32_t dst_first, const struct vector *src, uint32_t first, uint32_t n,
                     struct text_heap *heap, struct mem *mem);
/* Text of one value as the SQL client prints it (nested too); NULL prints as `<NULL>` or nothing inside arrays: "null". */
void vector_print(const struct vector *v, uint32_t row, struct buf *out);
/* -1, 0, 1; NULLs first; floats order -0 = 0 and NaN greatest. */
int vector_compare(const struct vector *a, uint32_t row_a, const struct vector *b, uint32_t row_b);
/* A number that is not greater than that of any greater value: different numbers order two rows, equal ones say nothing. */
uint64_t vector_order_prefix(const struct vector *v, uint32_t row);
/* The canonical hash of one value (batch_hash.c): equal values of one type hash alike, NULLs too. */
uint64_t vector_hash(const struct vector *v, uint32_t row);
