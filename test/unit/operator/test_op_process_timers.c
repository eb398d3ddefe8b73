/* test_op_process_timers.c - timers of functions with state: both time domains, their order, duplicates, timers that set others,
 * more than a batch of them; state and timers shared by two streams. */
#include "support/rows.h"
#include "support/user_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* --- timers ------------------------------------------------------------------------------------------------------- */
/* n: registers an event timer at n; negative: deletes the one at -n; "now": a processing-time timer at n instead. */
static enum tw_status set_timer(struct tw_context *cx, const void *in)
{
    const struct event *e = in;
    bool processing = tw_str_equal(e->what, TW_STR("now"));

    if (e->n < 0 && processing)
        tw_delete_processing_timer(cx, -e->n);
    else if (e->n < 0)
        tw_delete_event_timer(cx, -e->n);
    else if (processing)
        tw_register_processing_timer(cx, e->n);
    else
        tw_register_event_timer(cx, e->n);
    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + 1);
    return TW_OK;
}

/* A timer at a multiple of 100 sets two more: one 5 later, one 50 back, which is due at once. Tells the count so far. */
static enum tw_status ring(struct tw_context *cx, int64_t time_ms)
{
    if (time_ms != tw_time(cx)) return tw_fail(cx, "two times");
    if (time_ms % 100 == 0 && !tw_timer_is_processing_time(cx)) {
        tw_register_event_timer(cx, time_ms + 5);
        tw_register_event_timer(cx, time_ms - 50);
        tw_delete_event_timer(cx, time_ms + 7);
    }
    events_emit(cx, tw_value_long(cx, &count_state, -1), tw_timer_is_processing_time(cx) ? "processing" : "event");
    return TW_OK;
}
TW_FUNCTION(alarm) = {.in = &event_row,
                      .out = &result_row,
                      .key = &user_row,
                      .states = {&count_state},
                      .process = set_timer,
                      .on_timer = ring};

static void event_timer_scenario(struct op_driver *d)
{
    op_push(d, 0,
            "30 | ann | x\n10 | bob | x\n10 | bob | x\n20 | cid | x\n20 | ann | x\n-20 | ann | x\n40 | bob | x\n-40 | "
            "cid | x");
    op_push_watermark(d, 9);
    assert_string_equal(op_output(d), "");
    op_push_watermark(d, 30);
    assert_string_equal(op_output(d), "+I[bob, 3, event]@10\n+I[cid, 2, event]@20\n+I[ann, 3, event]@30\n");
    op_push(d, 0, "25 | ann | x"); /* in the past: due with the next watermark */
    assert_string_equal(op_output(d), "");
    op_push_watermark(d, 31);
    assert_string_equal(op_output(d), "+I[ann, 4, event]@25\n");
    op_push_end(d);
    assert_string_equal(op_output(d), "+I[bob, 3, event]@40\n");
}

static void timers_fire_in_order_once_per_key_and_time(void **state)
{
    (void)state;
    events_run("process", &alarm, NULL, NULL, event_timer_scenario);
}

static void changing_timers_scenario(struct op_driver *d)
{
    op_push(d, 0, "100 | ann | x\n103 | bob | x\n107 | ann | x\n200 | ann | x\n204 | bob | x\n206 | bob | x");
    op_push_watermark(d, 1000);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(op_output(d),
                        "+I[ann, 3, event]@100\n+I[ann, 3, event]@50\n+I[bob, 3, event]@103\n+I[ann, 3, event]@105\n"
                        "+I[ann, 3, event]@200\n+I[ann, 3, event]@150\n+I[bob, 3, event]@204\n+I[ann, 3, "
                        "event]@205\n+I[bob, 3, event]@206\n");
}

static void a_timer_may_set_and_delete_others(void **state)
{
    (void)state;
    events_run("process", &alarm, NULL, NULL, changing_timers_scenario);
}

static void processing_timer_scenario(struct op_driver *d)
{
    op_set_time(d, 1000);
    op_push(d, 0, "1500 | ann | now\n1200 | bob | now\n1300 | bob | now\n-1300 | bob | now\n1200 | bob | now");
    assert_int_equal(op_next_wake(d), 1200);
    op_set_time(d, 1199);
    assert_string_equal(op_output(d), "");
    op_set_time(d, 1200);
    assert_string_equal(op_output(d), "+I[bob, 4, processing]\n");
    op_set_time(d, 9000);
    assert_string_equal(op_output(d), "+I[ann, 1, processing]\n");
    assert_int_equal(op_next_wake(d), INT64_MAX);
}

static void processing_time_timers_follow_the_clock(void **state)
{
    (void)state;
    events_run("process", &alarm, NULL, NULL, processing_timer_scenario);
}

/* The user whose timer is at time 1001 + t: every time below 1900 once. */
static int user_at(int t) { return t * 7919 % 1900; }

static void many_timers_scenario(struct op_driver *d)
{
    struct mem mem;
    struct buf rows, expected;

    mem_init(&mem, "test", 0);
    buf_init(&rows, &mem);
    buf_init(&expected, &mem);
    for (int i = 0; i < 1900; i++) {
        int at = i * 1237 % 1900 + 1001; /* in no particular order */
        if (at % 100 != 5) buf_printf(&rows, "%d | user %d | x\n", at, user_at(at - 1001));
    }
    for (int at = 1001; at < 1001 + 1900; at++) {
        if (at % 100 == 5 && at < 1100) continue;
        buf_printf(&expected, "+I[user %d, 1, event]@%d\n", user_at(at % 100 == 5 ? at - 1006 : at - 1001), at);
        if (at % 100 == 0) buf_printf(&expected, "+I[user %d, 1, event]@%d\n", user_at(at - 1001), at - 50);
    }
    op_push(d, 0, buf_text(&rows));
    op_push_watermark(d, 1001 + 1900 - 1);
    assert_string_equal(op_output(d), buf_text(&expected));
    buf_release(&rows);
    buf_release(&expected);
    mem_release(&mem);
}

static void more_timers_than_a_batch_are_due_at_once(void **state)
{
    (void)state;
    events_run("process", &alarm, NULL, NULL, many_timers_scenario);
}

/* --- two streams -------------------------------------------------------------------------------------------------- */
static enum tw_status add_second(struct tw_context *cx, const void *in)
{
    const struct event *e = in;

    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + 100 * e->n);
    tw_register_event_timer(cx, 50);
    events_emit(cx, tw_value_long(cx, &count_state, 0), "second");
    return TW_OK;
}
static enum tw_status add_first(struct tw_context *cx, const void *in)
{
    const struct event *e = in;

    tw_value_set_long(cx, &count_state, tw_value_long(cx, &count_state, 0) + e->n);
    events_emit(cx, tw_value_long(cx, &count_state, 0), "first");
    return TW_OK;
}
TW_FUNCTION(both) = {.in = &event_row,
                     .in2 = &event_row,
                     .out = &result_row,
                     .key = &user_row,
                     .states = {&count_state},
                     .process = add_first,
                     .process2 = add_second,
                     .on_timer = ring};

static void both_scenario(struct op_driver *d)
{
    op_push(d, 0, "1 | ann | x\n2 | bob | x");
    op_push(d, 1, "x | bob | 3\nx | ann | 4\nx | cid | 5");
    op_push(d, 0, "6 | bob | x\n7 | cid | x");
    op_push_watermark(d, 50);
    assert_string_equal(op_driver_error(d), "");
    assert_string_equal(
        op_output(d),
        "+I[ann, 1, first]\n+I[bob, 2, first]\n+I[bob, 302, second]\n+I[ann, 401, second]\n+I[cid, 500, second]\n"
        "+I[bob, 308, first]\n+I[cid, 507, first]\n+I[bob, 308, event]@50\n+I[cid, 507, event]@50\n+I[ann, 401, "
        "event]@50\n");
}

static void two_streams_share_state_and_timers(void **state)
{
    (void)state;
    events_run("co_process", &both, "ROW<what STRING, user STRING, n BIGINT>", "user", both_scenario);
}

static void streams_keyed_differently_are_refused(void **state)
{
    struct function_config c = {{.name = "both", .fn = &both}};
    struct op_driver *d = op_driver_create(&(struct op_setup){
        .type = op_find("co_process"), .config = &c, .in = EVENTS, .keys = "user", .in2 = EVENTS, .keys2 = "n"});

    (void)state;
    assert_string_equal(op_driver_error(d), "the two streams are keyed by columns of different types: 'user' and 'n'");
    op_driver_free(d);
    d = op_driver_create(
        &(struct op_setup){.type = op_find("co_process"), .config = &c, .in = EVENTS, .keys = "user", .in2 = EVENTS});
    assert_string_equal(
        op_driver_error(d),
        "the two streams are keyed differently: by 1 and by 0 columns (key both streams alike, or neither)");
    op_driver_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_once_per_key_and_time),
        cmocka_unit_test(a_timer_may_set_and_delete_others),
        cmocka_unit_test(processing_time_timers_follow_the_clock),
        cmocka_unit_test(more_timers_than_a_batch_are_due_at_once),
        cmocka_unit_test(two_streams_share_state_and_timers),
        cmocka_unit_test(streams_keyed_differently_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
