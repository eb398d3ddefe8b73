/* test_metrics.c - the registry of a job's measures: order, bounds, rates by a clock set by hand, and what a histogram says. */
#include "flow/task/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct sys_ops ops;
    int64_t now_ns;
    struct sys *sys;
    struct metrics *m;
    struct err e;
};

static int64_t now_ns(struct sys *sys) { return ((struct world *)(void *)(uintptr_t)sys->ops)->now_ns; }

static void world_open(struct world *w)
{
    *w = (struct world){.now_ns = 1000000000, .sys = sys_linux_create_quiet()};
    w->ops = *w->sys->ops;
    w->ops.mono_ns = now_ns;
    w->sys->ops = &w->ops;
    w->m = metrics_create(w->sys);
}

static void world_close(struct world *w)
{
    metrics_free(w->m);
    sys_linux_free(w->sys);
}

static struct metric *get(struct world *w, const char *op, uint32_t subtask, const char *name, enum metric_kind kind)
{
    return metrics_get(w->m, &(struct metric_owner){.operator_name = op, .uid = op, .subtask = subtask}, name, kind, &w->e);
}

static void sorted_by_owner_and_name(void **state)
{
    struct world w;
    struct metric_view v;
    char all[2048] = "";

    (void)state;
    world_open(&w);
    get(&w, "b", 1, "x", METRIC_COUNTER);
    get(&w, "b", 0, "y", METRIC_COUNTER);
    struct metric *x = get(&w, "b", 0, "x", METRIC_COUNTER);
    get(&w, "a", 2, "z", METRIC_GAUGE);
    assert_ptr_equal(get(&w, "b", 0, "x", METRIC_COUNTER), x);
    metric_add(x, 5);
    metric_add(x, -7);
    for (uint32_t i = 0; metrics_view(w.m, i, &v); i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s/%u.%s=%g ", v.operator_name, v.subtask, v.name,
                 v.value);
    assert_string_equal(all, "a/2.z=0 b/0.x=-2 b/0.y=0 b/1.x=0 ");
    assert_int_equal(metrics_count(w.m), 4);
    /* Two operators may have the same name; their uids tell them apart. */
    assert_ptr_not_equal(metrics_get(w.m, &(struct metric_owner){.operator_name = "b", .uid = "other"}, "x", METRIC_COUNTER, &w.e), x);
    world_close(&w);
}

static void one_kind_per_name_and_bounds(void **state)
{
    struct world w;
    char name[METRIC_NAME_MAX + 2];

    (void)state;
    world_open(&w);
    assert_non_null(get(&w, "a", 0, "x", METRIC_HISTOGRAM));
    assert_null(get(&w, "a", 0, "x", METRIC_METER));
    assert_string_equal(w.e.text, "metric 'x' is a histogram and cannot be a meter too");
    err_clear(&w.e);
    memset(name, 'n', sizeof name);
    name[METRIC_NAME_MAX + 1] = '\0';
    assert_null(get(&w, "a", 0, name, METRIC_COUNTER));
    assert_null(get(&w, "a", 0, "", METRIC_COUNTER));
    name[METRIC_NAME_MAX] = '\0';
    assert_non_null(get(&w, "a", 0, name, METRIC_COUNTER));
    err_clear(&w.e);
    for (int i = 2; i < METRICS_SUBTASK_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_non_null(get(&w, "a", 0, name, METRIC_COUNTER));
    }
    assert_null(get(&w, "a", 0, "more", METRIC_COUNTER));
    assert_string_equal(w.e.text, "metric 'more': at most 1024 of a subtask and 65536 of a job");
    assert_non_null(get(&w, "a", 1, "more", METRIC_COUNTER));
    world_close(&w);
}

/* --- variables ----------------------------------------------------------------------------------------------------------- */
static void expect_variables(struct world *w, const char *name, const char *text)
{
    struct metric_view v;
    char all[512] = "";

    assert_true(metrics_find(w->m, "map", 1, name, &v));
    for (uint32_t i = 0; i < v.variable_count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s=%s ", v.variables[i].key, v.variables[i].value);
    assert_string_equal(all, text);
}

static void variables_of_task_operator_program_and_groups(void **state)
{
    struct option task[] = {{"<host>", "here"}, {"<task_name>", "Map"}},
                  user[] = {{"team", "blue"}, {"<host>", "there"}}, group[] = {{"<topic>", "orders"}, {"team", "red"}};
    struct options tasks = {task, 2}, users = {user, 2}, groups = {group, 2};
    struct metric_owner owner = {.operator_name = "map", .uid = "u1", .subtask = 1, .task_variables = &tasks,
                                 .user_variables = &users};
    struct world w;

    (void)state;
    world_open(&w);
    metrics_get(w.m, &owner, "plain", METRIC_COUNTER, &w.e);
    owner.group_variables = &groups;
    metrics_get(w.m, &owner, "topic.orders.seen", METRIC_COUNTER, &w.e);
    expect_variables(&w, "plain", "<host>=there <task_name>=Map <operator_id>=u1 <operator_name>=map team=blue ");
    expect_variables(&w, "topic.orders.seen",
                     "<host>=there <task_name>=Map <operator_id>=u1 <operator_name>=map team=red <topic>=orders ");
    world_close(&w);
}

/* --- finding --------------------------------------------------------------------------------------------------------------- */
static void found_by_operator_subtask_and_name(void **state)
{
    struct metric_owner first = {.operator_name = "b", .uid = "1"}, second = {.operator_name = "b", .uid = "2"};
    struct metric_view v;
    struct world w;

    (void)state;
    world_open(&w);
    get(&w, "a", 0, "x", METRIC_COUNTER);
    get(&w, "c", 0, "x", METRIC_COUNTER);
    metric_add(metrics_get(w.m, &first, "x", METRIC_COUNTER, &w.e), 1);
    metric_add(metrics_get(w.m, &second, "x", METRIC_COUNTER, &w.e), 2);
    second.subtask = 7;
    metric_add(metrics_get(w.m, &second, "y", METRIC_COUNTER, &w.e), 3);
    assert_true(metrics_find(w.m, "b", 0, "x", &v));
    assert_int_equal(v.count, 1); /* the first of that name */
    assert_true(metrics_find(w.m, "b", 7, "y", &v));
    assert_int_equal(v.count, 3);
    assert_true(metrics_find(w.m, "c", 0, "x", &v));
    assert_false(metrics_find(w.m, "b", 7, "x", &v));
    assert_false(metrics_find(w.m, "b", 0, "y", &v));
    assert_false(metrics_find(w.m, "d", 0, "x", &v));
    assert_false(metrics_find(w.m, "", 0, "x", &v));
    world_close(&w);
}

/* --- timers ---------------------------------------------------------------------------------------------------------------- */
static double named(struct world *w, const char *name)
{
    struct metric_view v;

    assert_true(metrics_find(w->m, "s", 0, name, &v));
    assert_int_equal(v.kind, METRIC_GAUGE);
    return v.value;
}

static void a_timer_is_read_while_it_runs(void **state)
{
    struct metric_owner owner = {.operator_name = "s", .uid = "s"};
    struct world w;

    (void)state;
    world_open(&w);
    struct metric *x = metrics_timer(w.m, &owner, "busy", "busy in all", &w.e);
    w.now_ns += 1000000000;
    assert_true(named(&w, "busy") == 0 && named(&w, "busy in all") == 0);
    metric_start(x, w.now_ns);
    w.now_ns += 3000000000;
    assert_true(named(&w, "busy") == 750 && named(&w, "busy in all") == 3000);
    metric_stop(x, w.now_ns);
    w.now_ns += 1000000000;
    assert_true(named(&w, "busy") == 600 && named(&w, "busy in all") == 3000);
    metric_start(x, w.now_ns);
    for (int i = 0; i < 100; i++) {
        w.now_ns += 1000000000;
        metrics_sample(w.m);
    }
    assert_true(named(&w, "busy") == 1000 && named(&w, "busy in all") == 103000); /* of the last minute */
    metrics_stop(w.m);
    w.now_ns += 1000000000;
    assert_true(named(&w, "busy in all") == 103000);
    world_close(&w);
}

static void measures_of_splits_come_and_go(void **state)
{
    struct metric_owner owner = {.operator_name = "s", .uid = "s"};
    struct world w;

    (void)state;
    world_open(&w);
    struct metric *gauge = metrics_split_gauge(w.m, &owner, "b", &w.e);
    struct metric *timer = metrics_timer(w.m, &owner, "a", "c", &w.e);
    assert_non_null(gauge);
    assert_non_null(timer);
    assert_int_equal(metrics_count(w.m), 3);
    assert_null(metrics_split_gauge(w.m, &owner, "c", &w.e));
    assert_string_equal(w.e.text, "metric 'c': the name is taken, or there are more than 65536 of the job");
    assert_null(metrics_timer(w.m, &owner, "d", "b", &w.e)); /* nothing is left of it */
    assert_int_equal(metrics_count(w.m), 3);
    for (int i = 0; i < METRICS_SUBTASK_MAX; i++) { /* the subtask's own are counted without them */
        char name[16];
        snprintf(name, sizeof name, "own%d", i);
        assert_non_null(get(&w, "s", 0, name, METRIC_COUNTER));
    }
    metrics_remove(w.m, timer);
    metrics_remove(w.m, gauge);
    metrics_remove(w.m, NULL);
    assert_int_equal(metrics_count(w.m), METRICS_SUBTASK_MAX);
    world_close(&w);
}

static double rate(struct world *w)
{
    struct metric_view v;

    assert_true(metrics_view(w->m, 0, &v));
    return v.value;
}

/* Once a second `n` things, sampled as often as anybody asks. */
static void run_seconds(struct world *w, struct metric *x, int seconds, int64_t n)
{
    for (int i = 0; i < seconds; i++) {
        metric_add(x, n);
        w->now_ns += 1000000000;
        metrics_sample(w->m);
    }
}

static void rate_of_the_last_minute(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    struct metric *x = get(&w, "a", 0, "events", METRIC_METER);
    assert_true(rate(&w) == 0);
    run_seconds(&w, x, 4, 10);
    assert_true(rate(&w) == 10);
    run_seconds(&w, x, 116, 10);
    assert_true(rate(&w) == 10);
    run_seconds(&w, x, 60, 40);
    assert_true(rate(&w) == 40);
    run_seconds(&w, x, 30, 0);
    assert_true(rate(&w) == 20);
    metrics_stop(w.m);
    w.now_ns += 1000000000000;
    assert_true(rate(&w) == 20);
    world_close(&w);
}

static void histogram_describes_the_latest(void **state)
{
    struct world w;
    struct metric_view v;

    (void)state;
    world_open(&w);
    struct metric *x = get(&w, "a", 0, "sizes", METRIC_HISTOGRAM);
    assert_true(metrics_view(w.m, 0, &v));
    assert_int_equal(v.values, 0);
    for (int64_t i = 100; i > 0; i--) metric_update(x, i);
    assert_true(metrics_view(w.m, 0, &v));
    assert_int_equal(v.count, 100);
    assert_int_equal(v.values, 100);
    assert_int_equal(v.min, 1);
    assert_int_equal(v.max, 100);
    assert_true(v.mean == 50.5);
    assert_true(v.stddev > 29.0114 && v.stddev < 29.0115);
    assert_true(v.p50 == 50.5);
    assert_true(v.p75 == 75.75);
    assert_true(v.p99 > 99.98 && v.p99 < 100);
    assert_true(v.p999 == 100);
    for (int64_t i = 0; i < METRIC_WINDOW; i++) metric_update(x, 7);
    assert_true(metrics_view(w.m, 0, &v));
    assert_int_equal(v.count, 100 + METRIC_WINDOW);
    assert_int_equal(v.values, METRIC_WINDOW);
    assert_true(v.min == 7 && v.max == 7 && v.mean == 7 && v.stddev == 0 && v.p999 == 7);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_by_owner_and_name),
        cmocka_unit_test(one_kind_per_name_and_bounds),
        cmocka_unit_test(variables_of_task_operator_program_and_groups),
        cmocka_unit_test(found_by_operator_subtask_and_name),
        cmocka_unit_test(a_timer_is_read_while_it_runs),
        cmocka_unit_test(measures_of_splits_come_and_go),
        cmocka_unit_test(rate_of_the_last_minute),
        cmocka_unit_test(histogram_describes_the_latest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
