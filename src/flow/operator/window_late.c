/* window_late.c - rows that came too late, counted twice: the job's summary tells of all of them; the metric
 * numLateRecordsDropped has, as in Flink, those that are lost, and not those that a side output takes. */
#include "flow/operator/window_late.h"

#include "flow/task/job_shared.h"

struct metric *window_late_metric(const struct op_cx *cx)
{
    struct metric_owner owner = job_metric_owner(cx);
    struct err e = {0}; /* a job with too many metrics goes on without this one */

    return cx->job != NULL ? metrics_get(job_metrics(cx->job), &owner, "numLateRecordsDropped", METRIC_COUNTER, &e) : NULL;
}

void window_late_count(struct op_cx *cx, struct metric *dropped, uint32_t port, uint64_t rows)
{
    struct sys_atomic_u64 *count = &cx->metrics->late_dropped;

    sys_atomic_store(count, count->value + rows);
    if (dropped != NULL && !op_port_used(cx, port)) metric_add(dropped, (int64_t)rows);
}
