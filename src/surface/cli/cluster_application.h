/* cluster_application.h - application mode: a JobManager that runs one job, and ends with it. */
#pragma once
#include "surface/cli/cluster_arguments.h"

struct cluster_application {
    const char *file;      /* the shared object with TW_JOB */
    const char *savepoint; /* NULL: it begins anew */
    bool drops_unclaimed;
    const char *const *words; /* the job's arguments */
    uint32_t word_count;
};

/* Has a child process build the graph and hand it to the JobManager at `address` ("http://host:port"), which is this process; folder: for what
 * the child says. id: JOB_ID_SIZE bytes. What is wrong is told in the child's words. */
enum status cluster_application_submit(struct cluster_arguments *a, const struct cluster_application *app, const char *address,
                                       const char *folder, char *id, struct err *e) CHECKED;
