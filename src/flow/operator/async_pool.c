/* async_pool.c - helper threads with a mailbox each, and jobs that travel between them and the operator.
 *
 * The operator alone decides: it keeps the list of idle helpers and the line of jobs that wait for one, so nothing is
 * shared but mailboxes. A helper is started when a job finds none idle, up to ASYNC_THREADS_MAX: only as many as there ever
 * were requests at the same time. Jobs beyond wait in line. */
#include "flow/operator/async_pool.h"

#include "flow/operator/harness_port.h"
#include "flow/task/job_shared.h"

#include <string.h>

struct async_helper {
    struct async_pool *pool;
    struct sys_thread *thread;
    struct sys_mailbox *jobs;
    struct async_helper *next; /* idle list */
};

struct async_pool {
    const struct async_work *work;
    void *arg;                          /* of the work */
    uint32_t rows_max;
    struct op_cx *task;                 /* the operator's own */
    struct op_cx op;                    /* the same as jobs see it: taken before there are helpers */
    struct sys *sys;
    struct mem *mem;
    struct sys_mailbox *finished;
    struct async_helper **helpers;
    uint32_t helper_count, helper_capacity, helper_max;
    struct async_helper *idle;
    struct async_job *line, *line_last; /* jobs waiting for a helper */
    struct async_job *spare, *all_done; /* all_done: back already, without a thread (simulation, harness) */
    struct async_job **jobs;            /* every job ever made */
    uint32_t job_count, job_capacity;
    bool runs_here;
    struct harness_async *harness;      /* NULL = not in one */
    int stop;                           /* its address is the message that ends a helper */
};

static void find_harness(struct async_pool *p)
{
    bool made;

    job_lock(p->op.job);
    p->harness = job_object(p->op.job, HARNESS_ASYNC, sizeof *p->harness, NULL, &made);
    job_unlock(p->op.job);
}

static bool is_held(struct async_pool *p)
{
    struct harness_async *h = p->harness;

    if (h == NULL || !h->is_held) return false;
    for (uint32_t i = 0; i < h->waiting_count; i++)
        if (h->waiting[i] == p->task) return true;
    if (h->waiting_count == HARNESS_ASYNC_MAX) return false;
    h->waiting[h->waiting_count++] = p->task;
    return true;
}

static void line_up(struct async_pool *p, struct async_job *job)
{
    if (p->line_last) p->line_last->next = job;
    else p->line = job;
    p->line_last = job;
}

void async_pool_create(struct op_cx *op, const struct async_work *work, void *arg, struct async_limits limits, struct async_pool **out)
{
    struct async_pool *p = mem_zalloc(op->mem, sizeof *p);

    ASSERT(limits.jobs > 0 && limits.rows > 0);
    *out = p;
    p->work = work;
    p->arg = arg;
    p->rows_max = limits.rows;
    p->task = op;
    p->op = *op;
    p->op.scratch = NULL;
    p->op.ports = NULL;
    p->op.port_count = 0;
    p->op.batch_rows = ASYNC_RESULT_ROWS;
    p->sys = op->sys;
    p->mem = op->mem;
    p->helper_max = MIN(limits.jobs, ASYNC_THREADS_MAX);
    p->runs_here = strcmp(op->sys->ops->name, "linux") != 0; /* worlds on one thread: simulation, harness */
    if (!p->runs_here) p->finished = sys_mailbox_create(op->sys);
    if (strcmp(op->sys->ops->name, "harness") == 0) find_harness(p);
}

/* --- jobs -------------------------------------------------------------------------------------------------------------- */
static enum status job_open(struct async_pool *p, struct async_job *job)
{
    mem_init(&job->mem, "async", 0);
    job->op = p->op;
    job->op.mem = &job->mem;
    job->op.err = &job->err;
    job->arg = p->arg;
    job->own = mem_zalloc(&job->mem, p->work->own_size);
    job->row = batch_create_needed(job->op.plan->inputs[0], job->op.needed_in ? job->op.needed_in[0] : NULL, p->rows_max, &job->mem);
    enum status st = p->work->open(job);
    if (st == S_OK) return S_OK;
    err_set(p->task->err, st, "%s", job->err.text);
    if (job->err.hint[0] != '\0') err_hint(p->task->err, "%s", job->err.hint);
    return st;
}

static void job_close(struct async_pool *p, struct async_job *job)
{
    batch_free(job->row);
    p->work->close(job);
    mem_free(&job->mem, job->own);
    mem_release(&job->mem);
}

static enum status job_make(struct async_pool *p, struct async_job **out)
{
    struct async_job *job = mem_zalloc(p->mem, sizeof *job);

    if (p->job_count == p->job_capacity) {
        p->job_capacity = p->job_capacity ? p->job_capacity * 2 : 16;
        p->jobs = mem_realloc(p->mem, p->jobs, sizeof(struct async_job *) * p->job_capacity);
    }
    p->jobs[p->job_count++] = job;
    *out = job;
    return job_open(p, job);
}

enum status async_job_take(struct async_pool *p, const struct batch *in, const uint16_t *rows, uint32_t count, struct async_job **out)
{
    struct async_job *job = p->spare;

    ASSERT(count <= p->rows_max);

    if (job) p->spare = job->next;
    else TRY(job_make(p, &job));
    job->abandoned = false;
    job->attempt = 0;
    job->next = NULL;
    batch_clear(job->row);
    batch_append(job->row, in, rows, count);
    *out = job;
    return S_OK;
}

void async_job_give(struct async_pool *p, struct async_job *job)
{
    p->work->clear(job);
    job->next = p->spare;
    p->spare = job;
}

/* --- running ------------------------------------------------------------------------------------------------------------- */
static void helper_main(void *arg)
{
    struct async_helper *h = arg;
    struct async_pool *p = h->pool;

    for (;;) {
        void *message = sys_mailbox_take(p->sys, h->jobs, INT64_MAX);
        if (message == &p->stop) return;
        if (message == NULL) continue;
        struct async_job *job = message;
        p->work->attempt(job);
        sys_mailbox_send(p->sys, p->finished, job);
        op_ring(p->task);
    }
}

static enum status helper_start(struct async_pool *p)
{
    struct async_helper *h = mem_zalloc(p->mem, sizeof *h);
    enum status st;

    h->pool = p;
    h->jobs = sys_mailbox_create(p->sys);
    st = sys_thread_start(p->sys, "async", helper_main, h, &h->thread, p->task->err);
    if (st != S_OK) {
        sys_mailbox_free(p->sys, h->jobs);
        mem_free(p->mem, h);
        return st;
    }
    if (p->helper_count == p->helper_capacity) {
        p->helper_capacity = p->helper_capacity ? p->helper_capacity * 2 : 16;
        p->helpers = mem_realloc(p->mem, p->helpers, sizeof(struct async_helper *) * p->helper_capacity);
    }
    p->helpers[p->helper_count++] = h;
    h->next = p->idle;
    p->idle = h;
    return S_OK;
}

static void hand_out(struct async_pool *p)
{
    while (p->idle && p->line) {
        struct async_helper *h = p->idle;
        struct async_job *job = p->line;
        p->line = job->next;
        if (p->line == NULL) p->line_last = NULL;
        if (job->abandoned) { /* its time was up before a helper was free */
            async_job_give(p, job);
            continue;
        }
        p->idle = h->next;
        job->helper = h;
        sys_mailbox_send(p->sys, h->jobs, job);
    }
}

enum status async_job_run(struct async_pool *p, struct async_job *job)
{
    job->attempt++;
    job->next = NULL;
    job->op.watermark = p->task->watermark;
    if (p->runs_here && is_held(p)) {
        line_up(p, job);
        return S_OK;
    }
    if (p->runs_here) {
        p->work->attempt(job);
        job->next = p->all_done;
        p->all_done = job;
        return S_OK;
    }
    line_up(p, job);
    if (p->idle == NULL && p->helper_count < p->helper_max) {
        enum status st = helper_start(p);
        if (st != S_OK && p->helper_count == 0) return st;
    }
    hand_out(p);
    return S_OK;
}

struct async_job *async_pool_finished(struct async_pool *p)
{
    struct async_job *job;

    if (p->runs_here && p->line != NULL && !is_held(p)) {
        job = p->line;
        p->line = job->next;
        if (p->line == NULL) p->line_last = NULL;
        p->work->attempt(job);
        return job;
    }
    if (p->runs_here) {
        job = p->all_done;
        if (job) p->all_done = job->next;
        return job;
    }
    job = sys_mailbox_take(p->sys, p->finished, 0);
    if (job == NULL) return NULL;
    job->helper->next = p->idle;
    p->idle = job->helper;
    job->helper = NULL;
    hand_out(p);
    return job;
}

void async_pool_free(struct async_pool *p)
{
    if (p == NULL) return;
    for (uint32_t i = 0; i < p->helper_count; i++) sys_mailbox_send(p->sys, p->helpers[i]->jobs, &p->stop);
    for (uint32_t i = 0; i < p->helper_count; i++) {
        sys_thread_join(p->sys, p->helpers[i]->thread);
        sys_mailbox_free(p->sys, p->helpers[i]->jobs);
        mem_free(p->mem, p->helpers[i]);
    }
    mem_free(p->mem, p->helpers);
    if (p->finished) {
        while (sys_mailbox_take(p->sys, p->finished, 0)) continue;
        sys_mailbox_free(p->sys, p->finished);
    }
    for (uint32_t i = 0; i < p->job_count; i++) {
        job_close(p, p->jobs[i]);
        mem_free(p->mem, p->jobs[i]);
    }
    mem_free(p->mem, p->jobs);
    mem_free(p->mem, p);
}
