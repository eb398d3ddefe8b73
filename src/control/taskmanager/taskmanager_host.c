/* taskmanager_host.c - the port task_host on a task manager in this process: it is made when its settings are known, and is
 * always ready. Triggers need no folder here: chunks go to the job master's own store. */
#include "control/taskmanager/taskmanager_host.h"

#include "flow/task/snapshot_port.h"

struct local_host {
    struct task_host host;
    struct mem mem;
    struct sys *sys;
    struct log *log;
    struct taskmanager *tm; /* NULL: nothing was deployed */
};

static struct taskmanager *tm_of(struct task_host *h) { return ((struct local_host *)h)->tm; }

static enum status local_ready(struct task_host *h, struct err *e)
{
    (void)h, (void)e;
    return S_OK;
}

static enum status local_deploy(struct task_host *h, const struct task_deployment *d, struct err *e)
{
    struct local_host *l = (struct local_host *)h;

    ASSERT(l->tm == NULL);
    l->tm = taskmanager_create(l->sys, l->log, d->settings);
    return taskmanager_deploy(l->tm, d->graph, d->job, d->news, d->news_arg, e);
}

static enum status local_start(struct task_host *h, struct err *e) { return taskmanager_start(tm_of(h), e); }
static void local_complete(struct task_host *h, int64_t checkpoint) { taskmanager_complete(tm_of(h), checkpoint); }
static void local_totals(struct task_host *h, struct job_totals *out) { taskmanager_totals(tm_of(h), out); }

static void local_trigger(struct task_host *h, const struct task_trigger *t)
{
    if (t->stops) taskmanager_stop(tm_of(h), t->checkpoint, t->drains);
    else taskmanager_trigger(tm_of(h), t->is_whole ? t->checkpoint | SNAPSHOT_WHOLE : t->checkpoint);
}

static void local_cancel(struct task_host *h)
{
    if (tm_of(h) != NULL) taskmanager_cancel(tm_of(h));
}

static void local_join(struct task_host *h)
{
    if (tm_of(h) != NULL) taskmanager_join(tm_of(h));
}

static void local_operators(struct task_host *h, uint32_t node, bool is_over, struct operator_totals *out)
{
    if (is_over) taskmanager_operator(tm_of(h), node, out);
    else taskmanager_operator_now(tm_of(h), node, out);
}

static void local_task(struct task_host *h, uint32_t vertex, uint32_t subtask, struct task_figures *out)
{
    (void)!taskmanager_task_now(tm_of(h), vertex, subtask, out);
}

static void local_each_running(struct task_host *h, task_running_fn fn, void *arg)
{
    if (tm_of(h) != NULL) taskmanager_each_running(tm_of(h), fn, arg);
}

static void local_free(struct task_host *h)
{
    struct local_host *l = (struct local_host *)h;
    struct mem mem;

    taskmanager_free(l->tm);
    mem_init(&mem, "task host", 0);
    mem_move(&l->mem, &mem);
    mem_release(&mem);
}

struct task_host *taskmanager_host_create(struct sys *sys, struct log *log)
{
    static const struct task_host_ops ops = {.ready = local_ready,
                                             .deploy = local_deploy,
                                             .start = local_start,
                                             .trigger = local_trigger,
                                             .complete = local_complete,
                                             .cancel = local_cancel,
                                             .join = local_join,
                                             .totals = local_totals,
                                             .operators = local_operators,
                                             .each_running = local_each_running,
                                             .task = local_task,
                                             .free = local_free};
    struct mem mem;
    mem_init(&mem, "task host", 0);
    struct local_host *l = mem_zalloc(&mem, sizeof *l);

    mem_init(&l->mem, "task host", 0);
    mem_move(&mem, &l->mem);
    l->host.ops = &ops;
    l->sys = sys;
    l->log = log;
    return &l->host;
}

struct taskmanager *taskmanager_of_host(struct task_host *h)
{
    ASSERT(h->ops->ready == local_ready && tm_of(h) != NULL);
    return tm_of(h);
}
