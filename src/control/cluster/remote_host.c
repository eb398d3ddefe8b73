/* remote_host.c - the port task_host on workers in other processes.
 *
 * A host is made at once and waits for its slots, then for its workers; which task runs where follows from its slot. Every task that was
 * deployed has one end: its worker says so, or the worker is lost and all its tasks have failed, or the job is canceled before they
 * were started. What comes of a host that the job master has freed touches nothing of the job any more (d is NULL).
 *
 * Not here: connections (remote_worker.c), slots (resource_manager.c). */
#include "control/cluster/cluster_internal.h"

#include "control/config.h"

#include <string.h>

static struct remote_host *host_of(struct task_host *h) { return (struct remote_host *)h; }
static struct sys_lock *lock_of(const struct remote_host *h) { return h->cluster->lock; }

/* --- tasks ---------------------------------------------------------------------------------------------------------------------- */
static enum remote_step step_of(const struct task_news *n)
{
    if (task_has_ended(n)) return STEP_OVER;
    return n->state == TASK_RUNNING ? STEP_RUNS : STEP_OPENS;
}

static void tell(struct remote_host *h, struct remote_task *t, const struct task_news *n)
{
    struct task_news *kept = &t->news[step_of(n) - STEP_OPENS];

    if (t->step == STEP_OVER || h->d == NULL) return;
    t->step = step_of(n);
    *kept = *n;
    h->d->news(h->d->news_arg, kept);
}

static void end_task(struct remote_host *h, uint32_t vertex, uint32_t subtask, enum task_state state, const struct err *why)
{
    const struct graph_vertex *v = &h->d->graph->vertices[vertex];
    struct remote_task *t = &h->tasks[h->firsts[vertex] + subtask];

    if (t->step == STEP_OVER) return;
    t->err = *why;
    tell(h, t, &(struct task_news){v->name, vertex, subtask, state, why->status, &t->err});
}

static void end_tasks(struct remote_host *h, int64_t worker, enum task_state state, const struct err *why)
{
    for (uint32_t v = 0; h->d != NULL && v < h->d->graph->vertex_count; v++)
        for (uint32_t s = 0; s < h->d->graph->vertices[v].parallelism; s++)
            if (worker < 0 || h->tasks[h->firsts[v] + s].worker == worker) end_task(h, v, s, state, why);
}

void remote_host_fail_tasks(struct remote_host *h, uint32_t worker, const struct err *why)
{
    end_tasks(h, worker, TASK_FAILED, why);
}

bool remote_host_news(struct remote_host *h, const struct news_message *m)
{
    const struct graph_vertex *v = &h->d->graph->vertices[m->vertex];
    struct remote_task *t = &h->tasks[h->firsts[m->vertex] + m->subtask];
    struct task_news n = {v->name, m->vertex, m->subtask, (enum task_state)m->state, (enum status)m->status, NULL};

    if (t->step == STEP_OVER) return true; /* it was told that it had to end, or was given up */
    if (n.status >= 0 && step_of(&n) != t->step + 1) return false;
    if (n.status < 0) {
        t->err = m->err;
        n.err = &t->err;
    }
    tell(h, t, &n);
    return true;
}

/* --- orders --------------------------------------------------------------------------------------------------------------------- */
static void send_all(struct remote_host *h, const struct order_message *m)
{
    for (uint32_t i = 0; i < h->worker_count; i++) {
        struct worker_end *w = &h->workers[i];
        struct err e = {0};
        if (w->conn == NULL || link_send(w->conn, MESSAGE_ORDER, m) == S_OK) continue;
        err_set(&e, E_IO, "the worker of %s does not take what it is sent", w->name);
        worker_gone(w, &e);
    }
}

void remote_host_start_all(struct remote_host *h)
{
    if (!h->wants_start || h->is_started || h->is_canceled) return;
    for (uint32_t i = 0; i < h->worker_count; i++)
        if (!h->workers[i].is_deployed) return;
    h->is_started = true;
    send_all(h, &(struct order_message){.verb = ORDER_START});
}

static void obey_start(struct remote_host *h, int64_t number, struct str bytes)
{
    (void)number, (void)bytes;
    h->wants_start = true;
    remote_host_start_all(h);
}

static void obey_trigger(struct remote_host *h, int64_t checkpoint, struct str folder)
{
    send_all(h, &(struct order_message){ORDER_TRIGGER, checkpoint, folder.data});
}

static void obey_stop(struct remote_host *h, int64_t checkpoint, struct str folder)
{
    send_all(h, &(struct order_message){ORDER_STOP, checkpoint, folder.data});
}

static void obey_drain(struct remote_host *h, int64_t checkpoint, struct str folder)
{
    if (h->worker_count == 1) {
        send_all(h, &(struct order_message){ORDER_DRAIN, checkpoint, folder.data});
        return;
    }
    h->draining = checkpoint;
    h->drain_folder = folder.data != NULL ? arena_strdup(&h->arena, folder.data) : NULL;
    send_all(h, &(struct order_message){ORDER_HEAR, checkpoint, folder.data});
}

/* A source that ends ends the tasks behind it: one in another worker that had not heard of the drain would end without its savepoint. */
void remote_host_drain_all(struct remote_host *h)
{
    if (h->draining == 0) return;
    for (uint32_t i = 0; i < h->worker_count; i++)
        if (h->workers[i].drain_heard != h->draining) return;
    send_all(h, &(struct order_message){ORDER_DRAIN, h->draining, h->drain_folder});
    h->draining = 0;
}

static void obey_complete(struct remote_host *h, int64_t checkpoint, struct str bytes)
{
    (void)bytes;
    send_all(h, &(struct order_message){.verb = ORDER_COMPLETE, .checkpoint = checkpoint});
}

static void obey_cancel(struct remote_host *h, int64_t number, struct str bytes)
{
    struct err e = {0};

    (void)number, (void)bytes;
    if (h->is_canceled) return;
    h->is_canceled = true;
    h->canceled_ns = sys_mono_ns(h->cluster->o.sys);
    if (h->is_started) {
        send_all(h, &(struct order_message){.verb = ORDER_CANCEL});
    } else {
        err_set(&e, E_CANCELED, "canceled");
        end_tasks(h, -1, TASK_CANCELED, &e);
    }
}

static void obey_deploy(struct remote_host *h, int64_t number, struct str bytes)
{
    struct worker_end *w = &h->workers[number];
    struct err e = {0};

    if (w->conn != NULL && frame_send(w->conn, MESSAGE_DEPLOY, bytes.data, bytes.size) == S_OK) return;
    if (w->is_lost) e = w->gone;
    err_set(&e, E_IO, "the worker of %s does not take what it is sent", w->name);
    remote_host_fail_tasks(h, w->number, &e);
}

static void obey_allocate(struct remote_host *h, int64_t number, struct str bytes)
{
    (void)number, (void)bytes;
    resources_allocate(h->cluster);
}

static void obey_free(struct remote_host *h, int64_t number, struct str bytes)
{
    struct cluster *c = h->cluster;

    (void)number, (void)bytes;
    remote_host_free_now(h);
    resources_allocate(c);
}

static void command(struct task_host *h, command_fn fn, int64_t number)
{
    cluster_command(host_of(h)->cluster, fn, host_of(h), number, (struct str){0});
}

/* --- the port: the job master's thread -------------------------------------------------------------------------------------------- */
void remote_host_failed(struct remote_host *h, const struct err *why)
{
    if (h->state == HOST_FAILED) return;
    h->state = HOST_FAILED;
    h->err = *why;
}

static enum status host_ready(struct task_host *base, struct err *e)
{
    struct remote_host *h = host_of(base);
    enum status st = S_PENDING;

    sys_lock_take(lock_of(h));
    if (h->state == HOST_READY) st = S_OK;
    if (h->state == HOST_FAILED) st = err_pass_on(e, &h->err);
    sys_lock_give(lock_of(h));
    return st;
}

static void place_tasks(struct remote_host *h)
{
    const struct graph *g = h->d->graph;

    h->firsts = ARENA_ARRAY(&h->arena, uint32_t, g->vertex_count);
    for (uint32_t v = 0; v < g->vertex_count; v++) {
        h->firsts[v] = h->task_count;
        h->task_count += g->vertices[v].parallelism;
    }
    h->tasks = ARENA_ARRAY(&h->arena, struct remote_task, h->task_count);
    for (uint32_t v = 0; v < g->vertex_count; v++)
        for (uint32_t s = 0; s < g->vertices[v].parallelism; s++) {
            uint32_t slot = slots_first(g, v) + s;
            ASSERT(slot < h->demand.slots);
            h->tasks[h->firsts[v] + s].worker = h->slot_workers[slot];
        }
    for (uint32_t i = 0; i < h->worker_count; i++) {
        h->workers[i].counts.watermark = TIME_MIN;
        buf_init(&h->workers[i].accumulators, &h->mem);
        h->workers[i].operators = ARENA_ARRAY(&h->arena, struct operator_totals, g->node_count);
    }
}

static void encode_deploy(const struct remote_host *h, uint32_t worker, struct arena *a, struct buf *out)
{
    const struct task_deployment *d = h->d;
    struct peer_message *peers = ARENA_ARRAY(a, struct peer_message, h->worker_count);
    struct deploy_message m = {.graph = d->encoded,
                               .times_hooks = d->settings->times_hooks,
                               .job_id = job_shared_id(d->job),
                               .checkpoints_uri = d->settings->snapshots != NULL ? d->checkpoints_uri : NULL,
                               .restore_uri = d->restore_uri,
                               .restore_digest = d->restore_digest,
                               .allows_unclaimed = d->allows_unclaimed,
                               .attempt = d->settings->attempt,
                               .epoch = d->epoch,
                               .worker = worker,
                               .peers = peers,
                               .peer_count = h->worker_count,
                               .slots = h->slot_workers,
                               .slot_count = h->demand.slots};

    for (uint32_t i = 0; i < h->worker_count; i++)
        peers[i] = (struct peer_message){h->workers[i].name, h->workers[i].data_host, h->workers[i].data_port};
    message_encode(MESSAGE_DEPLOY, &m, out);
}

static enum status host_deploy(struct task_host *base, const struct task_deployment *d, struct err *e)
{
    struct remote_host *h = host_of(base);
    struct mem mem;
    struct arena a;
    struct buf bytes;

    (void)e;
    mem_init(&mem, "deploy", 0);
    arena_init(&a, &mem, 0);
    buf_init(&bytes, &mem);
    sys_lock_take(lock_of(h));
    ASSERT(h->state == HOST_READY && h->d == NULL);
    h->deployment = *d;
    h->d = &h->deployment;
    h->cancel_timeout_ns = options_int(&d->graph->settings, config_defs, "task.cancellation.timeout") * NS_PER_MS;
    place_tasks(h);
    for (uint32_t i = 0; i < h->worker_count; i++) {
        buf_clear(&bytes);
        encode_deploy(h, i, &a, &bytes);
        cluster_command(h->cluster, obey_deploy, h, i, (struct str){bytes.data, bytes.size});
    }
    sys_lock_give(lock_of(h));
    mem_release(&mem);
    return S_OK;
}

static enum status host_start(struct task_host *h, struct err *e)
{
    (void)e;
    command(h, obey_start, 0);
    return S_OK;
}

static void host_trigger(struct task_host *h, const struct task_trigger *t)
{
    struct str folder = t->folder != NULL ? (struct str){t->folder, strlen(t->folder) + 1} : (struct str){0};

    cluster_command(host_of(h)->cluster, t->drains ? obey_drain : t->stops ? obey_stop : obey_trigger, host_of(h),
                    t->checkpoint, folder);
}

static void host_complete(struct task_host *h, int64_t checkpoint) { command(h, obey_complete, checkpoint); }
static void host_cancel(struct task_host *h) { command(h, obey_cancel, 0); }

struct taken {
    uint32_t worker;
    struct taken_message message;
};

static void obey_taken(struct remote_host *h, int64_t number, struct str bytes)
{
    const struct taken *t = (const void *)bytes.data;
    struct worker_end *w = &h->workers[t->worker];

    (void)number;
    if (w->conn == NULL) return;
    enum status st = link_send(w->conn, MESSAGE_TAKEN, &t->message);
    (void)st; /* one that does not read is found out by its heartbeat */
}

static void host_taken(struct task_host *h, uint32_t worker, int64_t receiver, uint64_t bytes)
{
    struct taken t = {worker, {receiver, bytes}};

    ASSERT(worker < host_of(h)->worker_count);
    cluster_command(host_of(h)->cluster, obey_taken, host_of(h), 0, (struct str){(const char *)&t, sizeof t});
}

static void host_join(struct task_host *h) { (void)h; } /* every task has told its end */

static void add_totals(struct job_totals *out, const struct job_totals *in)
{
    out->rows_in += in->rows_in;
    out->rows_out += in->rows_out;
    out->late_dropped += in->late_dropped;
    out->late_refired += in->late_refired;
    out->errors_skipped += in->errors_skipped;
    out->dead_letters += in->dead_letters;
    out->watermark = MIN(out->watermark, in->watermark);
}

static void host_totals(struct task_host *base, struct job_totals *out)
{
    struct remote_host *h = host_of(base);

    sys_lock_take(lock_of(h));
    *out = (struct job_totals){.watermark = INT64_MAX, .tasks = h->task_count};
    for (uint32_t i = 0; i < h->worker_count; i++) add_totals(out, &h->workers[i].counts);
    for (uint32_t i = 0; i < h->task_count; i++) out->tasks_running += h->tasks[i].step != STEP_OVER;
    sys_lock_give(lock_of(h));
}

static void host_operators(struct task_host *base, uint32_t node, bool is_over, struct operator_totals *out)
{
    struct remote_host *h = host_of(base);

    *out = (struct operator_totals){0};
    sys_lock_take(lock_of(h));
    for (uint32_t i = 0; i < h->worker_count; i++) {
        const struct operator_totals *o = &h->workers[i].operators[node];
        out->rows_in += o->rows_in;
        out->rows_out += o->rows_out;
        out->bytes_out += o->bytes_out;
        out->busy_ns += o->busy_ns;
        if (is_over) out->state_bytes += o->state_bytes;
    }
    sys_lock_give(lock_of(h));
}

static void host_task(struct task_host *base, uint32_t vertex, uint32_t subtask, struct task_figures *out)
{
    struct remote_host *h = host_of(base);

    sys_lock_take(lock_of(h));
    *out = h->tasks[h->firsts[vertex] + subtask].figures;
    sys_lock_give(lock_of(h));
}

static enum status host_accumulators(struct task_host *base, struct accumulators *out, struct err *e)
{
    struct remote_host *h = host_of(base);
    enum status st = S_OK;

    sys_lock_take(lock_of(h));
    for (uint32_t i = 0; i < h->worker_count && st == S_OK; i++) {
        const struct buf *b = &h->workers[i].accumulators;
        if (b->size > 0) st = accumulators_decode((struct str){b->data, b->size}, out, e);
    }
    sys_lock_give(lock_of(h));
    return st;
}

/* Which operator it is in the worker knows. */
static void host_each_running(struct task_host *base, task_running_fn fn, void *arg)
{
    struct remote_host *h = host_of(base);

    sys_lock_take(lock_of(h));
    for (uint32_t v = 0; h->d != NULL && v < h->d->graph->vertex_count; v++) {
        const struct graph_vertex *vertex = &h->d->graph->vertices[v];
        for (uint32_t s = 0; s < vertex->parallelism; s++)
            if (h->tasks[h->firsts[v] + s].step != STEP_OVER)
                fn(arg, &(struct task_running){vertex->name, vertex->name, s, vertex->parallelism});
    }
    sys_lock_give(lock_of(h));
}

static void host_free(struct task_host *base)
{
    struct remote_host *h = host_of(base);

    sys_lock_take(lock_of(h));
    h->is_freed = true;
    h->d = NULL;
    sys_lock_give(lock_of(h));
    command(base, obey_free, 0);
}

void remote_host_free_now(struct remote_host *h)
{
    struct remote_host **at = &h->cluster->hosts;
    struct mem mem;

    resources_give_back(h);
    while (*at != h) at = &(*at)->next;
    *at = h->next;
    mem_init(&mem, "remote host", 0);
    mem_move(&h->mem, &mem);
    mem_release(&mem);
}

static void copy_demand(struct remote_host *h, const struct job_demand *d)
{
    h->demand = *d;
    h->demand.job_id = arena_strdup(&h->arena, d->job_id);
    h->demand.job_name = arena_strdup(&h->arena, d->job_name);
    if (d->artifact_path != NULL) h->demand.artifact_path = arena_strdup(&h->arena, d->artifact_path);
}

struct task_host *remote_host_create(void *cluster, const struct job_demand *d)
{
    static const struct task_host_ops ops = {host_ready, host_deploy, host_start, host_trigger, host_complete,
                                             host_cancel, host_join, host_totals, host_operators, host_each_running,
                                             host_task, host_accumulators, host_taken, host_free};
    struct cluster *c = cluster;
    struct mem mem;
    mem_init(&mem, "remote host", 0);
    struct remote_host *h = mem_zalloc(&mem, sizeof *h);

    ASSERT(d->slots > 0);
    mem_init(&h->mem, "remote host", 0);
    mem_move(&mem, &h->mem);
    arena_init(&h->arena, &h->mem, 0);
    h->host.ops = &ops;
    h->cluster = c;
    h->since_ns = sys_mono_ns(c->o.sys);
    copy_demand(h, d);
    sys_lock_take(c->lock);
    struct remote_host **at = &c->hosts;
    while (*at != NULL) at = &(*at)->next;
    *at = h;
    sys_lock_give(c->lock);
    cluster_command(c, obey_allocate, h, 0, (struct str){0});
    return &h->host;
}
