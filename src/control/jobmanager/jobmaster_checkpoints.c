/* jobmaster_checkpoints.c - checkpoints of a running job: between the coordinator, which knows when, the tasks, which know what, and
 * the store, which knows where.
 *
 * Tasks and the store speak on threads of their own. What they say is copied into a note, put into a mailbox, and the job master's
 * own mailbox is given a word that notes are waiting; so everything below runs on the job master's thread. Notes are taken
 * before a task's end is: what it acknowledged it did before it ended. A note of an attempt that is over names a checkpoint
 * that is not under way any more, and is passed over.
 *
 * While a checkpoint is under way its metadata grow, subtask by subtask; they go to the store when all have acknowledged. */
#include "control/jobmanager/jobmaster_internal.h"

#include "control/config.h"
#include "ground/base/str.h"

#include <string.h>

#define KEY "execution.checkpointing."
#define WAIT_MS INT64_C(30000) /* for the store, when the job ends or starts anew */

/* Metadata of a checkpoint that is under way. */
struct pending_order {
    struct pending_order *next;
    struct snapshot_order *order;
};

struct job_checkpoints {
    struct mem mem;
    struct jobmaster *jm;
    struct checkpoint_coordinator *coordinator;
    struct snapshot_store *store;
    struct snapshot_port port;
    struct sys_mailbox *notes;
    struct pending_order *orders;
    uint32_t *firsts;    /* [vertex] number of its first task */
    uint32_t *by_id;     /* [node_count] nodes in the order of their ids */
    uint32_t *places;    /* [node] its place there */
    char job_id[SNAPSHOT_ID_SIZE];
    bool discards_canceled, discards_failed;
    uint32_t changes_left; /* of the record that are not answered */
    enum status changed;   /* how the last one went */
    struct err change_err;
    struct buf latest;     /* folder of the newest checkpoint, as of then */
    bool has_latest;
};

enum note_kind { NOTE_ACKNOWLEDGE, NOTE_DECLINE, NOTE_WANTS, NOTE_ANSWER };
struct note {
    struct mem mem;
    enum note_kind kind;
    struct snapshot_ack ack; /* checkpoint, vertex and subtask of all kinds but ANSWER */
    struct err err;
    struct snapshot_answer *answer;
};

/* --- notes: on threads of tasks and of the store ---------------------------------------------------------------------------- */
static struct note *make_note(enum note_kind kind)
{
    struct mem mem;
    mem_init(&mem, "note", 0);
    struct note *n = mem_zalloc(&mem, sizeof *n);

    mem_init(&n->mem, "note", 0);
    mem_move(&mem, &n->mem);
    n->kind = kind;
    return n;
}

static void free_note(struct note *n)
{
    struct mem mem;

    if (n->answer != NULL) snapshot_answer_free(n->answer);
    mem_init(&mem, "note", 0);
    mem_move(&n->mem, &mem);
    mem_release(&mem);
}

static void send_note(struct job_checkpoints *c, struct note *n)
{
    sys_mailbox_send(c->jm->o.sys, c->notes, n);
    sys_mailbox_send(c->jm->o.sys, c->jm->mailbox, &c->jm->notes_are_waiting);
}

static enum status port_chunk(void *arg, const struct snapshot_place *where, struct buf *bytes, struct sys_parker *waiting)
{
    struct job_checkpoints *c = arg;

    return snapshot_store_chunk(c->store, where, bytes, waiting);
}

static void port_acknowledge(void *arg, const struct snapshot_ack *ack)
{
    struct note *n = make_note(NOTE_ACKNOWLEDGE);
    struct node_snapshot *nodes = mem_alloc(&n->mem, sizeof *nodes * (ack->node_count + 1));

    n->ack = *ack;
    n->ack.nodes = nodes;
    for (uint32_t i = 0; i < ack->node_count; i++) {
        nodes[i] = ack->nodes[i];
        if (nodes[i].committables.size == 0) continue;
        char *bytes = mem_alloc(&n->mem, nodes[i].committables.size);
        memcpy(bytes, nodes[i].committables.data, nodes[i].committables.size);
        nodes[i].committables.data = bytes;
    }
    send_note(arg, n);
}

static void port_decline(void *arg, int64_t checkpoint, uint32_t vertex, uint32_t subtask, const struct err *why)
{
    struct note *n = make_note(NOTE_DECLINE);

    n->ack = (struct snapshot_ack){.checkpoint = checkpoint, .vertex = vertex, .subtask = subtask};
    n->err = *why;
    send_note(arg, n);
}

static void port_wants(void *arg, uint32_t vertex, uint32_t subtask)
{
    struct note *n = make_note(NOTE_WANTS);

    n->ack = (struct snapshot_ack){.vertex = vertex, .subtask = subtask};
    send_note(arg, n);
}

static void store_answers(void *arg, struct snapshot_answer *a)
{
    struct note *n = make_note(NOTE_ANSWER);

    n->answer = a;
    send_note(arg, n);
}

/* --- making and ending ------------------------------------------------------------------------------------------------------ */
static int64_t now_ms(const struct jobmaster *jm) { return sys_mono_ns(jm->o.sys) / NS_PER_MS; }

static void number_tasks(struct job_checkpoints *c, const struct graph *g, uint32_t *count)
{
    c->firsts = mem_alloc(&c->mem, sizeof *c->firsts * g->vertex_count);
    *count = 0;
    for (uint32_t v = 0; v < g->vertex_count; v++) {
        c->firsts[v] = *count;
        *count += g->vertices[v].parallelism;
    }
}

/* Metadata name operators by id, in order. */
static void order_nodes(struct job_checkpoints *c, const struct graph *g)
{
    c->by_id = mem_alloc(&c->mem, sizeof *c->by_id * (g->node_count + 1));
    c->places = mem_alloc(&c->mem, sizeof *c->places * (g->node_count + 1));
    for (uint32_t i = 0; i < g->node_count; i++) {
        uint32_t at = i;
        for (; at > 0 && strcmp(g->nodes[c->by_id[at - 1]]->id, g->nodes[i]->id) > 0; at--) c->by_id[at] = c->by_id[at - 1];
        c->by_id[at] = i;
    }
    for (uint32_t i = 0; i < g->node_count; i++) c->places[c->by_id[i]] = i;
}

static int64_t int_of(const struct jobmaster *jm, const char *key) { return options_int(&jm->graph.settings, config_defs, key); }

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
        .answer = store_answers,
        .arg = c};

    return snapshot_store_create(&o, &c->store, e);
}

static void make_coordinator(struct job_checkpoints *c, const struct checkpoints_setup *setup, uint32_t tasks)
{
    struct jobmaster *jm = c->jm;
    struct checkpoint_settings s = {.interval_ms = int_of(jm, KEY "interval"),
                                    .min_pause_ms = int_of(jm, KEY "min-pause"),
                                    .timeout_ms = int_of(jm, KEY "timeout"),
                                    .concurrent_max = (uint32_t)int_of(jm, KEY "max-concurrent-checkpoints"),
                                    .tolerable_failures = int_of(jm, KEY "tolerable-failed-checkpoints"),
                                    .tasks = tasks,
                                    .wall_offset_ms = sys_wall_ms(jm->o.sys) - now_ms(jm)};

    c->coordinator = checkpoint_coordinator_create(&s, setup->first_id, setup->record.next_checkpoint);
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
    uint32_t tasks;

    mem_init(&c->mem, "checkpoints", 0);
    mem_move(&mem, &c->mem);
    jm->checkpoints = c;
    c->jm = jm;
    c->port = (struct snapshot_port){port_chunk, port_acknowledge, port_decline, port_wants, c};
    c->notes = sys_mailbox_create(jm->o.sys);
    buf_init(&c->latest, &c->mem);
    memcpy(c->job_id, setup->record.job_id, sizeof c->job_id);
    number_tasks(c, &jm->graph, &tasks);
    order_nodes(c, &jm->graph);
    read_retention(c);
    make_coordinator(c, setup, tasks);
    return make_store(c, setup, e);
}

void checkpoints_free(struct job_checkpoints *c)
{
    struct mem mem;
    struct note *n;

    if (c == NULL) return;
    snapshot_store_free(c->store);
    while ((n = sys_mailbox_take(c->jm->o.sys, c->notes, 0)) != NULL) free_note(n);
    for (struct pending_order *o = c->orders; o != NULL; o = o->next) snapshot_order_free(o->order);
    checkpoint_coordinator_free(c->coordinator);
    sys_mailbox_free(c->jm->o.sys, c->notes);
    mem_init(&mem, "checkpoints", 0);
    mem_move(&c->mem, &mem);
    mem_release(&mem);
}

const struct snapshot_port *checkpoints_port(const struct job_checkpoints *c) { return c != NULL ? &c->port : NULL; }
const char *checkpoints_job_id(const struct job_checkpoints *c) { return c != NULL ? c->job_id : NULL; }

/* --- metadata --------------------------------------------------------------------------------------------------------------- */
static void fill_operators(struct job_checkpoints *c, struct snapshot_order *o)
{
    const struct graph *g = &c->jm->graph;
    struct snapshot_operator *operators = ARENA_ARRAY(&o->arena, struct snapshot_operator, g->node_count + 1);

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[c->by_id[i]];
        operators[i] = (struct snapshot_operator){.name = arena_strdup(&o->arena, n->name),
                                                  .parallelism = n->parallelism,
                                                  .max_parallelism = n->max_parallelism,
                                                  .subtasks = ARENA_ARRAY(&o->arena, struct snapshot_subtask, n->parallelism)};
        memcpy(operators[i].id, n->id, sizeof operators[i].id);
    }
    o->metadata.operators = operators;
    o->metadata.operator_count = g->node_count;
}

static void add_order(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    struct pending_order *p = mem_zalloc(&c->mem, sizeof *p);
    struct snapshot_order *o = snapshot_order_create();

    o->metadata = (struct snapshot_metadata){.job_name = arena_strdup(&o->arena, c->jm->graph.job_name),
                                             .checkpoint = a->id,
                                             .time_ms = sys_wall_ms(c->jm->o.sys),
                                             .kind = a->kind,
                                             .graph = c->jm->digest};
    memcpy(o->metadata.job_id, c->job_id, sizeof o->metadata.job_id);
    fill_operators(c, o);
    p->order = o;
    p->next = c->orders;
    c->orders = p;
}

static struct snapshot_order *find_order(const struct job_checkpoints *c, int64_t id)
{
    for (struct pending_order *p = c->orders; p != NULL; p = p->next)
        if (p->order->metadata.checkpoint == id) return p->order;
    return NULL;
}

/* NULL: there is none (any more). */
static struct snapshot_order *take_order(struct job_checkpoints *c, int64_t id)
{
    struct pending_order **at = &c->orders;

    while (*at != NULL && (*at)->order->metadata.checkpoint != id) at = &(*at)->next;
    if (*at == NULL) return NULL;
    struct pending_order *p = *at;
    struct snapshot_order *o = p->order;
    *at = p->next;
    mem_free(&c->mem, p);
    return o;
}

static struct snapshot_subtask *subtask_of(const struct job_checkpoints *c, const struct snapshot_order *o, uint32_t node, uint32_t subtask)
{
    const struct snapshot_operator *operator= &o->metadata.operators[c->places[node]];

    ASSERT(subtask < operator->parallelism);
    return (struct snapshot_subtask *)(uintptr_t)&operator->subtasks[subtask]; /* of our own order */
}

static void fill_subtasks(const struct job_checkpoints *c, struct snapshot_order *o, const struct snapshot_ack *ack)
{
    const struct graph_vertex *v = &c->jm->graph.vertices[ack->vertex];

    ASSERT(ack->node_count == v->node_count);
    for (uint32_t i = 0; i < ack->node_count; i++) {
        const struct node_snapshot *from = &ack->nodes[i];
        struct snapshot_subtask *to = subtask_of(c, o, v->nodes[i], ack->subtask);
        *to = (struct snapshot_subtask){.watermark = from->watermark,
                                        .sent_watermark = from->sent_watermark,
                                        .is_idle = from->is_idle,
                                        .handle_count = from->chunks};
        if (from->committables.size > 0)
            to->committables = (struct str){arena_strndup(&o->arena, from->committables.data, from->committables.size),
                                            from->committables.size};
    }
}

static void fill_finished(const struct job_checkpoints *c, struct snapshot_order *o)
{
    const struct graph *g = &c->jm->graph;

    for (uint32_t v = 0; v < g->vertex_count; v++)
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) {
            if (!checkpoint_task_was_finished(c->coordinator, o->metadata.checkpoint, c->firsts[v] + s)) continue;
            for (uint32_t i = 0; i < g->vertices[v].node_count; i++)
                *subtask_of(c, o, g->vertices[v].nodes[i], s) = (struct snapshot_subtask){.is_finished = true};
        }
}

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
    log_write(jm->o.log, LOG_INFO, "checkpoints", "%s %lld of job '%s' completed (%llu bytes in %lld ms, aligned %lld ms)",
              snapshot_kind_name(s.kind), (long long)id, jm->graph.job_name, (unsigned long long)s.size,
              (long long)(s.ended_ms - s.triggered_ms), (long long)s.alignment_ms);
}

static void trigger(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    enum status st = snapshot_store_open(c->store, a->id, a->kind, NULL, NULL);

    ASSERT(st == S_OK); /* the job's own folder */
    add_order(c, a);
    taskmanager_trigger(c->jm->tm, a->id);
}

static void abort_one(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    log_write(c->jm->o.log, checkpoint_reason_counts(a->reason) ? LOG_WARN : LOG_INFO, "checkpoints", "%s %lld of job '%s' failed: %s",
              snapshot_kind_name(a->kind), (long long)a->id, c->jm->graph.job_name, checkpoint_reason_text(a->reason));
    snapshot_store_abort(c->store, a->id);
    snapshot_order_free(take_order(c, a->id));
}

static void store(struct job_checkpoints *c, const struct checkpoint_action *a)
{
    struct snapshot_order *o = take_order(c, a->id);

    ASSERT(o != NULL);
    fill_finished(c, o);
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
        if (jm->tm != NULL) taskmanager_complete(jm->tm, a->id);
        break;
    case CHECKPOINT_RESERVE:
        change_record(c, &(struct snapshot_change){.status = JOB_RUNNING, .attempt = jm->attempt, .reserves = true});
        break;
    case CHECKPOINT_FAIL_JOB: fail_job(jm, a); break;
    }
}

static void obey_all(struct job_checkpoints *c)
{
    struct checkpoint_action a;

    while (checkpoint_coordinator_take(c->coordinator, &a)) obey(c, &a);
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
        log_write(c->jm->o.log, LOG_WARN, "checkpoints", "checkpoint %lld could not be written: %s", (long long)a->checkpoint, a->err.text);
    step_down(c, a);
    checkpoint_reserved(c->coordinator, a->ids_end);
    checkpoint_stored(c->coordinator, a->checkpoint, is_made ? CHECKPOINT_NO_REASON : CHECKPOINT_FINALIZE_FAILURE, a->size, now_ms(c->jm));
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
    step_down(c, a);
}

static void on_answer(struct job_checkpoints *c, const struct snapshot_answer *a)
{
    if (a->verb == STORE_FINISH) {
        on_finished(c, a);
    } else if (a->verb == STORE_CHANGE) {
        on_changed(c, a);
    } else {
        log_write(c->jm->o.log, LOG_WARN, "checkpoints", "checkpoint %lld: %s", (long long)a->checkpoint, a->err.text);
        checkpoint_failed(c->coordinator, a->checkpoint, CHECKPOINT_ASYNC_EXCEPTION, now_ms(c->jm));
    }
}

static void on_acknowledged(struct job_checkpoints *c, const struct snapshot_ack *ack)
{
    struct snapshot_order *o = find_order(c, ack->checkpoint);
    struct checkpoint_ack short_one = {ack->bytes, ack->aligned_ns / NS_PER_MS, ack->saved_ns / NS_PER_MS};

    if (o == NULL) return;
    fill_subtasks(c, o, ack);
    checkpoint_acknowledged(c->coordinator, ack->checkpoint, c->firsts[ack->vertex] + ack->subtask, &short_one);
}

static void on_note(struct job_checkpoints *c, struct note *n)
{
    switch (n->kind) {
    case NOTE_ACKNOWLEDGE: on_acknowledged(c, &n->ack); break;
    case NOTE_DECLINE:
        log_write(c->jm->o.log, LOG_WARN, "checkpoints", "checkpoint %lld was declined: %s", (long long)n->ack.checkpoint, n->err.text);
        checkpoint_failed(c->coordinator, n->ack.checkpoint, CHECKPOINT_DECLINED, now_ms(c->jm));
        break;
    case NOTE_WANTS: checkpoint_wanted(c->coordinator, now_ms(c->jm)); break;
    case NOTE_ANSWER: on_answer(c, n->answer); break;
    }
    obey_all(c);
    free_note(n);
}

void checkpoints_on_notes(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;
    struct note *n;

    if (c == NULL) return;
    while ((n = sys_mailbox_take(jm->o.sys, c->notes, 0)) != NULL) on_note(c, n);
    snapshot_store_run(c->store); /* where it has no thread */
}

void checkpoints_on_task(struct jobmaster *jm, const struct task_news *n)
{
    struct job_checkpoints *c = jm->checkpoints;

    if (c == NULL) return;
    uint32_t task = c->firsts[n->vertex] + n->subtask;
    if (n->state == TASK_RUNNING && n->status == S_OK) checkpoint_task_running(c->coordinator, task, now_ms(jm));
    if (n->status == S_END) checkpoint_task_finished(c->coordinator, task, now_ms(jm));
    obey_all(c);
}

void checkpoints_look(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;

    if (c == NULL) return;
    checkpoints_on_notes(jm);
    checkpoint_tick(c->coordinator, now_ms(jm));
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
static bool nothing_is_changed(const struct job_checkpoints *c) { return c->changes_left == 0; }

void checkpoints_attempt_ended(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;

    if (c == NULL) return;
    snapshot_store_forget_waiting(c->store);
    checkpoints_stop(jm, CHECKPOINT_COORDINATOR_SHUTDOWN);
    bool is_over = await(jm, nothing_is_written);
    (void)is_over; /* what is in doubt is told when the store is freed */
}

static enum status await_change(struct jobmaster *jm, const struct snapshot_change *change, struct err *e)
{
    struct job_checkpoints *c = jm->checkpoints;

    change_record(c, change);
    if (!await(jm, nothing_is_changed)) return err_set(e, E_UNKNOWN, "the job's record could not be written within %d s", (int)(WAIT_MS / 1000));
    return c->changed == S_OK ? S_OK : err_pass_on(e, &c->change_err);
}

enum status checkpoints_next_attempt(struct jobmaster *jm, const char **folder, struct err *e)
{
    struct job_checkpoints *c = jm->checkpoints;

    ASSERT(c != NULL);
    TRY(await_change(jm, &(struct snapshot_change){.status = JOB_RUNNING, .attempt = jm->attempt}, e));
    *folder = c->has_latest ? buf_text(&c->latest) : NULL;
    return S_OK;
}

void checkpoints_job_over(struct jobmaster *jm)
{
    struct job_checkpoints *c = jm->checkpoints;
    enum job_status last = jobmaster_status(jm);
    struct err e = {0};

    if (c == NULL) return;
    bool discards = last == JOB_FINISHED || (last == JOB_CANCELED && c->discards_canceled) || (last == JOB_FAILED && c->discards_failed);
    if (await_change(jm, &(struct snapshot_change){.status = last, .attempt = jm->attempt, .discards = discards}, &e) == S_OK) return;
    if (e.status != E_EXISTS)
        log_write(jm->o.log, LOG_WARN, "checkpoints", "that job '%s' is %s could not be recorded: %s", jm->graph.job_name,
                  job_status_name(last), e.text);
}
