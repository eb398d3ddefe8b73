/* group_firsts.h - the keys of a batch without those that stand there twice, so that state is asked for each key once. */
#pragma once
#include "flow/state/state.h"

struct group_firsts {
    uint32_t count;
    uint16_t key_of[BATCH_ROWS]; /* of the i-th key that was given: which of the keys below, which come in the same order */
    uint16_t rows[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
    struct state_keys keys;
};

void group_firsts_find(struct group_firsts *f, const struct state_keys *keys);
bool group_rows_equal(const struct state_keys *k, uint32_t a, uint32_t b); /* the keys of two rows of the batch */
