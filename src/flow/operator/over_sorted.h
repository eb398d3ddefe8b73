/* over_sorted.h - configuration of operator over_sorted. */
#pragma once
#include "flow/operator/group_calls.h"

struct over_sorted_config {
    struct group_config calls; /* first; without filters. emit_before, ttl_ms */
    const char *order;         /* column by which rows are ordered, ascending */
    bool nulls_last;
    bool rows; /* ROWS: each row by itself; else RANGE, rows of equal values together */
};
