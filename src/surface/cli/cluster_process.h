/* cluster_process.h - the processes of a cluster, as the verbs run them. */
#pragma once
#include "surface/cli/cluster_arguments.h"

/* Until it is told to end; answers the exit status. */
struct cluster_application;
/* local: tasks run in this process. With an application it runs that job, or goes on with one that it was killed with, and ends with it. */
int jobmanager_process_run(struct cluster_arguments *a, bool is_local, const struct cluster_application *app);
int taskmanager_process_main(struct cluster_arguments *a);

struct cluster_key;
const char *cluster_key_path(struct cluster_arguments *a);
const char *cluster_rest_token(const struct cluster_key *key,
                               struct arena *a); /* what clients send: hexadecimal digits */
