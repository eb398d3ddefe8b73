/* cluster_job.c - see the header. */
#include "surface/cli/cluster_job.h"

#include "ground/base/str.h"
#include "surface/cli/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = SYS_PATH_MAX + 512 };

void cluster_say(const struct cluster_arguments *a, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list list;

    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    program_say(a->cli->sys, 1, line);
}

bool cluster_job_id(const struct cluster_arguments *a, uint32_t word, const char **id)
{
    struct err e = {0};

    *id = word < a->word_count ? a->words[word] : NULL;
    if (*id != NULL && is_job_id(*id)) return true;
    if (*id == NULL)
        err_set(&e, E_CONFIG, "Missing JobID. Specify a Job ID to manipulate a job.");
    else
        err_set(&e, E_CONFIG,
                "Cannot parse JobID from \"%.200s\". The expected format is [0-9a-fA-F]{32}, e.g. "
                "fd72014d4c864993a2e5a9287b4a9c5d.",
                *id);
    err_hint(&e, "`thalweg list` shows the jobs");
    (void)cluster_fail(a, &e);
    return false;
}

int cluster_job_run(const struct cli *cli, const struct cli_verb *v, const struct cluster_argument *own,
                    cluster_job_fn act, int argc, char **argv)
{
    struct cluster_arguments a;
    struct cluster_client c = {0};
    struct err e = {0};
    char name[64];
    int exit_status = CLUSTER_EXIT_USAGE;

    snprintf(name, sizeof name, "thalweg %s", v->name);
    if (cluster_arguments_read(&a, cli, name, own, argc, argv)) {
        enum status st = S_OK;
        if (a.wants_help) {
            cli_say_help(cli, v);
        } else {
            st = cluster_client_open(&c, cli, &a.options, &a.mem, &a.arena, &e);
            if (st == S_OK) st = act(&a, &c, &e);
            cluster_client_close(&c);
        }
        exit_status = st == S_OK ? 0 : 1;
        if (e.status != S_OK) (void)cluster_fail(&a, &e);
    }
    cluster_arguments_release(&a);
    return exit_status;
}

enum status cluster_trigger(struct cluster_client *c, const char *path, struct str body, const char **trigger,
                            struct err *e)
{
    struct str answer;

    TRY(cluster_client_call(c, "POST", path, NULL, body, &answer, e));
    *trigger = answer_text(answer_member(answer, "request-id"), c->arena);
    return *trigger != NULL ? S_OK : err_set(e, E_DATA, "%s%s answers no request-id", c->base, path);
}

enum status cluster_await(struct cluster_client *c, const char *path, struct str *operation, struct err *e)
{
    TRY(cluster_client_await(c, path, operation, e));
    struct str cause = answer_member(*operation, "failure-cause");
    if (cause.size == 0 || answer_is(cause, "null")) return S_OK;
    const char *text = answer_text(answer_member(cause, "stack-trace"), c->arena);
    return err_set(e, E_USER, "%s", text != NULL ? text : "the cluster does not say why");
}
