/* test_api_metrics.c - what functions know of their job and measure: metrics in groups, the job's id, cached files. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define JOB_ID "cec0dd209335167a990350dc5dbe04b7" /* of 'a job' */

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

struct measures {
    struct tw_metric *seen, *last, *rate, *sizes, *odd;
};

static enum tw_status open_measures(struct tw_context *cx)
{
    struct measures *m = tw_self(cx);
    struct tw_metric_group *numbers = tw_metric_group(cx, NULL, "numbers", NULL),
                           *odd = tw_metric_group(cx, numbers, "parity", "odd");

    m->seen = tw_metric_counter(cx, NULL, "seen");
    m->last = tw_metric_gauge(cx, numbers, "last");
    m->rate = tw_metric_meter(cx, numbers, "rate");
    m->sizes = tw_metric_histogram(cx, numbers, "sizes");
    m->odd = tw_metric_counter(cx, odd, "seen");
    if (tw_metric_counter(cx, tw_metric_group(cx, numbers, "parity", "odd"), "seen") != m->odd)
        return tw_fail(cx, "the same name is another measure");
    return TW_OK;
}

static enum tw_status measure(struct tw_context *cx, const void *in, bool *keep)
{
    struct measures *m = tw_self(cx);
    int64_t value = ((const struct number *)in)->value;

    *keep = value % 2 == 1;
    tw_metric_add(cx, m->seen, 1);
    tw_metric_set(cx, m->last, (double)value / 2);
    tw_metric_add(cx, m->rate, 2);
    tw_metric_update(cx, m->sizes, value);
    if (*keep) tw_metric_add(cx, m->odd, 1);
    tw_metric_add(cx, NULL, 1); /* nothing */
    return TW_OK;
}
TW_FUNCTION(measuring) = {
    .in = &number_row, .self_size = sizeof(struct measures), .open = open_measures, .filter = measure};

static void take(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    (void)arg, (void)kind, (void)row, (void)time_ms;
}

static struct tw_env *quiet_env(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    return env;
}

static struct tw_metric_value find(struct tw_env *env, const char *name)
{
    struct tw_metric_value v;

    if (!tw_find_metric(env, "measured", 0, name, &v)) assert_string_equal("missing", name);
    return v;
}

static void metrics_of_a_job(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_metric_value v;
    char names[1024] = "";

    (void)state;
    assert_false(tw_job_metric(env, 0, &v));
    tw_collect_to(tw_name(tw_filter(tw_from_sequence(env, 1, 100), &measuring), "measured"), &number_row, take, NULL);
    assert_int_equal(tw_execute(env, "measures"), 0);
    for (uint32_t i = 0; tw_job_metric(env, i, &v); i++)
        if (strcmp(v.operator_name, "measured") == 0)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", v.name);
    assert_string_equal(names, "numbers.last numbers.parity.odd.seen numbers.rate numbers.sizes seen ");
    assert_int_equal(find(env, "seen").count, 100);
    assert_int_equal(find(env, "seen").kind, TW_COUNTER);
    assert_int_equal(find(env, "numbers.parity.odd.seen").count, 50);
    assert_true(find(env, "numbers.last").value == 50);
    assert_int_equal(find(env, "numbers.last").kind, TW_GAUGE);
    assert_int_equal(find(env, "numbers.rate").count, 200);
    assert_true(find(env, "numbers.rate").value > 0);
    v = find(env, "numbers.sizes");
    assert_int_equal(v.kind, TW_HISTOGRAM);
    assert_int_equal(v.count, 100);
    assert_true(v.values == 100 && v.min == 1 && v.max == 100 && v.mean == 50.5 && v.p50 == 50.5);
    assert_false(tw_find_metric(env, "measured", 1, "seen", &v));
    assert_false(tw_find_metric(env, "measured", 0, "unseen", &v));
    tw_env_free(env);
}

static void each_subtask_has_its_own(void **state)
{
    struct tw_env *env = quiet_env();
    struct tw_metric_value v;
    int64_t sum = 0;

    (void)state;
    tw_set_parallelism(env, 3);
    tw_print(
        tw_filter(tw_name(tw_filter(tw_rebalance(tw_from_sequence(env, 1, 99)), &measuring), "measured"), &measuring));
    int saved = dup(1);
    assert_non_null(freopen("/dev/null", "w", stdout));
    int failed = tw_execute(env, "measures");
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    assert_int_equal(failed, 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(tw_find_metric(env, "measured", i, "seen", &v));
        sum += v.count;
    }
    assert_int_equal(sum, 99);
    tw_env_free(env);
}

/* --- mistakes ---------------------------------------------------------------------------------------------------------- */
static enum tw_status two_kinds(struct tw_context *cx)
{
    tw_metric_counter(cx, NULL, "x");
    tw_metric_gauge(cx, NULL, "x");
    return TW_OK;
}
static enum tw_status no_name(struct tw_context *cx)
{
    tw_metric_counter(cx, tw_metric_group(cx, NULL, "g", NULL), "");
    return TW_OK;
}
static enum tw_status empty_group(struct tw_context *cx)
{
    tw_metric_group(cx, NULL, "g", "");
    return TW_OK;
}
static enum tw_status set_a_counter(struct tw_context *cx)
{
    tw_metric_set(cx, tw_metric_counter(cx, NULL, "x"), 1);
    return TW_OK;
}
static enum tw_status add_to_a_gauge(struct tw_context *cx)
{
    tw_metric_add(cx, tw_metric_gauge(cx, NULL, "x"), 1);
    return TW_OK;
}
static enum tw_status update_a_meter(struct tw_context *cx)
{
    tw_metric_update(cx, tw_metric_meter(cx, NULL, "x"), 1);
    return TW_OK;
}
static enum tw_status long_group(struct tw_context *cx)
{
    struct tw_metric_group *g = NULL;
    for (int i = 0; i < 40; i++) g = tw_metric_group(cx, g, "a group with a name", NULL);
    return TW_OK;
}
static enum tw_status unknown_file(struct tw_context *cx)
{
    return tw_cached_file(cx, "nothing") == NULL ? TW_OK : tw_fail(cx, "there is one");
}
static enum tw_status pass(struct tw_context *cx, const void *in, bool *keep)
{
    (void)cx, (void)in;
    *keep = true;
    return TW_OK;
}
#define MISTAKE(fn) TW_FUNCTION(m_##fn) = {.in = &number_row, .open = fn, .filter = pass}
MISTAKE(two_kinds);
MISTAKE(no_name);
MISTAKE(empty_group);
MISTAKE(set_a_counter);
MISTAKE(add_to_a_gauge);
MISTAKE(update_a_meter);
MISTAKE(long_group);
MISTAKE(unknown_file);

static void mistakes(void **state)
{
    static const struct {
        const struct tw_function *f;
        const char *error;
    } cases[] = {
        {&m_two_kinds, "metric 'x' is a counter and cannot be a gauge too"},
        {&m_no_name, "a metric needs a name"},
        {&m_empty_group, "tw_metric_group needs a name, and a value that is not empty or NULL"},
        {&m_set_a_counter, "tw_metric_set is for gauges"},
        {&m_add_to_a_gauge, "tw_metric_add is for counters and meters"},
        {&m_update_a_meter, "tw_metric_update is for histograms"},
        {&m_long_group, "at most 256 of them, of at most 512 bytes"},
        {&m_unknown_file, "there is no cached file 'nothing'; tw_register_cached_file makes one"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_env *env = quiet_env();
        tw_collect_to(tw_filter(tw_from_sequence(env, 1, 1), cases[i].f), &number_row, take, NULL);
        assert_int_equal(tw_execute(env, "mistake"), 1);
        if (strstr(tw_error(env), cases[i].error) == NULL) assert_string_equal(tw_error(env), cases[i].error);
        tw_env_free(env);
    }
}

/* --- the engine's own --------------------------------------------------------------------------------------------------- */
struct event {
    int64_t key, time;
};
TW_ROW(event, TW_FIELD(event, key, "BIGINT NOT NULL"), TW_FIELD(event, time, "TIMESTAMP(3) NOT NULL"));

static void count_of_late_rows(struct tw_windowing windows, bool is_taken, int64_t expected)
{
    static const struct event events[] = {{1, 100}, {1, 5000}, {1, 200}, {1, 6000}, {2, 300}};
    struct tw_env *env = quiet_env();
    struct tw_stream *s = tw_from_data(env, &event_row, events, sizeof events / sizeof events[0]);

    s = tw_with_watermarks(s, .kind = TW_WM_MONOTONOUS, .time_field = "time", .every_rows = 1);
    s = tw_name(tw_window_columns(tw_key_by(s, "key"), windows, "count(*) AS n"), "measured");
    tw_sink(s, "windows", "blackhole", TW_NO_OPTIONS);
    if (is_taken) tw_sink(tw_side(s, "late"), "late", "blackhole", TW_NO_OPTIONS);
    assert_int_equal(tw_execute(env, "late"), 0);
    assert_int_equal(find(env, "numLateRecordsDropped").count, expected);
    assert_int_equal(find(env, "numLateRecordsDropped").kind, TW_COUNTER);
    assert_int_equal(tw_job_result(env)->late_dropped, 2);
    tw_env_free(env);
}

/* By slices and by the general engine; what a side output takes is not dropped. */
static void late_rows_are_counted(void **state)
{
    (void)state;
    count_of_late_rows(TW_TUMBLE(1000), false, 2);
    count_of_late_rows(TW_TUMBLE(1000), true, 0);
    count_of_late_rows(TW_SESSIONS(1000), false, 2);
    count_of_late_rows(TW_SESSIONS(1000), true, 0);
}

/* 10,000 keys with a sum of 8 bytes each, and what finding them takes. */
static void state_has_its_bytes(void **state)
{
    struct tw_env *env = quiet_env();

    (void)state;
    tw_set_parallelism(env, 1);
    struct tw_stream *s = tw_name(tw_sum(tw_key_by(tw_from_sequence(env, 1, 10000), "value"), "value"), "measured");
    tw_sink(s, "sums", "blackhole", TW_NO_OPTIONS);
    assert_int_equal(tw_execute(env, "sums"), 0);
    assert_int_equal(find(env, "stateBytes").kind, TW_GAUGE);
    assert_in_range(find(env, "stateBytes").value, 10000 * 16, 10000 * 64);
    tw_env_free(env);
}

/* --- job id, cached files ------------------------------------------------------------------------------------------------ */
static enum tw_status read_cached(struct tw_context *cx)
{
    char line[64] = "";
    FILE *f = fopen(tw_cached_file(cx, "words"), "r");

    if (f == NULL) return tw_fail(cx, "the cached file cannot be read");
    bool is_read = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    if (!is_read || strcmp(line, "hello") != 0) return tw_fail(cx, "'%s' is not in it", line);
    return tw_fail(cx, "id %s", tw_job_id(cx));
}
TW_FUNCTION(reads_cached) = {.in = &number_row, .open = read_cached, .filter = pass};

/* The answer is the error of the job: it carries the id. */
static void run_cached(const char *path, bool by_config, const char *job, char *error, size_t size)
{
    struct tw_env *env = quiet_env();
    char setting[300];

    snprintf(setting, sizeof setting, "name:words,path:file://%s", path);
    if (by_config)
        tw_set(env, "pipeline.cached-files", setting);
    else
        tw_register_cached_file(env, path, "words");
    tw_register_cached_file(env, "/", "root");
    tw_collect_to(tw_name(tw_filter(tw_from_sequence(env, 1, 1), &reads_cached), "f"), &number_row, take, NULL);
    assert_int_equal(tw_execute(env, job), 1);
    snprintf(error, size, "%s", tw_error(env));
    const struct tw_result *r = tw_job_result(env);
    if (r != NULL && strstr(error, "id ") != NULL) assert_non_null(strstr(error, r->job_id));
    tw_env_free(env);
}

static void cached_file_and_job_id(void **state)
{
    char path[] = "/tmp/thalweg-cached-XXXXXX", first[512], second[512], other[512];
    int f = mkstemp(path);

    (void)state;
    assert_true(f >= 0);
    assert_int_equal(write(f, "hello", 5), 5);
    close(f);
    run_cached(path, false, "a job", first, sizeof first);
    run_cached(path, true, "a job", second, sizeof second);
    run_cached(path, false, "another job", other, sizeof other);
    assert_string_equal(first, "job 'a job' failed: operator 'f' (subtask 1/1): id " JOB_ID);
    assert_string_equal(second, first);
    assert_null(strstr(other, JOB_ID));
    unlink(path);
    run_cached(path, false, "a job", first, sizeof first);
    snprintf(second, sizeof second, "cached file 'words': there is no file '%s'", path);
    assert_string_equal(first, second);
}

static void cached_file_mistakes(void **state)
{
    static const char *const cases[][3] = {
        {NULL, "a", "tw_register_cached_file needs a path and a name"},
        {"/", "", "tw_register_cached_file needs a path and a name"},
        {"/", "a,b", "tw_register_cached_file: neither path nor name may hold ',' or ';'"},
        {"/a;b", "a", "tw_register_cached_file: neither path nor name may hold ',' or ';'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_env *env = quiet_env();
        tw_register_cached_file(env, cases[i][0], cases[i][1]);
        tw_collect_to(tw_from_sequence(env, 1, 1), &number_row, take, NULL);
        assert_int_equal(tw_execute(env, "mistake"), 1);
        const char *said = strstr(tw_error(env), ": "); /* behind file:line of the call */
        assert_non_null(said);
        assert_string_equal(said + 2, cases[i][2]);
        tw_env_free(env);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_of_a_job),
        cmocka_unit_test(each_subtask_has_its_own),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(late_rows_are_counted),
        cmocka_unit_test(state_has_its_bytes),
        cmocka_unit_test(cached_file_and_job_id),
        cmocka_unit_test(cached_file_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
