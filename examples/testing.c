/* testing.c - how to test one's functions: a function that warns of failed logins, and its tests, on clocks set by hand. Nothing
 * here sleeps or waits: tw_push answers when everything that follows from the row has come out.
 *
 * Build and run:  cc testing.c $(pkg-config --cflags --libs thalweg) && ./a.out */
#include <thalweg/thalweg.h>

#include <stdio.h>
#include <string.h>

enum { FAILURES = 3 };

/* --- what is tested: three failed logins of a user within ten minutes give a warning -------------------------------------- */
struct login {
    struct tw_str user;
    bool succeeded;
};
TW_ROW(login, TW_FIELD(login, user, "STRING NOT NULL"), TW_FIELD(login, succeeded, "BOOLEAN NOT NULL"));

struct warning {
    struct tw_str user;
    int64_t failures;
};
TW_ROW(warning, TW_FIELD(warning, user, "STRING NOT NULL"), TW_FIELD(warning, failures, "BIGINT NOT NULL"));

static const struct tw_state failures = {.name = "failures", .kind = TW_VALUE, .value = "BIGINT"};
static const struct tw_state timer = {.name = "timer", .kind = TW_VALUE, .value = "BIGINT"};

static void forget(struct tw_context *cx)
{
    if (tw_value_long(cx, &failures, 0) == 0) return;
    tw_delete_event_timer(cx, tw_value_long(cx, &timer, 0));
    tw_state_clear(cx, &failures);
    tw_state_clear(cx, &timer);
}

static enum tw_status on_login(struct tw_context *cx, const void *in)
{
    const struct login *login = in;

    if (login->user.size == 0) return tw_fail(cx, "a login without a user");
    if (login->succeeded) {
        tw_side_output(cx, 0, login);
        forget(cx);
        return TW_OK;
    }
    int64_t so_far = tw_value_long(cx, &failures, 0) + 1;
    if (so_far == 1) {
        tw_value_set_long(cx, &timer, tw_time(cx) + TW_MINUTES(10));
        tw_register_event_timer(cx, tw_time(cx) + TW_MINUTES(10));
    }
    tw_value_set_long(cx, &failures, so_far);
    tw_counter_add(cx, "failed logins", 1);
    if (so_far < FAILURES) return TW_OK;
    struct warning warning = {login->user, so_far};
    tw_collect(cx, &warning);
    return TW_OK;
}

static enum tw_status ten_minutes_later(struct tw_context *cx, int64_t time_ms)
{
    (void)time_ms;
    forget(cx);
    return TW_OK;
}

TW_FUNCTION(watch_logins) = {.in = &login_row,
                             .out = &warning_row,
                             .sides = {&login_row},
                             .side_names = {"succeeded"},
                             .states = {&failures, &timer},
                             .process = on_login,
                             .on_timer = ten_minutes_later};

/* The part of the job under test: as in the job itself, between its source and its sink. */
static struct tw_stream *graph(struct tw_stream *logins, struct tw_stream *none, void *arg)
{
    (void)none, (void)arg;
    return tw_process(tw_key_by(logins, "user"), &watch_logins);
}

/* --- the tests: push rows, move the clocks, compare what came out ------------------------------------------------------------ */
struct results {
    int failed;
};

static void check(struct results *r, const char *what, const char *got, const char *expected)
{
    if (strcmp(got, expected) == 0) {
        printf("ok      %s\n", what);
        return;
    }
    printf("FAILED  %s: expected\n%sgot\n%s", what, expected, got);
    r->failed++;
}

static void push(struct tw_harness *h, const char *user, bool succeeded, int64_t time_ms)
{
    struct login login = {tw_str_of(user), succeeded};

    tw_push(h, 0, &login, time_ms); /* a failure is told by tw_harness_error */
}

static void third_failure_warns(struct results *r)
{
    struct tw_harness *h = tw_harness_create(graph, NULL, &login_row, NULL);
    int64_t failed = 0;

    check(r, "the graph is right", tw_harness_error(h), "");
    push(h, "ada", false, TW_MINUTES(1));
    push(h, "ada", false, TW_MINUTES(2));
    push(h, "bob", false, TW_MINUTES(2));
    check(r, "two failures are not enough", tw_output(h, false), "");
    push(h, "ada", false, TW_MINUTES(3));
    check(r, "the third failure warns", tw_output(h, false), "+I[ada, 3]@180000\n");
    tw_push_end(h);
    tw_harness_counter(h, "failed logins", &failed);
    check(r, "four failures were counted", failed == 4 ? "" : "wrong count\n", "");
    tw_harness_free(h);
}

static void failures_are_forgotten(struct results *r)
{
    struct tw_harness *h = tw_harness_create(graph, NULL, &login_row, NULL);

    push(h, "ada", false, TW_MINUTES(1));
    push(h, "ada", false, TW_MINUTES(2));
    tw_push_watermark(h, 0, TW_MINUTES(11)); /* fires the timer */
    push(h, "ada", false, TW_MINUTES(12));
    check(r, "failures are forgotten after ten minutes", tw_output(h, true), "W@660000\n");
    push(h, "ada", true, TW_MINUTES(13));
    push(h, "ada", false, TW_MINUTES(14));
    push(h, "ada", false, TW_MINUTES(14));
    check(r, "a success starts anew, and goes to its side output", tw_output(h, false),
          "succeeded: +I[ada, true]@780000\n");
    tw_harness_free(h);
}

static void nobody_cannot_log_in(struct results *r)
{
    struct tw_harness *h = tw_harness_create(graph, NULL, &login_row, NULL);

    push(h, "", false, 0);
    check(r, "a login without a user fails the job, with operator, key and row", tw_harness_error(h),
          "operator 'KeyedProcess' (subtask 1/1): key [], row +I[, false]: a login without a user");
    tw_harness_free(h);
}

int main(void)
{
    struct results r = {0};

    third_failure_warns(&r);
    failures_are_forgotten(&r);
    nobody_cannot_log_in(&r);
    return r.failed > 0 ? 1 : 0;
}
