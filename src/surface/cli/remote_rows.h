/* remote_rows.h - rows of a job in a cluster, fetched from the JobManager until the job is over. */
#pragma once
#include "surface/api/remote_job.h"
#include "surface/cli/cluster_client.h"

/* S_OK: all rows have come, and the job is over; else why nobody waits any more: E_CANCELED where somebody did not want to. The job is not
 * ended here. */
enum status remote_rows_take(struct cluster_client *c, const char *job_id, const struct api_remote_job *job,
                             struct err *e) CHECKED;
