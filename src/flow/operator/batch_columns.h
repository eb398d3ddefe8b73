/* batch_columns.h - the input of a batch callback: a batch as what the tw_batch_* and tw_column_* calls read. Part of op_batch.c. */
#pragma once
#include "flow/operator/user.h"

struct column_copy;

/* What a callback is handed. */
struct tw_batch {
    const struct batch *in;
    const struct user_row *row;
    struct tw_context *cx;
    struct tw_column *columns;  /* per field, its levels below it; filled when asked for */
    bool *filled;
    struct column_copy *copies; /* levels that do not lie flat, laid out for this batch */
    struct text_heap heap;      /* their strings */
};

void batch_columns_open(struct tw_batch *b, struct tw_context *cx);
void batch_columns_close(struct tw_batch *b);
/* The next batch. E_DATA for a NULL that the function's row type has no word for, on any level. */
enum status batch_columns_begin(struct tw_batch *b, const struct batch *in) CHECKED;
