/* test_op_window_groups.c - SQL's windows as operators: which windows rows lie in, groups that come once when their window ends, late
 * rows, rows that are taken back, DISTINCT and FILTER, state that is pending. */
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

static void expect_windows(struct window_tvf_config c, const char *rows, const char *expected)
{
    c.time_field = "t";
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = op_find("window_tvf"), .config = &c, .in = "ROW<t TIMESTAMP(3), v INT>", .batch_rows = sizes[i]});
        op_push(d, 0, rows);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), expected);
        op_driver_free(d);
    }
}

#define D "1970-01-01T00:00"

static void rows_come_once_per_window(void **state)
{
    (void)state;
    expect_windows((struct window_tvf_config){.kind = SQL_TUMBLE, .size_ms = 10000},
                   "1970-01-01 00:00:09.999 | 1\n-D 1970-01-01 00:00:10 | 2",
                   "+I[" D ":09.999, 1, " D ", " D ":10, " D ":09.999]@9999\n-D[" D ":10, 2, " D ":10, " D ":20, " D
                   ":19.999]@10000\n");
    expect_windows((struct window_tvf_config){.kind = SQL_HOP, .size_ms = 10000, .slide_ms = 5000},
                   "1970-01-01 00:00:07 | 1",
                   "+I[" D ":07, 1, " D ":05, " D ":15, " D ":14.999]@7000\n+I[" D ":07, 1, " D ", " D ":10, " D
                   ":09.999]@7000\n");
    expect_windows(
        (struct window_tvf_config){.kind = SQL_CUMULATE, .size_ms = 9000, .slide_ms = 3000}, "1970-01-01 00:00:04 | 1",
        "+I[" D ":04, 1, " D ", " D ":06, " D ":05.999]@4000\n+I[" D ":04, 1, " D ", " D ":09, " D ":08.999]@4000\n");
}

static void a_row_without_time_fails(void **state)
{
    const struct window_tvf_config c = {.time_field = "t", .kind = SQL_TUMBLE, .size_ms = 10000};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("window_tvf"), .config = &c, .in = "ROW<t TIMESTAMP(3), v INT>"});

    (void)state;
    op_push(d, 0, "null | 1");
    assert_non_null(strstr(op_driver_error(d), "RowTime field should not be null"));
    op_driver_free(d);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */
#define TYPE "ROW<s TIMESTAMP(3), e TIMESTAMP(3), k INT, v BIGINT, ok BOOLEAN>"
#define W1 "1970-01-01 00:00:00 | 1970-01-01 00:00:10 | "
#define W2 "1970-01-01 00:00:10 | 1970-01-01 00:00:20 | "
#define O1 ", " D ", " D ":10, " D ":09.999]@9999\n"
#define O2 ", " D ":10, " D ":20, " D ":19.999]@19999\n"

static const struct window_groups_config all = {.calls = {.functions = TEXTS("count", "sum", "count", "count"),
                                                          .arguments = TEXTS("", "v", "v", "v"),
                                                          .filters = TEXTS("", "", "ok", ""),
                                                          .distinct = TEXTS("false", "false", "false", "true"),
                                                          .names = TEXTS("n", "total", "f", "d"),
                                                          .retracts = true},
                                                .size_ms = 10000,
                                                .end = "e"};

/* Rows, a watermark, more rows, the last watermark. */
static void expect_of(const struct window_groups_config *c, const char *type, const char *keys, const char *rows, int64_t watermark,
                      const char *more, const char *expected)
{
    for (uint32_t b = 0; b < COUNT_OF(backends); b++)
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("window_groups"),
                                                                      .config = c,
                                                                      .in = type,
                                                                      .keys = keys,
                                                                      .batch_rows = sizes[i],
                                                                      .backend = backends[b]});
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

static void expect(const char *keys, const char *rows, int64_t watermark, const char *more, const char *expected)
{
    expect_of(&all, TYPE, keys, rows, watermark, more, expected);
}

static void a_window_comes_once_when_it_ends(void **state)
{
    (void)state;
    expect("k", W1 "1 | 5 | true\n" W2 "1 | 5 | false\n" W1 "1 | 5 | null", 9999, W2 "1 | 6 | true",
           "+I[1, 2, 10, 1, 1" O1 "+I[1, 2, 11, 1, 2" O2);
}

static void late_rows_are_dropped(void **state)
{
    (void)state;
    expect("k", W1 "1 | 5 | true", 9999, W1 "1 | 7 | true\n" W2 "1 | 1 | true",
           "+I[1, 1, 5, 1, 1" O1 "+I[1, 1, 1, 1, 1" O2);
}

static void a_window_that_has_not_ended_waits(void **state)
{
    (void)state;
    expect("k", W1 "1 | 5 | true", 9998, W1 "1 | 7 | true", "+I[1, 2, 12, 2, 2" O1);
}

static void rows_are_taken_back(void **state)
{
    (void)state;
    expect("k", W1 "1 | 5 | true\n" W1 "1 | 6 | true\n-D " W1 "1 | 5 | true\n" W2 "1 | 5 | true\n-D " W2 "1 | 5 | true",
           0, W1 "1 | 6 | true", "+I[1, 2, 12, 2, 1" O1);
}

/* --- windows from slices ------------------------------------------------------------------------------------------- */
#define SLICED "ROW<t TIMESTAMP(3), k INT, v BIGINT>"
#define AT(seconds) "1970-01-01 00:00:" seconds " | 1 | "
#define WINDOW(first, last) ", " D ":" first ", " D ":" last ", " D

static struct window_groups_config sliced(int64_t kind, bool retracts, bool takes_back)
{
    static const char *const functions[] = {"count", "sum", "count", "max"};
    static const char *const arguments[] = {"", "v", "v", "v"};
    static const char *const none[] = {"", "", "", ""};
    static const char *const distinct[] = {"false", "false", "true", "false"};
    static const char *const names[] = {"n", "total", "d", "m"};
    uint32_t n = takes_back ? 3 : 4;

    return (struct window_groups_config){
        .calls = {{functions, n}, {arguments, n}, {none, n}, {distinct, n}, {names, n}, .retracts = retracts},
        .time = "t",
        .kind = kind,
        .size_ms = 6000,
        .slide_ms = 2000};
}

static void sliding_windows_share_slices(void **state)
{
    struct window_groups_config c = sliced(SQL_HOP, false, true);

    (void)state;
    expect_of(&c, SLICED, "k", AT("01") "5\n" AT("03") "5\n" AT("03") "7\n" AT("05") "null", 1999, AT("06") "9",
              "+I[1, 1, 5, 1" ", 1969-12-31T23:59:56, " D ":02, " D ":01.999]@1999\n"
              "+I[1, 3, 17, 2, 1969-12-31T23:59:58, " D ":04, " D ":03.999]@3999\n"
              "+I[1, 4, 17, 2, " D ", " D ":06, " D ":05.999]@5999\n"
              "+I[1, 4, 21, 3" WINDOW("02", "08") ":07.999]@7999\n+I[1, 2, 9, 1" WINDOW("04", "10") ":09.999]@9999\n"
              "+I[1, 1, 9, 1" WINDOW("06", "12") ":11.999]@11999\n");
}

/* MAX cannot be taken back: windows are put together by two stacks. */
static void slices_go_on_stacks(void **state)
{
    struct window_groups_config c = sliced(SQL_HOP, false, false);

    (void)state;
    expect_of(&c, SLICED, "k", AT("01") "7\n" AT("03") "5\n" AT("03") "7\n" AT("05") "null", 1999, AT("06") "2",
              "+I[1, 1, 7, 1, 7, 1969-12-31T23:59:56, " D ":02, " D ":01.999]@1999\n"
              "+I[1, 3, 19, 2, 7, 1969-12-31T23:59:58, " D ":04, " D ":03.999]@3999\n"
              "+I[1, 4, 19, 2, 7, " D ", " D ":06, " D ":05.999]@5999\n"
              "+I[1, 4, 14, 3, 7" WINDOW("02", "08") ":07.999]@7999\n+I[1, 2, 2, 1, 2" WINDOW("04", "10") ":09.999]@9999\n"
              "+I[1, 1, 2, 1, 2" WINDOW("06", "12") ":11.999]@11999\n");
}

static void windows_cumulate(void **state)
{
    struct window_groups_config c = sliced(SQL_CUMULATE, false, false);

    (void)state;
    expect_of(&c, SLICED, "k", AT("01") "5\n" AT("05") "5\n" AT("05") "7", 1999, AT("07") "1",
              "+I[1, 1, 5, 1, 5, " D ", " D ":02, " D ":01.999]@1999\n+I[1, 1, 5, 1, 5, " D ", " D ":04, " D ":03.999]@3999\n"
              "+I[1, 3, 17, 2, 7, " D ", " D ":06, " D ":05.999]@5999\n"
              "+I[1, 1, 1, 1, 1" WINDOW("06", "08") ":07.999]@7999\n+I[1, 1, 1, 1, 1" WINDOW("06", "10") ":09.999]@9999\n"
              "+I[1, 1, 1, 1, 1" WINDOW("06", "12") ":11.999]@11999\n");
}

/* The row at :01 is late for the first of its windows, the one at -:05 for all. */
static void late_rows_go_into_windows_to_come(void **state)
{
    struct window_groups_config hop = sliced(SQL_HOP, false, true), cumulate = sliced(SQL_CUMULATE, false, true);
    const char *rows = AT("01") "5\n" AT("05") "5", *more = AT("01") "3\n1969-12-31 23:59:55 | 1 | 8\n";

    (void)state;
    expect_of(&hop, SLICED, "k", rows, 1999, more,
              "+I[1, 1, 5, 1, 1969-12-31T23:59:56, " D ":02, " D ":01.999]@1999\n"
              "+I[1, 2, 8, 2, 1969-12-31T23:59:58, " D ":04, " D ":03.999]@3999\n"
              "+I[1, 3, 13, 2, " D ", " D ":06, " D ":05.999]@5999\n+I[1, 1, 5, 1" WINDOW("02", "08") ":07.999]@7999\n"
              "+I[1, 1, 5, 1" WINDOW("04", "10") ":09.999]@9999\n");
    expect_of(&cumulate, SLICED, "k", rows, 1999, more,
              "+I[1, 1, 5, 1, " D ", " D ":02, " D ":01.999]@1999\n+I[1, 2, 8, 2, " D ", " D ":04, " D ":03.999]@3999\n"
              "+I[1, 3, 13, 2, " D ", " D ":06, " D ":05.999]@5999\n");
}

/* A group all of whose rows were taken back does not come, whichever slice they were in. */
static void slices_take_rows_back(void **state)
{
    struct window_groups_config c = sliced(SQL_HOP, true, true);

    (void)state;
    expect_of(&c, SLICED, "k", AT("01") "5\n" AT("03") "5\n-D " AT("03") "5", 1999, "-D " AT("01") "5",
              "+I[1, 1, 5, 1, 1969-12-31T23:59:56, " D ":02, " D ":01.999]@1999\n");
}

/* Windows of the clock, on the local time of a zone five hours behind; what comes in their last ms comes out, too. */
static void windows_of_processing_time(void **state)
{
    struct window_groups_config c = sliced(SQL_TUMBLE, false, true);
    struct op_driver *d;

    (void)state;
    c.time = "";
    c.processing_time = c.local_time = true;
    c.size_ms = 6000;
    c.zone = "-05:00";
    d = op_driver_create(&(struct op_setup){.type = op_find("window_groups"), .config = &c, .in = SLICED, .keys = "k"});
    op_set_time(d, 18001000);
    op_push(d, 0, AT("01") "5");
    assert_int_equal(op_next_wake(d), 18005999);
    op_set_time(d, 18005998);
    assert_string_equal(op_output(d), "");
    op_push(d, 0, AT("01") "7");
    op_set_time(d, 18005999);
    assert_string_equal(op_output(d), "+I[1, 2, 12, 2, " D ", " D ":06, 1970-01-01T05:00:05.999Z]@18005999\n");
    op_push(d, 0, AT("01") "9");
    op_set_time(d, 18006000);
    assert_string_equal(op_output(d), "+I[1, 1, 9, 1, " D ", " D ":06, 1970-01-01T05:00:05.999Z]@18005999\n");
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_once_per_window),         cmocka_unit_test(a_row_without_time_fails),
        cmocka_unit_test(a_window_comes_once_when_it_ends),  cmocka_unit_test(late_rows_are_dropped),
        cmocka_unit_test(a_window_that_has_not_ended_waits), cmocka_unit_test(rows_are_taken_back),
        cmocka_unit_test(sliding_windows_share_slices),      cmocka_unit_test(slices_go_on_stacks),
        cmocka_unit_test(windows_cumulate),                  cmocka_unit_test(late_rows_go_into_windows_to_come),
        cmocka_unit_test(slices_take_rows_back),             cmocka_unit_test(windows_of_processing_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
