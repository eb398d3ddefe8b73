/* remote_run.h - jobs that a client builds and a cluster runs: for `thalweg run -m` and `thalweg sql -m`. */
#pragma once
#include "surface/cli/cluster_client.h"
#include "surface/cli/program.h"

struct remote_run {
    struct program_remote face; /* first: what program.h knows of it */
    const struct cli *cli;
    const char *address; /* of -m; NULL: as the configuration says */
    bool is_detached;    /* the job is left alone as soon as it is submitted */
    bool shuts_down;     /* ctrl-c cancels the job */
    bool is_quiet;       /* nothing is said of a job that went well */
    enum sys_signal signal; /* that interrupted it, or NONE */
    /* its own */
    struct mem mem;
    struct arena arena;
    struct config config;
    struct cluster_client client;
    const char *id;
};

void remote_run_init(struct remote_run *r, const struct cli *cli);
void remote_run_release(struct remote_run *r);
/* Of api_remote; arg is a remote_run that was configured. */
enum status remote_run_job(void *arg, const struct api_remote_job *job, struct api_remote_outcome *out, struct err *e);
/* cli_run.c: what `run` would run, as a plan. Answers the exit status. */
int cli_run_info(const struct cli *cli, int argc, char **argv);
