/* test_op_window_updates.c - results of SQL's windows before they end and after it: at every row, and by the clock; what is late; rows
 * that are taken back; state that is pending. */
#include "flow/operator/sql_window.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};
static const char *const backends[] = {"hashmap", "pending"};

#define TEXTS(...)                                                                                                     \
    {                                                                                                                  \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))                             \
    }
#define D "1970-01-01T00:00"
#define W1 ", " D ", " D ":10, " D ":09.999]@9999\n"
#define W2 ", " D ":10, " D ":20, " D ":19.999]@19999\n"
#define AT(s) "1970-01-01 00:00:" s " | 1 | "

static const struct group_config calls = {.functions = TEXTS("sum", "count"),
                                          .arguments = TEXTS("v", ""),
                                          .filters = TEXTS("", ""),
                                          .distinct = TEXTS("false", "false"),
                                          .names = TEXTS("s", "n"),
                                          .emit_before = true};

static struct window_updates_config config(int64_t early_ms, int64_t late_ms, int64_t lateness_ms)
{
    return (struct window_updates_config){.windows = {.calls = calls, .time = "t", .size_ms = 10000},
                                          .early_ms = early_ms,
                                          .late_ms = late_ms,
                                          .lateness_ms = lateness_ms};
}

static struct op_driver *driver(const struct window_updates_config *c, uint32_t batch_rows, const char *backend)
{
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("window_updates"),
                                                              .config = c,
                                                              .in = "ROW<t TIMESTAMP(3), k INT, v BIGINT>",
                                                              .keys = "k",
                                                              .batch_rows = batch_rows,
                                                              .backend = backend});

    assert_string_equal(op_driver_error(d), "");
    return d;
}

/* Rows, a watermark, more rows, the last watermark. */
static void expect(struct window_updates_config c, const char *rows, int64_t watermark, const char *more,
                   const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = driver(&c, sizes[i], backends[b]);
            op_push(d, 0, rows);
            op_push_watermark(d, watermark);
            op_push(d, 0, more);
            op_push_watermark(d, WATERMARK_MAX);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            if (b == 1) assert_true(op_pending_count(d) > 0);
            op_driver_free(d);
        }
}

static const char *const rows = AT("01") "5\n" AT("02") "3\n" AT("12") "1";
#define EARLY "+I[1, 5, 1" W1 "-U[1, 5, 1" W1 "+U[1, 8, 2" W1 "+I[1, 1, 1" W2

static void every_row_updates_until_the_end(void **state)
{
    (void)state;
    expect(config(0, -1, 0), rows, 9999, AT("03") "2\n" AT("13") "4", EARLY "-U[1, 1, 1" W2 "+U[1, 5, 2" W2);
}

static void a_late_row_updates_at_once(void **state)
{
    (void)state;
    expect(config(0, -1, 1000), rows, 9999, AT("03") "2", EARLY "-U[1, 8, 2" W1 "+U[1, 10, 3" W1);
    expect(config(0, 0, 1000), rows, 9999, AT("03") "2", EARLY "-U[1, 8, 2" W1 "+U[1, 10, 3" W1);
    expect(config(0, 0, 1000), rows, 10999, AT("03") "2", EARLY);
    expect(config(-1, 0, 1000), rows, 9999, AT("03") "2",
           "+I[1, 8, 2" W1 "-U[1, 8, 2" W1 "+U[1, 10, 3" W1 "+I[1, 1, 1" W2);
}

static void rows_before_updates_are_left_out(void **state)
{
    struct window_updates_config c = config(0, -1, 0);

    (void)state;
    c.windows.calls.emit_before = false;
    expect(c, rows, 9999, AT("13") "4", "+I[1, 5, 1" W1 "+U[1, 8, 2" W1 "+I[1, 1, 1" W2 "+U[1, 5, 2" W2);
}

static void a_window_may_be_taken_back(void **state)
{
    struct window_updates_config c = config(0, -1, 0);

    (void)state;
    c.windows.calls.retracts = true;
    expect(c, AT("01") "5\n-D " AT("01") "5\n" AT("02") "7", 0, "-D " AT("02") "7",
           "+I[1, 5, 1" W1 "-D[1, 5, 1" W1 "+I[1, 7, 1" W1 "-D[1, 7, 1" W1);
}

static void windows_slide(void **state)
{
    struct window_updates_config c = config(0, -1, 0);

    (void)state;
    c.windows.kind = SQL_HOP;
    c.windows.slide_ms = 5000;
    expect(c, AT("06") "5", 9999, AT("07") "1",
           "+I[1, 5, 1, " D ":05, " D ":15, " D ":14.999]@14999\n+I[1, 5, 1" W1 "-U[1, 5, 1, " D ":05, " D ":15, " D
           ":14.999]@14999\n+U[1, 6, 2, " D ":05, " D ":15, " D ":14.999]@14999\n");
}

/* --- calls that hold more than words ------------------------------------------------------------------------------- */
static const struct group_config held = {.functions = TEXTS("count", "listagg", "max"),
                                         .arguments = TEXTS("v", "s", "v"),
                                         .filters = TEXTS("", "", ""),
                                         .distinct = TEXTS("true", "false", "false"),
                                         .names = TEXTS("d", "l", "m"),
                                         .emit_before = true,
                                         .retracts = true};
#define HELD(s, v, name) "1970-01-01 00:00:" s " | 1 | " v " | " name
#define LONG "a text that has no room in a word"

/* Rows, a watermark at which some windows are over, more rows; at the end nothing is left in state. */
static void expect_held(const struct window_updates_config *c, const char *first, int64_t watermark, const char *more,
                        const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("window_updates"),
                                                                      .config = c,
                                                                      .in = "ROW<t TIMESTAMP(3), k INT, v BIGINT, s STRING>",
                                                                      .keys = "k",
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
            op_push(d, 0, first);
            op_push_watermark(d, watermark);
            op_push(d, 0, more);
            assert_true(state_host_count(op_driver_cx(d)->state) > 0);
            op_push_watermark(d, WATERMARK_MAX);
            assert_string_equal(op_driver_error(d), "");
            assert_string_equal(op_output(d), expected);
            assert_int_equal(state_host_count(op_driver_cx(d)->state), 0);
            op_driver_free(d);
        }
}

static void what_calls_hold_is_found_again(void **state)
{
    struct window_updates_config c = config(0, 0, 5000);

    (void)state;
    c.windows.calls = held;
    expect_held(&c, HELD("01", "5", "x") "\n" HELD("02", "5", LONG) "\n-D " HELD("01", "5", "x") "\n" HELD("12", "1", "z"), 9999,
                HELD("03", "7", "q") "\n-D " HELD("03", "7", "q") "\n-D " HELD("02", "5", LONG) "\n" HELD("04", "2", "w"),
                "+I[1, 1, x, 5" W1 "-U[1, 1, x, 5" W1 "+U[1, 1, x," LONG ", 5" W1 "-U[1, 1, x," LONG ", 5" W1
                "+U[1, 1, " LONG ", 5" W1 "+I[1, 1, z, 1" W2 "-U[1, 1, " LONG ", 5" W1 "+U[1, 2, " LONG ",q, 7" W1
                "-U[1, 2, " LONG ",q, 7" W1 "+U[1, 1, " LONG ", 5" W1 "-D[1, 1, " LONG ", 5" W1 "+I[1, 1, w, 2" W1);
}

/* Rows of a batch that lie in two windows go into the values of each in their own order; only the ends of windows tell. */
static void values_of_sliding_windows_keep_their_order(void **state)
{
    struct window_updates_config c = config(-1, 0, 0);

    (void)state;
    c.windows.calls = held;
    c.windows.kind = SQL_HOP;
    c.windows.slide_ms = 5000;
    expect_held(&c,
                HELD("01", "5", "a") "\n" HELD("06", "4", "b") "\n" HELD("07", "4", "a") "\n" HELD("02", "1", "b") "\n-D "
                HELD("07", "4", "a") "\n" HELD("08", "3", "a"),
                9999, HELD("09", "8", "d"),
                "+I[1, 2, a,b, 5, 1969-12-31T23:59:55, " D ":05, " D ":04.999]@4999\n+I[1, 4, b,a,b,a, 5" W1 "+I[1, 3, b,a,d, 8, " D
                ":05, " D ":15, " D ":14.999]@14999\n");
}

#define W29 ", 1981-03-29T00:00, 1981-03-30T00:00, 1981-03-29T21:59:59.999Z]@354751199999\n"
/* Midnight in Berlin is at 22:00 of the day before; on 1981-03-29 the clocks were put forward. */
static void windows_lie_on_local_times(void **state)
{
    struct window_updates_config c = config(0, 0, 1000);

    (void)state;
    c.windows.size_ms = 86400000;
    c.windows.zone = "Europe/Berlin";
    c.windows.local_time = true;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("window_updates"),
                                                                  .config = &c,
                                                                  .in = "ROW<t TIMESTAMP_LTZ(3), k INT, v BIGINT>",
                                                                  .keys = "k",
                                                                  .batch_rows = sizes[i]});
        op_push(d, 0, "1981-03-28 22:59:59 | 1 | 1\n1981-03-28 23:00:00 | 1 | 2\n1981-03-29 21:59:59 | 1 | 3");
        op_push_watermark(d, 354751200998); /* a second behind the end of the 29th, but for a millisecond */
        op_push(d, 0, "1981-03-29 12:00:00 | 1 | 4");
        op_push_watermark(d, 354751200999);
        op_push(d, 0, "1981-03-29 12:00:00 | 1 | 5");
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[1, 1, 1, 1981-03-28T00:00, 1981-03-29T00:00, 1981-03-28T22:59:59.999Z]@354668399999\n"
                                          "+I[1, 2, 1" W29 "-U[1, 2, 1" W29 "+U[1, 5, 2" W29 "-U[1, 5, 2" W29 "+U[1, 9, 3" W29);
        op_driver_free(d);
    }
}

/* 3 s after the first row of a window, whatever the row's time, and then again and again, where something changed. */
static void delays_are_of_the_clock(void **state)
{
    const struct window_updates_config c = config(3000, -1, 0);
    struct op_driver *d = driver(&c, 0, "hashmap");

    (void)state;
    op_set_time(d, 100000);
    op_push(d, 0, AT("01") "5");
    assert_int_equal(op_next_wake(d), 103000);
    op_set_time(d, 102999);
    op_push(d, 0, AT("02") "1");
    assert_string_equal(op_output(d), "");
    op_set_time(d, 103000);
    assert_string_equal(op_output(d), "+I[1, 6, 2" W1);
    assert_int_equal(op_next_wake(d), 106000);
    op_set_time(d, 106000);
    assert_string_equal(op_output(d), "");
    op_push(d, 0, AT("03") "1");
    op_set_time(d, 109000);
    assert_string_equal(op_output(d), "-U[1, 6, 2" W1 "+U[1, 7, 3" W1);
    op_push(d, 0, AT("04") "1");
    op_push_watermark(d, 9999);
    assert_string_equal(op_output(d), "-U[1, 7, 3" W1 "+U[1, 8, 4" W1);
    op_set_time(d, 200000); /* the window is over, and its timers with it */
    assert_string_equal(op_output(d), "");
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
}

static void late_rows_wait_for_the_clock_too(void **state)
{
    const struct window_updates_config c = config(-1, 2000, 5000);
    struct op_driver *d = driver(&c, 0, "hashmap");

    (void)state;
    op_set_time(d, 100000);
    op_push(d, 0, AT("01") "5");
    op_push_watermark(d, 9999);
    assert_string_equal(op_output(d), "+I[1, 5, 1" W1);
    op_push(d, 0, AT("02") "1");
    op_push(d, 0, AT("03") "1");
    assert_int_equal(op_next_wake(d), 102000);
    op_set_time(d, 102000);
    assert_string_equal(op_output(d), "-U[1, 5, 1" W1 "+U[1, 7, 3" W1);
    op_push(d, 0, AT("04") "1");
    op_push_watermark(d, 14999); /* the window goes before its delay is over: Flink does not tell either */
    op_set_time(d, 200000);
    assert_string_equal(op_output(d), "");
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
}

static void windows_of_the_clock(void **state)
{
    struct window_updates_config c = config(4000, -1, 0);
    struct op_driver *d;

    (void)state;
    c.windows.time = "";
    c.windows.processing_time = true;
    d = driver(&c, 0, "hashmap");
    op_set_time(d, 1000);
    op_push(d, 0, AT("00") "5");
    op_set_time(d, 5000);
    assert_string_equal(op_output(d), "+I[1, 5, 1" W1);
    op_push(d, 0, AT("00") "6");
    op_set_time(d, 9000);
    op_push(d, 0, AT("00") "7");
    op_set_time(d, 9999);
    assert_string_equal(op_output(d), "-U[1, 5, 1" W1 "+U[1, 11, 2" W1 "-U[1, 11, 2" W1 "+U[1, 18, 3" W1);
    op_set_time(d, 200000);
    assert_string_equal(op_output(d), "");
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_updates_until_the_end),
        cmocka_unit_test(a_late_row_updates_at_once),
        cmocka_unit_test(rows_before_updates_are_left_out),
        cmocka_unit_test(a_window_may_be_taken_back),
        cmocka_unit_test(windows_slide),
        cmocka_unit_test(what_calls_hold_is_found_again),
        cmocka_unit_test(values_of_sliding_windows_keep_their_order),
        cmocka_unit_test(windows_lie_on_local_times),
        cmocka_unit_test(delays_are_of_the_clock),
        cmocka_unit_test(late_rows_wait_for_the_clock_too),
        cmocka_unit_test(windows_of_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
