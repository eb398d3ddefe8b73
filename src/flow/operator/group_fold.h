/* group_fold.h - the calls of a group aggregation as the fold of a window engine: accumulators are the words of the calls behind the
 * number of rows; values of DISTINCT arguments, and those that are kept for a call, lie in tables of their own beside each table of
 * the slice engine, under the same keys and namespaces; of the general engine, under the names of its windows. */
#pragma once
#include "flow/operator/group_merge.h"
#include "flow/operator/window_slices.h"

struct group_fold {
    struct window_fold fold;                /* first: its hooks get its address */
    struct slices *slices;                  /* NULL: another engine */
    const struct type *names; /* set before opening: of that engine's windows (window_key_type). NULL: the calls hold nothing there */
    struct group_call *sets[SLICES_TABLES]; /* the calls with what they hold beside each table of the engine */
    uint32_t call_count, key_count;
    bool holds, keeps, retracts; /* DISTINCT or values kept; values kept; rows may be taken back */
    struct group_merge *merge;   /* NULL: nothing is merged */
    uint32_t *plain;             /* 0, 1, 2.. */
    uint64_t hashes[BATCH_ROWS];
    const struct window_zone *zone; /* windows are local times of it, window_time is an instant; NULL: all is one */
    uint16_t key_at;          /* of results: which row of the keys is the first */
    /* Of names: the chunk at hand, how many of its rows were added, and whose values a result is of. */
    struct window_chunk chunk;
    bool is_found;
    uint32_t added, item;
    bool leaves_kept; /* results of values that are kept are the caller's to write */
    uint16_t put[BATCH_ROWS]; /* keys that come out, and their accumulators */
    void *acc[BATCH_ROWS];
};

/* Can groups of these calls be put together from parts? */
bool group_fold_merges(const struct group_call *calls, uint32_t count);
/* merges: they will be. The result has the key columns, the results, and window_start, window_end, window_time. */
enum status group_fold_open(struct group_fold *f, struct op_cx *cx, const struct group_config *c, bool merges) CHECKED;
void group_fold_close(struct group_fold *f, struct op_cx *cx);
/* Graph time: the columns of a result. keys: of the input. */
const struct type *group_fold_row(const struct op_plan *p, const struct group_config *c, const struct group_call *calls,
                                  const struct text_list *bounds, bool local_time);
void group_fold_needs(const struct op_plan *p, const struct group_config *c, const struct group_call *calls,
                      uint64_t *needed);
