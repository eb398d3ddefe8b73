/* test_assert.c - a broken assertion names itself on standard error and ends the process; seen from outside, in a child. */
#include "ground/base/err.h"
#include "ground/base/mem.h"

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
static const char *last_words(void (*fn)(void))
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
        fn();
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

static void break_an_assertion(void)
{
    int rows = (int)getpid();

    ASSERT(rows > 0);
    ASSERT(rows < 0);
}

static void says_what_broke(void **state)
{
    const char *text = last_words(break_an_assertion);

    (void)state;
    const char *sentence = strstr(text, "test/unit/ground/test_assert.c:");
    assert_ptr_equal(sentence, text); /* relative to the project, wherever it was built */
    const char *expression = strstr(text, "assertion failed: rows < 0\n");
    assert_non_null(expression);
    assert_non_null(strchr(expression, '[')); /* return addresses follow */
}

static void free_with_another_owner(void)
{
    struct mem a, b;

    mem_init(&a, "a", 0);
    mem_init(&b, "b", 0);
    mem_free(&b, mem_alloc(&a, 10)); /* not the owner: its count would fall below nothing */
}

static void ask_for_a_negative_size(void)
{
    struct mem m;

    mem_init(&m, "m", 0);
    mem_free(&m, mem_alloc(&m, (size_t)-5));
}

static void set_no_error(void)
{
    struct err e = {0};

    err_set(&e, S_OK, "nothing is wrong");
}

static void misuse_is_caught(void **state)
{
    (void)state;
    assert_non_null(strstr(last_words(free_with_another_owner), "src/ground/base/mem.c"));
    assert_non_null(strstr(last_words(ask_for_a_negative_size), "size < SIZE_MAX / 2"));
    assert_non_null(strstr(last_words(set_no_error), "st != S_OK"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_broke), cmocka_unit_test(misuse_is_caught)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
