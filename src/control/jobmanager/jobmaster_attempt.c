/* jobmaster_attempt.c - a job runs, and where it fails and may go on, runs again.
 *
 * An attempt has its own tasks, and what they have in common is made anew; executions and measures go on. Between two attempts nothing
 * of the job runs: the last task has ended, what was being written is written. Then the record is asked which checkpoint is the
 * newest, the pause of the restart strategy passes, and the next attempt begins with that. A job that is stopped meanwhile is
 * CANCELED; whose state cannot be restored FAILED.
 *
 * Those who look at a running job from other threads hold the lock `look`, or see that nothing is deployed. */
#include "control/jobmanager/jobmaster.h"

#include "control/jobmanager/jobmaster_internal.h"
#include "control/taskmanager/taskmanager_host.h"
#include "ground/sys/sys_crash.h"

static void task_news(void *arg, const struct task_news *n)
{
    struct jobmaster *jm = arg;

    sys_mailbox_send(jm->o.sys, jm->mailbox, (void *)(uintptr_t)n);
}

static struct task_host *request_host(struct jobmaster *jm)
{
    struct job_demand d = {.job_id = jobmaster_job_id(jm),
                           .job_name = jm->graph.job_name,
                           .artifact_path = jm->o.artifact_path,
                           .artifact = jm->o.artifact,
                           .slots = slots_needed(&jm->graph),
                           .epoch = jm->epoch,
                           .attempt = jm->attempt};

    if (jm->o.hosts == NULL) return taskmanager_host_create(jm->o.sys, jm->o.log);
    return jm->o.hosts->request(jm->o.hosts->arg, &d);
}

/* Until it is ready, or the job is stopped meanwhile: then S_PENDING. */
static enum status await_host(struct jobmaster *jm, struct err *e)
{
    enum status st;

    ASSERT(jm->host == NULL);
    sys_lock_take(jm->look);
    jm->host = request_host(jm);
    sys_lock_give(jm->look);
    while ((st = jm->host->ops->ready(jm->host, e)) == S_PENDING && jobmaster_status(jm) == JOB_RUNNING)
        jobmaster_turn(jm, LOOK_MS);
    return st;
}

static enum status deploy(struct jobmaster *jm, struct err *e)
{
    struct task_deployment d = {.graph = &jm->graph,
                                .encoded = jm->encoded,
                                .job = jm->job,
                                .settings = &jm->deployed,
                                .epoch = jm->epoch,
                                .allows_unclaimed = jobmaster_allows_unclaimed(jm),
                                .checkpoints_uri = jm->checkpoints_uri,
                                .placed = jm->checkpoints != NULL ? checkpoints_placed : NULL,
                                .placed_arg = jm->checkpoints,
                                .rows = jm->relay != NULL ? jobmaster_put_rows : NULL,
                                .rows_arg = jm->relay,
                                .news = task_news,
                                .news_arg = jm};

    jobmaster_relay_begins(jm);
    jm->deployed = jm->settings;
    jm->deployed.attempt = jm->attempt;
    jm->deployed.snapshots = checkpoints_port(jm->checkpoints);
    if (jm->restore != NULL) {
        jm->deployed.restores = restore_plan_task;
        jm->deployed.restores_arg = jm->restore;
        d.restore_uri = restore_plan_uri(jm->restore);
        d.restore_digest = restore_plan_digest(jm->restore);
    }
    return jm->host->ops->deploy(jm->host, &d, e);
}

/* All tasks get a slot, then all are deployed: no task waits for one that has no place. */
static enum status schedule(struct jobmaster *jm, struct err *e)
{
    const struct graph *g = &jm->graph;

    executions_move_all(jm->executions, EXECUTION_SCHEDULED);
    TRY(await_host(jm, e));
    for (uint32_t v = 0; v < g->vertex_count; v++) {
        uint32_t first = slots_first(g, v);
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) executions_set_slot(jm->executions, v, s, first + s);
    }
    executions_move_all(jm->executions, EXECUTION_DEPLOYING);
    TRY(deploy(jm, e));
    sys_atomic_store(&jm->is_deployed, 1);
    jm->host->ops->totals(jm->host, &jm->totals);
    jm->tasks_running = jm->totals.tasks;
    jm->tasks_opened = 0;
    recovery_mark(jm, RECOVERY_DEPLOY);
    return S_OK;
}

static void start_tasks(struct jobmaster *jm)
{
    struct err e = {0};

    jobmaster_become(jm, JOB_RUNNING);
    checkpoints_attempt_starts(jm);
    enum status st = schedule(jm, &e);
    if (st == S_PENDING) { /* it was stopped while it waited */
        executions_cancel(jm->executions);
    } else if (st != S_OK) {
        jobmaster_fail(jm, &e, true);
    } else if (jm->o.drive != NULL) {
        jm->o.drive(jm->o.drive_arg, taskmanager_of_host(jm->host), jm);
        jobmaster_pump(jm);
        ASSERT(jm->tasks_running == 0);
    } else if (jm->host->ops->start(jm->host, &e) != S_OK) {
        jm->tasks_running = 0; /* those of workers that did start are joined below; the others never were */
        jobmaster_fail(jm, &e, false);
    }
}

/* Those of tasks that were elsewhere become the job's own. */
static void keep_accumulators(struct jobmaster *jm)
{
    struct accumulators all;
    struct mem mem;
    struct err e = {0};

    if (sys_atomic_load(&jm->is_deployed) == 0 || jm->host->ops->accumulators == NULL) return;
    mem_init(&mem, "accumulators", 0);
    accumulators_init(&all, &mem);
    enum status st = jm->host->ops->accumulators(jm->host, &all, &e);
    sys_lock_take(jm->look);
    if (st == S_OK) st = job_accumulators_add(jm->job, &all, &e);
    jm->has_accumulators = true;
    sys_lock_give(jm->look);
    if (st != S_OK) log_write(jm->o.log, LOG_WARN, "jobmaster", "accumulators of job '%s': %s", jm->graph.job_name, e.text);
    accumulators_release(&all);
    mem_release(&mem);
}

static void run_attempt(struct jobmaster *jm)
{
    start_tasks(jm);
    while (jm->tasks_running > 0) jobmaster_turn(jm, checkpoints_wait_ms(jm, LOOK_MS));
    jm->host->ops->join(jm->host);
    jobmaster_hand_over_rows(jm);
    executions_canceled(jm->executions); /* whose workers never ran */
    keep_accumulators(jm);
    checkpoints_attempt_ended(jm);
    recovery_mark(jm, RECOVERY_STOP);
    if (sys_atomic_load(&jm->is_deployed) != 0) jm->host->ops->totals(jm->host, &jm->totals);
    rescale_attempt_ended(jm);
}

static void drop_tasks(struct jobmaster *jm)
{
    sys_lock_take(jm->look);
    sys_atomic_store(&jm->is_deployed, 0);
    jm->host->ops->free(jm->host);
    jm->host = NULL;
    jm->has_accumulators = false;
    sys_lock_give(jm->look);
    restore_plan_free(jm->spent);
    jm->spent = NULL;
    job_shared_restart(jm->job);
}

/* The pause passes; the job may be stopped meanwhile. */
static void pause_for_restart(struct jobmaster *jm)
{
    sys_crash_point(jm->o.sys, CRASH_C21);
    while (jobmaster_status(jm) == JOB_RESTARTING && sys_mono_ns(jm->o.sys) < jm->restart_ns) {
        int64_t left_ms = (jm->restart_ns - sys_mono_ns(jm->o.sys)) / NS_PER_MS + 1;
        jobmaster_turn(jm, MIN(left_ms, LOOK_MS));
    }
}

static enum status ready_next(struct jobmaster *jm, struct err *e)
{
    const char *folder = NULL;

    jm->attempt++;
    TRY(checkpoints_next_attempt(jm, &folder, e));
    recovery_mark(jm, RECOVERY_RECORD);
    pause_for_restart(jm);
    recovery_mark(jm, RECOVERY_PAUSE);
    if (jobmaster_status(jm) == JOB_RESTARTING) TRY(jobmaster_restore_latest(jm, folder, e));
    recovery_mark(jm, RECOVERY_READ);
    return S_OK;
}

/* Storage that is away for a while is a failure like others: after the next pause it may be there. So is a record that is in doubt: the store
 * asks on until it knows, and what the next attempt wants of it waits behind that. Whoever has been overtaken, and what is damaged, stays so. */
static bool may_pass(enum status st)
{
    return st == E_UNKNOWN || st == E_IO || st == E_NOT_FOUND || st == E_BUDGET || st == E_FULL_DISK || st == E_PERMISSION;
}

static void begin_anew(struct jobmaster *jm)
{
    jm->watch.has_begun = jm->watch.has_given_up = false;
    jm->err = (struct err){0};
}

/* Everything is as before the first attempt, but for what the job begins with. */
static void prepare_next(struct jobmaster *jm)
{
    struct err e = {0}, cause = jm->err;
    enum status st = ready_next(jm, &e);

    while (st != S_OK && jobmaster_status(jm) == JOB_RESTARTING) {
        err_wrap(&e, "the job could not be started anew");
        err_hint(&e, "it had failed because of: %s", cause.text);
        if (!may_pass(st)) jobmaster_fail(jm, &e, false);
        else if (!jobmaster_tries_again(jm, &e)) break;
        if (jobmaster_status(jm) != JOB_RESTARTING) break;
        e = (struct err){0};
        st = ready_next(jm, &e);
    }
    if (jobmaster_status(jm) != JOB_RESTARTING) return;
    if (jm->restore != NULL) jobmaster_say_restored(jm, "goes on");
    executions_restart(jm->executions, jm->attempt);
    begin_anew(jm);
    drop_tasks(jm);
}

/* --- other parallelisms ------------------------------------------------------------------------------------------------------- */
/* The record decides: before it says the next generation everything is as it was. */
static enum status switch_over(struct jobmaster *jm, struct err *e)
{
    const char *folder = NULL;

    jm->attempt++;
    TRY(checkpoints_next_generation(jm, rescale_parallelisms(jm), &folder, e));
    recovery_mark(jm, RECOVERY_RECORD);
    drop_tasks(jm);
    rescale_switch(jm);
    restore_plan_free(jm->restore); /* nobody has it any more */
    jm->restore = NULL;
    TRY(jobmaster_restore_latest(jm, folder, e));
    recovery_mark(jm, RECOVERY_READ);
    return S_OK;
}

/* Goes on in the next generation; where that fails, as after any other failure. */
static void rescale_now(struct jobmaster *jm)
{
    struct err e = {0};

    jobmaster_become(jm, JOB_RESTARTING);
    enum status st = switch_over(jm, &e);
    if (jobmaster_status(jm) != JOB_RESTARTING) return; /* it is stopped meanwhile */
    if (st == S_OK) {
        if (jm->restore != NULL) jobmaster_say_restored(jm, "goes on");
        begin_anew(jm);
        return;
    }
    err_wrap(&e, "the job was being rescaled");
    rescale_failed(jm, &e);
    if (!may_pass(st)) jobmaster_fail(jm, &e, false);
    else if (jobmaster_tries_again(jm, &e)) prepare_next(jm);
}

enum status jobmaster_run(struct jobmaster *jm, struct err *e)
{
    ASSERT(jobmaster_status(jm) == JOB_CREATED);
    jm->started_ns = jm->ticked_ns = sys_mono_ns(jm->o.sys);
    run_attempt(jm);
    while (jobmaster_status(jm) == JOB_RESTARTING || rescale_is_due(jm)) {
        if (rescale_is_due(jm)) rescale_now(jm);
        else prepare_next(jm);
        if (jobmaster_status(jm) == JOB_RESTARTING) run_attempt(jm);
    }
    jm->ended_ns = sys_mono_ns(jm->o.sys);
    metrics_stop(job_metrics(jm->job));
    enum job_status last = jobmaster_status(jm);
    bool is_suspended = jm->o.suspended != NULL && sys_atomic_load(jm->o.suspended) != 0;
    jobmaster_become(jm, last == JOB_FAILING                        ? JOB_FAILED
                         : last == JOB_CANCELLING && !is_suspended ? JOB_CANCELED
                         : last == JOB_CANCELLING                   ? JOB_SUSPENDED
                                                                    : JOB_FINISHED);
    checkpoints_job_over(jm);
    if (last == JOB_RUNNING) return S_OK;
    if (last == JOB_CANCELLING) return err_set(e, E_CANCELED, "canceled");
    return err_pass_on(e, &jm->err);
}
