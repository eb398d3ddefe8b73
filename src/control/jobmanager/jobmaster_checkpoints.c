/* jobmaster_checkpoints.c - checkpoints of a running job: between the coordinator, which knows when, the tasks, which know what, and
 * the store, which knows where.
 *
 * All of it runs on the job master's thread; what others say arrives as notes (checkpoint_notes.c). They are taken before a task's
 * end is: what it acknowledged it did before it ended. A note of an attempt that is over names a checkpoint that is not under
 * way any more, and is passed over.
 *
 * While a checkpoint is under way its metadata grow, subtask by subtask; they go to the store when all have acknowledged. */
#include "control/jobmanager/checkpoints_internal.h"

#include "control/config.h"
#include "ground/base/str.h"
#include "ground/sys/sys_crash.h"

#include <string.h>

#define KEY "execution.checkpointing."
#define WAIT_MS INT64_C(30000) /* for the store, when the job ends or starts anew */

/* --- making and ending ------------------------------------------------------------------------------------------------------ */
static int64_t int_of(const struct jobmaster *jm, const char *key)
{
    return options_int(&jm->graph.settings, config_defs, key);
}

static enum status make_store(struct job_checkpoints *c, const struct checkpoints_setup *setup, struct err *e)
{
    struct jobmaster *jm = c->jm;
    bool has_old = options_get(&jm->graph.settings, config_defs, "state.checkpoints.num-retained") != NULL;
    struct snapshot_store_options o = {
        .sys = jm->o.sys,
        .log = jm->o.log,
        .records = setup->records,
        .uri = setup->uri,
        .record = &setup->record,
        .before = setup->before,
        .inline_max = (uint64_t)int_of(jm, KEY "data-inline-threshold"),
        .retained_max = (uint32_t)int_of(jm, has_old ? "state.checkpoints.num-retained" : KEY "num-retained"),
        .has_thread = jm->o.drive == NULL,
        .has_writers = true,
        .answer = notes_send_answer,
        .arg = c};

    return snapshot_store_create(&o, &c->store, e);
}

static void make_coordinator(struct job_checkpoints *c, const struct checkpoints_setup *setup)
{
    struct jobmaster *jm = c->jm;
    struct checkpoint_settings s = {.interval_ms = int_of(jm, KEY "interval"),
                                    .min_pause_ms = int_of(jm, KEY "min-pause"),
                                    .timeout_ms = int_of(jm, KEY "timeout"),
                                    .concurrent_max = (uint32_t)int_of(jm, KEY "max-concurrent-checkpoints"),
                                    .tolerable_failures = int_of(jm, KEY "tolerable-failed-checkpoints"),
                                    .tasks = executions_count(jm->executions),
                                    .wall_offset_ms = sys_wall_ms(jm->o.sys) - now_ms(jm)};

    c->coordinator = checkpoint_coordinator_create(&s, setup->first_id, setup->record.next_checkpoint);
}

static uint64_t parts_from(const struct jobmaster *jm)
{
    const struct options *o = &jm->graph.settings;
    bool has_old = options_get(o, config_defs, "state.backend.incremental") != NULL;
    bool is_on = options_bool(o, config_defs, has_old ? "state.backend.incremental" : KEY "incremental");

    return is_on ? (uint64_t)MAX(1, int_of(jm, "thalweg.checkpoint.incremental-from")) : 0;
}

/* A job that has failed may be wanted again, so its checkpoints stay unless somebody asked that they go. */
static void read_retention(struct job_checkpoints *c)
{
    const char *how = options_get(&c->jm->graph.settings, config_defs, KEY "externalized-checkpoint-retention");

    c->discards_canceled = !str_equal_nocase(str_of(how), STR("RETAIN_ON_CANCELLATION"));
    c->discards_failed = str_equal_nocase(str_of(how), STR("NO_EXTERNALIZED_CHECKPOINTS"));
}

enum status checkpoints_create(struct jobmaster *jm, const struct checkpoints_setup *setup, struct err *e)
{
    struct mem mem;
    mem_init(&mem, "checkpoints", 0);
    struct job_checkpoints *c = mem_zalloc(&mem, sizeof *c);

    mem_init(&c->mem, "checkpoints", 0);
    mem_move(&mem, &c->mem);
    jm->checkpoints = c;
    c->jm = jm;
    notes_init(c);
    buf_init(&c->latest, &c->mem);
    memcpy(c->job_id, setup->record.job_id, sizeof c->job_id);
    c->uri = setup->uri;
    orders_init(c);
    read_retention(c);
    c->port.parts_from = parts_from(jm);
    make_coordinator(c, setup);
    return make_store(c, setup, e);
}

void checkpoints_free(struct job_checkpoints *c)
{
    struct mem mem;

    if (c == NULL) return;
    snapshot_store_free(c->store);
    notes_release(c);
    orders_release(c);
    checkpoint_coordinator_free(c->coordinator);
    mem_init(&mem, "checkpoints", 0);
    mem_move(&c->mem, &mem);
    mem_release(&mem);
}

const struct snapshot_port *checkpoints_port(const struct job_checkpoints *c) { return c != NULL ? &c->port : NULL; }
void checkpoints_placed(void *checkpoints, const struct snapshot_place *where, const struct snapshot_handle *handle)
{
    snapshot_store_placed(((struct job_checkpoints *)checkpoints)->store, where, handle);
}

const char *checkpoints_job_id(const struct job_checkpoints *c) { return c != NULL ? c->job_id : NULL; }

/* --- what is to be done ----------------------------------------------------------------------------------------------------- */
static void fail_job(struct jobmaster *jm, const struct checkpoint_action *a)
{
    struct err e = {0};

    err_set(&e, E_IO, "Exceeded checkpoint tolerable failure threshold. The latest checkpoint failed due to %s",
            checkpoint_reason_text(a->reason));
    err_hint(&e, "execution.checkpointing.tolerable-failed-checkpoints says how many in a row may fail");
    jobmaster_fail(jm, &e, true);
}

static void log_completed(struct jobmaster *jm, int64_t id)
{
    struct checkpoint_stats s;

    for (uint32_t i = 0; checkpoint_history(jm->checkpoints->coordinator, i, &s); i++)
        if (s.id == id) break;
    log_write(jm->o.log, LOG_INFO, "checkpoints",
              "%s %lld of job '%s' completed (%llu bytes in %lld ms, aligned %lld ms)", snapshot_kind_name(s.kind),
              (long long)id, jm->graph.job_name, (unsigned long long)s.size, (long long)(s.ended_ms - s.triggered_ms),
              (long long)s.alignment_ms);
}

static void trigger(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    enum snapshot_wish wish = snapshot_requests_wish(c, a->id);
    enum status st = snapshot_store_open(c->store, a->id, a->kind, snapshot_requests_folder(c, a->id), NULL);

    ASSERT(st == S_OK); /* the job's own folder, or one that was looked at */
    orders_add(c, a->id, a->kind);
    sys_crash_point(c->jm->o.sys, CRASH_C1);
    if (a->kind == SNAPSHOT_SAVEPOINT) sys_crash_point(c->jm->o.sys, CRASH_C20);
    if (sys_atomic_load(&c->jm->is_deployed) == 0) return;
    struct task_trigger t = {.checkpoint = a->id,
                             .folder = snapshot_requests_folder(c, a->id),
                             .stops = wish == WISH_STOP || wish == WISH_DRAIN || wish == WISH_RESCALE,
                             .drains = wish == WISH_DRAIN,
                             .is_whole = a->kind == SNAPSHOT_SAVEPOINT};
    if (wish == WISH_RESCALE) recovery_begin(c->jm, "another parallelism was asked for", true);
    c->jm->host->ops->trigger(c->jm->host, &t);
}

static void abort_one(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    log_write(c->jm->o.log, checkpoint_reason_counts(a->reason) ? LOG_WARN : LOG_INFO, "checkpoints",
              "%s %lld of job '%s' failed: %s", snapshot_kind_name(a->kind), (long long)a->id, c->jm->graph.job_name,
              checkpoint_reason_text(a->reason));
    if (a->reason == CHECKPOINT_EXPIRED) sys_crash_point(c->jm->o.sys, CRASH_C11);
    snapshot_store_abort(c->store, a->id);
    snapshot_order_free(orders_take(c, a->id, false));
    snapshot_requests_failed(c, a->id, a->reason);
}

static void store(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    struct snapshot_order *o = orders_take(c, a->id, true);

    ASSERT(o != NULL);
    snapshot_store_finish(c->store, o);
}

static void change_record(struct job_checkpoints *c, const struct snapshot_change *change)
{
    c->changes_left++;
    snapshot_store_change(c->store, change);
}

static void obey(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    struct jobmaster *jm = c->jm;

    switch (a->verb) {
    case CHECKPOINT_TRIGGER: trigger(c, a); break;
    case CHECKPOINT_STORE: store(c, a); break;
    case CHECKPOINT_ABORT: abort_one(c, a); break;
    case CHECKPOINT_NOTIFY:
        log_completed(jm, a->id);
        if (sys_atomic_load(&jm->is_deployed) != 0) jm->host->ops->complete(jm->host, a->id);
        snapshot_requests_complete(c, a->id);
        break;
    case CHECKPOINT_RESERVE:
        change_record(c, &(struct snapshot_change){.status = JOB_RUNNING, .attempt = jm->attempt, .reserves = true});
        break;
    case CHECKPOINT_FAIL_JOB: fail_job(jm, a); break;
    }
}

static void show_history(struct job_checkpoints *c)
{
    sys_lock_take(c->jm->look);
    for (c->shown_count = 0; c->shown_count < CHECKPOINT_HISTORY; c->shown_count++)
        if (!checkpoint_history(c->coordinator, c->shown_count, &c->shown[c->shown_count])) break;
    sys_lock_give(c->jm->look);
}

static void obey_all(struct job_checkpoints *c)
{
    struct checkpoint_action a;
    bool any = false;

    for (; checkpoint_coordinator_take(c->coordinator, &a); any = true) obey(c, &a);
    if (any) show_history(c);
}

bool checkpoints_history(const struct job_checkpoints *c, uint32_t index, struct checkpoint_stats *out)
{
    if (c == NULL || index >= c->shown_count) return false;
    *out = c->shown[index];
    return true;
}

/* --- what is said ------------------------------------------------------------------------------------------------------------- */
/* Another process leads the job, or nobody can say: this one commits and deletes nothing any more. */
static void step_down(struct job_checkpoints *c, const struct snapshot_answer *a)
{
    if (a->status == E_EXISTS || a->status == E_UNKNOWN) jobmaster_fail(c->jm, &a->err, false);
}

static void on_finished(struct job_checkpoints *c, const struct snapshot_answer *a)
{
    bool is_made = a->status == S_OK;

    if (!is_made)
        log_write(c->jm->o.log, LOG_WARN, "checkpoints", "checkpoint %lld could not be written: %s",
                  (long long)a->checkpoint, a->err.text);
    step_down(c, a);
    checkpoint_reserved(c->coordinator, a->ids_end);
    checkpoint_stored(c->coordinator, a->checkpoint, is_made ? CHECKPOINT_NO_REASON : CHECKPOINT_FINALIZE_FAILURE,
                      a->size + a->written, now_ms(c->jm));
}

static void on_changed(struct job_checkpoints *c, const struct snapshot_answer *a)
{
    ASSERT(c->changes_left > 0);
    c->changes_left--;
    c->changed = a->status;
    c->change_err = a->err;
    c->has_latest = a->has_latest;
    buf_clear(&c->latest);
    if (a->has_latest) buf_append_text(&c->latest, a->latest.folder);
    checkpoint_reserved(c->coordinator, a->ids_end);
    if (a->status != S_OK) checkpoint_not_reserved(c->coordinator, now_ms(c->jm));
    step_down(c, a);
}

/* Without the mark whoever restores the savepoint commits once more, which changes nothing. */
static void on_marked(struct job_checkpoints *c, const struct snapshot_answer *a)
{
    if (a->status != S_OK)
        log_write(c->jm->o.log, LOG_WARN, "checkpoints", "that savepoint %lld is committed could not be written: %s",
                  (long long)a->checkpoint, a->err.text);
    snapshot_requests_marked(c, a->checkpoint);
}

static void on_answer(struct job_checkpoints *c, const struct snapshot_answer *a)
{
    if (a->verb == STORE_MARK) {
        on_marked(c, a);
    } else if (a->verb == STORE_FINISH) {
        on_finished(c, a);
    } else if (a->verb == STORE_CHANGE) {
        on_changed(c, a);
    } else {
        log_write(c->jm->o.log, LOG_WARN, "checkpoints", "checkpoint %lld: %s", (long long)a->checkpoint, a->err.text);
        sys_crash_point(c->jm->o.sys, CRASH_C10);
        checkpoint_failed(c->coordinator, a->checkpoint, CHECKPOINT_ASYNC_EXCEPTION, now_ms(c->jm));
    }
}

static void on_acknowledged(struct job_checkpoints *c, const struct snapshot_ack *ack)
{
    struct checkpoint_ack short_one = {ack->bytes, ack->aligned_ns / NS_PER_MS, ack->held_ns / NS_PER_MS};

    sys_crash_point(c->jm->o.sys, CRASH_C9);
    if (orders_acknowledge(c, ack))
        checkpoint_acknowledged(c->coordinator, ack->checkpoint, task_number(c, ack->vertex, ack->subtask), &short_one);
}

static void on_note(struct job_checkpoints *c, struct note *n)
{
    switch (n->kind) {
    case NOTE_ACKNOWLEDGE: on_acknowledged(c, &n->ack); break;
    case NOTE_DECLINE:
        log_write(c->jm->o.log, LOG_WARN, "checkpoints", "checkpoint %lld was declined: %s",
                  (long long)n->ack.checkpoint, n->err.text);
        sys_crash_point(c->jm->o.sys, CRASH_C10);
        checkpoint_failed(c->coordinator, n->ack.checkpoint, CHECKPOINT_DECLINED, now_ms(c->jm));
        break;
    case NOTE_WANTS: checkpoint_wanted(c->coordinator, now_ms(c->jm)); break;
    case NOTE_ANSWER: on_answer(c, n->answer); break;
    case NOTE_COMMITTED:
        snapshot_requests_committed(c, n->ack.checkpoint, task_number(c, n->ack.vertex, n->ack.subtask));
        break;
    }
    obey_all(c);
    note_free(n);
}

void checkpoints_on_notes(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;
    struct note *n;

    if (c == NULL) return;
    sys_atomic_exchange(&c->is_told, 0); /* first: what comes from here on is told of again */
    while ((n = notes_take(c)) != NULL) on_note(c, n);
    snapshot_store_run(c->store); /* where it has no thread */
}

/* Subtasks of a source know of each other which splits were read: by what they say, or by what they left before the others say it
 * (enumerator_bequeath). Of one that ended in between neither is certain. */
static bool is_missed(const struct jobmaster *jm, uint32_t vertex)
{
    const struct graph_vertex *v = &jm->graph.vertices[vertex];

    return jm->graph.nodes[v->head]->plan.input_count == 0 && v->parallelism > 1;
}

void checkpoints_on_task(struct jobmaster *jm, const struct task_news *n)
{
    struct job_checkpoints *c = jm->checkpoints;

    if (c == NULL) return;
    uint32_t task = task_number(c, n->vertex, n->subtask);
    if (n->state == TASK_RUNNING && n->status == S_OK) checkpoint_task_running(c->coordinator, task, now_ms(jm));
    if (n->status == S_END) checkpoint_task_finished(c->coordinator, task, is_missed(jm, n->vertex), now_ms(jm));
    if (n->status == S_END) snapshot_requests_committed(c, INT64_MAX, task);
    obey_all(c);
}

void checkpoints_look(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;

    if (c == NULL) return;
    checkpoints_on_notes(jm);
    checkpoint_tick(c->coordinator, now_ms(jm));
    snapshot_requests_look(c);
    obey_all(c);
}

int64_t checkpoints_wait_ms(const struct jobmaster *jm, int64_t most)
{
    if (jm->checkpoints == NULL) return most;
    int64_t due = checkpoint_due_ms(jm->checkpoints->coordinator), now = now_ms(jm);

    return due <= now ? 0 : MIN(most, due - now);
}

/* --- attempts ------------------------------------------------------------------------------------------------------------------ */
void checkpoints_attempt_starts(struct jobmaster *jm)
{
    if (jm->checkpoints != NULL) checkpoint_started(jm->checkpoints->coordinator, now_ms(jm));
}

void checkpoints_stop(struct jobmaster *jm, enum checkpoint_reason why)
{
    if (jm->checkpoints == NULL) return;
    checkpoint_stopped(jm->checkpoints->coordinator, why, now_ms(jm));
    obey_all(jm->checkpoints);
}

/* Until the store has answered; not for ever: it may be in doubt. */
static bool await(struct jobmaster *jm, bool (*is_done)(const struct job_checkpoints *c))
{
    int64_t until = now_ms(jm) + WAIT_MS;

    while (!is_done(jm->checkpoints) && now_ms(jm) < until) jobmaster_turn(jm, LOOK_MS);
    return is_done(jm->checkpoints);
}

static bool nothing_is_written(const struct job_checkpoints *c) { return !checkpoint_is_storing(c->coordinator); }
static bool nothing_is_marked(const struct job_checkpoints *c) { return !snapshot_requests_are_marking(c); }
static bool nothing_is_changed(const struct job_checkpoints *c) { return c->changes_left == 0; }

void checkpoints_attempt_ended(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;

    if (c == NULL) return;
    snapshot_store_forget_waiting(c->store);
    checkpoints_stop(jm, CHECKPOINT_COORDINATOR_SHUTDOWN);
    bool is_over = await(jm, nothing_is_written) && await(jm, nothing_is_marked);
    (void)is_over; /* what is in doubt is told when the store is freed */
    if (jobmaster_status(jm) != JOB_RUNNING) snapshot_requests_attempt_failed(c);
}

static enum status await_change(struct jobmaster *jm, const struct snapshot_change *change, struct err *e)
{
    struct job_checkpoints *c = jm->checkpoints;

    change_record(c, change);
    if (!await(jm, nothing_is_changed))
        return err_set(e, E_UNKNOWN, "the job's record could not be written within %d s", (int)(WAIT_MS / 1000));
    return c->changed == S_OK ? S_OK : err_pass_on(e, &c->change_err);
}

static enum status next_attempt(struct jobmaster *jm, const struct snapshot_change *change, const char **folder, struct err *e)
{
    struct job_checkpoints *c = jm->checkpoints;

    ASSERT(c != NULL);
    TRY(await_change(jm, change, e));
    *folder = c->has_latest ? buf_text(&c->latest) : NULL;
    return S_OK;
}

enum status checkpoints_next_attempt(struct jobmaster *jm, const char **folder, struct err *e)
{
    return next_attempt(jm, &(struct snapshot_change){.status = JOB_RUNNING, .attempt = jm->attempt}, folder, e);
}

enum status checkpoints_next_generation(struct jobmaster *jm, const struct rescaled_operator *list, const char **folder, struct err *e)
{
    const struct snapshot_change change = {
        .status = JOB_RUNNING, .attempt = jm->attempt, .rescaled = list, .rescaled_count = jm->graph.node_count};

    return next_attempt(jm, &change, folder, e);
}

void checkpoints_resize(struct jobmaster *jm)
{
    orders_renumber(jm->checkpoints);
    checkpoint_resize(jm->checkpoints->coordinator, executions_count(jm->executions));
}

void checkpoints_job_over(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;
    enum job_status last = jobmaster_status(jm);
    struct err e = {0};

    if (c == NULL) return;
    sys_lock_take(jm->look);
    c->is_over = true; /* whoever asks for a savepoint from now on is told so at once */
    sys_lock_give(jm->look);
    checkpoints_on_notes(jm);
    if (last == JOB_SUSPENDED) {
        snapshot_requests_end_all(jm);
        return;
    }
    bool discards = last == JOB_FINISHED || (last == JOB_CANCELED && c->discards_canceled) ||
                    (last == JOB_FAILED && c->discards_failed);
    sys_crash_point(jm->o.sys, CRASH_C25);
    const struct snapshot_change change = {.status = last, .attempt = jm->attempt, .discards = discards};
    enum status st = await_change(jm, &change, &e);
    snapshot_requests_end_all(jm);
    if (st == S_OK) return;
    if (e.status != E_EXISTS)
        log_write(jm->o.log, LOG_WARN, "checkpoints", "that job '%s' is %s could not be recorded: %s",
                  jm->graph.job_name, job_status_name(last), e.text);
}
