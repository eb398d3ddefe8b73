/* conn_collect.c - hands rows to the caller of the job (executeAndCollect, collectAsync): they go into a bounded queue of the
 * job (task/row_queues.h), from which the caller's thread takes them. When it is full the task waits, without blocking its
 * worker, until a batch was taken. The end of the last subtask is the end of the rows. */
#include "flow/connector/connector.h"
#include "flow/task/job_shared.h"

static enum status collect_write(struct sink_cx *cx, void *self, struct batch *in)
{
    (void)self;
    ASSERT(cx->op->job != NULL);
    enum status st = row_queue_offer(job_row_queues(cx->op->job), cx->handle, in, cx->op->parker, cx->err);
    return st == S_FULL ? S_PENDING : st;
}

static enum status collect_flush(struct sink_cx *cx, void *self, bool at_end)
{
    (void)self;
    if (at_end) row_queue_sent_all(job_row_queues(cx->op->job), cx->handle, cx->parallelism);
    return S_OK;
}

static const struct option_def collect_options[] = {{.key = NULL}};

static const struct sink_type collect_sink = {
    .accepts_updates = true,
    .write = collect_write,
    .flush = collect_flush,
};

const struct conn_type conn_collect = {
    .name = "collect",
    .doc = "hands rows to the program that runs the job",
    .example = "tw_collect_to(results, &row_row, on_row, NULL); tw_collect_async(results, &row_row)",
    .options = collect_options,
    .sink = &collect_sink,
};
