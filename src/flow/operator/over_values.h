/* over_values.h - aggregates whose running result is one of the values that they have seen (MIN and MAX of texts, FIRST_VALUE,
 * LAST_VALUE) or a list of them (LISTAGG, ARRAY_AGG, COLLECT), along rows in an order: each row keeps the result up to it in a field
 * of its own. */
#pragma once
#include "flow/operator/group_calls.h"

/* One call. open struct. */
struct over_value {
    const struct agg *agg;
    uint32_t call, result, field; /* number of the call; column of the output; field of the row in the state */
    struct vector now, other; /* one row each: the result as far as the walk has come; of another row */
};

struct over_values {
    struct over_value *items;
    uint32_t count;
    struct text_heap now_heap, other_heap;
    struct buf scratch;
    struct mem *mem;
};

/* Can it be computed so? */
bool over_value_fits(const struct group_call *call);
/* first_result: column of the first call; first_field: of the first value. */
void over_values_open(struct over_values *v, struct op_cx *cx, const struct group_call *calls, uint32_t count,
                      uint32_t first_result, uint32_t first_field);
void over_values_close(struct over_values *v);
/* The results up to a row; NULL: before the first one. */
void over_values_begin(struct over_values *v, const struct state_table *t, const void *row);
/* left_out: by the number of a call, those that the row is not for. */
void over_values_add(struct over_values *v, const struct batch *b, uint32_t row, const bool *left_out);
bool over_values_same(struct over_values *v, const struct state_table *t,
                      const void *row); /* are they what the row has? */
void over_values_store(struct over_values *v, struct state_table *t, void *row);
/* Row n of the output gets those of a row, or, NULL, those at hand. */
void over_values_put(struct over_values *v, const struct state_table *t, const void *row, struct batch *out,
                     uint32_t n);
