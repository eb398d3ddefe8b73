/* cluster_daemons.h - processes of a cluster that go on when the verb that started them has ended. Their numbers are lines of
 * <env.pid.dir>/<verb>.pid, the latest last; what they write is <env.log.dir>/<verb>-<n>.log. */
#pragma once
#include "surface/cli/cluster_arguments.h"

struct cluster_daemon {
    const char *verb; /* "jobmanager" */
    const char *name; /* as Flink calls it: "standalonesession" */
};
extern const struct cluster_daemon daemon_jobmanager, daemon_taskmanager, daemon_standalone_job;

/* With the settings of the arguments. Says so; *id: its number, *log: where it writes. */
enum status cluster_daemon_start(struct cluster_arguments *a, const struct cluster_daemon *d, int64_t *id,
                                 const char **log, struct err *e) CHECKED;
/* The one that was started last, or all of them; waits until they are gone. Says so, also that there is none. */
enum status cluster_daemon_stop(struct cluster_arguments *a, const struct cluster_daemon *d, bool all,
                                struct err *e) CHECKED;
/* start, stop or stop-all, as scripts of Flink take it; what is wrong is told. */
enum status cluster_daemon_verb(struct cluster_arguments *a, const struct cluster_daemon *d, const char *verb) CHECKED;
/* The last lines of a log, for people. */
const char *cluster_daemon_tail(struct cluster_arguments *a, const char *log);
