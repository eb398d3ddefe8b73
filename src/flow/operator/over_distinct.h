/* over_distinct.h - DISTINCT along rows in an order: which values came before. */
#pragma once
#include "columns/function/nested.h"
#include "flow/operator/group_calls.h"

/* One call. */
struct distinct_call {
    uint32_t call, col; /* number of the call; column of the input */
    int field;          /* of the row in the state; -1: the column is of the key, and all rows have the same value */
    struct value_set set;
    struct vector list; /* one row: its elements are the values of the set */
    uint32_t used;
    bool has_mine; /* some other row up to here has the value of the row in work, or that is NULL */
};

struct over_distinct {
    struct distinct_call *items;
    uint32_t count;
    struct text_heap heap;
    struct mem *mem;
    size_t bytes_max; /* of all values; 0: as many as there are */
    struct err *err;
};

/* fields: of each column of the input in the row of the state, -1: of the key. */
void over_distinct_open(struct over_distinct *d, struct op_cx *cx, const struct group_call *calls, uint32_t count,
                        const int *fields);
void over_distinct_close(struct over_distinct *d);
void over_distinct_begin(struct over_distinct *d);
/* Rows before the row in work, in[row], some at a time, in any batches; `work` is free for it. E_BUDGET: their values are too many. */
enum status over_distinct_before(struct over_distinct *d, const struct state_table *t, void *const *before, uint32_t count,
                                 struct batch *work, const struct batch *in, uint32_t row) CHECKED;
void over_distinct_ready(struct over_distinct *d, const struct batch *in, uint32_t row); /* there are no more */
/* Sets left_out of the calls to which the row brings nothing new. is_mine: it is the row in work. E_BUDGET as above. */
enum status over_distinct_add(struct over_distinct *d, const struct batch *work, uint32_t at, const struct batch *in, uint32_t row,
                              bool is_mine, bool *left_out) CHECKED;
bool over_distinct_settled(
    const struct over_distinct *d); /* do the rows behind have what they had, as far as DISTINCT goes? */
