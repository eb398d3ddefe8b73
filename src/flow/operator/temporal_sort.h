/* temporal_sort.h - configuration of operator temporal_sort. */
#pragma once
#include "flow/operator/op.h"

struct temporal_sort_config {
    const char *time;                          /* column of event times; NULL: processing time */
    struct text_list order, directions, nulls; /* of rows of one time; see order_columns.h */
};
