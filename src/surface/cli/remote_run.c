/* remote_run.c - hands a graph to a cluster and says what Flink's client says: the job's id when it is submitted, and where it is waited
 * for, its run time and accumulators. Ctrl-c ends the waiting; the job goes on, unless -sae says that it is to end, too. */
#include "surface/cli/remote_run.h"

#include "control/dispatcher/dispatcher.h"
#include "ground/base/str.h"
#include "surface/cli/remote_rows.h"

#include <stdio.h>
#include <string.h>

static bool looks_for_signal(void *arg)
{
    struct remote_run *r = arg;

    if (r->signal == SYS_SIGNAL_NONE) r->signal = sys_signal_take(r->cli->sys);
    return r->signal != SYS_SIGNAL_NONE;
}

static void say(struct remote_run *r, struct buf *text)
{
    program_say(r->cli->sys, 1, buf_text(text));
    buf_clear(text);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */
/* What is wrong with the address is told when a job wants to go there. */
static struct api_remote open_remote(const struct program_remote *face, const struct config *config)
{
    struct remote_run *r = (struct remote_run *)(uintptr_t)face;

    for (uint32_t i = 0; i < config->count; i++)
        config_set_from(&r->config, config->items[i].key, config->items[i].value, config->places[i]);
    return (struct api_remote){remote_run_job, r};
}

void remote_run_init(struct remote_run *r, const struct cli *cli)
{
    *r = (struct remote_run){.face = {open_remote}, .cli = cli};
    mem_init(&r->mem, "remote run", 0);
    arena_init(&r->arena, &r->mem, 0);
    config_init(&r->config, &r->arena);
}

void remote_run_release(struct remote_run *r)
{
    cluster_client_close(&r->client);
    mem_release(&r->mem);
}

static enum status open_client(struct remote_run *r, struct err *e)
{
    struct options o = {0};

    if (r->client.http != NULL) return S_OK;
    if (r->address != NULL) TRY(cluster_set_address(&r->config, r->address, e));
    TRY(cluster_keys_check(&r->config, e));
    o = config_options(&r->config);
    TRY(cluster_client_open(&r->client, r->cli, &o, &r->mem, &r->arena, e));
    r->client.stop = looks_for_signal;
    r->client.stop_arg = r;
    return S_OK;
}

/* --- a job --------------------------------------------------------------------------------------------------------- */
static void say_accumulators(struct remote_run *r, struct buf *text)
{
    struct str answer, item;
    size_t at = 0;

    if (cluster_client_get(&r->client, arena_printf(&r->arena, "/jobs/%s/accumulators", r->id), &answer, NULL) != S_OK)
        return;
    struct str list = answer_member(answer, "user-task-accumulators");
    while (answer_next(list, &at, &item))
        buf_printf(text, "- %s (%s): %s\n", answer_text(answer_member(item, "name"), &r->arena),
                   answer_text(answer_member(item, "type"), &r->arena),
                   answer_text(answer_member(item, "value"), &r->arena));
    if (at > 1) buf_append_text(text, "\n");
}

static void say_finished(struct remote_run *r, int64_t run_ms)
{
    struct buf text;

    buf_init(&text, &r->mem);
    buf_printf(&text, "Program execution finished\nJob with JobID %s has finished.\nJob Runtime: %lld ms\n", r->id,
               (long long)run_ms);
    size_t before = text.size;
    say_accumulators(r, &text);
    if (text.size > before) {
        struct str list = {arena_strndup(&r->arena, text.data + before, text.size - before), text.size - before};
        text.size = before;
        buf_append_text(&text, "Accumulator Results: \n");
        buf_append(&text, list.data, list.size);
    }
    buf_append_text(&text, "\n");
    say(r, &text);
    buf_release(&text);
}

/* Why it failed, in its own words. */
static enum status tell_failure(struct remote_run *r, struct err *e)
{
    struct str answer, item = {0};
    size_t at = 0;

    TRY(cluster_client_get(&r->client, arena_printf(&r->arena, "/jobs/%s/exceptions", r->id), &answer, e));
    struct str entries = answer_member(answer_member(answer, "exceptionHistory"), "entries");
    const char *why = answer_next(entries, &at, &item) ? answer_text(answer_member(item, "stacktrace"), &r->arena)
                                                       : NULL;
    return err_set(e, E_DATA, "%s", why != NULL ? why : "the cluster does not say why");
}

/* As Flink's client, it waits until the job could be made: one that could not is told as that, also where its end is not waited for. */
static enum status await_begin(struct remote_run *r, struct api_remote_outcome *out, struct err *e)
{
    TRY(cluster_client_await_begin(&r->client, r->id, &out->status, e));
    return strcmp(out->status, "FAILED") == 0 ? tell_failure(r, e) : S_OK;
}

static enum status cancel(struct remote_run *r)
{
    struct str answer;
    bool (*stop)(void *arg) = r->client.stop;

    r->client.stop = NULL;
    enum status st = cluster_client_call(&r->client, "PATCH", arena_printf(&r->arena, "/jobs/%s", r->id), NULL,
                                         (struct str){NULL, 0}, &answer, NULL);
    r->client.stop = stop;
    return st;
}

static enum status interrupted(struct remote_run *r, struct err *e)
{
    if (!r->shuts_down) {
        err_hint(e, "`thalweg cancel %s` ends it", r->id);
        return E_CANCELED;
    }
    enum status st = cancel(r);
    err_clear(e);
    return st == S_OK ? err_set(e, E_CANCELED, "interrupted; the job is canceled")
                      : err_set(e, E_CANCELED, "interrupted; the job could not be canceled");
}

static enum status await_end(struct remote_run *r, struct api_remote_outcome *out, struct err *e)
{
    struct err why = {0};
    struct str answer;

    if (cluster_client_await_job(&r->client, r->id, &out->status, &why) != S_OK) {
        if (why.status == E_CANCELED) (void)interrupted(r, &why);
        return err_pass_on(e, &why);
    }
    TRY(cluster_client_get(&r->client, arena_printf(&r->arena, "/jobs/%s", r->id), &answer, e));
    int64_t run_ms = answer_int(answer_member(answer, "duration"), 0);
    out->seconds = (double)run_ms / 1e3;
    if (strcmp(out->status, "CANCELED") == 0) return err_set(e, E_CANCELED, "canceled");
    if (strcmp(out->status, "FINISHED") != 0) return tell_failure(r, e);
    if (!r->is_quiet) say_finished(r, run_ms);
    return S_OK;
}

/* A job whose rows nobody takes any more ends, as Flink's iterators end it. */
static enum status take_rows(struct remote_run *r, const struct api_remote_job *job, struct api_remote_outcome *out, struct err *e)
{
    enum status st = job->rows->begin != NULL ? job->rows->begin(job->rows->arg, e) : S_OK;

    if (st == S_OK) st = remote_rows_take(&r->client, r->id, job, e);
    out->signal = r->signal;
    if (st == S_OK) return await_end(r, out, e);
    out->status = "CANCELED";
    if (cancel(r) != S_OK) err_hint(e, "the job runs on; `thalweg cancel %s` ends it", r->id);
    return st;
}

static enum status check_rows(const struct remote_run *r, const struct api_remote_job *job, struct err *e)
{
    if (job->rows == NULL || !(r->is_detached || job->is_left_alone)) return S_OK;
    err_set(e, E_CONFIG, "job '%s' gives rows to the program itself, which does not wait for them when it is detached", job->name);
    err_hint(e, "leave -d out, or end the job with a sink (tw_print, tw_sink)");
    return E_CONFIG;
}

enum status remote_run_job(void *arg, const struct api_remote_job *job, struct api_remote_outcome *out, struct err *e)
{
    struct remote_run *r = arg;
    struct cluster_submission s = {.graph = job->graph, .artifact = job->artifact};
    struct buf text;
    char id[JOB_ID_SIZE];

    TRY(check_rows(r, job, e));
    r->signal = SYS_SIGNAL_NONE;
    TRY(open_client(r, e));
    TRY(cluster_client_submit(&r->client, &s, id, e));
    r->id = out->job_id = arena_strdup(&r->arena, id);
    TRY(await_begin(r, out, e));
    out->status = "RUNNING";
    buf_init(&text, &r->mem);
    buf_printf(&text, "Job has been submitted with JobID %s\n", id);
    if (!r->is_quiet) say(r, &text);
    buf_release(&text);
    if (job->rows != NULL) return take_rows(r, job, out, e);
    enum status st = r->is_detached || job->is_left_alone ? S_OK : await_end(r, out, e);
    out->signal = r->signal;
    return st;
}
