/* cli_rescale.c - `thalweg rescale`: a job of a cluster goes on with another parallelism. */
#include "surface/cli/cluster_job.h"

#include "ground/base/str.h"

#include <string.h>

extern const struct cli_verb cli_rescale;
enum { PARALLELISM, VERTEX, DETACHED };

/* Of a query: what is not plain is written as %XX. */
static void append_encoded(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool is_plain = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (is_plain) buf_append(out, text, 1);
        else buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

static const char *path_of(struct cluster_arguments *a, const char *id)
{
    struct buf path;

    buf_init(&path, &a->mem);
    buf_printf(&path, "/jobs/%s/rescaling?parallelism=%s", id, a->values[PARALLELISM]);
    if (a->values[VERTEX] != NULL) {
        buf_append_text(&path, "&vertex=");
        append_encoded(&path, a->values[VERTEX]);
    }
    return buf_text(&path);
}

static enum status ask(struct cluster_arguments *a, struct cluster_client *c, const char *id, const char **trigger, struct err *e)
{
    struct str answer;

    TRY(cluster_client_call(c, "PATCH", path_of(a, id), NULL, (struct str){NULL, 0}, &answer, e));
    *trigger = answer_text(answer_member(answer, "request-id"), c->arena);
    return *trigger != NULL ? S_OK : err_set(e, E_DATA, "%s/jobs/%s/rescaling answers no request-id", c->base, id);
}

static void say_outcome(struct cluster_arguments *a, const char *id, struct str operation)
{
    long long checkpoint = (long long)answer_int(answer_member(operation, "checkpointId"), 0);

    if (checkpoint == 0)
        cluster_say(a, "Job %s runs with that parallelism already.\n", id);
    else
        cluster_say(a, "Job %s is rescaled. It paused for %lld ms, and goes on from checkpoint %lld (%lld bytes).\n", id,
                    (long long)answer_int(answer_member(operation, "pause"), 0), checkpoint,
                    (long long)answer_int(answer_member(operation, "bytes"), 0));
}

static enum status rescale_job(struct cluster_arguments *a, struct cluster_client *c, struct err *e)
{
    const char *id, *trigger;
    struct str operation;
    int64_t parallelism;

    if (!cluster_job_id(a, 0, &id)) return E_CONFIG;
    if (a->values[PARALLELISM] == NULL) return err_set(e, E_CONFIG, "the new parallelism is not said: -p N");
    if (!str_to_int64(str_of(a->values[PARALLELISM]), &parallelism) || parallelism < 1)
        return err_set(e, E_CONFIG, "-p is '%.100s'; a parallelism is a number from 1 on", a->values[PARALLELISM]);
    cluster_say(a, "Rescaling job %s to a parallelism of %lld.\n", id, (long long)parallelism);
    enum status st = ask(a, c, id, &trigger, e);
    if (st == S_OK && a->values[DETACHED] != NULL) return S_OK;
    if (st == S_OK) cluster_say(a, "Waiting for response...\n");
    if (st == S_OK) st = cluster_await(c, arena_printf(&a->arena, "/jobs/%s/rescaling/%s", id, trigger), &operation, e);
    if (st != S_OK) err_wrap(e, "Could not rescale the job %s", id);
    else say_outcome(a, id, operation);
    return st;
}

static int run_rescale(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{"-p", "--parallelism", true},
                                                  {"-vertex", "--vertex", true},
                                                  {"-detached", "--detached", false},
                                                  {NULL, NULL, false}};

    return cluster_job_run(cli, &cli_rescale, own, rescale_job, argc, argv);
}

const struct cli_verb cli_rescale = {
    .name = "rescale",
    .arguments = "-p N [--vertex V] [-m HOST:PORT] JOB",
    .doc = "let a job of a cluster go on with another parallelism",
    .help = "JOB is its id, of 32 hexadecimal digits (`thalweg list`). It takes a checkpoint, stands still, and goes on from it;\n"
            "how long it stood still is told. The job has to take checkpoints (execution.checkpointing.interval).\n"
            "  -p, --parallelism N   of all operators that have the job's parallelism and none of their own\n"
            "  --vertex V         of the operators of one vertex, by its id or name\n"
            "  -detached          do not wait for it\n"
            "  -m, --jobmanager HOST:PORT   the REST interface of the cluster; else rest.address and rest.port, localhost:8081\n"
            "\n"
            "Example:\n"
            "  thalweg rescale -p 4 fd72014d4c864993a2e5a9287b4a9c5d\n",
    .run = run_rescale,
    .own_help = true,
};
