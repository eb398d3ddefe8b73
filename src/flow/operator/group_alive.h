/* group_alive.h - which rows of a batch of changes a group aggregation counts: a row that takes back what no group has is none, and
 * what a group had before its last row went is nothing to those that come behind. */
#pragma once
#include "flow/operator/group_firsts.h"

struct group_alive {
    struct batch view; /* the batch with the rows that count */
    uint16_t selection[BATCH_ROWS];
    uint64_t counted[BATCH_ROWS / 64];  /* keys with rows that count */
    uint64_t restarts[BATCH_ROWS / 64]; /* keys whose group was there, went, and came again: their state is that of the group that went */
};

/* groups[k]: the row of the k-th key's group, which has its number of rows at byte `offset`; rows[i]: the same, of the i-th row. false: all rows count, and no group went and
 * came again. true: rows, keys->key_of and the view are of those that count; keys none of whose rows does are still there.
 * every: each row makes a change, so that what went is shown as well. */
bool group_alive_find(struct group_alive *a, const struct batch *in, struct group_firsts *keys, void *const *groups, void **rows,
                      uint32_t offset, bool every);
