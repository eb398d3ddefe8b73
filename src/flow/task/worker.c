/* worker.c - runs tasks in turn on one thread. A round steps every task once; when nothing moved the worker spins for
 * SPIN_NS, because a message usually follows soon and waking costs more, and then parks until a channel wakes it or the
 * next processing-time deadline. Workers of blocking tasks do not spin: their task sleeps in its own call.
 *
 * To spin on a core that others need is worse than to park: whoever would send has to wait for the spin to end, and who
 * used up its share is not let in front of others when it is woken. So a worker that was woken from its own core, or
 * finds that it was off its core while it spun, parks at once for the next CROWDED_NS. */
#include "flow/task/worker.h"

enum { SPIN_NS = 50000, OFF_CORE_NS = 100000, CROWDED_NS = 10000000, TASKS_MAX = 4096 };

struct worker {
    struct sys *sys;
    const char *name;
    struct mem mem;
    struct task **tasks;
    bool *opened;
    uint32_t task_count, live;
    task_moved_fn moved;
    void *moved_arg;
    struct sys_parker *parker;
    struct sys_thread *thread;
    bool has_blocking;
    int64_t idle_ns, looked_ns; /* nothing to do since, and last found so; 0 = something moved */
    int64_t crowded_ns;         /* others need this core until then */
};

struct worker *worker_create(struct sys *sys, const char *name, task_moved_fn moved, void *arg)
{
    struct mem mem;
    mem_init(&mem, name, 0);
    struct worker *w = mem_zalloc(&mem, sizeof *w);

    ASSERT(moved != NULL);
    mem_init(&w->mem, name, 0);
    mem_move(&mem, &w->mem);
    w->sys = sys;
    w->name = name;
    w->moved = moved;
    w->moved_arg = arg;
    w->parker = sys_parker_create(sys);
    return w;
}

void worker_free(struct worker *w)
{
    struct mem mem;

    if (w == NULL) return;
    ASSERT(w->thread == NULL);
    sys_parker_free(w->sys, w->parker);
    mem_init(&mem, "worker", 0);
    mem_move(&w->mem, &mem);
    mem_release(&mem);
}

void worker_add(struct worker *w, struct task *t)
{
    ASSERT(w->thread == NULL && w->task_count < TASKS_MAX);
    w->tasks = mem_realloc(&w->mem, w->tasks, sizeof(struct task *) * (w->task_count + 1));
    w->opened = mem_realloc(&w->mem, w->opened, sizeof *w->opened * (w->task_count + 1));
    w->opened[w->task_count] = false;
    w->tasks[w->task_count++] = t;
    w->live++;
    w->has_blocking |= task_is_blocking(t);
    task_set_parker(t, w->parker);
}

struct sys_parker *worker_parker(struct worker *w) { return w->parker; }

/* Opens the task at its first turn, on the thread that will run it: its memory is first touched where it is used. */
static enum status step_task(struct worker *w, uint32_t i)
{
    if (!w->opened[i]) {
        w->opened[i] = true;
        w->moved(w->moved_arg, w->tasks[i], TASK_INITIALIZING, S_OK);
        TRY(task_open(w->tasks[i]));
        w->moved(w->moved_arg, w->tasks[i], TASK_RUNNING, S_OK);
    }
    return task_step(w->tasks[i]);
}

static void run_one(struct worker *w, uint32_t i, bool *progress, int64_t *deadline_ms)
{
    struct task *t = w->tasks[i];
    enum status st = step_task(w, i);

    if (st == S_OK) *progress = true;
    if (st == S_END || st < 0) {
        *progress = true;
        task_close(t, st < 0);
        w->tasks[i] = NULL;
        w->live--;
        w->moved(w->moved_arg, t, task_state(t), st);
        return;
    }
    int64_t deadline = task_deadline_ms(t);
    if (deadline < *deadline_ms) *deadline_ms = deadline;
}

/* The pick-th task that still lives. */
static uint32_t nth_live(const struct worker *w, uint64_t pick)
{
    for (uint32_t i = 0;; i++) {
        ASSERT(i < w->task_count);
        if (w->tasks[i] != NULL && pick-- == 0) return i;
    }
}

enum status worker_round(struct worker *w, struct prng *pick, bool *progress, int64_t *deadline_ms)
{
    *progress = false;
    *deadline_ms = INT64_MAX;
    if (w->live == 0) return S_END;
    if (pick != NULL) {
        run_one(w, nth_live(w, prng_below(pick, w->live)), progress, deadline_ms);
    } else {
        for (uint32_t i = 0; i < w->task_count; i++)
            if (w->tasks[i] != NULL) run_one(w, i, progress, deadline_ms);
    }
    return w->live == 0 ? S_END : S_OK;
}

static bool may_spin(struct worker *w)
{
    int64_t now = sys_mono_ns(w->sys);

    if (w->idle_ns == 0) w->idle_ns = w->looked_ns = now;
    if (now - w->looked_ns > OFF_CORE_NS) w->crowded_ns = now + CROWDED_NS;
    w->looked_ns = now;
    return !w->has_blocking && now >= w->crowded_ns && now - w->idle_ns < SPIN_NS;
}

static void wait_for_work(struct worker *w, int64_t deadline_ms)
{
    int64_t timeout_ns = INT64_MAX;

    if (deadline_ms != INT64_MAX) {
        int64_t left_ms = deadline_ms - sys_wall_ms(w->sys);
        if (left_ms <= 0) return;
        timeout_ns = left_ms > INT64_C(1000000000) ? INT64_MAX : left_ms * 1000000;
    }
    if (sys_park(w->sys, w->parker, timeout_ns)) w->crowded_ns = sys_mono_ns(w->sys) + CROWDED_NS;
}

static void worker_loop(void *arg)
{
    struct worker *w = arg;
    int64_t deadline_ms;
    bool progress;

    while (worker_round(w, NULL, &progress, &deadline_ms) == S_OK) {
        if (!progress && may_spin(w)) continue;
        if (!progress) wait_for_work(w, deadline_ms);
        w->idle_ns = 0;
    }
}

enum status worker_start(struct worker *w, struct err *e)
{
    ASSERT(w->thread == NULL);
    return sys_thread_start(w->sys, w->name, worker_loop, w, &w->thread, e);
}

void worker_join(struct worker *w)
{
    sys_thread_join(w->sys, w->thread);
    w->thread = NULL;
}
