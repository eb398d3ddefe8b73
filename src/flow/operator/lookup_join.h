/* lookup_join.h - the configuration of the operator `lookup_join`, which plans of SQL fill. */
#pragma once
#include "flow/operator/op.h"

struct lookup_join_config {
    const char *kind;      /* inner, left */
    const char *connector; /* of the table that is asked */
    struct options options;
    const struct type *schema;              /* of its source */
    struct text_list metadata;              /* keys of the connector's metadata, which are its last columns */
    struct str filter, columns;             /* expr_encode over it: which rows are kept (empty: all), what of them */
    struct text_list columns_names;         /* of what is kept, as many as columns */
    struct text_list left_keys, right_keys; /* columns of the input, and of what is kept */
    struct text_list null_safe;             /* per key: "true" when NULL equals NULL; empty: none */
    struct text_list names;                 /* of the columns of both, left before right: each once */
    struct str condition;                   /* expr_encode over them; empty: keys are enough */
    struct str asks;                        /* expr_encode over the keys of what is kept: keys of a connector that finds by them */
    int64_t ask_count;
    int64_t retries, retry_delay_ms;        /* keys without rows are asked for again: how often, after how long */
    const char *zone;
};
