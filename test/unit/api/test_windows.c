/* test_windows.c - what a window refuses at graph time is told with the line of the call that made the window. */
#include <thalweg/thalweg.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct event {
    int64_t key, time;
};
TW_ROW(event, TW_FIELD(event, key, "BIGINT NOT NULL"), TW_FIELD(event, time, "BIGINT NOT NULL"));

static const struct event events[] = {{1, 10}, {2, 11}};

static enum tw_status later(struct tw_context *cx, const void *left, const void *right, void *out)
{
    (void)cx, (void)left;
    memcpy(out, right, sizeof(struct event));
    return TW_OK;
}
TW_FUNCTION(latest) = {.in = &event_row, .reduce = later};

static enum tw_status difference(struct tw_context *cx, const void *a, const void *b, double *out)
{
    (void)cx;
    *out = (double)(((const struct event *)b)->time - ((const struct event *)a)->time);
    return TW_OK;
}
TW_FUNCTION(delta) = {.in = &event_row, .delta = difference};

static struct tw_stream *keyed(struct tw_env *env)
{
    struct tw_stream *s = tw_from_data(env, &event_row, events, 2);

    return tw_key_by(tw_with_watermarks(s, .kind = TW_WM_BOUNDED, .out_of_orderness_ms = 20, .time_field = "time"),
                     "key");
}

static void expect_mistake(struct tw_env *env, int line, const char *why)
{
    char place[64];

    snprintf(place, sizeof place, "test_windows.c:%d", line);
    assert_int_equal(tw_execute(env, "mistake"), 1);
    if (strstr(tw_error(env), why) == NULL) fail_msg("no '%s' in: %s", why, tw_error(env));
    if (strstr(tw_error(env), place) == NULL) fail_msg("no %s in: %s", place, tw_error(env));
}

static void a_refusal_has_the_line_of_the_call(void **state)
{
    struct tw_env *env = tw_env_create();
    struct tw_trigger far = {.kind = TW_TRIGGER_DELTA, .threshold = 1, .function = &delta};
    struct tw_stream *s = keyed(env);
    int line;

    (void)state;
    tw_quiet(env, true);
    line = __LINE__ + 1;
    tw_print(tw_window_reduce(s, TW_SESSIONS(10, .trigger = far), &latest));
    expect_mistake(env, line, "a merging window assigner cannot be used with a trigger that does not support merging");
    tw_env_free(env);
    env = tw_env_create();
    tw_quiet(env, true);
    s = keyed(env);
    line = __LINE__ + 1;
    tw_print(tw_window_reduce(s, TW_GLOBAL_WINDOW(.trigger = {.kind = TW_TRIGGER_COUNT}), &latest));
    expect_mistake(env, line, "a count trigger needs a positive number of rows");
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_refusal_has_the_line_of_the_call)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
