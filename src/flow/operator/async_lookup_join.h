/* async_lookup_join.h - the configuration of the operator `async_lookup_join`, which plans of SQL fill. */
#pragma once
#include "flow/operator/lookup_join.h"

struct async_lookup_join_config {
    struct lookup_join_config join; /* of a table whose connector finds rows by keys */
    int64_t capacity, timeout_ms;   /* rows under way at once; how long all attempts of one may take together, 0: for ever */
    bool unordered;                 /* rows go out as they are done */
    struct text_list order_keys;    /* the same, but for rows that are equal in these columns; empty: none */
};
