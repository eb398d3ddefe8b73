/* test_timestamp.c - the calendar over its whole range, texts in and out, values of each precision. */
#include "columns/column/timestamp.h"
#include "ground/base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct mem mem;
    struct buf out;
};

static int set_up(void **state)
{
    static struct world w;

    mem_init(&w.mem, "test", 0);
    buf_init(&w.out, &w.mem);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    buf_release(&w->out);
    mem_release(&w->mem);
    return 0;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Every day of the years 1 to 9999, counted one by one. */
static void test_every_day(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t day = -719162; /* 0001-01-01 */
    struct civil c;

    (void)state;
    for (int y = 1; y <= 9999; y++) {
        for (int m = 1; m <= 12; m++) {
            int length = lengths[m - 1] + (m == 2 && is_leap(y));
            for (int d = 1; d <= length; d++, day++) {
                civil_from_days(day, &c);
                if (c.year != y || c.month != m || c.day != d || days_from_civil(y, m, d) != day)
                    fail_msg("%d-%d-%d", y, m, d);
            }
        }
    }
    assert_int_equal(day, 2932897);
}

static void test_ms_both_ways(void **state)
{
    static const struct {
        int64_t ms;
        struct civil c;
    } cases[] = {
        {0, {1970, 1, 1, 0, 0, 0, 0}},
        {-1, {1969, 12, 31, 23, 59, 59, 999000000}},
        {-86400000, {1969, 12, 31, 0, 0, 0, 0}},
        {951827696789, {2000, 2, 29, 12, 34, 56, 789000000}},
        {253402300799999, {9999, 12, 31, 23, 59, 59, 999000000}},
        {-62135596800000, {1, 1, 1, 0, 0, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct civil c;
        civil_from_ms(cases[i].ms, &c);
        assert_memory_equal(&c, &cases[i].c, sizeof c);
        assert_int_equal(civil_to_ms(&c), cases[i].ms);
    }
}

static void test_timestamps_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* INT64_MIN = refused */
        int32_t ns;
    } cases[] = {
        {"1970-01-01 00:00", 0, 0},
        {"1970-01-01T00:00:01", 1000, 0},
        {"1970-01-01 00:00:01Z", 1000, 0},
        {"1970-01-01T00:00Z", 0, 0},
        {"1970-01-01 00:00:00.1", 100, 0},
        {"1970-01-01 00:00:00.123456789", 123, 456789},
        {"1969-12-31 23:59:59.999999999", -1, 999999},
        {"2000-02-29 12:34:56.789", 951827696789, 0},
        {"9999-12-31 23:59:59.999999999", 253402300799999, 999999},
        {"0001-01-01 00:00:00", -62135596800000, 0},
        {"0000-12-31 00:00:00", INT64_MIN, 0},
        {"1900-02-29 00:00:00", INT64_MIN, 0},
        {"2001-02-29 00:00:00", INT64_MIN, 0},
        {"2001-04-31 00:00:00", INT64_MIN, 0},
        {"2001-13-01 00:00:00", INT64_MIN, 0},
        {"2001-00-01 00:00:00", INT64_MIN, 0},
        {"2001-01-00 00:00:00", INT64_MIN, 0},
        {"2001-01-01 24:00:00", INT64_MIN, 0},
        {"2001-01-01 00:60:00", INT64_MIN, 0},
        {"2001-01-01 00:00:60", INT64_MIN, 0},
        {"2001-01-01 00:00:00.", INT64_MIN, 0},
        {"2001-01-01 00:00:00.1234567890", INT64_MIN, 0},
        {"2001-01-01 00:00:00,1", INT64_MIN, 0},
        {"2001-01-01 00:00:0", INT64_MIN, 0},
        {"2001-01-01_00:00:00", INT64_MIN, 0},
        {"2001-01-01", INT64_MIN, 0},
        {"2001-1-01 00:00:00", INT64_MIN, 0},
        {"2001-01-01 00:00:00+01:00", INT64_MIN, 0},
        {" 2001-01-01 00:00:00", INT64_MIN, 0},
        {"2001-01-01 00:00:00 ", INT64_MIN, 0},
        {"", INT64_MIN, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ts96 t;
        bool ok = timestamp_parse(str_of(cases[i].text), &t);
        if (ok != (cases[i].ms != INT64_MIN)) fail_msg("'%s'", cases[i].text);
        if (!ok) continue;
        assert_int_equal(t.ms, cases[i].ms);
        assert_int_equal(t.ns, cases[i].ns);
        assert_int_equal(t.zero, 0);
    }
}

static void test_dates_and_times_are_read(void **state)
{
    int32_t v;

    (void)state;
    assert_true(date_parse(STR("1970-01-02"), &v) && v == 1);
    assert_true(date_parse(STR("0001-01-01"), &v) && v == -719162);
    assert_true(date_parse(STR("2024-02-29"), &v) && v == 19782);
    assert_false(date_parse(STR("2023-02-29"), &v));
    assert_false(date_parse(STR("2023-02-2"), &v));
    assert_false(date_parse(STR("2023-02-200"), &v));
    assert_true(time_parse(STR("00:00"), &v) && v == 0);
    assert_true(time_parse(STR("23:59:59.999"), &v) && v == 86399999);
    assert_true(time_parse(STR("10:20:30.1239"), &v) && v == 37230123);
    assert_false(time_parse(STR("1:20"), &v));
    assert_false(time_parse(STR("10:20:"), &v));
    assert_false(time_parse(STR(""), &v));
}

static void prints(struct world *w, int64_t ms, int32_t ns, int precision, const char *expected)
{
    buf_clear(&w->out);
    timestamp_print((struct ts96){.ms = ms, .ns = ns}, precision, &w->out);
    assert_string_equal(buf_text(&w->out), expected);
}

static void test_printing(void **state)
{
    struct world *w = *state;

    prints(w, 0, 0, 0, "1970-01-01 00:00:00");
    prints(w, -1, 999999, 9, "1969-12-31 23:59:59.999999999");
    prints(w, -1, 999999, 3, "1969-12-31 23:59:59.999");
    prints(w, -1, 999999, 1, "1969-12-31 23:59:59.9");
    prints(w, 951827696789, 1000, 6, "2000-02-29 12:34:56.789001");
    prints(w, -62135596800000, 0, 3, "0001-01-01 00:00:00.000");
    prints(w, 253402300800000, 0, 0, "+10000-01-01 00:00:00");
    prints(w, INT64_MAX, 0, 3, "+292278994-08-17 07:12:55.807");
    prints(w, INT64_MIN, 0, 3, "-292275055-05-16 16:47:04.192");
    buf_clear(&w->out);
    date_print(2932896, &w->out);
    buf_append_byte(&w->out, ' ');
    time_print(37230123, 0, &w->out);
    buf_append_byte(&w->out, ' ');
    time_print(37230123, 2, &w->out);
    assert_string_equal(buf_text(&w->out), "9999-12-31 10:20:30 10:20:30.12");
    buf_clear(&w->out); /* what no type holds is printed all the same, and nothing overflows */
    timestamp_print((struct ts96){.ms = INT64_MIN}, 9, &w->out);
    timestamp_print((struct ts96){.ms = INT64_MAX, .ns = 999999}, 9, &w->out);
    date_print(INT32_MIN, &w->out);
    date_print(INT32_MAX, &w->out);
    assert_true(w->out.size > 0);
}

static void test_values_of_each_precision(void **state)
{
    static const int64_t stored[] = {-1000, -100, -10, -1, -100, -10, -1}; /* 23:59:59.999999999 cut to 0..6 digits */
    struct ts96 t = {.ms = -1, .ns = 999999}, back;

    (void)state;
    for (int p = 0; p <= 9; p++) {
        _Alignas(16) char value[16] = {0};
        timestamp_store(t, p, value);
        back = timestamp_load(value, p);
        if (p <= 6) assert_int_equal(*(int64_t *)value, stored[p]);
        if (p <= 2) assert_int_equal(back.ms, stored[p]);
        else assert_int_equal(back.ms, -1);
        static const int32_t ns[] = {0, 0, 0, 0, 900000, 990000, 999000, 999900, 999990, 999999};
        assert_int_equal(back.ns, ns[p]);
        assert_int_equal(timestamp_value_ms(value, p), back.ms);
    }
    int64_t extremes[] = {INT64_MIN, INT64_MAX};
    for (int i = 0; i < 2; i++) {
        back = timestamp_load(&extremes[i], 6);
        assert_true(back.ns >= 0 && back.ns <= 999000);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_day),
        TEST(test_ms_both_ways),
        TEST(test_timestamps_are_read),
        TEST(test_dates_and_times_are_read),
        TEST(test_printing),
        TEST(test_values_of_each_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
