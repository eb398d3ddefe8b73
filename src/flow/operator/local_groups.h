/* local_groups.h - the configuration of the first phase of a group aggregation (op_local_groups.c). */
#pragma once
#include "flow/operator/group_calls.h"

struct local_groups_config {
    struct group_config calls; /* without what it says of results */
    struct text_list keys;     /* columns; rows come from where they are, so that the edge has none */
};
