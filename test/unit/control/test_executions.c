/* test_executions.c - records of a job's executions: who is moved, when it got there, and what canceling does to each, on a
 * clock that the test moves. */
#include "control/jobmanager/executions.h"

#include "ground/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct world {
    struct sys_ops ops;
    struct sys *sys;
    struct graph_vertex vertices[2];
    struct graph graph;
    struct executions *executions;
    struct mem mem;
    struct buf story;
    int64_t now_ms;
};

static int64_t wall_ms(struct sys *sys) { return ((struct world *)(void *)(uintptr_t)sys->ops)->now_ms; }

static void moved(void *arg, const struct execution *x, enum execution_state from)
{
    struct world *w = arg;

    buf_printf(&w->story, "%s %u/%u %s>%s\n", x->vertex_name, x->subtask, x->parallelism, execution_state_name(from),
               execution_state_name(x->state));
}

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){.vertices = {{.name = "a", .parallelism = 1}, {.name = "b", .parallelism = 2}}, .now_ms = 1000};
    w.graph = (struct graph){.vertices = w.vertices, .vertex_count = 2};
    w.sys = sys_linux_create_quiet();
    w.ops = *w.sys->ops;
    w.ops.wall_ms = wall_ms;
    w.sys->ops = &w.ops;
    mem_init(&w.mem, "test", 0);
    buf_init(&w.story, &w.mem);
    w.executions = executions_create(w.sys, &w.graph, 3, moved, &w);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    executions_free(w->executions);
    buf_release(&w->story);
    mem_release(&w->mem);
    sys_linux_free(w->sys);
    return 0;
}

static void expect_story(struct world *w, const char *story)
{
    assert_string_equal(buf_text(&w->story), story);
    buf_clear(&w->story);
}

/* --- moves --------------------------------------------------------------------------------------------------------------- */
static void each_state_is_stamped(void **state)
{
    static const enum execution_state way[] = {EXECUTION_SCHEDULED, EXECUTION_DEPLOYING, EXECUTION_INITIALIZING,
                                               EXECUTION_RUNNING, EXECUTION_FINISHED};
    struct world *w = *state;
    struct execution x;

    for (size_t i = 0; i < COUNT_OF(way); i++) {
        w->now_ms += 10;
        if (way[i] == EXECUTION_DEPLOYING) executions_set_slot(w->executions, 1, 1, 7);
        executions_move(w->executions, 1, 1, way[i]);
        assert_int_equal(executions_state(w->executions, 1, 1), way[i]);
    }
    assert_int_equal(executions_count(w->executions), 3);
    assert_false(executions_view(w->executions, 3, &x));
    assert_true(executions_view(w->executions, 2, &x));
    assert_string_equal(x.vertex_name, "b");
    assert_int_equal(x.vertex, 1);
    assert_int_equal(x.subtask, 1);
    assert_int_equal(x.parallelism, 2);
    assert_int_equal(x.attempt, 3);
    assert_int_equal(x.slot, 7);
    assert_int_equal(x.state, EXECUTION_FINISHED);
    static const int64_t stamps[EXECUTION_STATE_COUNT] = {1000, 1010, 1020, 1030, 1040, 1050, 0, 0, 0, 0};
    for (int s = 0; s < EXECUTION_STATE_COUNT; s++) assert_int_equal(x.since_ms[s], stamps[s]);
    assert_true(executions_view(w->executions, 1, &x)); /* its neighbour */
    assert_int_equal(x.state, EXECUTION_CREATED);
    assert_int_equal(x.since_ms[EXECUTION_SCHEDULED], 0);
    expect_story(w, "b 1/2 CREATED>SCHEDULED\nb 1/2 SCHEDULED>DEPLOYING\nb 1/2 DEPLOYING>INITIALIZING\n"
                    "b 1/2 INITIALIZING>RUNNING\nb 1/2 RUNNING>FINISHED\n");
}

static void all_move_in_order(void **state)
{
    struct world *w = *state;

    executions_move_all(w->executions, EXECUTION_SCHEDULED);
    expect_story(w, "a 0/1 CREATED>SCHEDULED\nb 0/2 CREATED>SCHEDULED\nb 1/2 CREATED>SCHEDULED\n");
}

/* --- canceling ------------------------------------------------------------------------------------------------------------- */
static void who_was_not_deployed_is_canceled_at_once(void **state)
{
    struct world *w = *state;

    executions_move(w->executions, 1, 0, EXECUTION_SCHEDULED);
    executions_move(w->executions, 1, 1, EXECUTION_SCHEDULED);
    executions_move(w->executions, 1, 1, EXECUTION_DEPLOYING);
    buf_clear(&w->story);
    executions_cancel(w->executions);
    expect_story(w, "a 0/1 CREATED>CANCELED\nb 0/2 SCHEDULED>CANCELED\nb 1/2 DEPLOYING>CANCELING\n");
    executions_cancel(w->executions); /* again: nothing */
    expect_story(w, "");
    executions_canceled(w->executions);
    expect_story(w, "b 1/2 CANCELING>CANCELED\n");
    executions_canceled(w->executions);
    expect_story(w, "");
}

static void who_is_over_stays_what_it_is(void **state)
{
    struct world *w = *state;

    executions_move_all(w->executions, EXECUTION_SCHEDULED);
    executions_move_all(w->executions, EXECUTION_DEPLOYING);
    executions_move_all(w->executions, EXECUTION_INITIALIZING);
    executions_move(w->executions, 1, 0, EXECUTION_RUNNING);
    executions_move(w->executions, 1, 0, EXECUTION_FINISHED);
    executions_move(w->executions, 1, 1, EXECUTION_FAILED);
    buf_clear(&w->story);
    executions_cancel(w->executions);
    expect_story(w, "a 0/1 INITIALIZING>CANCELING\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_state_is_stamped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_move_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_not_deployed_is_canceled_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_over_stays_what_it_is, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
