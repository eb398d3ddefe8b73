/* sys_linux_process.c - child processes. Between fork and exec only calls that are safe there: another thread may hold any lock. The child
 * asks to be killed with its parent, and looks whether the parent is there still, as it may have died before the child asked. */
#include "ground/sys/sys_process.h"

#include "ground/sys/sys_linux_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127 };

struct sys_process {
    pid_t pid;
    bool is_over;
    int status;
};

static __attribute__((noreturn)) void become(const char *const *argv, int input, int output, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EXIT_NOT_STARTED);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(EXIT_NOT_STARTED);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    static const char text[] = "the program could not be started\n";
    ssize_t put = write(2, text, sizeof text - 1);
    _exit(put < 0 ? EXIT_NOT_STARTED - 1 : EXIT_NOT_STARTED);
}

enum status sys_process_start(struct sys *s, const char *const *argv, const char *output, struct sys_process **out,
                              struct err *e)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC), to = -1;
    pid_t parent = getpid(), pid = -1;

    if (in >= 0) to = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (to >= 0) pid = fork();
    if (pid == 0) become(argv, in, to, parent);
    int why = errno;
    if (in >= 0) close(in);
    if (to >= 0) close(to);
    if (pid < 0) return err_set(e, E_IO, "cannot start '%s' with its output in '%s': %s", argv[0], output, strerror(why));
    *out = linux_alloc(s, sizeof **out);
    (*out)->pid = pid;
    return S_OK;
}

int64_t sys_process_id(const struct sys_process *p) { return p->pid; }
int64_t sys_process_own_id(void) { return getpid(); }

bool sys_process_is_over(struct sys_process *p, char *how, size_t size)
{
    if (!p->is_over) p->is_over = waitpid(p->pid, &p->status, WNOHANG) == p->pid;
    if (!p->is_over) return false;
    if (WIFSIGNALED(p->status))
        snprintf(how, size, "killed by signal %d (%s)", WTERMSIG(p->status), strsignal(WTERMSIG(p->status)));
    else snprintf(how, size, "ended with status %d", WEXITSTATUS(p->status));
    return true;
}

void sys_process_kill(struct sys_process *p)
{
    if (!p->is_over) kill(p->pid, SIGKILL);
}

void sys_process_free(struct sys *s, struct sys_process *p)
{
    if (p == NULL) return;
    ASSERT(p->is_over);
    linux_free(s, p);
}
