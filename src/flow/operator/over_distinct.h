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
};

/* fields: of each column of the input in the row of the state, -1: of the key. */
void over_distinct_open(struct over_distinct *d, struct op_cx *cx, const struct group_call *calls, uint32_t count,
                        const int *fields);
void over_distinct_close(struct over_distinct *d);
/* `count` rows before come first, and at most `more` are added. in[row]: the row in work. */
void over_distinct_begin(struct over_distinct *d, const struct state_table *t, void *const *before, uint32_t count,
                         uint32_t more, const struct batch *in, uint32_t row);
/* Sets left_out of the calls to which the row brings nothing new. is_mine: it is the row in work. */
void over_distinct_add(struct over_distinct *d, const struct batch *work, uint32_t at, const struct batch *in,
                       uint32_t row, bool is_mine, bool *left_out);
bool over_distinct_settled(
    const struct over_distinct *d); /* do the rows behind have what they had, as far as DISTINCT goes? */
