/* test_harness.c - the public test harness, with its ends op_harness_input and op_harness_output: keyed state and timers, both
 * clocks, two inputs, side outputs, the end, failures. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct click {
    struct tw_str user;
    int64_t n;
};
TW_ROW(click, TW_FIELD(click, user, "STRING NOT NULL"), TW_FIELD(click, n, "BIGINT NOT NULL"));
struct key {
    struct tw_str user;
};
TW_ROW(key, TW_FIELD(key, user, "STRING NOT NULL"));

static const struct tw_state total = {.name = "total", .kind = TW_VALUE, .value = "BIGINT"};

/* Sums per key, tells the sum 10 ms later in event time and 5 ms later in processing time; negative ones go to a side. */
static enum tw_status sum_process(struct tw_context *cx, const void *in)
{
    const struct click *c = in;

    tw_counter_add(cx, "clicks", 1);
    if (c->n == 666) return tw_fail(cx, "number of the beast");
    if (c->n < 0) {
        tw_side_output(cx, 0, c);
        return TW_OK;
    }
    tw_value_set_long(cx, &total, tw_value_long(cx, &total, 0) + c->n);
    tw_register_event_timer(cx, tw_time(cx) + 10);
    tw_register_processing_timer(cx, tw_now_ms(cx) + 5);
    return TW_OK;
}

static enum tw_status sum_timer(struct tw_context *cx, int64_t time_ms)
{
    struct click out = {((const struct key *)tw_key(cx))->user, tw_value_long(cx, &total, 0)};

    (void)time_ms;
    if (tw_timer_is_processing_time(cx)) out.n += 1000;
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(sums) = {.in = &click_row,
                     .out = &click_row,
                     .key = &key_row,
                     .sides = {&click_row},
                     .side_names = {"negative"},
                     .states = {&total},
                     .process = sum_process,
                     .on_timer = sum_timer};

static struct tw_stream *sum_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_process(tw_key_by(in, "user"), &sums);
}

static void push(struct tw_harness *h, uint32_t input, const char *user, int64_t n, int64_t time)
{
    struct click c = {tw_str_of(user), n};

    assert_int_equal(tw_push(h, input, &c, time), 0);
}

static void timers_of_both_clocks_state_and_side_output(void **state)
{
    struct tw_harness *h = tw_harness_create(sum_graph, NULL, &click_row, NULL);
    int64_t clicks;

    (void)state;
    assert_string_equal(tw_harness_error(h), "");
    push(h, 0, "ada", 3, 100);
    push(h, 0, "bob", -1, 101);
    assert_string_equal(tw_output(h, true), "negative: +I[bob, -1]@101\n");
    push(h, 0, "ada", 4, 100); /* the same timers */
    assert_int_equal(tw_push_watermark(h, 0, 109), 0);
    assert_string_equal(tw_output(h, true), "W@109\n");
    assert_int_equal(tw_push_watermark(h, 0, 110), 0);
    assert_string_equal(tw_output(h, true), "+I[ada, 7]@110\nW@110\n");
    assert_int_equal(tw_set_processing_time(h, 4), 0);
    assert_string_equal(tw_output(h, true), "");
    assert_int_equal(tw_set_processing_time(h, 5), 0);
    assert_string_equal(tw_output(h, true), "+I[ada, 1007]\n");
    push(h, 0, "eve", 1, 200);
    assert_false(tw_harness_counter(h, "clicks", &clicks));
    assert_int_equal(tw_push_end(h), 0);
    assert_string_equal(tw_output(h, false), "+I[eve, 1]@210\n");
    assert_true(tw_harness_counter(h, "clicks", &clicks));
    assert_int_equal(clicks, 4);
    assert_int_equal(tw_push_end(h), 1);
    assert_string_equal(tw_harness_error(h), "tw_push_end: the inputs have ended");
    tw_harness_free(h);
}

static void failure_says_operator_key_and_row(void **state)
{
    struct tw_harness *h = tw_harness_create(sum_graph, NULL, &click_row, NULL);
    struct click c = {TW_STR("ada"), 666};

    (void)state;
    assert_int_equal(tw_push(h, 0, &c, 1), 1);
    assert_string_equal(tw_harness_error(h),
                        "operator 'KeyedProcess' (subtask 1/1): key [ada], row +I[ada, 666]: number of the beast");
    assert_int_equal(tw_push_watermark(h, 0, 5), 1);
    tw_harness_free(h);
}

static struct tw_stream *wrong_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_sum(tw_key_by(in, "usr"), "n");
}

static void mistakes_are_told(void **state)
{
    struct tw_harness *h = tw_harness_create(wrong_graph, NULL, &click_row, NULL);
    struct click c = {TW_STR("ada"), 1};
    char text[256];

    (void)state;
    snprintf(text, sizeof text, "%s:%d: field 'usr' is not in stream 'input 0' (has: user, n); did you mean 'user'?",
             __FILE__, __LINE__ - 11);
    assert_string_equal(tw_harness_error(h), text);
    assert_int_equal(tw_push(h, 0, &c, 1), 1);
    assert_string_equal(tw_output(h, true), "");
    tw_harness_free(h);
    h = tw_harness_create(sum_graph, NULL, &click_row, NULL);
    assert_int_equal(tw_push_watermark(h, 1, 1), 1);
    assert_string_equal(tw_harness_error(h), "tw_push_watermark: the harness has no input 1");
    tw_harness_free(h);
    h = tw_harness_create(sum_graph, NULL, &click_row, NULL);
    assert_int_equal(tw_set_processing_time(h, -1), 1);
    assert_string_equal(tw_harness_error(h), "tw_set_processing_time: time does not go back from 0 to -1");
    tw_harness_free(h);
}

static struct tw_stream *union_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)arg;
    return tw_sum(tw_key_by(tw_union(in, in2), "user"), "n");
}

static void two_inputs_and_the_lower_watermark(void **state)
{
    struct tw_harness *h = tw_harness_create(union_graph, NULL, &click_row, &click_row);

    (void)state;
    assert_string_equal(tw_harness_error(h), "");
    push(h, 0, "ada", 1, 10);
    push(h, 1, "ada", 2, TW_NO_TIME);
    assert_int_equal(tw_push_watermark(h, 0, 50), 0);
    assert_int_equal(tw_push_watermark(h, 1, 20), 0);
    assert_string_equal(tw_output(h, true), "+I[ada, 1]@10\n+I[ada, 3]\nW@20\n");
    tw_harness_free(h);
}

static enum tw_status double_async(struct tw_context *cx, const void *in)
{
    struct click out = *(const struct click *)in;

    out.n *= 2;
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(doubled) = {.in = &click_row, .out = &click_row, .async = double_async};

static struct tw_stream *async_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_async_wait(in, &doubled, .timeout_ms = 1000);
}

static void asynchronous_requests_answer_at_once(void **state)
{
    struct tw_harness *h = tw_harness_create(async_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, "ada", 4, 10);
    assert_int_equal(tw_push_watermark(h, 0, 10), 0);
    assert_string_equal(tw_output(h, true), "+I[ada, 8]@10\nW@10\n");
    tw_harness_free(h);
}

/* --- kinds of rows, and what never ends ---------------------------------------------------------------------------------- */
static struct tw_stream *passed_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_where(in, "n", ">", "0");
}

static struct tw_stream *named_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    struct tw_stream *s = tw_operator(in, "where", TW_OPTIONS("field", "n", "op", ">", "literal", "1"));
    return tw_operator(s, "project", TW_OPTIONS("columns", "n * 2 AS twice", "columns", "user"));
}

static void operators_by_name(void **state)
{
    struct tw_harness *h = tw_harness_create(named_graph, NULL, &click_row, NULL);

    (void)state;
    for (int64_t n = 1; n <= 3; n++) tw_push(h, 0, &(struct click){TW_STR("ada"), n}, n);
    assert_string_equal(tw_output(h, false), "+I[4, ada]@2\n+I[6, ada]@3\n");
    tw_harness_free(h);
}

static void kinds_of_a_changelog(void **state)
{
    struct tw_harness *h = tw_harness_create(passed_graph, NULL, &click_row, NULL);
    struct click c = {TW_STR("ada"), 1};

    (void)state;
    assert_int_equal(tw_push_kind(h, 0, TW_INSERT, &c, 1), 0);
    assert_int_equal(tw_push_kind(h, 0, TW_UPDATE_BEFORE, &c, 2), 0);
    assert_int_equal(tw_push_kind(h, 0, TW_UPDATE_AFTER, &c, TW_NO_TIME), 0);
    assert_int_equal(tw_push_kind(h, 0, TW_DELETE, &c, 4), 0);
    assert_int_equal(tw_push(h, 0, &c, 5), 0);
    assert_string_equal(tw_output(h, false), "+I[ada, 1]@1\n-U[ada, 1]@2\n+U[ada, 1]\n-D[ada, 1]@4\n+I[ada, 1]@5\n");
    assert_int_equal(tw_push_kind(h, 1, TW_DELETE, &c, 4), 1);
    assert_string_equal(tw_harness_error(h), "tw_push_kind: the harness has no input 1");
    tw_harness_free(h);
}

static enum tw_status again_process(struct tw_context *cx, const void *in)
{
    (void)in;
    tw_register_processing_timer(cx, tw_now_ms(cx));
    return TW_OK;
}
static enum tw_status again_timer(struct tw_context *cx, int64_t time_ms)
{
    tw_register_processing_timer(cx, time_ms);
    return TW_OK;
}
TW_FUNCTION(again) = {.in = &click_row, .out = &click_row, .process = again_process, .on_timer = again_timer};

static struct tw_stream *again_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_process(tw_key_by(in, "user"), &again);
}

static void what_has_no_end_is_a_failure(void **state)
{
    struct tw_harness *h = tw_harness_create(again_graph, NULL, &click_row, NULL);
    struct click c = {TW_STR("ada"), 1};

    (void)state;
    assert_int_equal(tw_push(h, 0, &c, 1), 1);
    assert_string_equal(
        tw_harness_error(h),
        "this does not come to an end: after 20000 rounds timers are still due; does a timer register itself for the "
        "present time again?");
    tw_harness_free(h);
}

/* --- accumulators, blocking ------------------------------------------------------------------------------------------------ */
static enum tw_status measure(struct tw_context *cx, const void *in, bool *keep)
{
    const struct click *c = in;

    tw_counter_add(cx, "rows", 1);
    tw_double_add(cx, "half", 0.5);
    tw_average_add(cx, "mean", (double)c->n);
    tw_histogram_add(cx, "values", (int32_t)c->n);
    *keep = c->n != 2;
    return TW_OK;
}
TW_FUNCTION(measured) = {.in = &click_row, .filter = measure, .flags = TW_BLOCKING};

static struct tw_stream *measured_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_filter(in, &measured);
}

static void accumulators_of_a_blocking_function(void **state)
{
    struct tw_harness *h = tw_harness_create(measured_graph, NULL, &click_row, NULL);
    int64_t n = 0;
    int32_t value = 0;
    double x = 0;

    (void)state;
    push(h, 0, "ada", 1, 1);
    push(h, 0, "ada", 2, 2);
    push(h, 0, "ada", 6, 3);
    push(h, 0, "ada", 6, 4);
    assert_string_equal(tw_output(h, false), "+I[ada, 1]@1\n+I[ada, 6]@3\n+I[ada, 6]@4\n");
    assert_false(tw_harness_double(h, "half", &x));
    assert_false(tw_harness_histogram(h, "values", 0, &value, &n));
    assert_int_equal(tw_push_end(h), 0);
    assert_true(tw_harness_counter(h, "rows", &n));
    assert_int_equal(n, 4);
    assert_true(tw_harness_double(h, "half", &x));
    assert_true(x == 2.0);
    assert_true(tw_harness_double(h, "mean", &x));
    assert_true(x == 3.75);
    assert_true(tw_harness_histogram(h, "values", 2, &value, &n));
    assert_int_equal(value, 6);
    assert_int_equal(n, 2);
    assert_false(tw_harness_histogram(h, "values", 3, &value, &n));
    assert_false(tw_harness_counter(h, "half", &n));
    assert_false(tw_harness_double(h, "none", &x));
    tw_harness_free(h);
}

/* --- windows, two inputs, broadcast ----------------------------------------------------------------------------------------- */
static struct tw_stream *window_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_window_columns(tw_key_by(in, "user"), TW_TUMBLE(10, .allowed_lateness_ms = 5), "sum(n) AS total");
}

static void windows_fire_again_and_give_up(void **state)
{
    struct tw_harness *h = tw_harness_create(window_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, "ada", 1, 3);
    push(h, 0, "ada", 2, 9);
    push(h, 0, "ada", 4, 10);
    assert_int_equal(tw_push_watermark(h, 0, 8), 0);
    assert_string_equal(tw_output(h, false), "");
    assert_int_equal(tw_push_watermark(h, 0, 9), 0);
    assert_string_equal(tw_output(h, true), "+I[ada, 1970-01-01T00:00, 1970-01-01T00:00:00.010, 3]@9\nW@9\n");
    push(h, 0, "ada", 8, 0);
    assert_string_equal(tw_output(h, false), "+I[ada, 1970-01-01T00:00, 1970-01-01T00:00:00.010, 11]@9\n");
    assert_int_equal(tw_push_watermark(h, 0, 14), 0);
    push(h, 0, "ada", 16, 5);
    assert_string_equal(tw_output(h, false), "late: +I[ada, 16]@5\n");
    assert_int_equal(tw_push_end(h), 0);
    assert_string_equal(tw_output(h, false), "+I[ada, 1970-01-01T00:00:00.010, 1970-01-01T00:00:00.020, 4]@19\n");
    tw_harness_free(h);
}

static enum tw_status remember(struct tw_context *cx, const void *in)
{
    tw_value_set_long(cx, &total, ((const struct click *)in)->n);
    return TW_OK;
}
static enum tw_status multiply(struct tw_context *cx, const void *in)
{
    struct click out = *(const struct click *)in;

    out.n *= tw_value_long(cx, &total, 1);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(multiplied) = {.in = &click_row,
                           .in2 = &click_row,
                           .out = &click_row,
                           .states = {&total},
                           .process = multiply,
                           .process2 = remember};

static struct tw_stream *co_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)arg;
    return tw_co_process(tw_key_by(in, "user"), tw_key_by(in2, "user"), &multiplied);
}

static void two_inputs_share_the_state_of_a_key(void **state)
{
    struct tw_harness *h = tw_harness_create(co_graph, NULL, &click_row, &click_row);

    (void)state;
    push(h, 0, "ada", 3, 1);
    push(h, 1, "ada", 7, 2);
    push(h, 0, "ada", 3, 3);
    push(h, 0, "bob", 3, 4);
    assert_int_equal(tw_push_watermark(h, 1, 9), 0);
    assert_int_equal(tw_push_watermark(h, 0, 6), 0);
    assert_string_equal(tw_output(h, true), "+I[ada, 3]@1\n+I[ada, 21]@3\n+I[bob, 3]@4\nW@6\n");
    tw_harness_free(h);
}

static const struct tw_state rules = {.name = "rules", .kind = TW_BROADCAST, .map_key = "STRING", .value = "BIGINT"};

static enum tw_status learn(struct tw_context *cx, const void *in)
{
    const struct click *rule = in;

    tw_map_put(cx, &rules, &rule->user, &rule->n);
    return TW_OK;
}
static enum tw_status apply(struct tw_context *cx, const void *in)
{
    struct click out = *(const struct click *)in;
    int64_t factor = 0;

    if (!tw_map_get(cx, &rules, &out.user, &factor)) return TW_OK;
    out.n *= factor;
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(ruled) = {
    .in = &click_row, .in2 = &click_row, .out = &click_row, .states = {&rules}, .process = apply, .process2 = learn};

static struct tw_stream *rules_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)arg;
    return tw_broadcast_process(in, in2, &ruled);
}

static void broadcast_rules_hold_for_all(void **state)
{
    struct tw_harness *h = tw_harness_create(rules_graph, NULL, &click_row, &click_row);

    (void)state;
    push(h, 0, "ada", 3, 1);
    push(h, 1, "ada", 5, 2);
    push(h, 0, "ada", 3, 3);
    push(h, 0, "bob", 3, 4);
    assert_string_equal(tw_output(h, false), "+I[ada, 15]@3\n");
    tw_harness_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_of_both_clocks_state_and_side_output),
        cmocka_unit_test(failure_says_operator_key_and_row),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(two_inputs_and_the_lower_watermark),
        cmocka_unit_test(asynchronous_requests_answer_at_once),
        cmocka_unit_test(operators_by_name), cmocka_unit_test(kinds_of_a_changelog),
        cmocka_unit_test(what_has_no_end_is_a_failure),
        cmocka_unit_test(accumulators_of_a_blocking_function),
        cmocka_unit_test(windows_fire_again_and_give_up),
        cmocka_unit_test(two_inputs_share_the_state_of_a_key),
        cmocka_unit_test(broadcast_rules_hold_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
