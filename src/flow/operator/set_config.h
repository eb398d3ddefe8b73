/* set_config.h - configuration of operator set. */
#pragma once
#include "flow/operator/op.h"

struct set_config {
    bool is_except; /* else INTERSECT */
    bool all;       /* else every row once */
    int64_t ttl_ms; /* 0: for ever */
};
