/* test_api_null.c - a call on a stream that is NULL ends the process and names its own source line: there is no environment in
 * which the mistake could be kept. Seen from outside, in a child. */
#include <thalweg/thalweg.h>

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs what ends the process; answers what it wrote to standard error, or fails when it went on. */
static const char *last_words(void (*call)(struct tw_stream *))
{
    static char text[8192];
    int ends[2], status;
    size_t size = 0;
    ssize_t got;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL); /* the test framework and sanitizers would report it as theirs */
        dup2(ends[1], STDERR_FILENO);
        call(NULL);
        _exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], text + size, sizeof text - 1 - size)) > 0) size += (size_t)got;
    text[size] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) fail_msg("did not abort, status %d: %s", status, text);
    return text;
}

/* Each on a line of its own, which is part of what it says. */
static const int first_line = __LINE__ + 1;
static void call_1(struct tw_stream *s) { tw_map(s, NULL); }
static void call_2(struct tw_stream *s) { tw_where(s, "a", "=", "1"); }
static void call_3(struct tw_stream *s) { tw_project(s, "a"); }
static void call_4(struct tw_stream *s) { tw_sum(s, "a"); }
static void call_5(struct tw_stream *s) { tw_sort_partition(s, "a", true); }
static void call_6(struct tw_stream *s) { tw_union(s, s); }
static void call_7(struct tw_stream *s) { tw_union(tw_from_sequence(tw_env_create(), 1, 2), s); }
static void call_8(struct tw_stream *s) { tw_co_map(s, s, NULL); }
static void call_9(struct tw_stream *s) { tw_broadcast_process(tw_from_sequence(tw_env_create(), 1, 2), s, NULL); }
static void call_10(struct tw_stream *s) { tw_interval_join(s, s, NULL, .lower_ms = 1); }
static void call_11(struct tw_stream *s) { tw_async_wait(s, NULL, .capacity = 1); }
static void call_12(struct tw_stream *s) { tw_with_watermarks(s, .kind = TW_WM_NONE); }
static void call_13(struct tw_stream *s) { tw_rate_limit(s, 1); }
static void call_14(struct tw_stream *s) { tw_key_by(s, "a"); }
static void call_15(struct tw_stream *s) { tw_reinterpret_as_keyed(s, "a"); }
static void call_16(struct tw_stream *s) { tw_key_by_function(s, NULL); }
static void call_17(struct tw_stream *s) { tw_forward(s); }
static void call_18(struct tw_stream *s) { tw_partition_custom(s, NULL); }
static void call_19(struct tw_stream *s) { tw_side(s, "late"); }
static void call_20(struct tw_stream *s) { tw_print(s); }
static void call_21(struct tw_stream *s) { tw_sink_function(s, "a", NULL); }
static void call_22(struct tw_stream *s) { tw_collect_to(s, NULL, NULL, NULL); }
static void call_23(struct tw_stream *s) { tw_window_at(s, TW_TUMBLE(1), NULL, NULL, TW_HERE); }
static void call_24(struct tw_stream *s) { tw_window_join_at(s, s, TW_TUMBLE(1), NULL, false, TW_HERE); }
static void call_25(struct tw_stream *s) { tw_window_columns_at(s, TW_TUMBLE(1), NULL, 0, TW_HERE); }
static void call_26(struct tw_stream *s) { tw_operator(s, "where", TW_NO_OPTIONS); }

static void names_the_call(void **state)
{
    static void (*const calls[])(struct tw_stream *) = {
        call_1, call_2, call_3, call_4, call_5, call_6, call_7, call_8, call_9,
        call_10, call_11, call_12, call_13, call_14, call_15, call_16, call_17, call_18,
        call_19, call_20, call_21, call_22, call_23, call_24, call_25, call_26,
    };
    char expected[256];

    (void)state;
    for (int i = 0; i < (int)(sizeof calls / sizeof *calls); i++) {
        snprintf(expected, sizeof expected, "%s:%d: assertion failed: the stream is not NULL\n", __FILE__, first_line + i);
        const char *text = last_words(calls[i]);
        if (strncmp(text, expected, strlen(expected)) != 0) fail_msg("expected %s  got %s", expected, text);
    }
}

static void name_nothing(struct tw_stream *s) { tw_name(s, "x"); }
static void configure_nothing(struct tw_stream *s) { tw_with_config(s, "x", 1); }

static void attributes_name_themselves(void **state)
{
    (void)state;
    assert_non_null(strstr(last_words(name_nothing), "assertion failed: the stream of tw_name is not NULL\n"));
    assert_non_null(strstr(last_words(configure_nothing), "the stream of tw_with_config is not NULL\n"));
}

/* The first stream has an environment, so this is a mistake like any other. */
static void second_stream(void **state)
{
    struct tw_env *env = tw_env_create();

    (void)state;
    tw_quiet(env, true);
    tw_print(tw_co_map(tw_from_sequence(env, 1, 2), NULL, NULL));
    assert_int_equal(tw_execute(env, "wrong"), 1);
    assert_non_null(strstr(tw_error(env), "test_api_null.c:"));
    assert_non_null(strstr(tw_error(env), "operation 'co_map' has 2 inputs, not 1"));
    tw_env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_the_call), cmocka_unit_test(attributes_name_themselves),
                                       cmocka_unit_test(second_stream)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
