/* order_columns.h - columns by which rows are ordered, as operators have them in their configuration: three lists of equal length. */
#pragma once
#include "flow/operator/op.h"

enum { ORDER_COLUMNS_MAX = 64 };

struct order_column {
    uint32_t col;
    bool descending, nulls_last;
};

/* `directions`: "asc" or "desc", `nulls`: "first" or "last", of each column; *out in the plan's arena. E_CONFIG, E_GRAPH. */
enum status order_columns_read(const struct op_plan *p, const struct text_list *columns, const struct text_list *directions,
                               const struct text_list *nulls, struct order_column **out, struct err *e) CHECKED;
/* < 0: a row of x stands before one of y, > 0: behind it, 0: the order says nothing. */
int order_columns_compare(const struct order_column *by, uint32_t count, const struct batch *x, uint32_t row_x, const struct batch *y,
                          uint32_t row_y);
/* Of one column: what is less stands before; equal says nothing, */
uint64_t order_columns_prefix(const struct order_column *by, const struct batch *b, uint32_t row);
bool order_columns_prefix_is_value(const struct order_column *by, const struct type *row); /* but here, where it says that values are equal */
