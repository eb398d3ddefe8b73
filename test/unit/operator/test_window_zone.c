/* test_window_zone.c - local times of windows: when they have passed, where hours are skipped and where they come twice. */
#include "flow/operator/window_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { HOUR = 3600000 };
/* 2020-11-01 05:00 UTC is 01:00 in New York, and an hour later it is so again. 2020-03-08 07:00 UTC: 02:00 becomes 03:00. */
static const int64_t first_one = INT64_C(1604206800000), skip = INT64_C(1583650800000);

static struct window_zone zone_of(const char *name)
{
    struct window_zone z;
    struct err e = {0};

    assert_int_equal(window_zone_open(&z, name, &e), S_OK);
    return z;
}

static void without_a_zone_nothing_moves(void **state)
{
    static const char *const names[] = {NULL, "", "UTC"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct window_zone z = zone_of(names[i]);
        assert_false(z.shifts);
        assert_int_equal(window_zone_local(&z, first_one), first_one);
        assert_int_equal(window_zone_passed(&z, first_one), first_one);
        assert_int_equal(window_zone_timer(&z, first_one), first_one);
    }
}

static void the_ends_of_time_stay(void **state)
{
    struct window_zone z = zone_of("America/New_York");

    (void)state;
    assert_int_equal(window_zone_local(&z, TIME_MIN), TIME_MIN);
    assert_int_equal(window_zone_passed(&z, INT64_MAX), INT64_MAX);
    assert_int_equal(window_zone_timer(&z, INT64_MAX), INT64_MAX);
    assert_int_equal(window_zone_instant(&z, TIME_MIN), TIME_MIN);
}

/* From 01:00 to 02:00 local no time has passed for good until it comes the second time. */
static void an_hour_that_comes_twice(void **state)
{
    struct window_zone z = zone_of("America/New_York");
    int64_t one = window_zone_local(&z, first_one);

    (void)state;
    assert_int_equal(window_zone_local(&z, first_one + HOUR), one);
    assert_int_equal(window_zone_passed(&z, first_one - 1), one - 1);
    assert_int_equal(window_zone_passed(&z, first_one), one - 1);
    assert_int_equal(window_zone_passed(&z, first_one + HOUR - 1), one - 1);
    assert_int_equal(window_zone_passed(&z, first_one + HOUR), one);
    assert_int_equal(window_zone_passed(&z, first_one + HOUR + 5), one + 5);
    assert_int_equal(window_zone_timer(&z, one), first_one + HOUR);
    assert_int_equal(window_zone_instant(&z, one), first_one);
}

static void an_hour_that_is_skipped(void **state)
{
    struct window_zone z = zone_of("America/New_York");
    int64_t two = window_zone_passed(&z, skip - 1) + 1;

    (void)state;
    assert_int_equal(window_zone_passed(&z, skip), two + HOUR);
}

static void a_zone_must_be_known(void **state)
{
    struct window_zone z;
    struct err e = {0};

    (void)state;
    assert_int_equal(window_zone_open(&z, "Atlantis/Centre", &e), E_CONFIG);
    assert_non_null(strstr(e.text, "there is no time zone 'Atlantis/Centre'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_zone_nothing_moves), cmocka_unit_test(the_ends_of_time_stay),
        cmocka_unit_test(an_hour_that_comes_twice),     cmocka_unit_test(an_hour_that_is_skipped),
        cmocka_unit_test(a_zone_must_be_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
