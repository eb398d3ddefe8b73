/* cluster_keys.h - configuration of the processes of a cluster, beyond that of jobs (config.h): keys of Flink that its JobManager,
 * TaskManagers and clients read. One file may hold both: neither refuses the other's. */
#pragma once
#include "control/config.h"

extern const struct option_def cluster_defs[]; /* ends with key == NULL */
/* Refuses keys that neither jobs nor clusters know, and values that do not parse; with the place in front. */
enum status cluster_keys_check(const struct config *c, struct err *e) CHECKED;
/* The port of "rest.bind-port" ("8081", "8081-8090"), or of rest.port: the first and the last to try. */
enum status cluster_rest_ports(const struct options *o, int *first, int *last, struct err *e) CHECKED;
