/* user_times.h - a user's timestamp assigner and watermark generator (tw_function.timestamp, .watermark) as the hooks that
 * sources and op_watermarks call. */
#pragma once
#include "flow/operator/user.h"
#include "flow/source/watermark.h"

struct user_times {
    struct tw_context cx; /* cx.op NULL: there is no function */
};

/* Graph time: does the function have what the strategy needs, and do its fields fit the columns? */
enum status user_times_check(const struct watermark_config *w, const struct type *row, const char *stream,
                             struct arena *a, struct err *e) CHECKED;
/* Opens the function for rows of that type and answers its hooks; without a function the hooks are empty. */
enum status user_times_open(struct user_times *t, struct op_cx *op, const struct function_ref *f,
                            const struct type *row, struct watermark_hooks *hooks) CHECKED;
/* The columns that the function reads; NULL without one. */
const uint64_t *user_times_columns(struct user_times *t, const struct type *row);
void user_times_close(struct user_times *t);
