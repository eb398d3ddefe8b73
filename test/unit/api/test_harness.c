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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_of_both_clocks_state_and_side_output),
        cmocka_unit_test(failure_says_operator_key_and_row),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(two_inputs_and_the_lower_watermark),
        cmocka_unit_test(asynchronous_requests_answer_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
