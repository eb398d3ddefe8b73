/* sort_rows.h - configuration of operator sort_rows. */
#pragma once
#include "flow/operator/row_runs.h"

struct sort_rows_config {
    struct text_list order, directions, nulls; /* order_columns.h */
    struct spill_config spill;
};
