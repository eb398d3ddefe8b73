/* test_zone.c - time zones: names, offsets at instants, local times that the clocks skip or show twice, the rules behind the tables
 * and what is no rule. Instants are of years whose clocks are history. */
#include "columns/column/zone.h"

#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

enum { HOUR = 3600 };

static struct zone found(const char *name)
{
    struct zone z;

    if (!zone_find(str_of(name), &z)) fail_msg("no zone %s", name);
    return z;
}

static int64_t offset_s(const struct zone *z, int64_t utc_s) { return zone_offset_ms(z, utc_s * 1000) / 1000; }

static void test_names(void **state)
{
    static const struct {
        const char *name;
        int64_t offset_s;
    } fixed[] = {{"UTC", 0},
                 {"Z", 0},
                 {"GMT", 0},
                 {"UT", 0},
                 {"+01:00", HOUR},
                 {"-8", -8 * HOUR},
                 {"+05", 5 * HOUR},
                 {"+0530", 19800},
                 {"-03:30", -12600},
                 {"GMT+5", 5 * HOUR},
                 {"UTC-02:00", -7200},
                 {"+01:02:03", 3723},
                 {"GMT-5:30", -19800},
                 {"Etc/UTC", 0},
                 {"Asia/Tokyo", 9 * HOUR}};
    static const char *const none[] = {
        "",     "europe/berlin", "Europe",       "Nowhere/City", "+19",          "+1:2:3",         "+01:60x",
        "GMT+", "UTC+01:0",      "+01:00:00:00", "posix/UTC",    "Europe/Berli", "Europe/Berlinn", "+",
        "-a"};
    struct zone z;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        z = found(fixed[i].name);
        assert_int_equal(offset_s(&z, 1500000000), fixed[i].offset_s);
    }
    for (size_t i = 0; i < COUNT_OF(none); i++)
        if (zone_find(str_of(none[i]), &z)) fail_msg("'%s' is a zone", none[i]);
    assert_true(zone_find_short(STR("PST"), &z));
    assert_int_equal(offset_s(&z, 1500000000), -7 * HOUR);
    assert_false(zone_find_short(STR("CET"), &z));
}

static void test_instants(void **state)
{
    struct zone berlin = found("Europe/Berlin"), st_johns = found("America/St_Johns"), kolkata = found("Asia/Kolkata");

    (void)state;
    assert_int_equal(offset_s(&berlin, 1490489999), HOUR); /* 2017-03-26 00:59:59 */
    assert_int_equal(offset_s(&berlin, 1490490000), 2 * HOUR);
    assert_int_equal(offset_s(&berlin, 1509238799), 2 * HOUR); /* 2017-10-29 00:59:59 */
    assert_int_equal(offset_s(&berlin, 1509238800), HOUR);
    assert_int_equal(zone_offset_ms(&berlin, 1490489999999), HOUR * 1000);
    assert_int_equal(offset_s(&berlin, -4000000000), 3208); /* local mean time */
    assert_int_equal(offset_s(&berlin, 4109878799), HOUR);  /* 2100-03-28 00:59:59 */
    assert_int_equal(offset_s(&berlin, 4109878800), 2 * HOUR);
    assert_int_equal(offset_s(&berlin, 253402300799), HOUR); /* 9999-12-31 */
    assert_int_equal(offset_s(&st_johns, 1500000000), -9000);
    assert_int_equal(offset_s(&st_johns, 1484000000), -12600);
    assert_int_equal(offset_s(&kolkata, 1500000000), 19800);
    assert_int_equal(zone_offset_ms(&berlin, INT64_MAX),
                     zone_offset_ms(&berlin, INT64_MAX - 1)); /* no overflow at the ends */
    assert_int_equal(zone_offset_ms(&berlin, INT64_MIN), 3208000);
}

static void test_local_times(void **state)
{
    struct zone berlin = found("Europe/Berlin");
    const int64_t gap = 1490495400000,
                  twice = 1509244200000; /* 2017-03-26 and 2017-10-29 02:30:00, as if they were UTC */

    (void)state;
    assert_int_equal(zone_to_utc_ms(&berlin, gap), gap - HOUR * 1000); /* 03:30 in summer */
    assert_int_equal(zone_to_utc_ms(&berlin, twice), twice - 2 * HOUR * 1000);
    assert_int_equal(zone_to_utc_late_ms(&berlin, gap), gap - HOUR * 1000);
    assert_int_equal(zone_to_utc_late_ms(&berlin, twice), twice - HOUR * 1000);
    assert_int_equal(zone_to_utc_ms(&berlin, 1500000000000), 1500000000000 - 2 * HOUR * 1000);
    assert_int_equal(zone_to_utc_ms(&berlin, INT64_MAX), INT64_MAX);
    assert_int_equal(zone_to_utc_ms(&berlin, INT64_MIN), INT64_MIN);
    for (int64_t s = 1483228800; s < 1483228800 + 366 * 86400; s += 1800) { /* there and back, half hour by half hour */
        int64_t local = zone_to_local_ms(&berlin, s * 1000);
        if (zone_to_utc_ms(&berlin, local) != s * 1000) assert_int_equal(zone_to_utc_late_ms(&berlin, local), s * 1000);
    }
}

static void test_rules(void **state)
{
    static const char *const none[] = {"",
                                       "CET",
                                       "-1",
                                       "CET-1CEST",
                                       "CET-1CEST,M3.5.0",
                                       "CET-1CEST,M13.5.0,M10.5.0",
                                       "CET-1CEST,M3.6.0,M10.5.0",
                                       "CET-1CEST,M3.5.0,M10.5.0x",
                                       "CET-",
                                       "<+03-3",
                                       "CET-1CEST,M3.5,M10.5.0"};
    struct zone z;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++)
        if (zone_of_rule(str_of(none[i]), &z)) fail_msg("'%s' is a rule", none[i]);
    assert_true(zone_of_rule(STR("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1"), &z)); /* hours before the day */
    assert_int_equal(offset_s(&z, 1711846799), -3 * HOUR);                  /* 2024-03-31 00:59:59 UTC */
    assert_int_equal(offset_s(&z, 1711846800), -2 * HOUR);
    assert_true(zone_of_rule(STR("AAA0BBB,J60,300/3:30"), &z)); /* 1 March in every year; day 300 from 0 */
    assert_int_equal(offset_s(&z, 1709258399), 0);              /* 2024-03-01 01:59:59 */
    assert_int_equal(offset_s(&z, 1709258400), HOUR);
    assert_int_equal(offset_s(&z, 1729996199), HOUR); /* 2024-10-27 02:29:59 */
    assert_int_equal(offset_s(&z, 1729996200), 0);
    assert_true(zone_of_rule(STR("NZST-12NZDT,M9.5.0,M4.1.0/3"), &z)); /* summer over the new year */
    assert_int_equal(offset_s(&z, 1704067200), 13 * HOUR);             /* 2024-01-01 */
    assert_int_equal(offset_s(&z, 1719792000), 12 * HOUR);             /* 2024-07-01 */
    assert_true(zone_of_rule(STR("MSK-3"), &z));
    assert_int_equal(offset_s(&z, 0), 3 * HOUR);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_instants),
                                              cmocka_unit_test(test_local_times), cmocka_unit_test(test_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
