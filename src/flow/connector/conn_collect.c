/* conn_collect.c - hands rows to the caller of the job (executeAndCollect): they go into a bounded queue of the job
 * (task/job_shared.h), from which the caller's thread takes them. When it is full the task waits, without blocking its
 * worker, until the caller has taken a batch. */
#include "flow/connector/connector.h"
#include "flow/task/job_shared.h"

static enum status collect_write(struct sink_cx *cx, void *self, struct batch *in)
{
    (void)self;
    ASSERT(cx->op->job != NULL);
    return job_rows_offer(cx->op->job, cx->handle, in, cx->op->parker) == S_OK ? S_OK : S_PENDING;
}

static const struct option_def collect_options[] = {{.key = NULL}};

static const struct sink_type collect_sink = {
    .accepts_updates = true,
    .write = collect_write,
};

const struct conn_type conn_collect = {
    .name = "collect",
    .doc = "hands rows to the program that runs the job",
    .example = "tw_collect_to(results, &row_row, on_row, NULL)",
    .options = collect_options,
    .sink = &collect_sink,
};
