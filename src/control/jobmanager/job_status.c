/* job_status.c - the state machine of a job as a table: a bit per status that may follow. Flink's, state for state. */
#include "control/jobmanager/job_status.h"

static const char *const names[JOB_STATUS_COUNT] = {
#define X(status, name, terminal) [status] = name,
    JOB_STATUS_MAP(X)
#undef X
};

static const bool terminal_ones[JOB_STATUS_COUNT] = {
#define X(status, name, terminal) [status] = terminal,
    JOB_STATUS_MAP(X)
#undef X
};

#define BIT(status) (1u << (status))
/* From everything that is not over a job can be suspended (its leader lost the leadership). */
static const uint32_t followers[JOB_STATUS_COUNT] = {
    [JOB_INITIALIZING] = BIT(JOB_CREATED) | BIT(JOB_FAILED) | BIT(JOB_CANCELED) | BIT(JOB_SUSPENDED),
    [JOB_CREATED] = BIT(JOB_RUNNING) | BIT(JOB_FAILING) | BIT(JOB_CANCELLING) | BIT(JOB_SUSPENDED),
    [JOB_RUNNING] =
        BIT(JOB_FAILING) | BIT(JOB_CANCELLING) | BIT(JOB_FINISHED) | BIT(JOB_RESTARTING) | BIT(JOB_SUSPENDED),
    [JOB_FAILING] = BIT(JOB_FAILED) | BIT(JOB_SUSPENDED),
    [JOB_CANCELLING] = BIT(JOB_CANCELED) | BIT(JOB_FAILING) | BIT(JOB_SUSPENDED),
    [JOB_RESTARTING] =
        BIT(JOB_CREATED) | BIT(JOB_RUNNING) | BIT(JOB_FAILING) | BIT(JOB_CANCELLING) | BIT(JOB_SUSPENDED),
    [JOB_SUSPENDED] = BIT(JOB_RECONCILING) | BIT(JOB_CREATED),
    [JOB_RECONCILING] =
        BIT(JOB_RUNNING) | BIT(JOB_RESTARTING) | BIT(JOB_FAILING) | BIT(JOB_CANCELLING) | BIT(JOB_SUSPENDED),
};

const char *job_status_name(enum job_status s)
{
    ASSERT(s < JOB_STATUS_COUNT);
    return names[s];
}

bool job_status_is_terminal(enum job_status s)
{
    ASSERT(s < JOB_STATUS_COUNT);
    return terminal_ones[s];
}

bool job_status_may_follow(enum job_status from, enum job_status to)
{
    ASSERT(from < JOB_STATUS_COUNT && to < JOB_STATUS_COUNT);
    return (followers[from] & BIT(to)) != 0;
}
