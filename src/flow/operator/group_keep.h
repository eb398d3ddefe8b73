/* group_keep.h - values that are kept for an aggregate call (agg.h, enum agg_keep): a state table of their own under each key. */
#pragma once
#include "columns/function/agg.h"
#include "flow/operator/op.h"
#include "flow/state/shape.h"

struct group_keep;

/* Rows of one kind of change: the i-th of the batch (resolved by that number), its accumulator, and its number in the batch. */
struct group_rows {
    uint32_t count;
    uint16_t at[BATCH_ROWS];
    uint16_t rows[BATCH_ROWS];
    void *acc[BATCH_ROWS];
};

/* Does it keep one value per key? Then that may lie in the group's own row. */
bool group_keep_is_one(const struct agg *a, bool retracts);
/* Where the one value of each key lies: a field of the group's row, nullable. */
struct group_home {
    struct state_table *table; /* NULL: in a table of its own */
    uint32_t field;
};
/* name: of its state; `group`: the definition of the group's own state, whose key and TTL it shares. retracts: values are taken back. */
enum status group_keep_open(struct group_keep **out, struct op_cx *cx, const struct agg *a, const char *name,
                            const struct state_def *group, bool retracts, struct group_home home) CHECKED;
void group_keep_close(struct group_keep *k, struct mem *mem); /* NULL is a no-op */
/* For the `count` rows of a whole batch, the i-th of which has key key_of[i] of `keys`; NULL: key i. May answer S_PENDING. ns: the
 * group's namespace. groups[i]: the group's row, for those who are at home there. */
enum status group_keep_resolve(struct group_keep *k, int64_t ns, const struct state_keys *keys, const uint16_t *key_of, uint32_t count,
                               void *const *groups) CHECKED;
enum status group_keep_add(struct group_keep *k, const struct batch *in, const struct group_rows *some) CHECKED;
enum status group_keep_retract(struct group_keep *k, const struct batch *in, const struct group_rows *some) CHECKED;
/* The result of the i-th key of the batch, as things stand. */
void group_keep_result(struct group_keep *k, uint32_t i, struct batch *out, uint32_t col, uint32_t row);
void group_keep_clear(struct group_keep *k, uint32_t i); /* the group of the i-th key is gone */
enum status group_keep_delete(struct group_keep *k, const struct state_keys *keys) CHECKED; /* so are the groups of these keys */
void group_keep_drop(struct group_keep *k, int64_t ns); /* the namespace is gone */
void group_keep_done(struct group_keep *k);
