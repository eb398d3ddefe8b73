/* normalize_config.h - configuration of operator changelog_normalize. */
#pragma once
#include "flow/operator/op.h"

struct normalize_config {
    struct str condition; /* expr_encode; empty: every row */
    const char *zone;
    bool emit_before; /* updates come with the row before */
    bool emit_every;  /* every row makes a change, not every batch */
    int64_t ttl_ms;   /* 0: for ever */
};
