/* cli_stop.c - `thalweg stop`: a job of a cluster ends with a savepoint, from which it can be gone on with. */
#include "surface/cli/cluster_job.h"

#include <string.h>

extern const struct cli_verb cli_stop;
enum { FOLDER, DRAIN, TYPE, DETACHED };

static enum status stop_job(struct cluster_arguments *a, struct cluster_client *c, struct err *e)
{
    const char *id, *trigger, *type = a->values[TYPE] != NULL ? a->values[TYPE] : "canonical";
    bool drains = a->values[DRAIN] != NULL, is_native = strcmp(type, "native") == 0;
    struct str operation;
    struct buf body;

    if (!cluster_job_id(a, 0, &id)) return E_CONFIG;
    if (!is_native && strcmp(type, "canonical") != 0)
        return err_set(e, E_CONFIG, "-type is '%.100s'; it is canonical or native", type);
    cluster_say(a, "%s job \"%s\" with a %s savepoint.\n", drains ? "Draining" : "Suspending", id,
                is_native ? "NATIVE" : "CANONICAL");
    buf_init(&body, &a->mem);
    buf_append_text(&body, "{");
    if (a->values[FOLDER] != NULL) {
        buf_append_text(&body, "\"targetDirectory\":");
        answer_quote((struct str){a->values[FOLDER], strlen(a->values[FOLDER])}, &body);
        buf_append_text(&body, ",");
    }
    buf_printf(&body, "\"drain\":%s,\"formatType\":\"%s\"}", drains ? "true" : "false",
               is_native ? "NATIVE" : "CANONICAL");
    cluster_say(a, "Triggering stop-with-savepoint %sfor job %s.\n",
                a->values[DETACHED] != NULL ? "in detached mode " : "", id);
    enum status st = cluster_trigger(c, arena_printf(&a->arena, "/jobs/%s/stop", id),
                                     (struct str){body.data, body.size}, &trigger, e);
    buf_release(&body);
    if (st == S_OK && a->values[DETACHED] != NULL) {
        cluster_say(a, "Successfully trigger stop-with-savepoint in detached mode, triggerId: %s\n", trigger);
        return S_OK;
    }
    if (st == S_OK) cluster_say(a, "Waiting for response...\n");
    if (st == S_OK)
        st = cluster_await(c, arena_printf(&a->arena, "/jobs/%s/savepoints/%s", id, trigger), &operation, e);
    if (st != S_OK) err_wrap(e, "Could not stop with a savepoint job \"%s\"", id);
    if (st == S_OK)
        cluster_say(a, "Savepoint completed. Path: %s\n", answer_text(answer_member(operation, "location"), &a->arena));
    return st;
}

static int run_stop(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{"-p", "--savepointPath", true},
                                                  {"-d", "--drain", false},
                                                  {"-type", "--type", true},
                                                  {"-detached", "--detached", false},
                                                  {NULL, NULL, false}};

    return cluster_job_run(cli, &cli_stop, own, stop_job, argc, argv);
}

const struct cli_verb cli_stop = {
    .name = "stop",
    .arguments = "[-p FOLDER] [--drain] [-m HOST:PORT] JOB",
    .doc = "end a job of a cluster with a savepoint",
    .help =
        "JOB is its id, of 32 hexadecimal digits (`thalweg list`). `thalweg run -s PATH` goes on from the savepoint.\n"
        "  -p, --savepointPath FOLDER   where the savepoint's own folder is made; else "
        "execution.checkpointing.savepoint-dir\n"
        "  -d, --drain        sources end before, so that windows fire: for a job that is not gone on with\n"
        "  -type TYPE         canonical or native: one format serves both\n"
        "  -detached          do not wait for it\n"
        "  -m, --jobmanager HOST:PORT   the REST interface of the cluster; else rest.address and rest.port, "
        "localhost:8081\n"
        "\n"
        "Example:\n"
        "  thalweg stop -p savepoints fd72014d4c864993a2e5a9287b4a9c5d\n",
    .run = run_stop,
    .own_help = true,
};
