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
    return metrics_get(w->m, &(struct metric_owner){op, op, subtask}, name, kind, &w->e);
}

static void sorted_by_owner_and_name(void **state)
{
    struct world w;
    struct metric_view v;
    char all[256] = "";

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
    assert_ptr_not_equal(metrics_get(w.m, &(struct metric_owner){"b", "other", 0}, "x", METRIC_COUNTER, &w.e), x);
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
        cmocka_unit_test(rate_of_the_last_minute),
        cmocka_unit_test(histogram_describes_the_latest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
