/* cli_cancel.c - `thalweg cancel`: ends a job of a cluster; with -s, as older clients do, a savepoint is taken before. */
#include "surface/cli/cli.h"

#include "surface/cli/cluster_job.h"
#include "surface/cli/program.h"

#include <stdio.h>

extern const struct cli_verb cli_cancel;
enum { WITH_SAVEPOINT };

static enum status cancel_job(struct cluster_arguments *a, struct cluster_client *c, struct err *e)
{
    struct str answer, none = {NULL, 0};
    const char *id;

    if (a->values[WITH_SAVEPOINT] != NULL) {
        err_set(e, E_UNSUPPORTED, "cancel with a savepoint writes rows twice that came between the two");
        err_hint(e, "`thalweg stop -p FOLDER JOB` takes the savepoint and ends the job at that very place");
        return E_UNSUPPORTED;
    }
    if (!cluster_job_id(a, 0, &id)) return E_CONFIG;
    cluster_say(a, "Cancelling job %s.\n", id);
    enum status st = cluster_client_call(c, "PATCH", arena_printf(&a->arena, "/jobs/%s?mode=cancel", id), NULL, none,
                                         &answer, e);
    if (st != S_OK) err_wrap(e, "Could not cancel job %s", id);
    if (st == S_OK) cluster_say(a, "Cancelled job %s.\n", id);
    return st;
}

static int run_cancel(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{"-s", "--withSavepoint", false}, {NULL, NULL, false}};

    return cluster_job_run(cli, &cli_cancel, own, cancel_job, argc, argv);
}

const struct cli_verb cli_cancel = {
    .name = "cancel",
    .arguments = "[-m HOST:PORT] JOB",
    .doc = "end a job of a cluster",
    .help = "JOB is its id, of 32 hexadecimal digits (`thalweg list`).\n"
            "  -m, --jobmanager HOST:PORT   the REST interface of the cluster; else rest.address and rest.port, "
            "localhost:8081\n"
            "  -D KEY=VALUE, --config FILE  settings\n"
            "\n"
            "Example:\n"
            "  thalweg cancel fd72014d4c864993a2e5a9287b4a9c5d\n",
    .run = run_cancel,
    .own_help = true,
};
