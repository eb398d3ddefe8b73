/* sort_rows.h - configuration of operator sort_rows. */
#pragma once
#include "flow/operator/row_runs.h"

struct sort_rows_config {
    struct text_list order, directions, nulls; /* order_columns.h */
    int64_t offset, fetch; /* rows that are skipped, and rows behind them that are given; fetch 0: all */
    struct spill_config spill;
};
