/* async_user.h - a user's .async as work of a pool. */
#pragma once
#include "flow/operator/async_pool.h"
#include "flow/operator/user.h"

extern const struct async_work
    async_user_work; /* arg: the operator's own open context; tw_self is shared by all jobs */
/* Runs another callback of the function (its .timeout) on this thread. */
void async_user_run_here(struct async_job *job, user_row_fn fn);
