/* job_status.h - the states of a job, as Flink names them, and which may follow which. */
#pragma once
#include "ground/base/base.h"

#define JOB_STATUS_MAP(X)                                                                                              \
    X(JOB_INITIALIZING, "INITIALIZING", false)                                                                         \
    X(JOB_CREATED, "CREATED", false)                                                                                   \
    X(JOB_RUNNING, "RUNNING", false)                                                                                   \
    X(JOB_FAILING, "FAILING", false)                                                                                   \
    X(JOB_FAILED, "FAILED", true)                                                                                      \
    X(JOB_CANCELLING, "CANCELLING", false)                                                                             \
    X(JOB_CANCELED, "CANCELED", true)                                                                                  \
    X(JOB_FINISHED, "FINISHED", true)                                                                                  \
    X(JOB_RESTARTING, "RESTARTING", false)                                                                             \
    X(JOB_SUSPENDED, "SUSPENDED", false)                                                                               \
    X(JOB_RECONCILING, "RECONCILING", false)

enum job_status {
#define X(status, name, terminal) status,
    JOB_STATUS_MAP(X)
#undef X
        JOB_STATUS_COUNT
};

const char *job_status_name(enum job_status s);
bool job_status_is_terminal(enum job_status s); /* globally: no other process will go on with the job */
bool job_status_may_follow(enum job_status from, enum job_status to);
