/* timer_internal.h - what the timers of a host are. Internal to flow/state. */
#pragma once
#include "flow/state/key.h"
#include "flow/state/timer_heap.h"

struct timers {
    struct state_host *host;
    struct timers *next; /* of the host's */
    const char *name;
    bool is_processing_time;
    struct key_codec key;
    struct key_set keys;
    struct timer_heap heap;
    uint32_t group_cols; /* leading key columns that decide the key group */
    bool is_within;      /* only they do; hashed by state_hash_within */
    uint64_t last[2];
    bool has_last, is_disturbed;
};

#define KEY_SIGN (UINT64_C(1) << 63)

/* The hashes of keys, which are columns cols of b; for the selected rows. */
void timers_hash(const struct timers *t, const struct batch *b, const uint32_t *cols, uint64_t *out);
