/* calc.h - the configuration of the operator `calc`, which plans of SQL fill. */
#pragma once
#include "flow/operator/op.h"

struct calc_config {
    struct str condition;   /* expr_encode; empty: every row */
    struct str columns;     /* expr_encode, as many as names; empty: the columns of the input */
    struct text_list names;
    const char *zone;
};
