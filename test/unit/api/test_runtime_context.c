/* test_runtime_context.c - what a function learns of where it runs: names of task and job, the attempt, event times of a batch,
 * and the variables of its metrics, which whoever reads the metrics sees too. */
#include "surface/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

struct word {
    struct tw_str text;
};
TW_ROW(word, TW_FIELD(word, text, "STRING NOT NULL"));

/* Rows as lines. */
struct lines {
    char text[2048];
};

static void take_word(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct lines *l = arg;
    const struct word *w = row;
    size_t used = strlen(l->text);

    (void)kind, (void)time_ms;
    snprintf(l->text + used, sizeof l->text - used, "%.*s\n", (int)w->text.size, w->text.data);
}

static struct tw_env *env_create(void)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    tw_set_parallelism(env, 1);
    return env;
}

/* --- names ------------------------------------------------------------------------------------------------------------------ */
static enum tw_status tell_names(struct tw_context *cx, const void *in, void *out)
{
    char text[256];
    struct word *w = out;

    (void)in;
    int size = snprintf(text, sizeof text, "%s | %s | attempt %u | %u of %u", tw_job_name(cx), tw_task_name(cx),
                        tw_attempt(cx), tw_subtask(cx), tw_subtasks(cx));
    char *copy = tw_scratch(cx, (size_t)size);
    memcpy(copy, text, (size_t)size);
    w->text = (struct tw_str){copy, (size_t)size};
    return TW_OK;
}
TW_FUNCTION(names) = {.in = &number_row, .out = &word_row, .map = tell_names};

static void names_of_job_and_task(void **state)
{
    struct tw_env *env = env_create();
    struct lines lines = {""};

    (void)state;
    tw_collect_to(tw_name(tw_map(tw_from_sequence(env, 1, 1), &names), "teller"), &word_row, take_word, &lines);
    assert_int_equal(tw_execute(env, "a job"), 0);
    assert_string_equal(lines.text, "a job | Source: sequence -> teller -> Sink: collect | attempt 0 | 0 of 1\n");
    lines.text[0] = '\0';
    tw_collect_to(tw_without_chaining(tw_map(tw_from_sequence(env, 1, 1), &names)), &word_row, take_word, &lines);
    assert_int_equal(tw_execute(env, "another"), 0);
    assert_string_equal(lines.text, "another | Map | attempt 0 | 0 of 1\n");
    tw_env_free(env);
}

/* --- times of a batch --------------------------------------------------------------------------------------------------------- */
/* Each row becomes its event time less its value; without times, its value. */
static enum tw_status take_times(struct tw_context *cx, const struct tw_batch *in)
{
    const int64_t *values = tw_batch_values(in, 0), *times = tw_batch_times(in);
    int64_t *out = tw_batch_out(cx, 0);

    for (uint32_t i = 0; i < tw_batch_rows(in); i++) out[i] = times != NULL ? times[i] - values[i] : values[i];
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(times_taken) = {.in = &number_row, .out = &number_row, .batch = take_times};

static enum tw_status thousandfold(struct tw_context *cx, const void *in, int64_t *time_ms)
{
    (void)cx;
    *time_ms = ((const struct number *)in)->value * 1000;
    return TW_OK;
}
TW_FUNCTION(thousands) = {.in = &number_row, .timestamp = thousandfold};

static void take_number(void *arg, enum tw_row_kind kind, const void *row, int64_t time_ms)
{
    struct lines *l = arg;
    size_t used = strlen(l->text);

    (void)kind, (void)time_ms;
    snprintf(l->text + used, sizeof l->text - used, "%lld ", (long long)((const struct number *)row)->value);
}

static void a_batch_has_event_times_or_none(void **state)
{
    struct tw_env *env = env_create();
    struct lines lines = {""};

    (void)state;
    tw_collect_to(tw_map_batches(tw_with_watermarks(tw_from_sequence(env, 1, 4), .kind = TW_WM_MONOTONOUS,
                                                    .function = &thousands),
                                 &times_taken),
                  &number_row, take_number, &lines);
    assert_int_equal(tw_execute(env, "times"), 0);
    assert_string_equal(lines.text, "999 1998 2997 3996 ");
    lines.text[0] = '\0';
    tw_collect_to(tw_map_batches(tw_from_sequence(env, 1, 4), &times_taken), &number_row, take_number, &lines);
    assert_int_equal(tw_execute(env, "no times"), 0);
    assert_string_equal(lines.text, "1 2 3 4 ");
    tw_env_free(env);
}

/* --- variables of metrics ----------------------------------------------------------------------------------------------------- */
static enum tw_status open_counters(struct tw_context *cx)
{
    struct tw_metric_group *topic = tw_metric_group(cx, NULL, "topic", "orders");

    tw_metric_counter(cx, NULL, "plain");
    tw_metric_counter(cx, tw_metric_group(cx, topic, "partition", "7"), "seen");
    return TW_OK;
}

static enum tw_status tell_variables(struct tw_context *cx, const void *in, void *out)
{
    static const char *const keys[] = {"<topic>", "team", "<host>", "<operator_name>", "<task_name>", "none"};
    struct tw_metric_group *g = tw_metric_group(cx, NULL, "topic", "orders");
    char text[256] = "";

    (void)in;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = tw_metric_group_variable(cx, i == 0 ? g : NULL, keys[i]);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s=%s ", keys[i], value != NULL ? value : "?");
    }
    size_t size = strlen(text);
    char *copy = tw_scratch(cx, size);
    memcpy(copy, text, size);
    ((struct word *)out)->text = (struct tw_str){copy, size};
    return TW_OK;
}
TW_FUNCTION(variables) = {.in = &number_row, .out = &word_row, .open = open_counters, .map = tell_variables};

static void expect_variables(struct tw_env *env, const char *name, const char *text)
{
    struct tw_metric_value v;
    char all[2048] = "";

    assert_true(tw_find_metric(env, "counted", 0, name, &v));
    for (uint32_t i = 0; i < v.variable_count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s=%s\n", v.variables[i].key, v.variables[i].value);
    assert_string_equal(all, text);
    assert_string_equal(tw_find_variable(&v, "team"), "green");
    assert_null(tw_find_variable(&v, "none"));
}

static struct tw_stream *counted(struct tw_env *env)
{
    struct tw_stream *s = tw_name(tw_map(tw_from_sequence(env, 1, 1), &variables), "counted");

    tw_uid_hash(s, "0123456789abcdef0123456789abcdef");
    tw_without_chaining(s);
    tw_metric_variable(s, "team", "blue");
    tw_metric_variable(s, "floor", "2");
    return tw_metric_variable(s, "team", "green");
}

#define STANDARD(host, tm)                                                                                             \
    "<host>=" host "\n<tm_id>=" tm "\n<job_id>=%s\n<job_name>=varied\n<task_id>=0123456789abcdef0123456789abcdef\n"     \
    "<task_name>=counted\n<task_attempt_id>=%s_0123456789abcdef0123456789abcdef_0_0\n<task_attempt_num>=0\n"            \
    "<subtask_index>=0\n<operator_id>=0123456789abcdef0123456789abcdef\n<operator_name>=counted\n"                       \
    "team=green\nfloor=2\n"

static void metrics_have_variables(void **state)
{
    struct tw_env *env = env_create();
    struct lines lines = {""};
    char text[2048];

    (void)state;
    tw_collect_to(counted(env), &word_row, take_word, &lines);
    assert_int_equal(tw_execute(env, "varied"), 0);
    assert_string_equal(lines.text,
                        "<topic>=orders team=green <host>=localhost <operator_name>=counted <task_name>=counted none=? \n");
    const char *id = tw_job_result(env)->job_id;
    snprintf(text, sizeof text, STANDARD("localhost", "embedded"), id, id);
    expect_variables(env, "plain", text);
    snprintf(text, sizeof text, STANDARD("localhost", "embedded") "<topic>=orders\n<partition>=7\n", id, id);
    expect_variables(env, "topic.orders.partition.7.seen", text);
    tw_env_free(env);
}

static void host_and_task_manager_are_configured(void **state)
{
    struct tw_env *env = env_create();
    struct lines lines = {""};
    char text[2048];

    (void)state;
    tw_set(env, "taskmanager.host", "node7");
    tw_set(env, "taskmanager.resource-id", "tm-3");
    tw_collect_to(counted(env), &word_row, take_word, &lines);
    assert_int_equal(tw_execute(env, "varied"), 0);
    const char *id = tw_job_result(env)->job_id;
    snprintf(text, sizeof text, STANDARD("node7", "tm-3"), id, id);
    expect_variables(env, "plain", text);
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_job_and_task),
        cmocka_unit_test(a_batch_has_event_times_or_none),
        cmocka_unit_test(metrics_have_variables),
        cmocka_unit_test(host_and_task_manager_are_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
