/* taskmanager.c - workers and the tasks on them.
 *
 * Tasks that do not block share a few workers, one per core as far as there are tasks. Subtask i of every vertex goes to the
 * same worker when there are at least as many subtasks as workers, so that forward edges stay on one core; with fewer the
 * vertices are dealt out in turn, so that a pipeline uses the cores it can get. A task that may block has a worker, and so a
 * thread, of its own.
 *
 * What other threads read of a running task are its metrics and its watermark, racily by design; everything else is touched
 * by its worker only until taskmanager_join has returned. */
#include "control/taskmanager/taskmanager.h"

#include "control/taskmanager/taskmanager_internal.h"

#include <string.h>

#define ARRIVAL_NS INT64_C(10000000000) /* for what is still under way when every task of the job has ended */

struct taskmanager *taskmanager_create(struct sys *sys, struct log *log, const struct taskmanager_settings *settings)
{
    struct mem mem;
    mem_init(&mem, "task manager", 0);
    struct taskmanager *tm = mem_zalloc(&mem, sizeof *tm);

    ASSERT(settings->batch_rows >= 1 && settings->batch_rows <= BATCH_ROWS);
    ASSERT(settings->ring_batches >= 1 && settings->ring_batches <= CHANNEL_SHELLS_MAX);
    mem_init(&tm->mem, "task manager", 0);
    mem_move(&mem, &tm->mem);
    arena_init(&tm->arena, &tm->mem, 0);
    tm->sys = sys;
    tm->log = log;
    tm->settings = *settings;
    tm->lock = sys_lock_create(sys);
    tm->state_budget.max = settings->state_budget;
    return tm;
}

/* The ends of channels here may still be on their way to workers that have ended theirs. */
static void stop_exchange(struct taskmanager *tm, int64_t wait_ns)
{
    if (tm->settings.placement == NULL || tm->graph == NULL) return;
    bool all = remote_exchange_stop(tm->settings.placement->exchange, wait_ns);
    (void)all; /* the tasks have said how they ended */
}

void taskmanager_free(struct taskmanager *tm)
{
    struct mem mem;

    if (tm == NULL) return;
    ASSERT(tm->started == 0);
    stop_exchange(tm, 0);
    deploy_release(tm);
    for (uint32_t i = 0; i < tm->worker_count; i++) worker_free(tm->workers[i]);
    sys_lock_free(tm->sys, tm->lock);
    mem_init(&mem, "task manager", 0);
    mem_move(&tm->mem, &mem);
    mem_release(&mem);
}

/* --- deploying ---------------------------------------------------------------------------------------------------------- */
static uint32_t tasks_here(const struct vertex_run *run)
{
    uint32_t count = 0;

    for (uint32_t s = 0; s < run->vertex->parallelism; s++) count += run->tasks[s] != NULL;
    return count;
}

static uint32_t count_tasks(const struct taskmanager *tm, bool blocking)
{
    uint32_t count = 0;

    for (uint32_t v = 0; v < tm->graph->vertex_count; v++)
        if (tm->graph->vertices[v].blocking == blocking) count += tasks_here(&tm->vertices[v]);
    return count;
}

static void task_moved(void *arg, struct task *t, enum task_state state, enum status st)
{
    struct taskmanager *tm = arg;
    const struct task_plan *plan = task_plan_of(t);
    uint32_t which = state == TASK_INITIALIZING ? 0 : state == TASK_RUNNING ? 1 : 2;

    for (uint32_t v = 0; v < tm->graph->vertex_count; v++) {
        struct vertex_run *run = &tm->vertices[v];
        if (plan < run->plans || plan >= run->plans + run->vertex->parallelism) continue;
        struct task_news *news = &run->news[TASK_NEWS * (size_t)plan->subtask + which];
        *news = (struct task_news){plan->name, v, plan->subtask, state, st, st < 0 ? task_err(t) : NULL};
        if (st < 0) sys_atomic_store(&tm->has_failed, 1);
        if (task_has_ended(news)) sys_atomic_store(&run->is_over[plan->subtask], 1);
        tm->news(tm->news_arg, news);
        return;
    }
    ASSERT(!"news of a task that nobody deployed");
}

static struct worker *add_worker(struct taskmanager *tm, const char *name)
{
    struct worker *w = worker_create(tm->sys, name, task_moved, tm);

    tm->workers[tm->worker_count++] = w;
    return w;
}

static void assign_workers(struct taskmanager *tm)
{
    uint32_t shared_tasks = count_tasks(tm, false), dealt = 0;
    uint32_t wanted = tm->settings.workers > 0 ? tm->settings.workers : (uint32_t)sys_cpu_count(tm->sys);
    uint32_t shared = MIN(wanted, shared_tasks);

    tm->workers = ARENA_ARRAY(&tm->arena, struct worker *, shared + count_tasks(tm, true) + 1);
    for (uint32_t i = 0; i < shared; i++) add_worker(tm, arena_printf(&tm->arena, "worker-%u", i));
    for (uint32_t v = 0; v < tm->graph->vertex_count; v++) {
        struct vertex_run *run = &tm->vertices[v];
        uint32_t here = tasks_here(run), nth = 0;
        for (uint32_t s = 0; s < run->vertex->parallelism; s++) {
            struct worker *w;
            if (run->tasks[s] == NULL) continue;
            if (run->vertex->blocking) w = add_worker(tm, run->vertex->name);
            else w = tm->workers[here >= shared ? nth++ % shared : dealt++ % shared];
            worker_add(w, run->tasks[s]);
            run->workers[s] = w;
        }
    }
}

/* NULL: it is a pump, for the task runs elsewhere. */
static struct sys_parker *parker_of(const struct vertex_run *run, uint32_t subtask)
{
    return run->workers[subtask] != NULL ? worker_parker(run->workers[subtask]) : NULL;
}

static void connect_channels(struct taskmanager *tm)
{
    const struct graph *g = tm->graph;

    for (uint32_t e = 0; e < g->edge_count; e++) {
        struct edge_run *run = &tm->edges[e];
        if (run->channels == NULL) continue;
        struct vertex_run *from = &tm->vertices[g->nodes[run->edge->from]->vertex],
                          *to = &tm->vertices[g->nodes[run->edge->to]->vertex];
        for (uint32_t f = 0; f < run->producers; f++)
            for (uint32_t t = 0; t < run->consumers; t++) {
                struct channel *c = run->channels[(size_t)f * run->consumers + t];
                if (c != NULL) channel_connect(c, tm->sys, parker_of(from, f), parker_of(to, t));
            }
    }
}

enum status taskmanager_deploy(struct taskmanager *tm, const struct graph *g, struct job_shared *job,
                               task_news_fn news, void *arg, struct err *e)
{
    ASSERT(tm->graph == NULL && g->vertex_count > 0);
    TRY(slots_check(g, tm->settings.slots, e));
    tm->graph = g;
    tm->job = job;
    tm->news = news;
    tm->news_arg = arg;
    deploy_tasks(tm);
    assign_workers(tm);
    connect_channels(tm);
    if (tm->settings.placement != NULL && tm->settings.packs) remote_exchange_pack(tm->settings.placement->exchange);
    if (tm->settings.placement != NULL) remote_exchange_open(tm->settings.placement->exchange);
    return S_OK;
}

/* --- running ------------------------------------------------------------------------------------------------------------ */
enum status taskmanager_start(struct taskmanager *tm, struct err *e)
{
    ASSERT(tm->started == 0);
    if (tm->settings.placement != NULL) remote_exchange_start(tm->settings.placement->exchange);
    for (uint32_t i = 0; i < tm->worker_count; i++) {
        enum status st = worker_start(tm->workers[i], e);
        if (st != S_OK) { /* those that run are told to stop, so that join returns */
            taskmanager_cancel(tm);
            return st;
        }
        tm->started++;
    }
    return S_OK;
}

enum status taskmanager_round(struct taskmanager *tm, struct prng *pick, bool *progress, int64_t *deadline_ms)
{
    bool any_left = false;

    ASSERT(tm->started == 0);
    *progress = false;
    *deadline_ms = INT64_MAX;
    for (uint32_t i = 0; i < tm->worker_count; i++) {
        bool moved;
        int64_t deadline;
        if (worker_round(tm->workers[i], pick, &moved, &deadline) == S_OK) any_left = true;
        *progress |= moved;
        *deadline_ms = MIN(*deadline_ms, deadline);
    }
    return any_left ? S_OK : S_END;
}

/* To every task that still runs, whose worker then looks. Those that get rows hear it before those that send them: what a source does about
 * it must not reach a task that does not know of it yet. */
static void tell_each(struct taskmanager *tm, void (*tell)(struct task *t, int64_t checkpoint), int64_t checkpoint)
{
    for (uint32_t v = tm->vertices != NULL ? tm->graph->vertex_count : 0; v-- > 0;) {
        struct vertex_run *run = &tm->vertices[v];
        for (uint32_t s = 0; s < run->vertex->parallelism; s++) {
            if (sys_atomic_load(&run->is_over[s]) != 0) continue;
            tell(run->tasks[s], checkpoint);
            sys_unpark(tm->sys, worker_parker(run->workers[s]));
        }
    }
}

static void tell_cancel(struct task *t, int64_t checkpoint)
{
    (void)checkpoint;
    task_cancel(t);
}

static void tell_stop(struct task *t, int64_t checkpoint) { task_stop(t, checkpoint, false); }
static void tell_drain(struct task *t, int64_t checkpoint) { task_stop(t, checkpoint, true); }

void taskmanager_trigger(struct taskmanager *tm, int64_t checkpoint) { tell_each(tm, task_trigger, checkpoint); }
void taskmanager_stop(struct taskmanager *tm, int64_t checkpoint, bool drains)
{
    tell_each(tm, drains ? tell_drain : tell_stop, checkpoint);
    taskmanager_trigger(tm, checkpoint | SNAPSHOT_WHOLE);
}

static void tell_receiver(struct task *t, int64_t checkpoint)
{
    if (task_plan_of(t)->input_count > 0) task_stop(t, checkpoint, true);
}

void taskmanager_announce_drain(struct taskmanager *tm, int64_t checkpoint) { tell_each(tm, tell_receiver, checkpoint); }
void taskmanager_complete(struct taskmanager *tm, int64_t checkpoint) { tell_each(tm, task_complete, checkpoint); }
void taskmanager_cancel(struct taskmanager *tm) { tell_each(tm, tell_cancel, 0); }

void taskmanager_join(struct taskmanager *tm)
{
    for (uint32_t i = 0; i < tm->started; i++) worker_join(tm->workers[i]);
    tm->started = 0;
    stop_exchange(tm, sys_atomic_load(&tm->has_failed) == 0 ? ARRIVAL_NS : 0);
}

/* --- looking at it -------------------------------------------------------------------------------------------------------- */
static void add_node(struct taskmanager *tm, const struct graph_node *n, const struct op_metrics *m,
                     struct job_totals *out)
{
    (void)tm;
    if (n->type->flags & OP_SOURCE) out->rows_in += sys_atomic_load(&m->rows_out);
    if (n->plan.output_count == 0) out->rows_out += sys_atomic_load(&m->rows_in);
    out->late_dropped += sys_atomic_load(&m->late_dropped);
    out->late_refired += sys_atomic_load(&m->late_refired);
    out->errors_skipped += sys_atomic_load(&m->errors_skipped);
    out->dead_letters += sys_atomic_load(&m->dead_letters);
}

void taskmanager_each_running(const struct taskmanager *tm, task_running_fn fn, void *arg)
{
    for (uint32_t v = 0; v < tm->graph->vertex_count; v++) {
        const struct vertex_run *run = &tm->vertices[v];
        for (uint32_t s = 0; s < run->vertex->parallelism; s++) {
            if (sys_atomic_load(&run->is_over[s]) != 0) continue;
            struct task_running t = {run->vertex->name, task_operator(run->tasks[s]), s, run->vertex->parallelism};
            fn(arg, &t);
        }
    }
}

/* Its place among the operators of its vertex. */
static uint32_t place_of(const struct graph_vertex *v, uint32_t node)
{
    uint32_t i = 0;

    while (i < v->node_count && v->nodes[i] != node) i++;
    ASSERT(i < v->node_count);
    return i;
}

void taskmanager_operator_now(struct taskmanager *tm, uint32_t node, struct operator_totals *out)
{
    const struct vertex_run *run = &tm->vertices[tm->graph->nodes[node]->vertex];
    uint32_t i = place_of(run->vertex, node);

    *out = (struct operator_totals){0};
    for (uint32_t s = 0; s < run->vertex->parallelism; s++) {
        if (run->tasks[s] == NULL) continue;
        const struct op_metrics *m = task_metrics(run->tasks[s], i);
        out->rows_in += sys_atomic_load(&m->rows_in);
        out->rows_out += sys_atomic_load(&m->rows_out);
        out->bytes_out += sys_atomic_load(&m->bytes_out);
        out->busy_ns += (int64_t)sys_atomic_load(&m->busy_ns);
    }
}

void taskmanager_operator(struct taskmanager *tm, uint32_t node, struct operator_totals *out)
{
    const struct vertex_run *run = &tm->vertices[tm->graph->nodes[node]->vertex];
    uint32_t i = place_of(run->vertex, node);

    taskmanager_operator_now(tm, node, out);
    for (uint32_t s = 0; s < run->vertex->parallelism; s++)
        if (run->tasks[s] != NULL) out->state_bytes += task_state_bytes(run->tasks[s], i);
}

void taskmanager_totals(struct taskmanager *tm, struct job_totals *out)
{
    *out = (struct job_totals){.watermark = INT64_MAX, .tasks = tm->task_count};
    for (uint32_t v = 0; tm->vertices != NULL && v < tm->graph->vertex_count; v++) {
        struct vertex_run *run = &tm->vertices[v];
        for (uint32_t s = 0; s < run->vertex->parallelism; s++) {
            for (uint32_t i = 0; run->tasks[s] != NULL && i < run->vertex->node_count; i++)
                add_node(tm, tm->graph->nodes[run->vertex->nodes[i]], task_metrics(run->tasks[s], i), out);
            if (sys_atomic_load(&run->is_over[s]) != 0) continue;
            out->tasks_running++;
            out->watermark = MIN(out->watermark, task_watermark(run->tasks[s]));
        }
    }
}

void taskmanager_count_state(const struct taskmanager *tm, uint64_t *entries, uint64_t *event_timers,
                             uint64_t *processing_timers)
{
    *entries = *event_timers = *processing_timers = 0;
    for (uint32_t v = 0; v < tm->graph->vertex_count; v++)
        for (uint32_t s = 0; s < tm->graph->vertices[v].parallelism; s++)
            if (tm->vertices[v].tasks[s] != NULL) task_count_state(tm->vertices[v].tasks[s], entries, event_timers, processing_timers);
}
