/* cli_worker.c - `thalweg worker`: the process in which the tasks of one job run. A TaskManager starts it; its standard streams are a
 * file of the TaskManager's. */
#include "control/cluster/cluster.h"
#include "control/logging.h"
#include "surface/cli/cli.h"
#include "surface/cli/program.h"

static int worker_run(const struct cli *cli, int argc, char **argv)
{
    struct logging logging = {0};
    struct err e = {0};

    if (logging_open(&logging, cli->sys, &(struct options){0}, &e) != S_OK) {
        api_say_error(cli->sys, "thalweg worker", &e);
        return 1;
    }
    struct worker_options o = {.sys = cli->sys, .log = &logging.log};
    int exit_status = worker_process_run(&o, argc, argv);
    if (sys_stdout_flush(cli->sys, &e) != S_OK) {
        api_say_error(cli->sys, "thalweg worker", &e);
        exit_status = 1;
    }
    logging_close(&logging);
    return exit_status;
}

const struct cli_verb cli_worker = {
    .name = "worker",
    .arguments = "",
    .doc = "the tasks of one job; started by a TaskManager",
    .help = "Nobody starts it by hand: its arguments are a TaskManager's.\n\nExample:\n  thalweg worker --help\n",
    .run = worker_run,
};
