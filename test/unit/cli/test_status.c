/* test_status.c - the status line and the end summary, byte for byte, on a clock that is set by hand. */
#include "surface/cli/status.h"

#include "support/fake_terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const int64_t SECOND = INT64_C(1000000000);

static void counts_have_separators(void **state)
{
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {
        {0, "0"}, {999, "999"}, {1000, "1,000"}, {1001001, "1,001,001"}, {UINT64_MAX, "18,446,744,073,709,551,615"}};
    struct mem mem;
    struct buf out;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&out, &mem);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        out.size = 0;
        status_print_count(cases[i].n, &out);
        assert_string_equal(buf_text(&out), cases[i].text);
    }
    buf_release(&out);
    mem_release(&mem);
}

static void a_line_per_second_where_there_is_no_terminal(void **state)
{
    struct fake_terminal t;
    struct status_view v;
    struct job_totals totals = {.watermark = TIME_MIN};

    (void)state;
    fake_terminal_init(&t);
    t.now_ns = 5 * SECOND;
    status_init(&v, &t.sys);
    struct api_watch w = status_watch(&v);
    assert_int_equal(w.tick_ms, 1000);

    t.now_ns = 6 * SECOND;
    totals.rows_in = 1500;
    w.tick(w.arg, "flights", &totals);
    assert_string_equal(fake_terminal_take(&t, 2),
                        "flights: 1,500 rows in, 0 out, 1,500 rows/s, watermark none, late 0\n");
    t.now_ns = 8 * SECOND;
    totals.rows_in = 5500;
    totals.rows_out = 12;
    totals.late_refired = 3;
    totals.late_dropped = 2;
    totals.watermark = INT64_C(978307199999);
    w.tick(w.arg, "flights", &totals);
    assert_string_equal(fake_terminal_take(&t, 2),
                        "flights: 5,500 rows in, 12 out, 2,000 rows/s, watermark 2000-12-31 23:59:59, late 5\n");
    totals.watermark = WATERMARK_MAX;
    w.tick(w.arg, "flights", &totals); /* no time has passed: no rate */
    assert_string_equal(fake_terminal_take(&t, 2), "flights: 5,500 rows in, 12 out, 0 rows/s, watermark end, late 5\n");
    assert_string_equal(fake_terminal_take(&t, 1), "");
    fake_terminal_release(&t);
}

static void a_terminal_is_repainted_and_left_clean(void **state)
{
    struct fake_terminal t;
    struct status_view v;
    struct job_totals totals = {.rows_in = 1000, .watermark = TIME_MIN};
    struct tw_result result = {.job_name = "j", .status = "FINISHED", .rows_in = 3000, .rows_out = 7, .seconds = 2};

    (void)state;
    fake_terminal_init(&t);
    t.is_terminal[2] = true;
    t.columns = 30;
    status_init(&v, &t.sys);
    struct api_watch w = status_watch(&v);
    assert_int_equal(w.tick_ms, 200);
    assert_false(sys_line_is_live(&t.sys));
    t.now_ns = SECOND;
    w.tick(w.arg, "j", &totals);
    assert_true(sys_line_is_live(&t.sys));
    assert_string_equal(fake_terminal_take(&t, 2), "\r\033[Kj: 1,000 rows in, 0 out, 1,00");
    w.rows(w.arg); /* rows are about to be printed: the line makes room, once */
    assert_string_equal(fake_terminal_take(&t, 2), "\r\033[K");
    w.rows(w.arg);
    assert_string_equal(fake_terminal_take(&t, 2), "");
    t.now_ns = 2 * SECOND;
    w.tick(w.arg, "j", &totals);
    fake_terminal_take(&t, 2);
    w.ended(w.arg, &(struct api_outcome){.result = &result, .totals = &totals});
    assert_string_equal(fake_terminal_take(&t, 2),
                        "\r\033[Kjob 'j' FINISHED: 3,000 rows in, 7 rows out in 2.000 s (1,500 rows/s)\n");
    assert_false(sys_line_is_live(&t.sys));
    fake_terminal_release(&t);
}

static void colours_only_where_they_are_wanted(void **state)
{
    static const struct {
        const char *term, *no_color, *painted;
    } cases[] = {{"xterm", "", "\r\033[K\033[2mj: 1,000 rows in, 0 out, 1,00\033[0m"},
                 {"xterm", "1", "\r\033[Kj: 1,000 rows in, 0 out, 1,00"},
                 {"dumb", "", "\r\033[Kj: 1,000 rows in, 0 out, 1,00"},
                 {"", "", "\r\033[Kj: 1,000 rows in, 0 out, 1,00"}};
    struct fake_terminal t;
    struct status_view v;
    struct job_totals totals = {.rows_in = 1000, .watermark = TIME_MIN};

    (void)state;
    fake_terminal_init(&t);
    t.columns = 30;
    t.is_terminal[2] = true;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setenv("TERM", cases[i].term, 1);
        setenv("NO_COLOR", cases[i].no_color, 1);
        status_init(&v, &t.sys);
        struct api_watch w = status_watch(&v);
        t.now_ns += SECOND;
        w.tick(w.arg, "j", &totals);
        assert_string_equal(fake_terminal_take(&t, 2), cases[i].painted);
    }
    fake_terminal_release(&t);
}

static void the_summary_counts_what_was_late_or_bad(void **state)
{
    struct fake_terminal t;
    struct status_view v;
    struct job_totals totals = {.errors_skipped = 2, .dead_letters = 1};
    struct tw_result result = {.job_name = "j", .status = "FAILED", .late_refired = 1200, .late_dropped = 4};

    (void)state;
    fake_terminal_init(&t);
    status_init(&v, &t.sys);
    struct api_watch w = status_watch(&v);
    w.ended(w.arg, &(struct api_outcome){.result = &result, .totals = &totals});
    assert_string_equal(fake_terminal_take(&t, 2), "job 'j' FAILED: 0 rows in, 0 rows out in 0.000 s (0 rows/s)\n"
                                                   "late rows: 1,200 made windows fire again, 4 came too late\n"
                                                   "rows that could not be read: 2 skipped\n"
                                                   "rows that could not be read: 1 to the dead-letter output\n");
    fake_terminal_release(&t);
}

static struct accumulator *of(struct accumulators *a, const char *name, enum accumulator_kind kind)
{
    struct err e = {0};
    struct accumulator *found = accumulators_get(a, name, kind, &e);

    assert_non_null(found);
    return found;
}

/* By name, whatever the order in which they came. */
static void the_summary_tells_accumulators_and_failed_commits(void **state)
{
    struct sys *sys = sys_linux_create_quiet();
    struct metrics *m = metrics_create(sys);
    struct metric_owner sink = {.operator_name = "sink", .uid = "uid"}, second = {.operator_name = "sink", .uid = "uid", .subtask = 1};
    struct tw_result result = {.job_name = "j", .status = "FAILED"};
    struct job_totals totals = {0};
    struct accumulators all;
    struct mem mem;
    struct buf text;
    struct err e = {0};

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&text, &mem);
    accumulators_init(&all, &mem);
    of(&all, "seen", ACC_COUNTER)->count = -1234567;
    accumulator_long_see(of(&all, "least", ACC_LEAST), INT64_MIN);
    of(&all, "half", ACC_DOUBLE)->sum = 0.5;
    *of(&all, "mean", ACC_AVERAGE) = (struct accumulator){.name = of(&all, "mean", ACC_AVERAGE)->name,
                                                          .kind = ACC_AVERAGE, .sum = 5, .count = 2};
    for (int32_t i = 0; i < 9; i++)
        assert_int_equal(accumulator_histogram_add(&all, of(&all, "many", ACC_HISTOGRAM), i - 1, 1000), S_OK);
    assert_int_equal(accumulator_histogram_add(&all, of(&all, "few", ACC_HISTOGRAM), -7, 2), S_OK);
    metric_add(metrics_get(m, &sink, "failedCommittables", METRIC_COUNTER, &e), 1);
    metric_add(metrics_get(m, &sink, "successfulCommittables", METRIC_COUNTER, &e), 3);
    metric_add(metrics_get(m, &second, "alreadyCommittedCommittables", METRIC_COUNTER, &e), 1200);
    status_print_summary(&(struct api_outcome){&result, &totals, &all, m}, &text);
    assert_string_equal(buf_text(&text), "job 'j' FAILED: 0 rows in, 0 rows out in 0.000 s (0 rows/s)\n"
                                         "commits: 1 failed, 1,203 succeeded\n"
                                         "accumulator 'few': 2 values (-7: 2)\n"
                                         "accumulator 'half': 0.5\n"
                                         "accumulator 'least': -9,223,372,036,854,775,808\n"
                                         "accumulator 'many': 9,000 values (-1: 1,000, 0: 1,000, 1: 1,000, 2: 1,000, "
                                         "3: 1,000, 4: 1,000, 5: 1,000, 6: 1,000, ...)\n"
                                         "accumulator 'mean': 2.5\n"
                                         "accumulator 'seen': -1,234,567\n");
    buf_release(&text);
    accumulators_release(&all);
    mem_release(&mem);
    metrics_free(m);
    sys_linux_free(sys);
}

static void a_summary_has_an_end(void **state)
{
    struct tw_result result = {.job_name = "j", .status = "FINISHED"};
    struct job_totals totals = {0};
    struct accumulators all;
    struct mem mem;
    struct buf text;
    char name[16];

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&text, &mem);
    accumulators_init(&all, &mem);
    for (uint32_t i = 0; i < STATUS_ACCUMULATORS_MAX + 2; i++) {
        snprintf(name, sizeof name, "n%02u", STATUS_ACCUMULATORS_MAX + 1 - i);
        of(&all, name, ACC_COUNTER)->count = 5;
    }
    status_print_summary(&(struct api_outcome){.result = &result, .totals = &totals, .accumulators = &all}, &text);
    assert_non_null(strstr(buf_text(&text), "(0 rows/s)\naccumulator 'n00': 5\naccumulator 'n01': 5\n"));
    assert_non_null(strstr(buf_text(&text), "\naccumulator 'n31': 5\nand 2 more accumulators\n"));
    buf_release(&text);
    accumulators_release(&all);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_separators),
        cmocka_unit_test(a_line_per_second_where_there_is_no_terminal),
        cmocka_unit_test(a_terminal_is_repainted_and_left_clean),
        cmocka_unit_test(colours_only_where_they_are_wanted),
        cmocka_unit_test(the_summary_counts_what_was_late_or_bad),
        cmocka_unit_test(the_summary_tells_accumulators_and_failed_commits),
        cmocka_unit_test(a_summary_has_an_end),
    };

    unsetenv("TERM"); /* plain text, wherever the test runs */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
