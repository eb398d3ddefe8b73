/* cluster_job.h - verbs that do something to one job of a cluster. */
#pragma once
#include "surface/cli/cluster_client.h"

/* The id that is the word at that place; false: it is none, or there is none, and that was told as Flink tells it. */
bool cluster_job_id(const struct cluster_arguments *a, uint32_t word, const char **id);
/* Runs a verb: reads the arguments, answers --help, opens the client, tells what went wrong. */
typedef enum status (*cluster_job_fn)(struct cluster_arguments *a, struct cluster_client *c, struct err *e);
int cluster_job_run(const struct cli *cli, const struct cli_verb *v, const struct cluster_argument *own,
                    cluster_job_fn act, int argc, char **argv);
void cluster_say(const struct cluster_arguments *a, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* to standard output */
/* Asks for something that takes its time, POST path, and answers its trigger id, in the arena. */
enum status cluster_trigger(struct cluster_client *c, const char *path, struct str body, const char **trigger,
                            struct err *e) CHECKED;
/* Waits for it: `path` of what it has become. E_USER with the reason when it failed. *operation as cluster_client_await. */
enum status cluster_await(struct cluster_client *c, const char *path, struct str *operation, struct err *e) CHECKED;
int cluster_savepoint_run(const struct cli *cli, int argc, char **argv); /* cluster_savepoint.c: the verb, of a job */
