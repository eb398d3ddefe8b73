/* cluster_process.h - the processes of a cluster, as the verbs run them. */
#pragma once
#include "surface/cli/cluster_arguments.h"

/* Until it is told to end; answers the exit status. */
int jobmanager_process_run(struct cluster_arguments *a);
