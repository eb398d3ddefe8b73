/* calc.h - the configuration of the operators `calc` and `async_calc`, which plans of SQL fill. */
#pragma once
#include "flow/operator/op.h"

struct calc_config {
    struct str condition;   /* expr_encode; empty: every row */
    struct str columns;     /* expr_encode, as many as names; empty: the columns of the input */
    struct text_list names;
    const char *zone;
};

struct async_calc_config {
    struct calc_config calc; /* without a condition */
    int64_t capacity;        /* calls under way at once */
    int64_t timeout_ms;      /* of all attempts together */
    int64_t attempts, retry_delay_ms;
};
