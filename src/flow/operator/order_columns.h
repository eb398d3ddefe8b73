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
