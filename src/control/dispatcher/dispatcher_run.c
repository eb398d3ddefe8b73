/* dispatcher_run.c - the thread of a job: submission, run, and what is kept of it when it is over.
 *
 * A job that is suspended (the cluster ends, and its jobs are kept) is not over: nothing of it is archived, and the next dispatcher
 * on the folder goes on with it. The library of a job is opened here, since a graph is prepared with what its functions declare; they are called
 * only where there is nobody else to host tasks. */
#include "control/dispatcher/dispatcher.h"

#include "control/dispatcher/dispatcher_internal.h"

#include <thalweg/env.h>

#include <stdio.h>

static bool is_suspended(const struct dispatched_job *job)
{
    return jobmaster_status(job->jm) == JOB_SUSPENDED ||
           (sys_atomic_load(&job->owner->keeps) != 0 && sys_atomic_load(&job->is_unwanted) == 0 &&
            !job_status_is_terminal(jobmaster_status(job->jm)));
}

/* What others see from now on instead of the job master. */
static void archive(struct dispatched_job *job)
{
    struct dispatcher *d = job->owner;
    struct err e = {0};

    job->status = jobmaster_status(job->jm);
    for (int s = 0; s < JOB_STATUS_COUNT; s++) job->since_ms[s] = jobmaster_since_ms(job->jm, (enum job_status)s);
    job->ended_ms = job->since_ms[job->status];
    dispatched_snapshots_end(job);
    if (d->o.archive != NULL) d->o.archive(d->o.archive_arg, job, &job->archive);
    if (keep_archive(job, &e) != S_OK)
        log_write(d->o.log, LOG_WARN, "dispatcher", "that job '%s' is over could not be kept: %s", job->name, e.text);
}

static void end_job(struct dispatched_job *job)
{
    struct dispatcher *d = job->owner;
    struct spent_master spent = {0};

    sys_lock_take(d->lock);
    sys_atomic_store(&job->is_over, 1);
    if (job->holders == 0) spent = dispatcher_take_master(job);
    sys_lock_give(d->lock);
    dispatcher_drop_master(&spent);
}

static void job_main(void *arg)
{
    struct dispatched_job *job = arg;
    struct dispatcher *d = job->owner;
    struct err e = {0};

    enum status st = jobmaster_submit(job->jm, (struct str){job->graph.data, job->graph.size}, &e);
    if (st == S_OK) {
        sys_atomic_store(&job->is_submitted, 1);
        st = jobmaster_run(job->jm, &e);
    } else {
        job->refusal = e;
    }
    if (is_suspended(job)) {
        log_write(d->o.log, LOG_INFO, "dispatcher", "job '%s' (%s) is suspended", job->name, job->id);
        return;
    }
    log_write(d->o.log, st == S_OK || st == E_CANCELED ? LOG_INFO : LOG_WARN, "dispatcher",
              "job '%s' (%s) is over: %s%s%s", job->name, job->id, job_status_name(jobmaster_status(job->jm)),
              e.text[0] != '\0' ? ": " : "", e.text);
    archive(job);
    end_job(job);
}

/* The functions of the job: types are derived from what they declare, also where tasks run elsewhere. */
static enum status load_functions(struct dispatched_job *job, struct artifact_table *out, struct err *e)
{
    if (job->artifact == NULL) return S_OK;
    TRY(sys_library_open(job->artifact, &job->library, e));
    const struct tw_plugin *plugin = sys_library_symbol(job->library, "tw_plugin");
    if (plugin == NULL)
        return err_set(e, E_CONFIG, "the artifact of job '%s' holds no job: it has no TW_JOB", job->name);
    if (plugin->abi != TW_ABI)
        return err_set(e, E_CONFIG,
                       "job '%s' was compiled against version %u of the headers, this is version %d; compile it anew",
                       job->name, plugin->abi, TW_ABI);
    *out = (struct artifact_table){plugin->first, plugin->end};
    return S_OK;
}

enum status dispatched_start(struct dispatched_job *job, struct err *e)
{
    struct dispatcher *d = job->owner;
    struct jobmaster_options o = {.sys = d->o.sys,
                                  .log = d->o.log,
                                  .job_id = job->id,
                                  .counts_bytes = true,
                                  .cancelled = &job->cancelled,
                                  .suspended = &d->keeps,
                                  .hosts = d->o.provider,
                                  .artifact_path = job->artifact,
                                  .artifact = job->digest};

    TRY(load_functions(job, &o.functions, e));
    job->jm = jobmaster_create(&o);
    TRY(dispatcher_add(d, job, e)); /* before its thread: nothing can take it out while it is not over */
    if (sys_thread_start(d->o.sys, "job", job_main, job, &job->thread, e) == S_OK) return S_OK;
    dispatcher_remove(d, job);
    return e != NULL && e->status != S_OK ? e->status : E_IO;
}
