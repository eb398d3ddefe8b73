/* dedup_config.h - configuration of the operators deduplicate and hash_deduplicate. */
#pragma once
#include "flow/operator/row_runs.h"

struct dedup_config {
    const char *time; /* column of the rows' time; NULL: processing time */
    bool keep_last;   /* else the first row */
    bool emit_before; /* updates come with the row before */
    int64_t ttl_ms;   /* 0: for ever */
};

struct hash_dedup_config {
    const char *time; /* as above */
    bool keep_last;
    struct spill_config spill;
};
