/* jobmaster.c - the life of a job.
 *
 * The first task that fails takes the job to FAILING and its error becomes the job's, or to RESTARTING where it is started anew; a
 * stop takes it to CANCELLING. Either way all other tasks are told to end, and only when the last one has ended does the job go
 * on: to its final status, when nothing of it runs any more, or to its next attempt (jobmaster_attempt.c). A task that fails
 * while the job is being stopped does not change the outcome.
 *
 * Tasks go their way in `executions`: all are scheduled when the job starts, get their slots, are handed to the task manager
 * (DEPLOYING), and from then on say themselves how far they are. A task that was told to end and did is CANCELED, however it
 * ended.
 *
 * The mailbox wakes the thread; signals and the stop flag are looked at LOOK_MS after the last message at the latest,
 * because a signal handler can do no more than count. The task manager's threads touch the job master through the mailbox
 * only. Rows for the caller are handed over here, so user code that receives them runs on the caller's thread. */
#include "control/jobmanager/jobmaster.h"

#include "control/config.h"
#include "control/jobmanager/job_setup.h"
#include "control/jobmanager/jobmaster_internal.h"
#include "control/jobmanager/state_folder.h"
#include "control/memory.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

static void execution_moved(void *arg, const struct execution *x, enum execution_state from)
{
    struct jobmaster *jm = arg;

    log_write(jm->o.log, LOG_INFO, "jobmaster", "task '%s' (subtask %u/%u): %s -> %s", x->vertex_name, x->subtask + 1,
              x->parallelism, execution_state_name(from), execution_state_name(x->state));
    if (jm->o.task_moved != NULL) jm->o.task_moved(jm->o.task_moved_arg, x, from);
}

struct jobmaster *jobmaster_create(const struct jobmaster_options *o)
{
    struct mem mem;
    mem_init(&mem, "job master", 0);
    struct jobmaster *jm = mem_zalloc(&mem, sizeof *jm);

    ASSERT(o->sys != NULL);
    mem_init(&jm->mem, "job master", 0);
    mem_move(&mem, &jm->mem);
    arena_init(&jm->arena, &jm->mem, 0);
    graph_init(&jm->graph, &jm->arena);
    jm->o = *o;
    jm->execution_moved = execution_moved;
    jm->mailbox = sys_mailbox_create(o->sys);
    jm->look = sys_lock_create(o->sys);
    sys_atomic_store(&jm->since_ms[JOB_INITIALIZING], (uint64_t)sys_wall_ms(o->sys));
    mem_init(&jm->request_mem, "savepoint requests", 0);
    return jm;
}

void jobmaster_free(struct jobmaster *jm)
{
    struct mem mem;

    if (jm == NULL) return;
    rescale_release(jm);
    executions_free(jm->executions);
    if (jm->host != NULL) jm->host->ops->free(jm->host);
    state_folder_clear(jm->settings.disk.kv.path, jm->o.sys, &jm->mem);
    restore_plan_free(jm->restore);
    restore_plan_free(jm->spent);
    job_shared_free(jm->job);
    checkpoints_free(jm->checkpoints);
    row_relay_free(jm->relay);
    snapshot_requests_release(jm);
    mem_release(&jm->request_mem);
    sys_mailbox_free(jm->o.sys, jm->mailbox);
    sys_lock_free(jm->o.sys, jm->look);
    mem_init(&mem, "job master", 0);
    mem_move(&jm->mem, &mem);
    mem_release(&mem);
}

enum job_status jobmaster_status(const struct jobmaster *jm) { return (enum job_status)sys_atomic_load(&jm->status); }

void jobmaster_become(struct jobmaster *jm, enum job_status next)
{
    enum job_status now = jobmaster_status(jm);

    ASSERT(job_status_may_follow(now, next));
    log_write(jm->o.log, LOG_INFO, "jobmaster", "job '%s': %s -> %s", jm->graph.job_name, job_status_name(now),
              job_status_name(next));
    sys_atomic_store(&jm->since_ms[next], (uint64_t)sys_wall_ms(jm->o.sys));
    sys_atomic_store(&jm->status, next);
}

int64_t jobmaster_since_ms(const struct jobmaster *jm, enum job_status s) { return (int64_t)sys_atomic_load(&jm->since_ms[s]); }

/* --- submission --------------------------------------------------------------------------------------------------------- */
static void rows_have_come(void *arg)
{
    struct jobmaster *jm = arg;

    sys_mailbox_send(jm->o.sys, jm->mailbox, &jm->rows_are_waiting);
}

static enum status make_job(struct jobmaster *jm, struct err *e)
{
    const char *id = jm->o.job_id != NULL ? jm->o.job_id : checkpoints_job_id(jm->checkpoints);

    TRY(job_setup_shared(jm->o.sys, &jm->graph, jm->o.job_number, id, &jm->job, e));
    if (jm->o.row_queues != NULL) job_use_row_queues(jm->job, jm->o.row_queues);
    row_queues_on_offer(job_row_queues(jm->job), rows_have_come, jm);
    return S_OK;
}

static enum status prepare(struct jobmaster *jm, struct str encoded, struct err *e)
{
    const struct options *o = &jm->graph.settings;

    TRY(graph_decode(&jm->graph, encoded, e));
    sha256_of(encoded.data, encoded.size, &jm->digest);
    jm->submitted = jm->encoded = (struct str){arena_strndup(&jm->arena, encoded.data, encoded.size), encoded.size};
    jm->graph.users = jm->o.users;
    TRY(resolve_functions(&jm->graph, &jm->o.functions, e)); /* also where tasks run elsewhere: types are derived from them */
    TRY(job_setup_settings(&jm->graph, &jm->settings, e));
    jm->settings.times_hooks = jm->o.times_hooks;
    jm->settings.counts_bytes = jm->o.counts_bytes;
    config_warn_ignored(o, jm->o.log);
    jm->watch.interval_ns = options_int(o, config_defs, "task.cancellation.interval") * NS_PER_MS;
    jm->watch.timeout_ns = options_int(o, config_defs, "task.cancellation.timeout") * NS_PER_MS;
    TRY(graph_prepare(&jm->graph, e));
    if (jm->o.hosts != NULL) {
        jm->settings.slots = 0; /* those of one TaskManager; who deals out all of them counts */
        if (job_gives_rows(&jm->graph)) jm->relay = row_relay_create(jm->o.sys);
    }
    graph_memory_share(&jm->graph, memory_of_process(&jm->graph.settings, jm->o.sys), (int64_t)jm->settings.state_bytes_max);
    struct graph *copy = ARENA_NEW(&jm->arena, struct graph);
    *copy = jm->graph;
    jm->base = jm->shown = copy;
    return slots_check(&jm->graph, jm->settings.slots, e); /* they will never suffice: better told now than by tasks that wait */
}

static enum status submit(struct jobmaster *jm, struct str encoded, struct err *e)
{
    TRY(prepare(jm, encoded, e));
    jm->executions = executions_create(jm->o.sys, jm->base, 0, execution_moved, jm);
    TRY(jobmaster_begin_checkpoints(jm, e));
    TRY(make_job(jm, e));
    if (jm->o.hosts == NULL) job_setup_disk(jm->o.sys, &jm->graph, checkpoints_job_id(jm->checkpoints), &jm->settings);
    restart_strategy_init(&jm->restarts, &jm->graph.settings, jm->checkpoints != NULL, &jm->arena);
    prng_init(&jm->random, sys_random(jm->o.sys));
    return S_OK;
}

enum status jobmaster_submit(struct jobmaster *jm, struct str encoded, struct err *e)
{
    ASSERT(jobmaster_status(jm) == JOB_INITIALIZING && jm->host == NULL);
    enum status st = submit(jm, encoded, e);
    jobmaster_become(jm, st == S_OK ? JOB_CREATED : JOB_FAILED);
    return st;
}

/* --- ending tasks ------------------------------------------------------------------------------------------------------- */
static void end_tasks(struct jobmaster *jm)
{
    cancel_watch_begin(&jm->watch, sys_mono_ns(jm->o.sys));
    executions_cancel(jm->executions);
    if (jm->host != NULL) jm->host->ops->cancel(jm->host);
}

static void warn_of(void *arg, const struct task_running *t)
{
    struct jobmaster *jm = arg;
    int64_t passed_ns = sys_mono_ns(jm->o.sys) - jm->watch.began_ns;

    log_write(jm->o.log, LOG_WARN, "jobmaster",
              "task '%s' (subtask %u/%u) has not ended %lld s after it was told to; it is in operator '%s'", t->vertex,
              t->subtask + 1, t->parallelism, (long long)(passed_ns / (1000 * NS_PER_MS)), t->operator_name);
}

/* Into the error given: the first such task. */
static void blame(void *arg, const struct task_running *t)
{
    struct err *e = arg;

    if (e->status != S_OK) return;
    err_set(e, E_CANCELED, "operator '%s' (subtask %u/%u) does not return", t->operator_name, t->subtask + 1,
            t->parallelism);
}

static void give_up(struct jobmaster *jm)
{
    struct err e = {0};

    jm->host->ops->each_running(jm->host, blame, &e);
    if (e.status == S_OK || jm->o.stuck == NULL) return; /* the last one has just ended */
    err_wrap(&e, "a task did not end within task.cancellation.timeout (%lld ms)",
             (long long)(jm->watch.timeout_ns / NS_PER_MS));
    if (jobmaster_status(jm) == JOB_FAILING) err_hint(&e, "the job was ending because of: %s", jm->err.text);
    else err_hint(&e, "a callback that waits must come back by itself; the job was being canceled");
    jm->o.stuck(jm->o.stuck_arg, &e);
}

static void look_at_ending(struct jobmaster *jm)
{
    switch (cancel_watch_look(&jm->watch, sys_mono_ns(jm->o.sys))) {
    case CANCEL_WAIT: break;
    case CANCEL_WARN: jm->host->ops->each_running(jm->host, warn_of, jm); break;
    case CANCEL_GIVE_UP: give_up(jm); break;
    }
}

/* --- messages ------------------------------------------------------------------------------------------------------------- */
/* Without checkpoints there is nothing to start anew from: it fails. */
static bool restarts(struct jobmaster *jm, int64_t *pause_ms)
{
    return jm->checkpoints != NULL &&
           restart_strategy_failed(&jm->restarts, sys_mono_ns(jm->o.sys) / NS_PER_MS, &jm->random, pause_ms);
}

static void name_task(const struct jobmaster *jm, const struct task_news *n, char *out)
{
    if (n == NULL) return;
    snprintf(out, JOB_TASK_NAME_MAX, "%.120s (%u/%u) - execution #%u", n->vertex_name, n->subtask + 1, jm->graph.vertices[n->vertex].parallelism,
             jm->attempt);
}

/* A task fails by itself while the others are told to end because of one before. */
static void keep_concurrent(struct jobmaster *jm, const struct task_news *n)
{
    bool is_ending = jobmaster_status(jm) == JOB_RESTARTING || jobmaster_status(jm) == JOB_FAILING;

    if (!is_ending || n->status >= 0 || n->status == E_CANCELED || jm->failure_count == 0) return;
    struct job_failure *f = &jm->failures[(jm->failure_count - 1) % JOB_FAILURES_KEPT];
    sys_lock_take(jm->look);
    if (f->attempt == jm->attempt && f->concurrent_count < JOB_FAILURES_CONCURRENT) {
        struct concurrent_failure *c = &f->concurrent[f->concurrent_count++];
        c->time_ms = sys_wall_ms(jm->o.sys);
        snprintf(c->text, sizeof c->text, "%s", n->err->text);
        name_task(jm, n, c->task);
    }
    sys_lock_give(jm->look);
}

static void keep_failure(struct jobmaster *jm, bool is_final)
{
    struct job_failure *f = &jm->failures[jm->failure_count % JOB_FAILURES_KEPT];

    sys_lock_take(jm->look);
    *f = (struct job_failure){.time_ms = sys_wall_ms(jm->o.sys), .attempt = jm->attempt, .is_final = is_final};
    snprintf(f->text, sizeof f->text, "%s%s%s", jm->err.text, jm->err.hint[0] != '\0' ? "; " : "", jm->err.hint);
    name_task(jm, jm->blamed, f->task);
    jm->failure_count++;
    sys_lock_give(jm->look);
}

static void say_restart(struct jobmaster *jm, int64_t pause_ms)
{
    char line[ERR_TEXT_MAX + JOB_NAME_MAX + 100];

    snprintf(line, sizeof line, "job '%s' failed and is started anew in %lld ms (attempt %u): %s", jm->graph.job_name,
             (long long)pause_ms, jm->attempt + 2, jm->err.text);
    log_write(jm->o.log, LOG_WARN, "jobmaster", "%s", line);
    if (jm->o.log == NULL && jm->o.say != NULL) jm->o.say(jm->o.say_arg, line);
}

bool jobmaster_tries_again(struct jobmaster *jm, const struct err *why)
{
    int64_t pause_ms = 0;

    ASSERT(jobmaster_status(jm) == JOB_RESTARTING);
    jm->err = *why;
    bool again = restarts(jm, &pause_ms);
    keep_failure(jm, !again);
    if (again) {
        jm->restart_ns = sys_mono_ns(jm->o.sys) + pause_ms * NS_PER_MS;
        say_restart(jm, pause_ms);
    } else {
        jobmaster_become(jm, JOB_FAILING);
    }
    return again;
}

void jobmaster_fail(struct jobmaster *jm, const struct err *why, bool may_restart)
{
    enum job_status now = jobmaster_status(jm);
    int64_t pause_ms = 0;

    if (now == JOB_RESTARTING && !may_restart) { /* it was to be started anew, and now it will not be */
        jm->err = *why;
        keep_failure(jm, true);
        jobmaster_become(jm, JOB_FAILING);
        return;
    }
    if (now != JOB_RUNNING && now != JOB_CREATED) return;
    jm->err = *why;
    if (jm->err.status == S_OK) err_set(&jm->err, E_UNKNOWN, "a task ended without a reason");
    bool again = now == JOB_RUNNING && may_restart && restarts(jm, &pause_ms);
    keep_failure(jm, !again);
    if (again) {
        recovery_begin(jm, jm->err.text, false);
        jm->restart_ns = sys_mono_ns(jm->o.sys) + pause_ms * NS_PER_MS;
        say_restart(jm, pause_ms);
    }
    jobmaster_become(jm, again ? JOB_RESTARTING : JOB_FAILING);
    checkpoints_stop(jm, CHECKPOINT_JOB_FAILOVER);
    end_tasks(jm);
}

static enum execution_state state_of(const struct task_news *n)
{
    if (n->state == TASK_INITIALIZING) return EXECUTION_INITIALIZING;
    if (n->state == TASK_RUNNING) return EXECUTION_RUNNING;
    if (n->status == S_END) return EXECUTION_FINISHED;
    return n->status == E_CANCELED ? EXECUTION_CANCELED : EXECUTION_FAILED;
}

/* Of one that was told to end, only the end is news. */
static void move_execution(struct jobmaster *jm, const struct task_news *n)
{
    enum execution_state next = state_of(n);

    if (executions_state(jm->executions, n->vertex, n->subtask) == EXECUTION_CANCELING) {
        if (!task_has_ended(n)) return;
        next = EXECUTION_CANCELED;
    }
    executions_move(jm->executions, n->vertex, n->subtask, next);
}

/* When every operator is open all that was restored is in its tables. */
static void on_opened(struct jobmaster *jm)
{
    if (++jm->tasks_opened < jm->totals.tasks) return;
    rescale_runs(jm, recovery_pause_ms(jm));
    recovery_end(jm);
    if (jm->restore != NULL) restore_plan_drop_state(jm->restore);
}

static void on_task_news(struct jobmaster *jm, const struct task_news *n)
{
    enum execution_state before = executions_state(jm->executions, n->vertex, n->subtask);
    bool is_new = before == EXECUTION_DEPLOYING || before == EXECUTION_INITIALIZING;

    move_execution(jm, n);
    checkpoints_on_task(jm, n);
    if (n->state == TASK_RUNNING && !task_has_ended(n)) on_opened(jm);
    if (!task_has_ended(n)) return;
    ASSERT(jm->tasks_running > 0);
    jm->tasks_running--;
    if (n->status == S_END && is_new) on_opened(jm); /* it was through before */
    if (n->status == S_END) return;
    log_write(jm->o.log, LOG_INFO, "jobmaster", "task '%s' (subtask %u) ended: %s", n->vertex_name, n->subtask + 1,
              n->err->text);
    keep_concurrent(jm, n);
    jm->blamed = n->status != E_CANCELED ? n : NULL;
    jobmaster_fail(jm, n->err, true);
    jm->blamed = NULL;
}

/* Rows of an attempt that failed came before what is restored, or come again. */
static bool takes_rows(const struct jobmaster *jm)
{
    return jobmaster_status(jm) == JOB_RUNNING || jobmaster_status(jm) == JOB_RESTARTING;
}

void jobmaster_hand_over_rows(struct jobmaster *jm)
{
    struct row_queues *queues = job_row_queues(jm->job);
    struct batch *b;
    int64_t receiver;

    while ((b = row_queues_take(queues, &receiver)) != NULL) {
        struct err e = {0};
        enum status st = S_OK;
        if (jm->o.rows != NULL && takes_rows(jm)) st = jm->o.rows(jm->o.rows_arg, receiver, b, &e);
        row_queue_give_back(queues, receiver, b);
        if (st == S_OK) continue;
        err_set(&e, st, "%s", status_text(st));
        jobmaster_fail(jm, &e, false); /* the program itself does not want to go on */
    }
}

void jobmaster_on_message(struct jobmaster *jm, void *message)
{
    jobmaster_hand_over_rows(jm); /* before a task's end is seen: what it has put out belongs to the job */
    checkpoints_on_notes(jm);     /* the same of what it has acknowledged */
    if (message != &jm->rows_are_waiting && message != &jm->notes_are_waiting) on_task_news(jm, message);
}

static void look_at_signals(struct jobmaster *jm)
{
    bool is_wanted = jm->o.cancelled != NULL && sys_atomic_load(jm->o.cancelled) != 0;

    if (jm->o.takes_signals && jm->signal == SYS_SIGNAL_NONE) jm->signal = sys_signal_take(jm->o.sys);
    bool may_stop = jobmaster_status(jm) == JOB_RUNNING || jobmaster_status(jm) == JOB_RESTARTING;
    if (!may_stop || (!is_wanted && jm->signal == SYS_SIGNAL_NONE)) return;
    jobmaster_become(jm, JOB_CANCELLING);
    checkpoints_stop(jm, CHECKPOINT_COORDINATOR_SUSPEND);
    if (jm->tasks_running > 0) end_tasks(jm);
}

static void tick(struct jobmaster *jm)
{
    int64_t now = sys_mono_ns(jm->o.sys);

    if (jm->o.tick == NULL || now - jm->ticked_ns < jm->o.tick_ms * NS_PER_MS) return;
    jm->ticked_ns = now;
    if (sys_atomic_load(&jm->is_deployed) != 0) jm->host->ops->totals(jm->host, &jm->totals);
    jm->o.tick(jm->o.tick_arg, &jm->totals);
}

void jobmaster_pump(struct jobmaster *jm)
{
    void *message;

    while ((message = sys_mailbox_take(jm->o.sys, jm->mailbox, 0)) != NULL) jobmaster_on_message(jm, message);
    look_at_signals(jm);
    checkpoints_look(jm);
    metrics_sample(job_metrics(jm->job));
    tick(jm);
}

void jobmaster_turn(struct jobmaster *jm, int64_t wait_ms)
{
    void *message = sys_mailbox_take(jm->o.sys, jm->mailbox, wait_ms * NS_PER_MS);

    if (message != NULL) jobmaster_on_message(jm, message);
    look_at_signals(jm);
    if (jm->tasks_running > 0) look_at_ending(jm);
    checkpoints_look(jm);
    metrics_sample(job_metrics(jm->job));
    tick(jm);
}

/* --- questions --------------------------------------------------------------------------------------------------------------- */
enum sys_signal jobmaster_signal(const struct jobmaster *jm) { return jm->signal; }
void jobmaster_operator(const struct jobmaster *jm, uint32_t node, struct operator_totals *out)
{
    *out = (struct operator_totals){0};
    if (sys_atomic_load(&jm->is_deployed) != 0) jm->host->ops->operators(jm->host, node, true, out);
}

void jobmaster_totals_now(const struct jobmaster *jm, struct job_totals *out)
{
    *out = (struct job_totals){.watermark = TIME_MIN};
    sys_lock_take(jm->look);
    if (sys_atomic_load(&jm->is_deployed) != 0) jm->host->ops->totals(jm->host, out);
    sys_lock_give(jm->look);
}

void jobmaster_operator_now(const struct jobmaster *jm, uint32_t node, struct operator_totals *out)
{
    *out = (struct operator_totals){0};
    sys_lock_take(jm->look);
    if (sys_atomic_load(&jm->is_deployed) != 0) jm->host->ops->operators(jm->host, node, false, out);
    sys_lock_give(jm->look);
}

void jobmaster_task_now(struct jobmaster *jm, uint32_t vertex, uint32_t subtask, struct task_figures *out)
{
    *out = (struct task_figures){.watermark = TIME_MIN};
    sys_lock_take(jm->look);
    const struct graph *g = &jm->graph; /* who asks may know the one before a rescale */
    bool is_there = sys_atomic_load(&jm->is_deployed) != 0 && vertex < g->vertex_count && subtask < g->vertices[vertex].parallelism;
    if (is_there) jm->host->ops->task(jm->host, vertex, subtask, out);
    sys_lock_give(jm->look);
}

enum status jobmaster_accumulators_now(struct jobmaster *jm, struct accumulators *out, struct err *e)
{
    enum status st = S_OK;

    if (jm->job == NULL) return S_OK;
    sys_lock_take(jm->look);
    bool is_elsewhere = sys_atomic_load(&jm->is_deployed) != 0 && jm->host->ops->accumulators != NULL && !jm->has_accumulators;
    if (is_elsewhere) st = jm->host->ops->accumulators(jm->host, out, e);
    if (st == S_OK) st = job_accumulators_now(jm->job, out, e);
    sys_lock_give(jm->look);
    return st;
}

bool jobmaster_failure(struct jobmaster *jm, uint32_t index, struct job_failure *out)
{
    sys_lock_take(jm->look);
    bool is_there = index < MIN(jm->failure_count, JOB_FAILURES_KEPT);
    if (is_there) *out = jm->failures[(jm->failure_count - 1 - index) % JOB_FAILURES_KEPT];
    sys_lock_give(jm->look);
    return is_there;
}

bool jobmaster_checkpoint(struct jobmaster *jm, uint32_t index, struct checkpoint_stats *out)
{
    sys_lock_take(jm->look);
    bool is_there = checkpoints_history(jm->checkpoints, index, out);
    sys_lock_give(jm->look);
    return is_there;
}

const struct job_totals *jobmaster_totals(const struct jobmaster *jm) { return &jm->totals; }
int64_t jobmaster_run_ns(const struct jobmaster *jm) { return jm->ended_ns - jm->started_ns; }

const struct graph *jobmaster_graph(const struct jobmaster *jm)
{
    sys_lock_take(jm->look);
    const struct graph *g = jm->shown != NULL ? jm->shown : &jm->graph;
    sys_lock_give(jm->look);
    return g;
}

const char *jobmaster_job_id(const struct jobmaster *jm) { return jm->job != NULL ? job_shared_id(jm->job) : ""; }

struct executions *jobmaster_executions(const struct jobmaster *jm)
{
    sys_lock_take(jm->look);
    struct executions *x = jm->executions;
    sys_lock_give(jm->look);
    return x;
}

struct metrics *jobmaster_metrics(const struct jobmaster *jm) { return jm->job != NULL ? job_metrics(jm->job) : NULL; }

enum status jobmaster_accumulator(const struct jobmaster *jm, const char *name, struct accumulators *out, struct err *e)
{
    return jm->job != NULL ? job_accumulator_now(jm->job, name, out, e) : S_OK;
}

const struct accumulators *jobmaster_accumulators(const struct jobmaster *jm)
{
    return jm->job != NULL && job_status_is_terminal(jobmaster_status(jm)) ? job_accumulators(jm->job) : NULL;
}
