/* cli_checkpoint.c - `thalweg checkpoint`: a job of a cluster takes a checkpoint now. */
#include "surface/cli/cluster_job.h"

extern const struct cli_verb cli_checkpoint;
enum { FULL };

static enum status take_checkpoint(struct cluster_arguments *a, struct cluster_client *c, struct err *e)
{
    const char *id, *trigger;
    struct str operation, body = {"{\"checkpointType\":\"FULL\"}", 25};

    if (!cluster_job_id(a, 0, &id)) return E_CONFIG;
    if (a->values[FULL] == NULL) body = (struct str){"{}", 2};
    cluster_say(a, "Triggering checkpoint for job %s.\nWaiting for response...\n", id);
    enum status st = cluster_trigger(c, arena_printf(&a->arena, "/jobs/%s/checkpoints", id), body, &trigger, e);
    if (st == S_OK)
        st = cluster_await(c, arena_printf(&a->arena, "/jobs/%s/checkpoints/%s", id, trigger), &operation, e);
    if (st != S_OK) err_wrap(e, "Failed to trigger a checkpoint for the job %s", id);
    if (st == S_OK)
        cluster_say(a,
                    "Checkpoint %lld for job %s completed.\nYou can resume your program from this checkpoint with the "
                    "run command.\n",
                    (long long)answer_int(answer_member(operation, "checkpointId"), 0), id);
    return st;
}

static int run_checkpoint(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{"-full", "--full", false}, {NULL, NULL, false}};

    return cluster_job_run(cli, &cli_checkpoint, own, take_checkpoint, argc, argv);
}

const struct cli_verb cli_checkpoint = {
    .name = "checkpoint",
    .arguments = "[--full] [-m HOST:PORT] JOB",
    .doc = "take a checkpoint of a job of a cluster now",
    .help = "JOB is its id, of 32 hexadecimal digits (`thalweg list`).\n"
            "  --full             accepted; a checkpoint can always be restored by itself\n"
            "  -m, --jobmanager HOST:PORT   the REST interface of the cluster; else rest.address and rest.port, "
            "localhost:8081\n"
            "\n"
            "Example:\n"
            "  thalweg checkpoint fd72014d4c864993a2e5a9287b4a9c5d\n",
    .run = run_checkpoint,
    .own_help = true,
};
