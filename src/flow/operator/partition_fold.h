/* partition_fold.h - what op_partition_reduce.c and op_partition_aggregate.c share: one accumulator per partition, folded
 * while rows come, answered when the input has ended. A partition is the rows of a subtask, or on a keyed stream the rows of
 * a key. */
#pragma once
#include "flow/operator/kept_rows.h"
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"
#include "flow/operator/user_value.h"

struct partition_fold {
    struct tw_context cx; /* first */
    struct user_value acc;
    struct state_def def;
    struct type no_key; /* a row of no columns: the key of the only partition */
    uint64_t no_key_hash;
    struct state_table *table;
    struct user_home home;
    void *rows[BATCH_ROWS]; /* of the batch in work */
    uint64_t created[BATCH_ROWS / 64];
    bool is_resolved;
    char *a, *out; /* C structs: an accumulator, what the function answers */
    struct arena scratch;
    struct kept_rows keys; /* keyed: key columns, in the order in which they first came */
    uint32_t cols[OP_KEYS_MAX];
    uint32_t at_batch, at_row; /* of keys: next to be answered */
    bool is_over;              /* not keyed: the only partition was answered */
};

enum status partition_fold_open(struct op_cx *op, void *self) CHECKED;
enum status partition_fold_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in) CHECKED;
enum status partition_fold_on_end(struct op_cx *op, void *self, uint32_t input) CHECKED;
void partition_fold_close(struct op_cx *op, void *self, bool failed);
