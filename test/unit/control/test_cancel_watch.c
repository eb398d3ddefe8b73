/* test_cancel_watch.c - when a job that was told to end is warned of, and when it is given up. The clock is a number. */
#include "control/jobmanager/cancel_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void nothing_happens_before_it_begins(void **state)
{
    struct cancel_watch w = {.interval_ns = 10, .timeout_ns = 100};

    (void)state;
    assert_int_equal(cancel_watch_look(&w, 1000), CANCEL_WAIT);
}

static void warns_once_per_interval_and_gives_up_once(void **state)
{
    struct cancel_watch w = {.interval_ns = 30, .timeout_ns = 100};

    (void)state;
    cancel_watch_begin(&w, 1000);
    cancel_watch_begin(&w, 1020); /* told again: the first time counts */
    assert_int_equal(cancel_watch_look(&w, 1029), CANCEL_WAIT);
    assert_int_equal(cancel_watch_look(&w, 1030), CANCEL_WARN);
    assert_int_equal(cancel_watch_look(&w, 1031), CANCEL_WAIT);
    assert_int_equal(cancel_watch_look(&w, 1059), CANCEL_WAIT);
    assert_int_equal(cancel_watch_look(&w, 1060), CANCEL_WARN);
    assert_int_equal(cancel_watch_look(&w, 1095), CANCEL_WARN);
    assert_int_equal(cancel_watch_look(&w, 1099), CANCEL_WAIT);
    assert_int_equal(cancel_watch_look(&w, 1100), CANCEL_GIVE_UP);
    assert_int_equal(cancel_watch_look(&w, 1101), CANCEL_WAIT);
    assert_int_equal(cancel_watch_look(&w, 1125), CANCEL_WARN);
    assert_int_equal(cancel_watch_look(&w, 9999), CANCEL_WARN);
}

static void a_timeout_of_zero_waits_for_ever(void **state)
{
    struct cancel_watch w = {.interval_ns = 30};

    (void)state;
    cancel_watch_begin(&w, 0);
    assert_int_equal(cancel_watch_look(&w, INT64_MAX), CANCEL_WARN);
    assert_int_equal(cancel_watch_look(&w, INT64_MAX), CANCEL_WAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_happens_before_it_begins),
        cmocka_unit_test(warns_once_per_interval_and_gives_up_once),
        cmocka_unit_test(a_timeout_of_zero_waits_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
