/* remote_job.h - jobs that this process builds and others run: what the API and SQL hand over, and what the command line makes of it. */
#pragma once
#include "columns/column/batch.h"
#include "control/taskmanager/taskmanager.h"
#include "ground/base/err.h"

/* Rows of the job that this process wants; it waits for them on the thread that hands the job over. */
struct remote_receiver {
    const char *operator_id; /* of the sink "collect" */
    const struct type *row;  /* of what it gets */
    int64_t number;
};
struct remote_rows {
    const struct remote_receiver *receivers;
    uint32_t count;
    /* A batch, borrowed. S_FULL: not now, it is given once more later. Another status cancels the job. */
    enum status (*give)(void *arg, int64_t receiver, struct batch *b, struct err *e);
    enum status (*begin)(void *arg, struct err *e); /* the job was taken; NULL: nobody asks */
    void *arg;
};

struct api_remote_job {
    const char *name, *artifact; /* artifact: the file with its functions; NULL: it has none */
    struct str graph;            /* encoded */
    bool is_left_alone;          /* its end is not waited for */
    const struct remote_rows *rows; /* NULL: it gives none */
    const struct sys_atomic_u64 *cancelled; /* not 0: it is to be canceled while it is waited for; may be NULL */
    void (*tick)(void *arg, const struct job_totals *totals); /* every tick_ms while it gives rows; NULL: never */
    void *tick_arg;
    int64_t tick_ms;
};
struct api_remote_outcome {
    const char *status, *job_id; /* "FINISHED"; of one that is left alone "RUNNING". Until the next job */
    double seconds;
    enum sys_signal signal; /* that ended the waiting */
};
struct api_remote {
    /* Hands the job over, and waits for its end where that is wanted. E_CANCELED: it was canceled. NULL: jobs run in this process. */
    enum status (*run)(void *arg, const struct api_remote_job *job, struct api_remote_outcome *out, struct err *e);
    void *arg;
};
