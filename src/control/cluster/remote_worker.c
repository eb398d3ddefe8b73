/* remote_worker.c - what workers say, and what becomes of their tasks when they are gone.
 *
 * A worker whose connection ends is lost. Why, its TaskManager knows, and says so a moment later; for so long its tasks' end is put
 * off. Words of a worker are checked as any bytes from elsewhere: it may only speak of tasks that it has. */
#include "control/cluster/cluster_internal.h"
#include "flow/task/job_far.h"

#include <stdio.h>
#include <string.h>

enum { GRACE_MS = 500 };

/* --- the end -------------------------------------------------------------------------------------------------------------------- */
static void lose(struct worker_end *w)
{
    struct remote_host *h = w->host;

    loop_timer_cancel(h->cluster->loop, w->grace);
    w->grace = NULL;
    log_write(h->cluster->o.log, LOG_WARN, "cluster", "job '%s': %s", h->demand.job_name, w->gone.text);
    if (h->state != HOST_READY) remote_host_failed(h, &w->gone);
    else remote_host_fail_tasks(h, w->number, &w->gone);
}

void worker_close(struct worker_end *w)
{
    loop_timer_cancel(w->host->cluster->loop, w->grace);
    w->grace = NULL;
    frame_close(w->conn);
    w->conn = NULL;
}

void worker_gone(struct worker_end *w, const struct err *why)
{
    if (w->is_lost && w->grace == NULL) return; /* its tasks have ended */
    w->is_lost = true;
    err_clear(&w->gone);
    err_set(&w->gone, E_IO, "the worker of the job is gone: %s", why->text);
    worker_close(w);
    lose(w);
}

static void grace_over(void *arg)
{
    struct worker_end *w = arg;
    struct sys_lock *lock = w->host->cluster->lock;

    sys_lock_take(lock);
    w->grace = NULL;
    lose(w);
    sys_lock_give(lock);
}

static void worker_over(void *arg, enum status st, const struct err *why)
{
    struct worker_end *w = arg;
    struct cluster *c = w->host->cluster;

    (void)st;
    sys_lock_take(c->lock);
    worker_close(w);
    if (!w->is_lost) {
        w->is_lost = true;
        err_set(&w->gone, E_IO, "the worker of the job on %s is gone: %s", w->name, why->text);
        st = loop_timer(c->loop, sys_mono_ns(c->o.sys) + GRACE_MS * NS_PER_MS, grace_over, w, &w->grace, NULL);
        ASSERT(st == S_OK);
    }
    sys_lock_give(c->lock);
}

void worker_exited(struct cluster *c, const struct tm_link *tm, const struct exited_message *m)
{
    for (struct remote_host *h = c->hosts; h != NULL; h = h->next) {
        if (!token_is(&m->token, h) || m->worker >= h->worker_count) continue;
        struct worker_end *w = &h->workers[m->worker];
        struct err e = {0};
        if (w->tm != tm) continue;
        err_set(&e, E_IO, "on %s it was %s%s%s", w->name, m->how != NULL ? m->how : "ended", m->said != NULL ? "; it said: " : "",
                m->said != NULL ? m->said : "");
        worker_gone(w, &e);
    }
}

/* --- words ---------------------------------------------------------------------------------------------------------------------- */
static bool has_task(const struct worker_end *w, uint32_t vertex, uint32_t subtask)
{
    const struct remote_host *h = w->host;

    if (vertex >= h->d->graph->vertex_count || subtask >= h->d->graph->vertices[vertex].parallelism) return false;
    return h->tasks[h->firsts[vertex] + subtask].worker == w->number;
}

static enum status no_such_task(const struct worker_end *w, struct err *e)
{
    return err_set(e, E_DATA, "the worker on %s speaks of a task that it does not have", w->name);
}

static enum status on_deployed(struct worker_end *w, const struct deployed_message *m)
{
    w->is_deployed = m->err.status == S_OK;
    if (w->is_deployed) remote_host_start_all(w->host);
    else remote_host_fail_tasks(w->host, w->number, &m->err);
    return S_OK;
}

static enum status on_news(struct worker_end *w, const struct news_message *m, struct err *e)
{
    bool is_end = m->status == S_END || m->status < 0;

    if (!has_task(w, m->vertex, m->subtask)) return no_such_task(w, e);
    bool can_be = m->state <= TASK_CANCELED && m->status >= INT8_MIN && (is_end || m->status == S_OK) &&
                  (m->status < 0) == (m->err.status != S_OK) && w->host->is_started;
    if (can_be && remote_host_news(w->host, m)) return S_OK;
    return err_set(e, E_DATA, "the worker on %s says of a task what cannot be", w->name);
}

static enum status on_chunk(struct worker_end *w, const struct chunk_message *m, struct err *e)
{
    const struct task_deployment *d = w->host->d;
    struct snapshot_place where = {m->checkpoint, m->uid, m->vertex, m->subtask, m->number, 0};
    struct snapshot_handle handle = {.path = m->path, .bytes = m->bytes, .size = m->size, .digest = m->digest};

    if (!has_task(w, m->vertex, m->subtask)) return no_such_task(w, e);
    if (d->placed == NULL || m->uid == NULL || !snapshot_id_is_valid(m->uid) ||
        (m->path != NULL ? !snapshot_path_is_safe(m->path) : m->bytes.size != m->size))
        return err_set(e, E_DATA, "the worker on %s sent a chunk of state that cannot be", w->name);
    d->placed(d->placed_arg, &where, &handle);
    return S_OK;
}

static enum status on_acknowledge(struct worker_end *w, const struct acknowledge_message *m, struct arena *a, struct err *e)
{
    const struct task_deployment *d = w->host->d;
    const struct snapshot_port *port = d->settings->snapshots;
    struct node_snapshot *nodes = ARENA_ARRAY(a, struct node_snapshot, m->node_count + 1);
    struct snapshot_ack ack = {m->checkpoint, m->vertex, m->subtask, nodes, m->node_count, m->bytes,
                               m->aligned_ns, m->held_ns, m->saved_ns};

    if (!has_task(w, m->vertex, m->subtask)) return no_such_task(w, e);
    uint32_t operators = d->graph->vertices[m->vertex].node_count;
    if (port == NULL || (m->node_count != operators && m->node_count != operators + 1))
        return err_set(e, E_DATA, "the worker on %s acknowledged what nobody asked for", w->name);
    for (uint32_t i = 0; i < m->node_count; i++) {
        const struct node_message *n = &m->nodes[i];
        if (n->chunks > SNAPSHOT_HANDLES_MAX) return err_set(e, E_DATA, "the worker on %s counts %u chunks", w->name, n->chunks);
        nodes[i] = (struct node_snapshot){n->uid, n->watermark, n->sent_watermark, n->is_idle, n->chunks, n->committables, 0, n->is_finished};
    }
    port->acknowledge(port->arg, &ack);
    return S_OK;
}

static enum status on_decline(struct worker_end *w, const struct decline_message *m, struct err *e)
{
    const struct snapshot_port *port = w->host->d->settings->snapshots;

    if (port == NULL || !has_task(w, m->vertex, m->subtask)) return no_such_task(w, e);
    port->decline(port->arg, m->checkpoint, m->vertex, m->subtask, &m->err);
    return S_OK;
}

static enum status on_wants(struct worker_end *w, const struct wants_message *m, struct err *e)
{
    const struct snapshot_port *port = w->host->d->settings->snapshots;

    if (port == NULL || !has_task(w, m->vertex, m->subtask)) return no_such_task(w, e);
    port->wants(port->arg, m->vertex, m->subtask);
    return S_OK;
}

static enum status on_committed(struct worker_end *w, const struct committed_message *m, struct err *e)
{
    const struct snapshot_port *port = w->host->d->settings->snapshots;

    if (port == NULL || !has_task(w, m->vertex, m->subtask)) return no_such_task(w, e);
    if (port->committed != NULL) port->committed(port->arg, m->checkpoint, m->vertex, m->subtask);
    return S_OK;
}

static enum status on_rows(struct worker_end *w, const struct rows_message *m, struct err *e)
{
    const struct task_deployment *d = w->host->d;

    if (d->rows == NULL) return err_set(e, E_DATA, "the worker on %s sends rows that nobody wants", w->name);
    return d->rows(d->rows_arg, w->number, m->receiver, m->bytes, m->is_last, e);
}

static enum status on_heard(struct worker_end *w, const struct heard_message *m)
{
    w->drain_heard = m->checkpoint;
    remote_host_drain_all(w->host);
    return S_OK;
}

static enum status on_counts(struct worker_end *w, const struct counts_message *m, struct err *e)
{
    if (m->operator_count != w->host->d->graph->node_count)
        return err_set(e, E_DATA, "the worker on %s counts other operators", w->name);
    w->counts = (struct job_totals){.rows_in = m->rows_in,
                                    .rows_out = m->rows_out,
                                    .late_dropped = m->late_dropped,
                                    .late_refired = m->late_refired,
                                    .errors_skipped = m->errors_skipped,
                                    .dead_letters = m->dead_letters,
                                    .watermark = m->watermark};
    for (uint32_t i = 0; i < m->operator_count; i++) {
        const struct operator_message *o = &m->operators[i];
        w->operators[i] = (struct operator_totals){o->rows_in, o->rows_out, o->state_bytes, o->bytes_out, o->busy_ns};
    }
    for (uint32_t i = 0; i < m->task_count; i++) {
        const struct task_message *t = &m->tasks[i];
        if (!has_task(w, t->vertex, t->subtask)) return no_such_task(w, e);
        w->host->tasks[w->host->firsts[t->vertex] + t->subtask].figures = t->f;
    }
    buf_clear(&w->accumulators);
    buf_append(&w->accumulators, m->accumulators.data, m->accumulators.size);
    return S_OK;
}

/* Perhaps because that other worker is gone, which is known in a moment and says more. */
static enum status on_trouble(struct worker_end *w, const struct trouble_message *m)
{
    struct cluster *c = w->host->cluster;

    if (w->grace != NULL || m->err.status == S_OK) return S_OK;
    w->gone = m->err;
    enum status st = loop_timer(c->loop, sys_mono_ns(c->o.sys) + GRACE_MS * NS_PER_MS, grace_over, w, &w->grace, NULL);
    ASSERT(st == S_OK);
    return S_OK;
}

static enum status on_far(struct worker_end *w, const struct far_message *m, struct err *e)
{
    struct remote_host *h = w->host;
    struct far_message word = *m;

    if (m->to != FAR_ALL && m->to >= h->worker_count) return err_set(e, E_DATA, "the worker on %s speaks to a worker that is not there", w->name);
    word.from = w->number;
    for (uint32_t i = 0; i < h->worker_count; i++) {
        struct worker_end *to = &h->workers[i];
        struct err problem = {0};
        if (to == w || to->conn == NULL || (m->to != FAR_ALL && m->to != i) || link_send(to->conn, MESSAGE_FAR, &word) == S_OK) continue;
        err_set(&problem, E_IO, "on %s it does not take what it is sent", to->name);
        worker_gone(to, &problem);
    }
    return S_OK;
}

static enum status hear(struct worker_end *w, enum message_kind kind, const void *m, struct arena *a, struct err *e)
{
    switch (kind) {
    case MESSAGE_DEPLOYED: return on_deployed(w, m);
    case MESSAGE_NEWS: return on_news(w, m, e);
    case MESSAGE_CHUNK: return on_chunk(w, m, e);
    case MESSAGE_ACKNOWLEDGE: return on_acknowledge(w, m, a, e);
    case MESSAGE_DECLINE: return on_decline(w, m, e);
    case MESSAGE_WANTS: return on_wants(w, m, e);
    case MESSAGE_COMMITTED: return on_committed(w, m, e);
    case MESSAGE_HEARD: return on_heard(w, m);
    case MESSAGE_COUNTS: return on_counts(w, m, e);
    case MESSAGE_ROWS: return on_rows(w, m, e);
    case MESSAGE_TROUBLE: return on_trouble(w, m);
    case MESSAGE_FAR: return on_far(w, m, e);
    default: return err_set(e, E_DATA, "a worker does not say %s", message_fields_of((uint8_t)kind)->name);
    }
}

static enum status answer_heartbeat(struct worker_end *w, const struct heartbeat_message *m)
{
    enum status st = link_send(w->conn, MESSAGE_HEARTBEAT, &(struct heartbeat_message){m->number, true});

    return st == S_FULL ? S_OK : st; /* it does not read: its lease ends */
}

static enum status worker_frame(void *arg, uint8_t kind, struct str payload, struct err *e)
{
    struct worker_end *w = arg;
    struct cluster *c = w->host->cluster;
    struct mem mem;
    struct arena a;
    const void *m;

    mem_init(&mem, "message", 0);
    arena_init(&a, &mem, 0);
    sys_lock_take(c->lock);
    w->heard_ns = sys_mono_ns(c->o.sys);
    enum status st = message_decode((enum message_kind)kind, payload, &a, &m, e);
    if (st == S_OK && kind == MESSAGE_HEARTBEAT) st = answer_heartbeat(w, m);
    else if (st == S_OK && w->host->d != NULL) st = hear(w, (enum message_kind)kind, m, &a, e);
    sys_lock_give(c->lock);
    mem_release(&mem);
    return st;
}

/* --- the beginning ---------------------------------------------------------------------------------------------------------------- */
static struct worker_end *find_worker(struct cluster *c, const struct hello_message *m)
{
    for (struct remote_host *h = c->hosts; h != NULL; h = h->next)
        if (token_is(&m->token, h) && h->state == HOST_SPAWNS && !h->is_freed && m->worker < h->worker_count &&
            !h->workers[m->worker].has_come && !h->workers[m->worker].is_lost)
            return &h->workers[m->worker];
    return NULL;
}

static void look_whether_all_came(struct remote_host *h)
{
    for (uint32_t i = 0; i < h->worker_count; i++)
        if (!h->workers[i].has_come) return;
    h->state = HOST_READY;
}

/* One whose attempt is over, or that of another leader, has nothing to do here. */
void worker_arrived(struct cluster *c, struct frame_conn *conn, const struct hello_message *m)
{
    struct worker_end *w = find_worker(c, m);
    struct frame_limits limits = {.unsent_max = UNSENT_MAX};

    if (w == NULL) {
        log_write(c->o.log, LOG_WARN, "cluster", "a worker came for an attempt that is not (any more): job %s, epoch %llu, attempt %llu",
                  m->token.job_id != NULL ? m->token.job_id : "?", (unsigned long long)m->token.epoch,
                  (unsigned long long)m->token.attempt);
        frame_close(conn);
        return;
    }
    w->conn = conn;
    w->has_come = true;
    w->heard_ns = sys_mono_ns(c->o.sys);
    w->data_host = m->data_host != NULL ? arena_strdup(&w->host->arena, m->data_host) : NULL;
    w->data_port = m->data_port;
    frame_rename(conn, "its worker");
    frame_hand_over(conn, &(struct frame_hooks){.on_frame = worker_frame, .on_over = worker_over, .arg = w}, &limits);
    look_whether_all_came(w->host);
}

static void look_at_silence(struct worker_end *w, int64_t now_ns)
{
    const struct cluster_options *o = &w->host->cluster->o;
    struct err e = {0};

    if (w->conn == NULL || now_ns - w->heard_ns <= o->heartbeat_timeout_ms * NS_PER_MS) return;
    err_set(&e, E_IO, "on %s it was silent for heartbeat.timeout (%lld ms)", w->name, (long long)o->heartbeat_timeout_ms);
    worker_gone(w, &e);
}

/* A task that does not end keeps its thread; the process goes. */
static void look_at_cancel(struct remote_host *h, int64_t now_ns)
{
    struct release_message m = {{h->demand.job_id, h->demand.epoch, h->demand.attempt}};

    if (!h->is_canceled || h->d == NULL || h->cancel_timeout_ns <= 0 || now_ns - h->canceled_ns < h->cancel_timeout_ns) return;
    h->canceled_ns = now_ns;
    for (uint32_t i = 0; i < h->worker_count; i++) {
        struct worker_end *w = &h->workers[i];
        if (w->conn == NULL || w->tm == NULL) continue;
        log_write(h->cluster->o.log, LOG_WARN, "cluster", "job '%s': tasks on %s did not end within task.cancellation.timeout; their worker is killed",
                  h->demand.job_name, w->name);
        enum status st = link_send(w->tm->conn, MESSAGE_RELEASE, &m);
        (void)st; /* asked again after the same time */
    }
}

void workers_tick(struct remote_host *h, int64_t now_ns)
{
    for (uint32_t i = 0; i < h->worker_count; i++) look_at_silence(&h->workers[i], now_ns);
    look_at_cancel(h, now_ns);
}
