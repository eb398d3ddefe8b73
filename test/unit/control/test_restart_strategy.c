/* test_restart_strategy.c - the four strategies on a clock that is a number. */
#include "control/jobmanager/restart_strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct mem mem;
static struct arena arena;
static struct prng random_numbers;
static struct restart_strategy s;
static int64_t pause;

static int set_up(void **state)
{
    (void)state;
    mem_init(&mem, "test", 0);
    arena_init(&arena, &mem, 0);
    prng_init(&random_numbers, 7);
    pause = -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_release(&mem);
    return 0;
}

static void init(bool has_checkpoints, const struct option *items, uint32_t count)
{
    restart_strategy_init(&s, &(struct options){items, count}, has_checkpoints, &arena);
}
#define INIT(...)                                                                                                      \
    init(true, (const struct option[]){__VA_ARGS__},                                                                   \
         sizeof((const struct option[]){__VA_ARGS__}) / sizeof(struct option))
#define KEY "restart-strategy."

static bool fails(int64_t now_ms) { return restart_strategy_failed(&s, now_ms, &random_numbers, &pause); }

static void the_default_depends_on_checkpoints(void **state)
{
    (void)state;
    init(false, NULL, 0);
    assert_int_equal(s.kind, RESTART_NONE);
    assert_false(fails(0));
    init(true, NULL, 0);
    assert_int_equal(s.kind, RESTART_EXPONENTIAL_DELAY);
    assert_true(fails(0));
    for (const char *const *name = (const char *const[]){"none", "off", "Disable", NULL}; *name != NULL; name++) {
        INIT({KEY "type", *name});
        assert_false(fails(0));
    }
}

static void fixed_delay_restarts_so_many_times(void **state)
{
    (void)state;
    INIT({KEY "type", "fixed-delay"}, {KEY "fixed-delay.attempts", "3"}, {KEY "fixed-delay.delay", "250 ms"});
    for (int i = 0; i < 3; i++) {
        assert_true(fails(i * 100000));
        assert_int_equal(pause, 250);
    }
    assert_false(fails(400000));
}

static void failure_rate_counts_within_an_interval(void **state)
{
    (void)state;
    INIT({KEY "type", "failure-rate"}, {KEY "failure-rate.max-failures-per-interval", "2"},
         {KEY "failure-rate.failure-rate-interval", "1000"}, {KEY "failure-rate.delay", "10"});
    assert_true(fails(0));
    assert_int_equal(pause, 10);
    assert_true(fails(500));
    assert_true(fails(1001)); /* three, but within more than the interval */
    assert_true(fails(1501));
    assert_false(fails(2001)); /* 1001, 1501, 2001: the interval itself still counts */
}

static void one_failure_in_an_interval_is_forgiven_by_default(void **state)
{
    (void)state;
    INIT({KEY "type", "failure-rate"});
    assert_true(fails(0));
    assert_int_equal(pause, 1000);
    assert_false(fails(60000));
}

static void exponential_delay_grows_to_its_greatest(void **state)
{
    static const int64_t pauses[] = {1000, 1500, 2250, 3375, 4000, 4000};
    int64_t now = 0;

    (void)state;
    INIT({KEY "exponential-delay.jitter-factor", "0"}, {KEY "exponential-delay.max-backoff", "4 s"});
    for (size_t i = 0; i < COUNT_OF(pauses); i++) {
        assert_true(fails(now));
        assert_int_equal(pause, pauses[i]);
        now += pause + 1;
    }
}

static void a_failure_before_the_restart_is_the_same_failure(void **state)
{
    (void)state;
    INIT({KEY "exponential-delay.jitter-factor", "0"});
    assert_true(fails(0));
    assert_true(fails(400));
    assert_int_equal(pause, 600);
    assert_true(fails(1001));
    assert_int_equal(pause, 1500);
}

static void after_a_long_time_the_pause_is_short_again(void **state)
{
    (void)state;
    INIT({KEY "exponential-delay.jitter-factor", "0"}, {KEY "exponential-delay.reset-backoff-threshold", "10 s"},
         {KEY "exponential-delay.attempts-before-reset-backoff", "2"});
    assert_true(fails(0));
    assert_true(fails(2000));
    assert_int_equal(pause, 1500);
    assert_true(fails(3500 + 10000));
    assert_int_equal(pause, 1000);
    assert_true(fails(15000));
    assert_false(fails(18000));
}

static void the_random_share_stays_in_its_bounds(void **state)
{
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        INIT({KEY "exponential-delay.initial-backoff", "1 s"});
        assert_true(fails(0));
        assert_in_range(pause, 1000, 1100); /* never below the initial one */
        assert_true(fails(2000));
        least = pause < least ? pause : least;
        most = pause > most ? pause : most;
    }
    assert_in_range(least, 1350, 1360);
    assert_in_range(most, 1640, 1650);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_default_depends_on_checkpoints, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fixed_delay_restarts_so_many_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failure_rate_counts_within_an_interval, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_failure_in_an_interval_is_forgiven_by_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exponential_delay_grows_to_its_greatest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_before_the_restart_is_the_same_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_long_time_the_pause_is_short_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_random_share_stays_in_its_bounds, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
