/* test_async_sink.c - an asynchronous sink through the public API: a client of its own thread answers, some entries are sent
 * again, a full buffer holds the source back, and metrics count what was sent. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

enum { ROWS = 2000, HELD = 4 };
/* Answers from a thread: of each request that holds a number that was not refused before and can be divided by seven, those
 * numbers are to be sent again. */
struct client {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tw_request *queue[HELD];
    uint32_t count;
    bool ends, fails;
    uint8_t sent[ROWS + 1], refused[ROWS + 1];
    uint32_t requests, again, most;
};

static struct client *client_of(struct tw_context *cx)
{
    return *(struct client *const *)(const void *)tw_config(cx).data;
}

static void answer(struct client *c, struct tw_request *r)
{
    uint32_t again[10], count = 0;

    for (uint32_t i = 0; i < tw_request_count(r); i++) {
        int64_t value = ((const struct number *)tw_request_entry(r, i))->value;
        if (value % 7 == 0 && c->refused[value]++ == 0)
            again[count++] = i;
        else
            c->sent[value]++;
    }
    c->again += count;
    if (c->fails && c->requests > 20)
        tw_request_fail(r, "the client is gone after %d", 20);
    else if (count > 0)
        tw_request_retry(r, again, count);
    else
        tw_request_done(r);
}

static void *client_main(void *arg)
{
    struct client *c = arg;

    for (;;) {
        pthread_mutex_lock(&c->lock);
        while (c->count == 0 && !c->ends) pthread_cond_wait(&c->changed, &c->lock);
        struct tw_request *r = c->count > 0 ? c->queue[--c->count] : NULL;
        pthread_mutex_unlock(&c->lock);
        if (r == NULL) return NULL;
        answer(c, r);
    }
}

static enum tw_status open_it(struct tw_context *cx)
{
    struct client *c = client_of(cx);

    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    return pthread_create(&c->thread, NULL, client_main, c) == 0 ? TW_OK : tw_fail(cx, "no thread");
}

static enum tw_status submit(struct tw_context *cx, struct tw_request *r)
{
    struct client *c = client_of(cx);

    pthread_mutex_lock(&c->lock);
    c->requests++;
    c->queue[c->count++] = r;
    c->most = c->count > c->most ? c->count : c->most;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return TW_OK;
}

static enum tw_status eight(struct tw_context *cx, const void *entry, int64_t *bytes)
{
    (void)cx, (void)entry;
    *bytes = 8;
    return TW_OK;
}

static void close_it(struct tw_context *cx)
{
    struct client *c = client_of(cx);

    pthread_mutex_lock(&c->lock);
    c->ends = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
}
TW_FUNCTION(puts_numbers) = {
    .in = &number_row, .open = open_it, .submit = submit, .entry_size = eight, .close = close_it};

/* Requests of three, each said to have a hundred bytes. */
static enum tw_status three(struct tw_context *cx, const struct tw_waiting *w, uint32_t *count, int64_t *bytes)
{
    (void)cx;
    *count = tw_waiting_most(w) < 3 ? tw_waiting_most(w) : 3;
    *bytes = 100;
    return TW_OK;
}
TW_FUNCTION(puts_threes) = {
    .in = &number_row, .open = open_it, .submit = submit, .entry_size = eight, .next_batch = three, .close = close_it};

static struct tw_env *run(struct client *c, int expected)
{
    struct tw_env *env = tw_env_create();

    tw_quiet(env, true);
    tw_with_config(tw_async_sink(tw_from_sequence(env, 1, ROWS), "puts", &puts_numbers, .max_batch_size = 10,
                                 .max_in_flight_requests = HELD, .max_buffered_requests = 11),
                   &c, sizeof c);
    assert_int_equal(tw_execute(env, "puts"), expected);
    return env;
}

static void batches_of_the_function(void **state)
{
    struct client c = {.count = 0};
    struct client *at = &c;
    struct tw_env *env = tw_env_create();
    struct tw_metric_value v;

    (void)state;
    tw_with_config(tw_async_sink(tw_from_sequence(env, 1, ROWS), "puts", &puts_threes, .max_batch_size = 10,
                                 .max_in_flight_requests = HELD, .max_buffered_requests = 11),
                   &at, sizeof at);
    assert_int_equal(tw_execute(env, "puts"), 0);
    for (int i = 1; i <= ROWS; i++) assert_int_equal(c.sent[i], 1);
    assert_true(tw_find_metric(env, "Sink: puts", 0, "numBytesOut", &v));
    assert_int_equal(v.count, 100 * c.requests);
    assert_true(c.requests >= (ROWS + ROWS / 7) / 3);
    tw_env_free(env);
}

static void each_row_is_sent(void **state)
{
    struct client c = {.count = 0};
    struct tw_env *env = run(&c, 0);
    struct tw_metric_value v;

    (void)state;
    for (int i = 1; i <= ROWS; i++) assert_int_equal(c.sent[i], 1);
    assert_int_equal(c.again, ROWS / 7);
    assert_true(c.most <= HELD);
    assert_true(tw_find_metric(env, "Sink: puts", 0, "numRecordsOut", &v));
    assert_int_equal(v.count, ROWS + ROWS / 7);
    assert_true(tw_find_metric(env, "Sink: puts", 0, "numBytesOut", &v));
    assert_int_equal(v.count, 8 * (ROWS + ROWS / 7));
    assert_true(tw_find_metric(env, "Sink: puts", 0, "currentSendTime", &v));
    tw_env_free(env);
}

/* Requests that nobody waits for any more are answered until .close has returned. */
static void a_client_may_give_up(void **state)
{
    struct client c = {.fails = true};
    struct tw_env *env = run(&c, 1);
    const char *end = strstr(tw_error(env), "entries: the client is gone after 20");

    (void)state;
    assert_non_null(end);
    assert_non_null(strstr(tw_error(env), "job 'puts' failed: operator 'Sink: puts' (subtask 1/1): request of "));
    tw_env_free(env);
}

static void mistakes_are_told(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    tw_quiet(env, true);
    tw_async_sink(tw_from_sequence(env, 1, 2), "puts", &puts_numbers, .max_batch_size = 10,
                  .max_buffered_requests = 10);
    assert_int_equal(tw_execute(env, "mistake"), 1);
    assert_non_null(strstr(tw_error(env), "max_buffered_requests of an asynchronous sink is 10; it must be more than "
                                          "max_batch_size, 10"));
    tw_env_free(env);
    env = tw_env_create();
    tw_quiet(env, true);
    tw_async_sink(tw_from_sequence(env, 1, 2), "puts", NULL);
    assert_int_equal(tw_execute(env, "mistake"), 1);
    assert_non_null(strstr(tw_error(env), "an asynchronous sink needs a name and a function"));
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_of_the_function), cmocka_unit_test(each_row_is_sent),
        cmocka_unit_test(a_client_may_give_up),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
