/* test_harness_settings.c - the harness with a parallelism and a configuration; how many keyed entries and timers there are;
 * time to live on a clock set by hand. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct click {
    int64_t user, n;
};
TW_ROW(click, TW_FIELD(click, user, "BIGINT NOT NULL"), TW_FIELD(click, n, "BIGINT NOT NULL"));
struct key {
    int64_t user;
};
TW_ROW(key, TW_FIELD(key, user, "BIGINT NOT NULL"));
struct place {
    int64_t user, subtask, subtasks, limit;
};
TW_ROW(place, TW_FIELD(place, user, "BIGINT NOT NULL"), TW_FIELD(place, subtask, "BIGINT NOT NULL"),
       TW_FIELD(place, subtasks, "BIGINT NOT NULL"), TW_FIELD(place, limit, "BIGINT NOT NULL"));

static enum tw_status where_am_i(struct tw_context *cx, const void *in)
{
    const char *limit = tw_job_parameter(cx, "limit");
    struct place p = {((const struct click *)in)->user, tw_subtask(cx), tw_subtasks(cx),
                      limit != NULL ? limit[0] - '0' : -1};

    tw_collect(cx, &p);
    return TW_OK;
}
TW_FUNCTION(places) = {.in = &click_row, .out = &place_row, .key = &key_row, .process = where_am_i};

static struct tw_stream *place_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_process(tw_key_by(in, "user"), &places);
}

static void push(struct tw_harness *h, uint32_t input, int64_t user, int64_t n, int64_t time)
{
    struct click c = {user, n};

    assert_int_equal(tw_push(h, input, &c, time), 0);
}

static void rows_go_to_the_subtask_of_their_key(void **state)
{
    struct tw_harness *h = tw_harness_create_with(place_graph, NULL, &click_row, NULL, .parallelism = 2,
                                                  .max_parallelism = 2, .parameters = TW_OPTIONS("limit", "7"));
    uint32_t rows_of[2] = {0};

    (void)state;
    assert_string_equal(tw_harness_error(h), "");
    for (int64_t user = 0; user < 32; user++) {
        long long got_user, subtask, subtasks, limit, first = -1;
        for (int again = 0; again < 2; again++) {
            push(h, 0, user, 1, 5);
            assert_int_equal(
                sscanf(tw_output(h, false), "+I[%lld, %lld, %lld, %lld]@5", &got_user, &subtask, &subtasks, &limit), 4);
            assert_int_equal(got_user, user);
            assert_int_equal(subtasks, 2);
            assert_int_equal(limit, 7);
            assert_true(again == 0 || subtask == first);
            first = subtask;
        }
        assert_in_range(subtask, 0, 1);
        rows_of[subtask]++;
    }
    assert_true(rows_of[0] > 4 && rows_of[1] > 4);
    assert_int_equal(tw_push_end(h), 0);
    tw_harness_free(h);
    h = tw_harness_create(place_graph, NULL, &click_row, NULL);
    push(h, 0, 3, 1, TW_NO_TIME);
    assert_string_equal(tw_output(h, false), "+I[3, 0, 1, -1]\n");
    tw_harness_free(h);
}

static void wrong_settings_are_told(void **state)
{
    struct tw_harness *h = tw_harness_create_with(place_graph, NULL, &click_row, NULL,
                                                  .settings = TW_OPTIONS("state.backend.type", "heap"));

    (void)state;
    assert_string_equal(tw_harness_error(h), "there is no state backend 'heap' (state.backend.type); it is 'hashmap' or 'rocksdb'");
    tw_harness_free(h);
    h = tw_harness_create_with(place_graph, NULL, &click_row, NULL, .settings = TW_OPTIONS("alone"));
    assert_string_equal(tw_harness_error(h), "settings and parameters of a harness come in pairs of key and value");
    tw_harness_free(h);
    h = tw_harness_create_with(place_graph, NULL, &click_row, NULL, .parallelism = 3, .max_parallelism = 2);
    assert_non_null(strstr(tw_harness_error(h), "test_harness_settings.c:"));
    assert_non_null(
        strstr(tw_harness_error(h), ": parallelism 3 of 'KeyedProcess' is more than its max parallelism 2"));
    tw_harness_free(h);
}

/* --- entries and timers ---------------------------------------------------------------------------------------------------- */
static const struct tw_state total = {.name = "total", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state seen = {.name = "seen", .kind = TW_MAP, .value = "BIGINT", .map_key = "BIGINT"};

/* n > 0: state, two timers in event time (the second time the same ones), one in processing time; n == 0: all goes. */
static enum tw_status keep(struct tw_context *cx, const void *in)
{
    const struct click *c = in;

    if (c->n == 0) {
        tw_state_clear(cx, &total);
        tw_delete_event_timer(cx, 100);
        return TW_OK;
    }
    tw_value_set_long(cx, &total, tw_value_long(cx, &total, 0) + c->n);
    tw_map_put(cx, &seen, &c->n, &c->n);
    tw_register_event_timer(cx, 100);
    tw_register_event_timer(cx, 200);
    tw_register_processing_timer(cx, 50);
    return TW_OK;
}

static enum tw_status tell(struct tw_context *cx, int64_t time_ms)
{
    struct click out = {((const struct key *)tw_key(cx))->user, time_ms};

    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(keeps) = {
    .in = &click_row, .out = &click_row, .key = &key_row, .states = {&total, &seen}, .process = keep, .on_timer = tell};

static struct tw_stream *keep_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_process(tw_key_by(in, "user"), &keeps);
}

static void expect_counts(struct tw_harness *h, uint64_t entries, uint64_t event, uint64_t processing)
{
    assert_int_equal(tw_harness_state_entries(h), entries);
    assert_int_equal(tw_harness_event_timers(h), event);
    assert_int_equal(tw_harness_processing_timers(h), processing);
}

static void entries_and_timers_are_counted_exactly(void **state)
{
    (void)state;
    for (uint32_t parallelism = 1; parallelism <= 3; parallelism++) {
        struct tw_harness *h = tw_harness_create_with(keep_graph, NULL, &click_row, NULL, .parallelism = parallelism);
        expect_counts(h, 0, 0, 0);
        push(h, 0, 1, 5, 1);
        push(h, 0, 1, 6, 2); /* the same timers again, and a second entry of the map, which is one state of the key */
        expect_counts(h, 2, 2, 1);
        push(h, 0, 2, 5, 3);
        expect_counts(h, 4, 4, 2);
        push(h, 0, 2, 0, 4); /* clears the value, not the map; deletes one timer */
        expect_counts(h, 3, 3, 2);
        assert_int_equal(tw_push_watermark(h, 0, 150), 0);
        assert_string_equal(tw_output(h, false), "+I[1, 100]@100\n");
        expect_counts(h, 3, 2, 2);
        push(h, 0, 3, 1, 150); /* one that is in the past, and fires with the next watermark */
        expect_counts(h, 5, 4, 3);
        assert_int_equal(tw_set_processing_time(h, 50), 0);
        expect_counts(h, 5, 4, 0);
        assert_int_equal(tw_push_end(h), 0);
        expect_counts(h, 0, 0, 0);
        tw_harness_free(h);
    }
}

/* --- time to live ------------------------------------------------------------------------------------------------------------- */
static const struct tw_state brief = {.name = "brief", .kind = TW_VALUE, .value = "BIGINT", .ttl = {.ttl_ms = 100}};

static enum tw_status sum_brief(struct tw_context *cx, const void *in)
{
    struct click out = *(const struct click *)in;

    out.n += tw_value_long(cx, &brief, 0);
    tw_value_set_long(cx, &brief, out.n);
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(brief_sums) = {
    .in = &click_row, .out = &click_row, .key = &key_row, .states = {&brief}, .process = sum_brief};

static struct tw_stream *brief_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_process(tw_key_by(in, "user"), &brief_sums);
}

static void what_lives_as_long_as_the_hand_says(void **state)
{
    struct tw_harness *h = tw_harness_create(brief_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, 1, 5, TW_NO_TIME);
    assert_int_equal(tw_set_processing_time(h, 99), 0);
    push(h, 0, 1, 1, TW_NO_TIME); /* written anew: lives to 199 */
    assert_int_equal(tw_set_processing_time(h, 198), 0);
    push(h, 0, 2, 7, TW_NO_TIME);
    push(h, 0, 1, 1, TW_NO_TIME);
    assert_int_equal(tw_set_processing_time(h, 298), 0); /* its last millisecond has passed */
    push(h, 0, 1, 1, TW_NO_TIME);
    assert_string_equal(tw_output(h, false), "+I[1, 5]\n+I[1, 6]\n+I[2, 7]\n+I[1, 7]\n+I[1, 1]\n");
    tw_harness_free(h);
}

/* --- asynchronous requests ---------------------------------------------------------------------------------------------------- */
static enum tw_status ask(struct tw_context *cx, const void *in)
{
    struct click out = *(const struct click *)in;

    out.n *= 10;
    tw_collect(cx, &out);
    return TW_OK;
}

static enum tw_status too_late(struct tw_context *cx, const void *in)
{
    struct click out = {((const struct click *)in)->user, -1};

    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(asks) = {.in = &click_row, .out = &click_row, .async = ask, .timeout = too_late};
TW_FUNCTION(asks_strictly) = {.in = &click_row, .out = &click_row, .async = ask};

static struct tw_stream *ask_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2;
    return tw_async_wait(in, arg, .timeout_ms = 100);
}

/* Never answers; counts its calls. */
static enum tw_status ask_in_vain(struct tw_context *cx, const void *in)
{
    int32_t *calls = *(int32_t *const *)tw_config(cx).data;

    (void)in;
    return tw_fail(cx, "call %d", ++*calls);
}
TW_FUNCTION(asks_in_vain) = {.in = &click_row, .out = &click_row, .async = ask_in_vain, .timeout = too_late};

static struct tw_stream *vain_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2;
    return tw_with_config(tw_async_wait(in, &asks_in_vain, .timeout_ms = 50, .attempts = 3, .retry_delay_ms = 10), &arg, sizeof arg);
}

/* One jump and many small ones are the same: retries at 10 and 20 come before the limit at 50. */
static void a_jump_stops_at_each_due_time(void **state)
{
    static const int64_t ways[2][3] = {{500, 500, 500}, {10, 20, 500}};

    (void)state;
    for (int way = 0; way < 2; way++) {
        int32_t calls = 0;
        int failed = 0;
        struct tw_harness *h = tw_harness_create(vain_graph, &calls, &click_row, NULL);
        push(h, 0, 1, 1, 1);
        assert_int_equal(calls, 1);
        for (int i = 0; i < 3; i++) failed = tw_set_processing_time(h, ways[way][i]);
        assert_int_equal(failed, 1);
        assert_int_equal(calls, 3);
        assert_string_equal(tw_harness_error(h), "operator 'async wait operator' (subtask 1/1): attempt 3 of 3: row +I[1, 1]: call 3");
        assert_string_equal(tw_output(h, false), "");
        tw_harness_free(h);
    }
}

/* A timer sees its own time, and what it registers is due on the way too. */
static enum tw_status tick_start(struct tw_context *cx, const void *in)
{
    (void)in;
    tw_register_processing_timer(cx, 100);
    return TW_OK;
}
static enum tw_status tick(struct tw_context *cx, int64_t time_ms)
{
    struct click out = {((const struct key *)tw_key(cx))->user, tw_now_ms(cx)};

    tw_collect(cx, &out);
    (void)time_ms;
    tw_register_processing_timer(cx, tw_now_ms(cx) + 100);
    return TW_OK;
}
TW_FUNCTION(ticks) = {
    .in = &click_row, .out = &click_row, .key = &key_row, .process = tick_start, .on_timer = tick};

static struct tw_stream *tick_graph(struct tw_stream *in, struct tw_stream *in2, void *arg)
{
    (void)in2, (void)arg;
    return tw_process(tw_key_by(in, "user"), &ticks);
}

static void timers_come_at_their_own_time(void **state)
{
    struct tw_harness *h = tw_harness_create(tick_graph, NULL, &click_row, NULL);

    (void)state;
    push(h, 0, 7, 1, 1);
    assert_int_equal(tw_set_processing_time(h, 399), 0);
    assert_string_equal(tw_output(h, false), "+I[7, 100]\n+I[7, 200]\n+I[7, 300]\n");
    assert_int_equal(tw_set_processing_time(h, INT64_C(1700000000000)), 0); /* not one by one all the way */
    tw_harness_free(h);
}

static void requests_time_out_by_hand(void **state)
{
    struct tw_harness *h = tw_harness_create(ask_graph, (void *)(uintptr_t)&asks, &click_row, NULL);

    (void)state;
    push(h, 0, 1, 1, 1);
    assert_string_equal(tw_output(h, false), "+I[1, 10]@1\n");
    assert_int_equal(tw_hold_async(h, true), 0);
    push(h, 0, 2, 2, 2);
    assert_int_equal(tw_set_processing_time(h, 50), 0);
    push(h, 0, 3, 3, 3);
    assert_int_equal(tw_set_processing_time(h, 99), 0);
    assert_string_equal(tw_output(h, false), "");
    assert_int_equal(tw_set_processing_time(h, 100), 0);
    assert_string_equal(tw_output(h, false), "+I[2, -1]@2\n");
    assert_int_equal(tw_hold_async(h, false), 0); /* the first answer comes too late, the second does not */
    assert_string_equal(tw_output(h, false), "+I[3, 30]@3\n");
    push(h, 0, 4, 4, 4);
    assert_string_equal(tw_output(h, false), "+I[4, 40]@4\n");
    assert_int_equal(tw_hold_async(h, true), 0);
    push(h, 0, 5, 5, 5);
    assert_int_equal(tw_push_end(h), 0); /* waits for the answer */
    assert_string_equal(tw_output(h, false), "");
    assert_int_equal(tw_hold_async(h, false), 0);
    assert_string_equal(tw_output(h, false), "+I[5, 50]@5\n");
    tw_harness_free(h);
}

static void without_a_timeout_hook_the_limit_fails(void **state)
{
    struct tw_harness *h = tw_harness_create(ask_graph, (void *)(uintptr_t)&asks_strictly, &click_row, NULL);

    (void)state;
    assert_int_equal(tw_hold_async(h, true), 0);
    push(h, 0, 2, 2, 2);
    assert_int_equal(tw_set_processing_time(h, 99), 0);
    assert_int_equal(tw_set_processing_time(h, 100), 1);
    assert_non_null(strstr(tw_harness_error(h), "100 ms"));
    tw_harness_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_to_the_subtask_of_their_key),
        cmocka_unit_test(wrong_settings_are_told),
        cmocka_unit_test(entries_and_timers_are_counted_exactly),
        cmocka_unit_test(what_lives_as_long_as_the_hand_says),
        cmocka_unit_test(requests_time_out_by_hand),
        cmocka_unit_test(a_jump_stops_at_each_due_time),
        cmocka_unit_test(timers_come_at_their_own_time),
        cmocka_unit_test(without_a_timeout_hook_the_limit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
