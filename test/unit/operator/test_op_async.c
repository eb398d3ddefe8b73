/* test_op_async.c - asynchronous requests: order, watermarks, capacity, retries and time limits. Inline on the driver's clock
 * first, then with helper threads whose callbacks wait for each other through mailboxes: no test sleeps. */
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct ask {
    struct tw_str word;
    int32_t n;
};
TW_ROW(ask, TW_FIELD(ask, word, "STRING NOT NULL"), TW_FIELD(ask, n, "INT NOT NULL"));
#define ASKS "ROW<word STRING, n INT>"

/* Answers n rows. */
static enum tw_status answer_n(struct tw_context *cx, const void *in)
{
    const struct ask *a = in;
    char text[64];

    for (int i = 0; i < a->n; i++) {
        struct ask out = {.n = i};
        int size = snprintf(text, sizeof text, "answer %d to %.*s", i, (int)a->word.size, a->word.data);
        out.word = (struct tw_str){text, (size_t)size};
        tw_collect(cx, &out);
    }
    return TW_OK;
}
TW_FUNCTION(answers) = {.in = &ask_row, .out = &ask_row, .async = answer_n};

static void a_request_may_have_any_number_of_answers(void **state)
{
    struct async_config c = {.function = {.name = "answers", .fn = &answers}, .capacity = 3};
    static const uint32_t sizes[] = {0, 1, 3};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = op_find("async"), .config = &c, .in = ASKS, .batch_rows = sizes[i], .watermarks = true});
        op_push(d, 0, "@1 a | 1\n@2 b | 0\n@3 c | 2\n@4 d | 1\n@5 e | 1");
        op_push_watermark(d, 5);
        op_push(d, 0, "@6 f | 1");
        op_push_end(d);
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(
            op_output(d),
            "+I[answer 0 to a, 0]@1\n+I[answer 0 to c, 0]@3\n+I[answer 1 to c, 1]@3\n+I[answer 0 to d, 0]@4\n"
            "+I[answer 0 to e, 0]@5\nW@5\n+I[answer 0 to f, 0]@6\nW@max\n");
        op_driver_free(d);
    }
}

static void an_answer_may_be_larger_than_a_batch(void **state)
{
    struct async_config c = {.function = {.name = "answers", .fn = &answers}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("async"), .config = &c, .in = ASKS, .batch_rows = 7});

    (void)state;
    op_push(d, 0, "x | 100");
    const char *at = op_output(d);
    for (int i = 0; i < 100; i++) {
        char line[64];
        size_t size = (size_t)snprintf(line, sizeof line, "+I[answer %d to x, %d]\n", i, i);
        assert_memory_equal(at, line, size);
        at += size;
    }
    assert_string_equal(at, "");
    op_driver_free(d);
}

/* --- retries and time limits, on the driver's clock -------------------------------------------------------------------- */
struct tries {
    int32_t calls;
};
/* Fails until it was called n times, over all rows. */
static enum tw_status fail_often(struct tw_context *cx, const void *in)
{
    const struct ask *a = in;
    struct tries *t = tw_self(cx);

    tw_collect(cx, a); /* rows of a failed attempt are forgotten */
    if (++t->calls < a->n) return tw_fail(cx, "call %d of %d", t->calls, a->n);
    return TW_OK;
}
static enum tw_status give_up(struct tw_context *cx, const void *in)
{
    struct ask out = *(const struct ask *)in;

    out.word = TW_STR("too late");
    tw_collect(cx, &out);
    return TW_OK;
}
TW_FUNCTION(moody) = {.in = &ask_row, .out = &ask_row, .self_size = sizeof(struct tries), .async = fail_often};
TW_FUNCTION(patient) = {
    .in = &ask_row, .out = &ask_row, .self_size = sizeof(struct tries), .async = fail_often, .timeout = give_up};

static void a_failed_request_is_tried_again_after_a_growing_pause(void **state)
{
    struct async_config c = {
        .function = {.name = "moody", .fn = &moody}, .attempts = 6, .retry_delay_ms = 10, .retry_delay_max_ms = 50};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("async"), .config = &c, .in = ASKS});
    static const int64_t times[] = {110, 130, 170, 220};

    (void)state;
    op_set_time(d, 100);
    op_push(d, 0, "@1 a | 6\n@2 b | 1"); /* b is answered at once, and the order keeps it behind a */
    for (uint32_t i = 0; i < COUNT_OF(times); i++) {
        assert_string_equal(op_output(d), "");
        assert_int_equal(op_next_wake(d), times[i]);
        op_set_time(d, times[i]);
    }
    assert_string_equal(op_output(d), "+I[a, 6]@1\n+I[b, 1]@2\n");
    op_driver_free(d);
}

static void too_many_failures_fail_the_task(void **state)
{
    struct async_config c = {.function = {.name = "moody", .fn = &moody}, .attempts = 2, .retry_delay_ms = 10};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("async"), .config = &c, .in = ASKS});

    (void)state;
    op_push(d, 0, "a | 6");
    op_set_time(d, 10);
    assert_string_equal(op_driver_error(d), "attempt 2 of 2: row +I[a, 6]: call 2 of 6");
    op_driver_free(d);
}

static void the_time_limit_covers_all_attempts(void **state)
{
    struct async_config c = {
        .function = {.name = "patient", .fn = &patient}, .attempts = 100, .retry_delay_ms = 10, .timeout_ms = 25};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("async"), .config = &c, .in = ASKS, .watermarks = true});

    (void)state;
    op_push(d, 0, "@1 a | 60");
    op_push_watermark(d, 1);
    op_set_time(d, 10);
    op_set_time(d, 20);
    assert_string_equal(op_output(d), "");
    assert_int_equal(op_next_wake(d), 25);
    op_set_time(d, 25);
    assert_string_equal(op_output(d), "+I[too late, 60]@1\nW@1\n");
    op_driver_free(d);
    c.function = (struct function_ref){.name = "moody", .fn = &moody};
    d = op_driver_create(&(struct op_setup){.type = op_find("async"), .config = &c, .in = ASKS});
    op_push(d, 0, "@1 a | 60");
    op_set_time(d, 25);
    assert_string_equal(op_driver_error(d), "Async function call has timed out: row +I[a, 60], no answer within 25 ms (give function 'moody' a .timeout "
                                            "to answer such rows, or allow more time)");
    op_driver_free(d);
}

/* Answers `word n` with n = the number of calls so far, over all rows; nothing at its first call. */
static enum tw_status count_calls(struct tw_context *cx, const void *in)
{
    struct ask out = *(const struct ask *)in;
    struct tries *t = tw_self(cx);

    out.n = t->calls++;
    if (out.n > 0) tw_collect(cx, &out);
    if (out.n > 1) tw_collect(cx, &out);
    return TW_OK;
}
/* Until there are two rows of n >= in->n. */
static enum tw_status until_enough(struct tw_context *cx, const void *in, const struct tw_try *t, bool *again)
{
    const struct ask *a = in, *row;
    uint32_t good = 0;

    if (*again || t->error) return tw_fail(cx, "did not fail");
    if (t->number != (uint32_t)((struct tries *)tw_self(cx))->calls) return tw_fail(cx, "call %u is wrong", t->number);
    while ((row = tw_next(t->results))) good += row->n >= a->n && tw_str_equal(row->word, a->word);
    *again = tw_element_count(t->results) != 2 || good != 2;
    return TW_OK;
}
TW_FUNCTION(counting) = {.in = &ask_row, .out = &ask_row, .self_size = sizeof(struct tries), .async = count_calls, .retry = until_enough};

static struct op_driver *retry_driver(const struct async_config *c)
{
    return op_driver_create(&(struct op_setup){.type = op_find("async"), .config = c, .in = ASKS, .watermarks = true});
}

static void an_answer_that_is_not_liked_is_asked_for_again(void **state)
{
    static const int64_t times[] = {110, 125, 147, 180, 220};

    (void)state;
    for (int unordered = 0; unordered < 2; unordered++) {
        struct async_config c = {.function = {.name = "counting", .fn = &counting},
                                 .unordered = unordered,
                                 .attempts = 7,
                                 .retry_delay_ms = 10,
                                 .retry_delay_max_ms = 40,
                                 .retry_multiplier = 1.5};
        struct op_driver *d = retry_driver(&c);
        op_set_time(d, 100);
        op_push(d, 0, "@1 a | 5");
        op_push_watermark(d, 1);
        for (uint32_t i = 0; i < COUNT_OF(times); i++) { /* pauses 10, 15, 22, 33, 40 = bound */
            assert_string_equal(op_output(d), "");
            assert_int_equal(op_next_wake(d), times[i]);
            op_set_time(d, times[i]);
        }
        assert_string_equal(op_output(d), "+I[a, 5]@1\n+I[a, 5]@1\nW@1\n");
        op_driver_free(d);
    }
}

static void the_last_answer_counts_when_no_attempt_is_left(void **state)
{
    struct async_config c = {.function = {.name = "counting", .fn = &counting}, .attempts = 2, .retry_delay_ms = 10};
    struct op_driver *d = retry_driver(&c);

    (void)state;
    op_push(d, 0, "@1 a | 5");
    op_set_time(d, 9);
    assert_string_equal(op_output(d), "");
    op_set_time(d, 10);
    assert_string_equal(op_output(d), "+I[a, 1]@1\n");
    op_driver_free(d);
}

static void pauses_end_with_the_input(void **state)
{
    struct async_config c = {
        .function = {.name = "counting", .fn = &counting}, .attempts = 9, .retry_delay_ms = 1000000};
    struct op_driver *d = retry_driver(&c);

    (void)state;
    op_push(d, 0, "@1 a | 5");
    assert_string_equal(op_output(d), "");
    op_push_end(d); /* tried at once, once, though the answer is not liked */
    assert_string_equal(op_output(d), "+I[a, 1]@1\nW@max\n");
    op_driver_free(d);
    c.function = (struct function_ref){.name = "moody", .fn = &moody};
    d = retry_driver(&c);
    op_push(d, 0, "@1 a | 5");
    assert_string_equal(op_driver_error(d), "");
    op_push_end(d);
    assert_string_equal(op_driver_error(d), "attempt 2 of 9: row +I[a, 5]: call 2 of 5");
    op_driver_free(d);
}

/* Only what "call 1 of" fails is worth another attempt. */
static enum tw_status after_the_first(struct tw_context *cx, const void *in, const struct tw_try *t, bool *again)
{
    (void)in;
    if (t->error && (!*again || tw_next(t->results))) return tw_fail(cx, "failures have no rows");
    *again = t->error && strncmp(t->error, "call 1 of", 9) == 0;
    return TW_OK;
}
static enum tw_status never_ask_me(struct tw_context *cx, const void *in, const struct tw_try *t, bool *again)
{
    (void)again;
    tw_collect(cx, in);
    return tw_fail(cx, "and %s", t->error);
}
TW_FUNCTION(choosy) = {.in = &ask_row, .out = &ask_row, .self_size = sizeof(struct tries), .async = fail_often, .retry = after_the_first};
TW_FUNCTION(broken_retry) = {.in = &ask_row, .out = &ask_row, .self_size = sizeof(struct tries), .async = fail_often, .retry = never_ask_me};

static void failures_can_be_chosen(void **state)
{
    struct async_config c = {.function = {.name = "choosy", .fn = &choosy}, .attempts = 9};
    struct op_driver *d = retry_driver(&c);

    (void)state;
    op_push(d, 0, "@1 a | 2");
    assert_string_equal(op_output(d), "+I[a, 2]@1\n");
    op_driver_free(d);
    d = retry_driver(&c);
    op_push(d, 0, "@1 a | 3");
    assert_string_equal(op_driver_error(d), "attempt 2 of 9: row +I[a, 3]: call 2 of 3");
    op_driver_free(d);
    c.function = (struct function_ref){.name = "broken_retry", .fn = &broken_retry};
    d = retry_driver(&c);
    op_push(d, 0, "@1 a | 3");
    assert_string_equal(op_driver_error(d), "attempt 1 of 9: row +I[a, 3]: tw_collect was called where function "
                                            "'broken_retry' emits nothing");
    op_driver_free(d);
}

/* Late: both times have passed when the clock is looked at. The earlier one comes first. */
static void a_retry_before_the_time_limit_is_not_lost(void **state)
{
    struct async_config c = {
        .function = {.name = "patient", .fn = &patient}, .attempts = 3, .retry_delay_ms = 10, .timeout_ms = 50};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("async"), .config = &c, .in = ASKS});

    (void)state;
    op_push(d, 0, "@1 a | 2"); /* the second call answers */
    op_set_time(d, 500);
    assert_string_equal(op_output(d), "+I[a, 2]@1\n");
    assert_string_equal(op_driver_error(d), "");
    op_driver_free(d);
}

/* --- helper threads -------------------------------------------------------------------------------------------------------- */
/* Row n waits for a message in gate n, and when told so opens gate n - 1 behind itself. */
enum { GATES = 8 };
struct gates {
    struct sys *sys;
    struct sys_mailbox *gate[GATES];
    bool chain;
    struct sys_atomic_u64 running, most;
};

static enum tw_status wait_at_gate(struct tw_context *cx, const void *in)
{
    const struct ask *a = in;
    struct gates *g = *(struct gates *const *)tw_config(cx).data;
    uint64_t now = sys_atomic_add(&g->running, 1) + 1;

    if (now > sys_atomic_load(&g->most)) sys_atomic_store(&g->most, now);
    while (sys_mailbox_take(g->sys, g->gate[a->n], INT64_MAX) == NULL) continue;
    tw_collect(cx, a);
    sys_atomic_add(&g->running, (uint64_t)-1);
    if (g->chain && a->n > 0) sys_mailbox_send(g->sys, g->gate[a->n - 1], g);
    return TW_OK;
}
TW_FUNCTION(gated) = {.in = &ask_row, .out = &ask_row, .async = wait_at_gate};
TW_FUNCTION(gated_limit) = {.in = &ask_row, .out = &ask_row, .async = wait_at_gate, .timeout = give_up};

static void gates_open(struct gates *g)
{
    *g = (struct gates){.sys = sys_linux_create_quiet()};
    for (int i = 0; i < GATES; i++) g->gate[i] = sys_mailbox_create(g->sys);
}
static void gates_close(struct gates *g)
{
    for (int i = 0; i < GATES; i++) sys_mailbox_free(g->sys, g->gate[i]);
    sys_linux_free(g->sys);
}

static struct op_driver *gated_driver(struct gates *g, struct async_config *c, struct gates **at)
{
    *at = g;
    c->function.name = "gated";
    if (c->function.fn == NULL) c->function.fn = &gated;
    c->function.config = (struct str){(const char *)at, sizeof *at};
    return op_driver_create(
        &(struct op_setup){.type = op_find("async"), .config = c, .in = ASKS, .sys = g->sys, .watermarks = true});
}

static void ordered_answers_wait_for_earlier_ones(void **state)
{
    struct gates g, *at;
    struct async_config c = {.capacity = 4};

    (void)state;
    gates_open(&g);
    g.chain = true;
    struct op_driver *d = gated_driver(&g, &c, &at);
    op_push(d, 0, "@1 a | 0\n@2 b | 1\n@3 c | 2");
    sys_mailbox_send(g.sys, g.gate[2], &g); /* c answers, then b, then a */
    op_await(d, 3);
    assert_string_equal(op_output(d), "+I[a, 0]@1\n+I[b, 1]@2\n+I[c, 2]@3\n");
    assert_true(sys_atomic_load(&g.most) <= 3);
    op_driver_free(d);
    gates_close(&g);
}

static void unordered_answers_stay_between_watermarks(void **state)
{
    struct gates g, *at;
    struct async_config c = {.capacity = 4, .unordered = true};

    (void)state;
    gates_open(&g);
    struct op_driver *d = gated_driver(&g, &c, &at);
    op_push(d, 0, "@1 a | 0\n@2 b | 1");
    op_push_watermark(d, 2);
    op_push(d, 0, "@3 c | 2");
    sys_mailbox_send(g.sys, g.gate[2], &g); /* must not pass the watermark */
    sys_mailbox_send(g.sys, g.gate[1], &g);
    op_await(d, 1);
    assert_string_equal(op_output(d), "+I[b, 1]@2\n");
    sys_mailbox_send(g.sys, g.gate[0], &g);
    op_await(d, 3);
    assert_string_equal(op_output(d), "+I[a, 0]@1\nW@2\n+I[c, 2]@3\n");
    op_driver_free(d);
    gates_close(&g);
}

static void capacity_bounds_what_is_in_flight(void **state)
{
    struct gates g, *at;
    struct async_config c = {.capacity = 2};

    (void)state;
    gates_open(&g);
    struct op_driver *d = gated_driver(&g, &c, &at);
    for (int i = 0; i < 5; i++) sys_mailbox_send(g.sys, g.gate[i], &g);
    op_push(d, 0, "@1 a | 0\n@2 b | 1\n@3 c | 2\n@4 d | 3\n@5 e | 4");
    op_push_end(d);
    assert_string_equal(op_output(d), "+I[a, 0]@1\n+I[b, 1]@2\n+I[c, 2]@3\n+I[d, 3]@4\n+I[e, 4]@5\nW@max\n");
    assert_true(sys_atomic_load(&g.most) <= 2);
    op_driver_free(d);
    gates_close(&g);
}

enum { MANY = 200 };
struct meeting {
    struct sys_atomic_u64 arrived;
    struct sys *sys;
    struct sys_mailbox *leave[MANY]; /* one taker each */
};

/* Nobody leaves before all have come. */
static enum tw_status meet(struct tw_context *cx, const void *in)
{
    struct meeting *m = *(struct meeting *const *)tw_config(cx).data;

    if (sys_atomic_add(&m->arrived, 1) + 1 == MANY)
        for (int i = 0; i < MANY; i++) sys_mailbox_send(m->sys, m->leave[i], m);
    while (sys_mailbox_take(m->sys, m->leave[((const struct ask *)in)->n], INT64_MAX) == NULL) continue;
    tw_collect(cx, in);
    return TW_OK;
}
TW_FUNCTION(meets) = {.in = &ask_row, .out = &ask_row, .async = meet};

static void as_many_are_in_flight_as_the_capacity_says(void **state)
{
    struct meeting m = {.sys = sys_linux_create_quiet()}, *at = &m;
    struct async_config c = {.function = {.name = "meets", .fn = &meets, .config = {(const char *)&at, sizeof at}}, .capacity = MANY};
    char rows[MANY * 16], expected[MANY * 16];
    size_t used = 0, size = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) m.leave[i] = sys_mailbox_create(m.sys);
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("async"), .config = &c, .in = ASKS, .sys = m.sys});
    for (int i = 0; i < MANY; i++) {
        used += (size_t)snprintf(rows + used, sizeof rows - used, "%sx | %d", i > 0 ? "\n" : "", i);
        size += (size_t)snprintf(expected + size, sizeof expected - size, "+I[x, %d]\n", i);
    }
    op_push(d, 0, rows);
    op_await(d, MANY);
    assert_string_equal(op_output(d), expected);
    assert_int_equal(sys_atomic_load(&m.arrived), MANY);
    op_driver_free(d);
    for (int i = 0; i < MANY; i++) sys_mailbox_free(m.sys, m.leave[i]);
    sys_linux_free(m.sys);
}

static void what_comes_after_the_time_limit_is_ignored(void **state)
{
    struct gates g, *at;
    struct async_config c = {.capacity = 4, .timeout_ms = 1, .function.fn = &gated_limit};

    (void)state;
    gates_open(&g);
    struct op_driver *d = gated_driver(&g, &c, &at);
    op_push(d, 0, "@1 a | 0\n@2 b | 1");
    op_await(d, 2); /* nobody opens the gates */
    assert_string_equal(op_output(d), "+I[too late, 0]@1\n+I[too late, 1]@2\n");
    sys_mailbox_send(g.sys, g.gate[0], &g);
    sys_mailbox_send(g.sys, g.gate[1], &g);
    op_push_end(d);
    assert_string_equal(op_output(d), "W@max\n");
    op_driver_free(d);
    gates_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_may_have_any_number_of_answers),
        cmocka_unit_test(an_answer_may_be_larger_than_a_batch),
        cmocka_unit_test(a_failed_request_is_tried_again_after_a_growing_pause),
        cmocka_unit_test(too_many_failures_fail_the_task),
        cmocka_unit_test(the_time_limit_covers_all_attempts),
        cmocka_unit_test(an_answer_that_is_not_liked_is_asked_for_again),
        cmocka_unit_test(the_last_answer_counts_when_no_attempt_is_left),
        cmocka_unit_test(pauses_end_with_the_input),
        cmocka_unit_test(failures_can_be_chosen),
        cmocka_unit_test(ordered_answers_wait_for_earlier_ones),
        cmocka_unit_test(unordered_answers_stay_between_watermarks),
        cmocka_unit_test(capacity_bounds_what_is_in_flight),
        cmocka_unit_test(as_many_are_in_flight_as_the_capacity_says),
        cmocka_unit_test(a_retry_before_the_time_limit_is_not_lost),
        cmocka_unit_test(what_comes_after_the_time_limit_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
