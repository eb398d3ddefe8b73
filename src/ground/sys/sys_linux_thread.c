/* sys_linux_thread.c - threads and parkers. Threads started here take neither SIGINT nor SIGTERM: those end the sleep
 * of the thread that main runs in. A parker is one word: EMPTY, SLEEPING, or NOTIFIED and the core of who notified; unpark
 * is one atomic exchange and calls the kernel only when somebody sleeps. */
#include "ground/sys/sys_linux_internal.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct sys_thread {
    pthread_t id;
    sys_thread_fn fn;
    void *arg;
};

static void *thread_main(void *p)
{
    struct sys_thread *t = p;

    t->fn(t->arg);
    return NULL;
}

enum status linux_thread_start(struct sys *s, const char *name, sys_thread_fn fn, void *arg, struct sys_thread **out, struct err *e)
{
    struct sys_thread *t = linux_alloc(s, sizeof *t);
    char short_name[16]; /* all that the kernel keeps */
    sigset_t blocked, former;

    ASSERT(fn != NULL);
    t->fn = fn;
    t->arg = arg;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &former); /* inherited by the new thread */
    int failed = pthread_create(&t->id, NULL, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (failed != 0) {
        linux_free(s, t);
        return err_set(e, E_IO, "cannot start thread '%s': %s", name, strerror(failed));
    }
    snprintf(short_name, sizeof short_name, "%s", name);
    pthread_setname_np(t->id, short_name);
    *out = t;
    return S_OK;
}

void linux_thread_join(struct sys *s, struct sys_thread *t)
{
    int failed = pthread_join(t->id, NULL);

    ASSERT(failed == 0);
    linux_free(s, t);
}

enum { EMPTY, SLEEPING, NOTIFIED }; /* NOTIFIED + the number of a core */

struct sys_parker {
    _Atomic uint32_t state;
};

struct sys_parker *linux_parker_create(struct sys *s) { return linux_alloc(s, sizeof(struct sys_parker)); }
void linux_parker_free(struct sys *s, struct sys_parker *p) { linux_free(s, p); }

static uint32_t notified_here(void) { return NOTIFIED + (uint32_t)MAX(0, sched_getcpu()); }

bool linux_park(struct sys *s, struct sys_parker *p, int64_t timeout_ns)
{
    struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    uint32_t expected = EMPTY;

    (void)s;
    if (atomic_compare_exchange_strong(&p->state, &expected, SLEEPING)) {
        /* a spurious wake is allowed: callers look at their queues again */
        syscall(SYS_futex, &p->state, FUTEX_WAIT_PRIVATE, SLEEPING, timeout_ns == INT64_MAX ? NULL : &timeout, NULL, 0);
    }
    /* an exchange, not a store: it reads what a late unpark published before it */
    return atomic_exchange(&p->state, EMPTY) == notified_here();
}

void linux_unpark(struct sys *s, struct sys_parker *p)
{
    (void)s;
    if (atomic_exchange(&p->state, notified_here()) == SLEEPING) syscall(SYS_futex, &p->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
