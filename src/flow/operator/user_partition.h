/* user_partition.h - partitioning by a function of the user: what a writer with PART_CUSTOM calls. */
#pragma once
#include "flow/exchange/exchange.h"
#include "flow/operator/user.h"

struct user_partition;

/* Graph time: .partition is there and .in fits the stream. */
enum status user_partition_check(const struct op_plan *plan, const struct function_ref *f, struct err *e) CHECKED;
/* Binds the function to the rows of a stream and opens it. `op` lends identity (subtask, name), memory, sys and err: the
 * sending operator's. */
enum status user_partition_create(const struct op_cx *op, const struct function_ref *f, const struct type *rows,
                                  struct user_partition **out) CHECKED;
/* A partition_fn: arg is the struct user_partition. A target beyond the last fails the task. */
enum status user_partition_run(void *arg, const struct batch *in, uint32_t target_count, uint32_t *targets) CHECKED;
void user_partition_free(struct user_partition *p); /* NULL is a no-op */
