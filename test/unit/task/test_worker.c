/* test_worker.c - when a worker spins and when it parks, on a clock that only the test moves. The thread is a call, parking
 * is a note; a source that has nothing makes its polls and the clock's steps the whole story:
 *
 *   "open run p6 park p6 park(5 ms) end"   opened, runs, six polls in a row, then parked without a limit, six more, parked for
 *                                          5 ms, over */
#include "flow/task/worker.h"

#include "ground/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define US INT64_C(1000)
#define MS INT64_C(1000000)

struct world {
    struct sys_ops ops;
    struct sys *sys;
    struct mem mem;
    struct buf story;
    int64_t now_ns;
    int64_t poll_ns, park_ns; /* how long each takes */
    uint32_t polls_left;
    uint32_t polls;           /* in a row, not told yet */
    uint32_t parks, crowded;  /* the crowded-th park is ended from this worker's own core; from 1, 0 = none */
    int64_t wake_in_ms;       /* what the source asks for; 0 = nothing */
    enum status end;
};

static struct world *world_of(struct sys *sys) { return (struct world *)(void *)(uintptr_t)sys->ops; }
static int64_t wall_ms(struct sys *sys) { return world_of(sys)->now_ns / MS; }
static int64_t mono_ns(struct sys *sys) { return world_of(sys)->now_ns; }

static void tell(struct world *w, const char *what)
{
    if (w->story.size > 0) buf_append_text(&w->story, " ");
    if (w->polls > 0) buf_printf(&w->story, "p%u ", w->polls);
    w->polls = 0;
    buf_append_text(&w->story, what);
}

static bool park(struct sys *sys, struct sys_parker *p, int64_t timeout_ns)
{
    struct world *w = world_of(sys);

    (void)p;
    tell(w, "park");
    if (timeout_ns != INT64_MAX) buf_printf(&w->story, "(%g ms)", (double)timeout_ns / (double)MS);
    w->now_ns += w->park_ns;
    return ++w->parks == w->crowded;
}

static enum status thread_start(struct sys *sys, const char *name, sys_thread_fn fn, void *arg, struct sys_thread **out,
                                struct err *e)
{
    (void)sys, (void)name, (void)e;
    *out = NULL;
    fn(arg);
    return S_OK;
}

static enum status nothing_poll(struct op_cx *cx, void *self)
{
    struct world *w = world_of(cx->sys);

    (void)self;
    w->polls++;
    w->now_ns += w->poll_ns;
    if (w->wake_in_ms != 0) op_wake_at(cx, wall_ms(cx->sys) + w->wake_in_ms);
    return --w->polls_left == 0 ? S_END : S_IDLE;
}
static const struct op_type op_nothing = {.name = "nothing", .flags = OP_SOURCE, .poll = nothing_poll};

static void task_moved(void *arg, struct task *t, enum task_state state, enum status st)
{
    struct world *w = arg;

    (void)t;
    if (state == TASK_INITIALIZING || state == TASK_RUNNING) {
        tell(w, state == TASK_RUNNING ? "run" : "open");
        return;
    }
    tell(w, "end");
    w->end = st;
}

/* Runs the worker until its source has been asked so often. */
static void expect(struct world w, bool blocking, const char *story)
{
    struct op_plan op = {0};
    struct node_plan node = {.type = &op_nothing, .plan = &op, .name = "nothing"};
    struct task_plan plan = {.name = "t",
                             .parallelism = 1,
                             .max_parallelism = 128,
                             .batch_rows = 4,
                             .nodes = &node,
                             .node_count = 1,
                             .blocking = blocking};
    struct err e = {0};

    w.sys = sys_linux_create_quiet();
    w.ops = *w.sys->ops;
    w.ops.wall_ms = wall_ms;
    w.ops.mono_ns = mono_ns;
    w.ops.park = park;
    w.ops.thread_start = thread_start;
    w.sys->ops = &w.ops;
    w.now_ns = 1000 * MS;
    mem_init(&w.mem, "test", 0);
    buf_init(&w.story, &w.mem);
    struct worker *worker = worker_create(w.sys, "worker", task_moved, &w);
    struct task *t = task_create(&plan, w.sys, NULL);
    worker_add(worker, t);
    assert_int_equal(worker_start(worker, &e), S_OK);
    worker_join(worker);
    assert_int_equal(w.end, S_END);
    assert_string_equal(buf_text(&w.story), story);
    task_free(t);
    worker_free(worker);
    buf_release(&w.story);
    mem_release(&w.mem);
    sys_linux_free(w.sys);
}

/* 50 us from the first time that there was nothing. */
static void a_worker_spins_for_a_while(void **state)
{
    (void)state;
    expect((struct world){.poll_ns = 10 * US, .park_ns = MS, .polls_left = 14}, false, "open run p6 park p6 park p2 end");
    expect((struct world){.poll_ns = 30 * US, .park_ns = MS, .polls_left = 7}, false, "open run p3 park p3 park p1 end");
}

static void who_may_block_does_not_spin(void **state)
{
    (void)state;
    expect((struct world){.poll_ns = 10 * US, .park_ns = MS, .polls_left = 3}, true, "open run p1 park p1 park p1 end");
}

/* Woken from its own core: it parks at once for 10 ms, then spins again. */
static void a_core_that_others_need(void **state)
{
    (void)state;
    expect((struct world){.poll_ns = 10 * US, .park_ns = 3 * MS, .polls_left = 17, .crowded = 1}, false,
           "open run p6 park p1 park p1 park p1 park p1 park p6 park p1 end");
}

/* More than 100 us from one look to the next: the worker was off its core. */
static void a_worker_that_lost_its_core(void **state)
{
    (void)state;
    expect((struct world){.poll_ns = 150 * US, .park_ns = 5 * MS, .polls_left = 7}, false,
           "open run p2 park p1 park p2 park p1 park p1 end");
}

/* In whole ms of the wall clock, and not at all for what is due already. */
static void parking_ends_for_what_is_due(void **state)
{
    (void)state;
    expect((struct world){.poll_ns = 10 * US, .park_ns = 5 * MS, .polls_left = 3, .wake_in_ms = 5}, true,
           "open run p1 park(5 ms) p1 park(5 ms) p1 end");
    expect((struct world){.poll_ns = 10 * US, .park_ns = MS, .polls_left = 3, .wake_in_ms = -1}, true, "open run p3 end");
    expect((struct world){.poll_ns = 10 * US, .park_ns = MS, .polls_left = 2, .wake_in_ms = INT64_C(1000000001)}, true,
           "open run p1 park p1 end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_spins_for_a_while),
        cmocka_unit_test(who_may_block_does_not_spin),
        cmocka_unit_test(a_core_that_others_need),
        cmocka_unit_test(a_worker_that_lost_its_core),
        cmocka_unit_test(parking_ends_for_what_is_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
