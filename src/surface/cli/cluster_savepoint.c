/* cluster_savepoint.c - `thalweg savepoint JOB [FOLDER]`: a job of a cluster takes a savepoint. */
#include "surface/cli/cluster_job.h"

#include "ground/base/str.h"

#include <string.h>

extern const struct cli_verb cli_savepoint;
enum { TYPE, DETACHED };

static const char *body_of(struct cluster_arguments *a, const char *folder, bool is_native)
{
    struct buf body;

    buf_init(&body, &a->mem);
    buf_append_text(&body, "{");
    if (folder != NULL) {
        buf_append_text(&body, "\"target-directory\":");
        answer_quote(str_of(folder), &body);
        buf_append_text(&body, ",");
    }
    buf_printf(&body, "\"cancel-job\":false,\"formatType\":\"%s\"}", is_native ? "NATIVE" : "CANONICAL");
    const char *text = arena_strdup(&a->arena, buf_text(&body));
    buf_release(&body);
    return text;
}

static enum status take_savepoint(struct cluster_arguments *a, struct cluster_client *c, struct err *e)
{
    const char *id, *trigger, *type = a->values[TYPE] != NULL ? a->values[TYPE] : "canonical";
    bool is_detached = a->values[DETACHED] != NULL;
    struct str operation;

    if (!cluster_job_id(a, 0, &id)) return E_CONFIG;
    if (strcmp(type, "native") != 0 && strcmp(type, "canonical") != 0)
        return err_set(e, E_CONFIG, "-type is '%.100s'; it is canonical or native", type);
    cluster_say(a, "Triggering savepoint %sfor job %s.\n", is_detached ? "in detached mode " : "", id);
    if (!is_detached) cluster_say(a, "Waiting for response...\n");
    const char *body = body_of(a, a->word_count > 1 ? a->words[1] : NULL, strcmp(type, "native") == 0);
    enum status st = cluster_trigger(c, arena_printf(&a->arena, "/jobs/%s/savepoints", id), str_of(body), &trigger, e);
    if (st == S_OK && is_detached) {
        cluster_say(a, "Successfully trigger manual savepoint, triggerId: %s\n", trigger);
        return S_OK;
    }
    if (st == S_OK) st = cluster_await(c, arena_printf(&a->arena, "/jobs/%s/savepoints/%s", id, trigger), &operation, e);
    if (st != S_OK) err_wrap(e, "Failed to trigger a savepoint for the job %s", id);
    if (st == S_OK)
        cluster_say(a, "Savepoint completed. Path: %s\nYou can resume your program from this savepoint with the run command.\n",
                    answer_text(answer_member(operation, "location"), &a->arena));
    return st;
}

int cluster_savepoint_run(const struct cli *cli, int argc, char **argv)
{
    static const struct cluster_argument own[] = {{"-type", "--type", true}, {"-detached", "--detached", false}, {NULL, NULL, false}};

    return cluster_job_run(cli, &cli_savepoint, own, take_savepoint, argc, argv);
}
