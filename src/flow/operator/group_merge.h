/* group_merge.h - groups go into other groups: what the calls' accumulators hold, and the values of DISTINCT arguments. */
#pragma once
#include "flow/operator/group_calls.h"

struct group_merge;
/* For calls whose windows share slices. */
struct group_merge *group_merge_create(struct op_cx *cx, const struct group_call *calls, uint32_t count);
void group_merge_free(struct group_merge *m); /* NULL is a no-op */

/* The groups keys[0..n) of `from` in namespace from_ns, whose accumulators are other[0..n), go into those of `to`, or out of them
 * again (adds false). S_MORE, S_PENDING: call again with the same arguments; accumulators change with the last call only. */
enum status group_merge_run(struct group_merge *m, struct group_call *to, int64_t to_ns, void *const *acc,
                            struct group_call *from, int64_t from_ns, void *const *other, const struct state_keys *keys,
                            bool adds) CHECKED;
