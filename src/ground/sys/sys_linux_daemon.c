/* sys_linux_daemon.c - see sys_daemon.h. A daemon is started by a child that ends at once, so that nobody waits for it; the pipe between
 * them says that the program could be executed: it closes by itself then, and carries the reason otherwise. */
#include "ground/sys/sys_daemon.h"

#include "ground/sys/sys_linux_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_US = 2000, PROGRAM_MAX = 4096, FILE_MODE = 0600 };

struct started {
    int64_t id;
    int reason; /* errno; 0: it runs */
};

static int open_output(const char *path, int flags)
{
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, FILE_MODE);
}

/* Signals as a program finds them at its start: this one counts them. */
static void signals_as_new(void)
{
    sigset_t none;

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int take_streams(int output, int errors)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) return errno;
    return 0;
}

/* In the grandchild. */
static void become(const char *const *argv, int output, int report)
{
    struct started s = {getpid(), 0};

    signals_as_new();
    s.reason = take_streams(output, output);
    if (write(report, &s, sizeof s) < 0 || s.reason != 0) _exit(1);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    s.reason = errno;
    if (write(report, &s, sizeof s) < 0) _exit(1);
    _exit(1);
}

static enum status hear(int report, int64_t *id, const char *program, struct err *e)
{
    struct started s = {0, EIO};
    ssize_t got;

    while ((got = read(report, &s, sizeof s)) == (ssize_t)sizeof s && s.reason == 0) *id = s.id;
    if (*id != 0 && s.reason == 0) return S_OK;
    return err_set(e, E_IO, "cannot start '%s': %s", program, strerror(s.reason));
}

enum status sys_daemon_start(struct sys *sys, const char *const *argv, const char *output, int64_t *id, struct err *e)
{
    int report[2], out = open_output(output, O_APPEND);

    (void)sys;
    *id = 0;
    if (out < 0) return linux_error(e, "open", output, "its folder");
    if (pipe2(report, O_CLOEXEC) != 0) {
        close(out);
        return err_set(e, E_IO, "cannot start '%s': %s", argv[0], strerror(errno));
    }
    pid_t child = fork();
    if (child == 0) {
        close(report[0]);
        if (setsid() >= 0 && fork() == 0) become(argv, out, report[1]);
        _exit(0);
    }
    close(report[1]);
    close(out);
    enum status st = child > 0 ? hear(report[0], id, argv[0], e)
                               : err_set(e, E_IO, "cannot start '%s': %s", argv[0], strerror(errno));
    if (child > 0) waitpid(child, NULL, 0);
    close(report[0]);
    return st;
}

/* --- a child that is waited for ------------------------------------------------------------------------------------ */
static enum status wait_for(pid_t child, int64_t timeout_ms, const char *program, int *exit_status, struct err *e)
{
    int state = 0;

    for (int64_t waited_us = 0; waited_us / 1000 < timeout_ms; waited_us += LOOK_US) {
        if (waitpid(child, &state, WNOHANG) == child) {
            *exit_status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
            return S_OK;
        }
        usleep(LOOK_US);
    }
    kill(child, SIGKILL);
    waitpid(child, &state, 0);
    return err_set(e, E_CANCELED, "'%s' did not end within %lld ms", program, (long long)timeout_ms);
}

enum status sys_child_run(struct sys *sys, const char *const *argv, const char *output, const char *errors,
                          int64_t timeout_ms, int *exit_status, struct err *e)
{
    int out = open_output(output, O_TRUNC), problems = open_output(errors, O_TRUNC);

    (void)sys;
    pid_t child = out >= 0 && problems >= 0 ? fork() : -1;
    if (child == 0) {
        signals_as_new();
        if (take_streams(out, problems) == 0) execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int reason = errno;
    if (out >= 0) close(out);
    if (problems >= 0) close(problems);
    if (child < 0) return err_set(e, E_IO, "cannot start '%s': %s", argv[0], strerror(reason));
    return wait_for(child, timeout_ms, argv[0], exit_status, e);
}

/* --- others by their numbers --------------------------------------------------------------------------------------- */
bool sys_process_runs(int64_t id) { return id > 0 && (kill((pid_t)id, 0) == 0 || errno == EPERM); }

bool sys_process_is(int64_t id, const char *program)
{
    char link[64], path[PROGRAM_MAX];

    snprintf(link, sizeof link, "/proc/%lld/exe", (long long)id);
    ssize_t size = id > 0 ? readlink(link, path, sizeof path - 1) : -1;
    if (size <= 0) return false;
    path[size] = '\0';
    char *gone = strstr(path, " (deleted)"); /* built anew while it runs */
    if (gone != NULL) *gone = '\0';
    return strcmp(path, program) == 0;
}

void sys_process_terminate(int64_t id)
{
    if (id > 0) kill((pid_t)id, SIGTERM);
}

int64_t sys_user_id(void) { return (int64_t)geteuid(); }
