/* nested.h - lists and rows for kernels: taking them apart, putting them together, and sets of values.
 *
 * A result's lists grow row by row: list_begin, list_add for every element of each child, list_end. Values that hold no others
 * are put by their bytes: references to text stay good, because arguments outlive the result; nested ones are copied. */
#pragma once
#include "columns/function/fn_kernels.h"

/* Elements first..first+count of a child. */
struct list {
    const struct vector *items;
    uint32_t first, count;
};
static inline struct list list_at(const struct vector *v, uint32_t row, uint32_t child)
{
    const struct list_ref ref = VECTOR_VALUES(v, struct list_ref)[vector_at(v, row)];
    return (struct list){&v->children[child], ref.first, ref.count};
}

/* The value src[src_row], which may be NULL, as row `row` of dst, which is FLAT and was not written since it was cleared. */
void nested_put(const struct fn_run *r, struct vector *dst, uint32_t row, const struct vector *src, uint32_t src_row);
/* The rows that count of a column of the same layout; rows of dst that are NULL stay so. */
void nested_put_column(const struct fn_run *r, struct vector *dst, const struct vector *src);

void list_begin(struct vector *out, uint32_t row);
void list_add(const struct fn_run *r, struct vector *out, uint32_t child, const struct vector *src, uint32_t src_row);
void list_add_all(const struct fn_run *r, struct vector *out, uint32_t child, struct list from);
static inline uint32_t list_size(const struct vector *out, uint32_t row)
{
    return out->children[0].used - VECTOR_VALUES(out, struct list_ref)[row].first;
}
void list_end(struct vector *out, uint32_t row);

/* A set of values that lie in vectors of one layout; NULL is one of them. Equal is what vector_compare says. Grows to the most
 * values of a row and stays there. */
struct value_set {
    struct mem *mem;
    struct value_slot {
        const struct vector *v;
        uint32_t at;
        uint32_t stamp; /* of the round it belongs to */
        bool taken;
    } * slots;
    uint32_t mask, stamp;
};
enum { VALUE_NONE = UINT32_MAX };
void value_set_init(struct value_set *s, struct mem *mem);
void value_set_release(struct value_set *s);
void value_set_begin(struct value_set *s, uint64_t count); /* empty, with room for so many */
uint32_t value_set_find(const struct value_set *s, const struct vector *v, uint32_t at); /* where the equal one lies */
bool value_set_add(struct value_set *s, const struct vector *v, uint32_t at);            /* false: it was there */
bool value_set_take(struct value_set *s, const struct vector *v,
                    uint32_t at); /* true: it was there, and not taken before */
/* The hooks of functions whose state is a set. */
void *value_set_open(const struct fn_call *c, struct mem *mem);
void value_set_close(void *state, struct mem *mem);

/* A map being made: equal keys share an entry, in the place of the first, with the value of the last. */
void map_begin(struct value_set *s, struct vector *out, uint32_t row, uint64_t count);
void map_put(const struct fn_run *r, struct value_set *s, struct vector *out, const struct vector *keys, uint32_t key,
             const struct vector *values, uint32_t value);
