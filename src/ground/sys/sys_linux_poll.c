/* sys_linux_poll.c - readiness by epoll, and an eventfd by which other threads wake whoever waits.
 *
 * What epoll refuses (files on disk, /dev/null) never makes anybody wait: such files stand in a list of our own and are
 * ready whenever they are asked for. Only that list needs the lock: epoll itself may be changed from any thread.
 *
 * is_woken makes a wake cheap: the first one since the last wait writes to the eventfd, the others do nothing. The waiter
 * clears the word before it returns, so a wake behind that is seen by the next wait, one before it by the caller's queues. */
#include "ground/sys/sys_linux_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, WAIT_MS_MAX = 1000000 };

struct disk_file {
    struct disk_file *next;
    const struct sys_file *file;
    uint32_t events;
    void *arg;
};

struct sys_poll {
    int epoll, wake;
    _Atomic uint32_t is_woken;
    pthread_mutex_t lock; /* guards files */
    struct disk_file *files;
};

enum status linux_poll_create(struct sys *s, struct sys_poll **out, struct err *e)
{
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
    struct sys_poll *p = linux_alloc(s, sizeof *p);

    p->wake = -1;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll >= 0) p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->wake < 0 || epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->wake, &wake) != 0) {
        enum status st = linux_error(e, "watch", "files", "file");
        if (p->epoll >= 0) close(p->epoll);
        if (p->wake >= 0) close(p->wake);
        linux_free(s, p);
        return st;
    }
    int failed = pthread_mutex_init(&p->lock, NULL);
    ASSERT(failed == 0);
    *out = p;
    return S_OK;
}

void linux_poll_free(struct sys *s, struct sys_poll *p)
{
    for (struct disk_file *d = p->files, *next; d != NULL; d = next) {
        next = d->next;
        linux_free(s, d);
    }
    pthread_mutex_destroy(&p->lock);
    close(p->wake);
    close(p->epoll);
    linux_free(s, p);
}

/* --- files that are always ready -------------------------------------------------------------------------------------- */
static void disk_file_set(struct sys *s, struct sys_poll *p, struct sys_file *f, uint32_t events, void *arg)
{
    struct disk_file *d;

    pthread_mutex_lock(&p->lock);
    for (d = p->files; d != NULL && d->file != f; d = d->next) {
    }
    if (d == NULL) {
        d = linux_alloc(s, sizeof *d);
        d->file = f;
        d->next = p->files;
        p->files = d;
    }
    d->events = events;
    d->arg = arg;
    pthread_mutex_unlock(&p->lock);
    if (events != 0) linux_poll_wake(s, p);
}

static void disk_file_remove(struct sys *s, struct sys_poll *p, const struct sys_file *f)
{
    pthread_mutex_lock(&p->lock);
    struct disk_file **at = &p->files;
    while (*at != NULL && (*at)->file != f) at = &(*at)->next;
    struct disk_file *d = *at;
    if (d != NULL) *at = d->next;
    pthread_mutex_unlock(&p->lock);
    if (d != NULL) linux_free(s, d);
}

/* Whoever was served stands behind the others the next time. */
static void disk_files_turn(struct sys_poll *p, struct disk_file *served)
{
    struct disk_file *end = served;

    if (served == NULL || served->next == NULL) return;
    while (end->next != NULL) end = end->next;
    end->next = p->files;
    p->files = served->next;
    served->next = NULL;
}

static uint32_t disk_files_take(struct sys_poll *p, struct sys_poll_event *events, uint32_t max)
{
    struct disk_file *served = NULL;
    uint32_t count = 0;

    pthread_mutex_lock(&p->lock);
    for (struct disk_file *d = p->files; d != NULL && count < max; d = d->next) {
        if (d->events == 0) continue;
        events[count++] = (struct sys_poll_event){d->arg, d->events & ~(uint32_t)SYS_READY_ONCE};
        if ((d->events & SYS_READY_ONCE) != 0) d->events = 0;
        served = d;
    }
    disk_files_turn(p, served);
    pthread_mutex_unlock(&p->lock);
    return count;
}

/* epoll keeps one entry per number. Standard files share theirs, so each that is watched gets one of its own. */
static int number_of(struct sys_file *f)
{
    if (!f->is_standard) return f->fd;
    if (f->watched > 0) return f->watched;
    int own = fcntl(f->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (own > 0) f->watched = own;
    return own;
}

/* --- files that make wait --------------------------------------------------------------------------------------------- */
enum status linux_poll_set(struct sys *s, struct sys_poll *p, struct sys_file *f, uint32_t events, void *arg,
                           struct err *e)
{
    struct epoll_event what = {.data.ptr = arg};
    int fd = number_of(f);

    ASSERT(arg != NULL);
    if (fd < 0) return linux_error(e, "watch", f->path, "file");
    what.events = (events & SYS_READY_READ ? EPOLLIN | EPOLLRDHUP : 0) | (events & SYS_READY_WRITE ? EPOLLOUT : 0) |
                  (events & SYS_READY_ONCE ? EPOLLONESHOT : 0);
    /* with nothing asked for epoll would still say that the other end hung up */
    if (events == 0 && epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL) == 0) return S_OK;
    if (events != 0 && epoll_ctl(p->epoll, EPOLL_CTL_MOD, fd, &what) == 0) return S_OK;
    if (events != 0 && errno == ENOENT && epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &what) == 0) return S_OK;
    if (events == 0 && errno == ENOENT) return S_OK;
    if (errno != EPERM) return linux_error(e, "watch", f->path, "file");
    disk_file_set(s, p, f, events, arg);
    return S_OK;
}

void linux_poll_remove(struct sys *s, struct sys_poll *p, struct sys_file *f)
{
    int fd = f->is_standard ? f->watched : f->fd;

    if (fd > 0) epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL); /* it may not be there */
    disk_file_remove(s, p, f);
}

static void wake_take(struct sys_poll *p)
{
    uint64_t count;
    ssize_t n = read(p->wake, &count, sizeof count);

    (void)n; /* whoever set the word may not have written yet: one more wait comes back early */
    atomic_exchange(&p->is_woken, 0);
}

/* Readiness that was not asked for (an error, the other end gone) counts as all that was: the event does not say what that
 * is, so both; the caller's next call finds out. */
static uint32_t ready_of(uint32_t events)
{
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) return SYS_READY_READ | SYS_READY_WRITE;
    return (events & (EPOLLIN | EPOLLRDHUP) ? SYS_READY_READ : 0) | (events & EPOLLOUT ? SYS_READY_WRITE : 0);
}

enum status linux_poll_wait(struct sys *s, struct sys_poll *p, int64_t timeout_ns, struct sys_poll_event *events,
                            uint32_t max, uint32_t *count, struct err *e)
{
    struct epoll_event found[EVENTS_MAX];
    int64_t whole_ms = timeout_ns / 1000000 + (timeout_ns % 1000000 > 0);
    int timeout_ms = timeout_ns == INT64_MAX ? -1 : (int)MIN(whole_ms, (int64_t)WAIT_MS_MAX);

    (void)s;
    *count = disk_files_take(p, events, (max + 1) / 2); /* they are always ready: the others get their turn, too */
    if (*count == max) return S_OK;
    int room = (int)MIN(max - *count, (uint32_t)EVENTS_MAX);
    int n = epoll_wait(p->epoll, found, room, *count > 0 ? 0 : timeout_ms);
    if (n < 0 && errno != EINTR) return linux_error(e, "wait for", "files", "file");
    for (int i = 0; i < n; i++) {
        if (found[i].data.ptr == NULL)
            wake_take(p);
        else
            events[(*count)++] = (struct sys_poll_event){found[i].data.ptr, ready_of(found[i].events)};
    }
    return S_OK;
}

void linux_poll_wake(struct sys *s, struct sys_poll *p)
{
    uint64_t one = 1;

    (void)s;
    if (atomic_exchange(&p->is_woken, 1) != 0) return;
    ssize_t n = write(p->wake, &one, sizeof one);
    ASSERT(n == sizeof one);
}
