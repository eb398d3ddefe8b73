/* file_wait.c - between a task and the thread of its job's event loop.
 *
 * The task arms a watch, which speaks once; the loop's thread sets is_ready and wakes the worker. A task that is closed takes
 * its `op` away under the job's lock, so that nobody wakes a worker that may be gone; the watch and the file then end on the
 * loop's thread, since it may be looking at them. A file that never had to be waited for never makes the loop. */
#include "flow/source/file_wait.h"

#include "flow/task/job_shared.h"
#include "ground/net/loop.h"

/* The job's; made by the first who waits, ended with the job's shared objects, when its tasks are gone. */
struct waits {
    struct sys *sys;
    struct loop *loop;
    struct sys_thread *thread;
    struct err err; /* why there is no loop */
};

struct file_wait {
    struct sys *sys;
    struct job_shared *job;
    struct op_cx *op; /* (lock) NULL: the task is through */
    struct sys_file *file;
    struct waits *waits;
    struct loop_watch *watch; /* NULL: it never waited */
    bool is_armed;
    struct sys_atomic_u64 is_ready;
};

/* --- the loop --------------------------------------------------------------------------------------------------------- */
static void waits_run(void *arg)
{
    struct waits *waits = arg;
    enum status st = loop_run(waits->loop, NULL);

    ASSERT(st == S_OK); /* waiting for a sound set of files does not fail */
}

static void waits_end(void *object)
{
    struct waits *waits = object;

    if (waits->thread != NULL) {
        loop_stop(waits->loop); /* the ends that were posted still come */
        sys_thread_join(waits->sys, waits->thread);
    }
    loop_free(waits->loop);
}

static void waits_begin(struct waits *waits, struct sys *sys)
{
    static const struct loop_limits limits = {.watches = FILE_WAITS_MAX,
                                              .posts = FILE_WAITS_MAX}; /* a post for each end */

    waits->sys = sys;
    enum status st = loop_create(sys, "sources", &limits, &waits->loop, &waits->err);
    if (st == S_OK) st = sys_thread_start(sys, "sources", waits_run, waits, &waits->thread, &waits->err);
    ASSERT(st == S_OK || waits->err.status == st);
}

static enum status waits_join(struct file_wait *w, struct err *e)
{
    bool made;

    job_lock(w->job);
    w->waits = job_object(w->job, "file waits", sizeof *w->waits, waits_end, &made);
    if (made) waits_begin(w->waits, w->sys);
    job_unlock(w->job);
    return w->waits->err.status != S_OK ? err_pass_on(e, &w->waits->err) : S_OK;
}

/* --- life ------------------------------------------------------------------------------------------------------------- */
struct file_wait *file_wait_create(struct op_cx *op, struct sys_file *f)
{
    struct file_wait *w;

    ASSERT(f != NULL);
    if (op->job != NULL) job_lock(op->job);
    w = mem_zalloc(op->job != NULL ? job_mem(op->job) : op->mem, sizeof *w); /* it may outlive the task */
    if (op->job != NULL) job_unlock(op->job);
    w->sys = op->sys;
    w->job = op->job;
    w->op = op;
    w->file = f;
    return w;
}

struct sys_file *file_wait_file(const struct file_wait *w) { return w->file; }

/* On the loop's thread when there was a watch. */
static void wait_end(void *arg)
{
    struct file_wait *w = arg;
    struct job_shared *job = w->job;

    if (w->watch != NULL) loop_unwatch(w->waits->loop, w->watch);
    sys_file_close(w->sys, w->file);
    job_lock(job);
    mem_free(job_mem(job), w);
    job_unlock(job);
}

void file_wait_close(struct file_wait *w)
{
    if (w == NULL) return;
    if (w->job == NULL) {
        sys_file_close(w->sys, w->file);
        mem_free(w->op->mem, w);
        return;
    }
    job_lock(w->job);
    w->op = NULL;
    job_unlock(w->job);
    if (w->watch == NULL) {
        wait_end(w);
        return;
    }
    enum status st = loop_post(w->waits->loop, wait_end, w);
    ASSERT(st == S_OK);
}

/* --- waiting ---------------------------------------------------------------------------------------------------------- */
static void on_ready(void *arg, uint32_t ready)
{
    struct file_wait *w = arg;

    (void)ready;
    sys_atomic_store(&w->is_ready, 1);
    job_lock(w->job);
    if (w->op != NULL && w->op->parker != NULL) sys_unpark(w->sys, w->op->parker);
    job_unlock(w->job);
}

enum status file_wait_arm(struct file_wait *w, uint32_t events, struct err *e)
{
    events |= SYS_READY_ONCE;
    sys_atomic_store(&w->is_ready, w->job == NULL);
    w->is_armed = true;
    if (w->watch != NULL) return loop_watch_set(w->waits->loop, w->watch, events, e);
    if (w->job == NULL) return S_OK;
    TRY(waits_join(w, e));
    return loop_watch(w->waits->loop, w->file, events, on_ready, w, &w->watch, e);
}

bool file_wait_is_ready(struct file_wait *w)
{
    if (w->is_armed && sys_atomic_load(&w->is_ready) != 0) w->is_armed = false;
    return !w->is_armed;
}

enum status file_wait_read(void *file_wait, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct file_wait *w = file_wait;

    if (!file_wait_is_ready(w)) return S_IDLE;
    enum status st = sys_file_read_some(w->sys, w->file, bytes, size, got, e);
    if (st == S_IDLE) {
        TRY(file_wait_arm(w, SYS_READY_READ, e));
        return S_IDLE;
    }
    if (st != S_OK) return st;
    return *got > 0 ? S_OK : S_END;
}
