/* test_sys_signal.c - SIGINT and SIGTERM are counted and taken in order, a second SIGINT ends the process with 130, and a
 * broken pipe is a status. Each case runs in a child: handlers belong to a process. */
#include "ground/sys/sys.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child's code answers, or how it was ended. */
static int in_child(int (*fn)(struct sys *))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct sys *s = sys_linux_create();
        int result = fn(s);
        sys_linux_free(s);
        _exit(result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define EXPECT(condition) \
    if (!(condition)) return __LINE__ % 120 + 1

static int takes_in_order(struct sys *s)
{
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_NONE);
    raise(SIGTERM);
    raise(SIGTERM);
    raise(SIGINT);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_TERM);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_INT);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_NONE);
    raise(SIGTERM);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_TERM);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_NONE);
    return 0;
}

static int interrupt_came_first(struct sys *s)
{
    raise(SIGINT);
    raise(SIGTERM);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_INT);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_TERM);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_NONE);
    return 0;
}

static int two_interrupts(struct sys *s)
{
    (void)s;
    raise(SIGINT);
    raise(SIGINT);
    return 0;
}

static int two_interrupts_one_taken(struct sys *s)
{
    raise(SIGINT);
    EXPECT(sys_signal_take(s) == SYS_SIGNAL_INT);
    raise(SIGINT);
    return 0;
}

static int broken_pipe(struct sys *s)
{
    struct sys_file *out;
    int ends[2];

    EXPECT(pipe(ends) == 0);
    EXPECT(dup2(ends[1], 1) == 1);
    close(ends[0]);
    EXPECT(sys_file_standard(s, 1, &out, NULL) == S_OK);
    EXPECT(sys_file_write(s, out, "x", 1, NULL) == E_PIPE);
    sys_file_close(s, out);
    return 0;
}

static void signals(void **state)
{
    (void)state;
    assert_int_equal(in_child(takes_in_order), 0);
    assert_int_equal(in_child(interrupt_came_first), 0);
    assert_int_equal(in_child(two_interrupts), 130);
    assert_int_equal(in_child(two_interrupts_one_taken), 130);
    assert_int_equal(in_child(broken_pipe), 0);
}

static void the_quiet_world_leaves_signals_alone(void **state)
{
    struct sigaction before, after;

    (void)state;
    sigaction(SIGINT, NULL, &before);
    sys_linux_free(sys_linux_create_quiet());
    sigaction(SIGINT, NULL, &after);
    assert_true(before.sa_handler == after.sa_handler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signals), cmocka_unit_test(the_quiet_world_leaves_signals_alone)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
