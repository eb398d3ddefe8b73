/* sys_linux.c - the Linux world: clocks, randomness, signals, and the vtable that gathers its parts.
 *
 * Signals are process-wide, so the two words here are the one mutable static of the program: a handler can reach nothing
 * else. Each holds the turn in which its signal came, 0 when none waits: the older is taken first. The first SIGINT is the
 * user's wish to stop; the second, taken or not, ends the process at once. */
#include "ground/sys/sys_crash.h"
#include "ground/sys/sys_kv.h"
#include "ground/sys/sys_linux_internal.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { NONE_WAITS, CAME_FIRST, CAME_SECOND, WAS_TAKEN };

static _Atomic int interrupts, terminations;

static void on_signal(int number)
{
    _Atomic int *own = number == SIGTERM ? &terminations : &interrupts, *other = number == SIGTERM ? &interrupts : &terminations;
    int other_turn = atomic_load(other);

    if (number == SIGINT && atomic_load(own) != NONE_WAITS) {
        linux_screen_leave();
        _exit(130);
    }
    atomic_store(own, other_turn == CAME_FIRST ? CAME_SECOND : CAME_FIRST);
}

static enum sys_signal linux_signal_take(struct sys *s)
{
    int interrupt = atomic_load(&interrupts), termination = atomic_load(&terminations);
    bool waits = interrupt == CAME_FIRST || interrupt == CAME_SECOND;

    (void)s;
    if (waits && (termination == NONE_WAITS || interrupt < termination)) {
        atomic_store(&interrupts, WAS_TAKEN);
        return SYS_SIGNAL_INT;
    }
    if (termination == NONE_WAITS) return SYS_SIGNAL_NONE;
    atomic_store(&terminations, NONE_WAITS);
    return SYS_SIGNAL_TERM;
}

static void linux_signal_forget(struct sys *s)
{
    (void)s;
    atomic_store(&interrupts, NONE_WAITS);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    int failed = clock_gettime(clock, &t);

    ASSERT(failed == 0);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t linux_wall_ms(struct sys *s)
{
    (void)s;
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t linux_mono_ns(struct sys *s)
{
    (void)s;
    return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t linux_random(struct sys *s)
{
    uint64_t value;
    ssize_t got = getrandom(&value, sizeof value, 0);

    (void)s;
    ASSERT(got == sizeof value);
    return value;
}

static int linux_cpu_count(struct sys *s)
{
    cpu_set_t set;

    (void)s;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set);
}

static bool linux_is_terminal(struct sys *s, int fd)
{
    (void)s;
    return isatty(fd) == 1;
}

static int linux_terminal_columns(struct sys *s, int fd)
{
    struct winsize size;

    (void)s;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

static int linux_terminal_rows(struct sys *s, int fd)
{
    struct winsize size;

    (void)s;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 24;
    return size.ws_row;
}

static int64_t linux_resident_bytes(struct sys *s)
{
    long long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    (void)s;
    if (f == NULL) return 0;
    int fields = fscanf(f, "%lld %lld", &total, &resident);
    fclose(f);
    return fields == 2 ? resident * sysconf(_SC_PAGESIZE) : 0;
}

/* A limit of the process's control group; none, or "max": no number, or a very large one. */
static int64_t group_limit(const char *path)
{
    long long limit = 0;
    FILE *f = fopen(path, "r");

    if (f == NULL) return INT64_MAX;
    int fields = fscanf(f, "%lld", &limit);
    fclose(f);
    return fields == 1 && limit > 0 ? limit : INT64_MAX;
}

/* Of the group "/a/b" and of all above it; the text is cut. */
static int64_t groups_limit(const char *root, char *group, const char *file)
{
    char path[PATH_MAX];
    int64_t limit = INT64_MAX;

    for (;;) {
        if (snprintf(path, sizeof path, "%s%s/%s", root, group, file) < (int)sizeof path) limit = MIN(limit, group_limit(path));
        char *slash = strrchr(group, '/');
        if (slash == NULL) return limit;
        *slash = 0;
    }
}

/* A line of /proc/self/cgroup: "0::/a/b" of the groups of today, "4:memory:/a/b" of the older ones. */
static int64_t line_limit(char *line)
{
    char *group = strchr(line, '/');

    line[strcspn(line, "\n")] = 0;
    if (group == NULL) return INT64_MAX;
    if (strncmp(line, "0::", 3) == 0) return groups_limit("/sys/fs/cgroup", group, "memory.max");
    if (strstr(line, ":memory:") != NULL) return groups_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    return INT64_MAX;
}

static int64_t linux_memory_bytes(struct sys *s)
{
    int64_t least = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    char line[PATH_MAX];
    FILE *f = fopen("/proc/self/cgroup", "r");

    (void)s;
    /* In a container the root may be its own group, whatever it is called outside. */
    least = MIN(least, MIN(group_limit("/sys/fs/cgroup/memory.max"), group_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes")));
    while (f != NULL && fgets(line, sizeof line, f) != NULL) least = MIN(least, line_limit(line));
    if (f != NULL) fclose(f);
    return least;
}

void *linux_alloc(struct sys *s, size_t size)
{
    struct sys_linux *l = (struct sys_linux *)s;

    pthread_mutex_lock(&l->mem_lock);
    void *p = mem_zalloc(&l->mem, size);
    pthread_mutex_unlock(&l->mem_lock);
    return p;
}

void linux_free(struct sys *s, void *p)
{
    struct sys_linux *l = (struct sys_linux *)s;

    pthread_mutex_lock(&l->mem_lock);
    mem_free(&l->mem, p);
    pthread_mutex_unlock(&l->mem_lock);
}

static const struct sys_ops linux_ops = {
    .name = "linux",
    .wall_ms = linux_wall_ms,
    .mono_ns = linux_mono_ns,
    .random = linux_random,
    .thread_start = linux_thread_start,
    .thread_join = linux_thread_join,
    .cpu_count = linux_cpu_count,
    .parker_create = linux_parker_create,
    .parker_free = linux_parker_free,
    .park = linux_park,
    .unpark = linux_unpark,
    .file_open = linux_file_open,
    .file_read = linux_file_read,
    .file_write = linux_file_write,
    .file_seek = linux_file_seek,
    .file_sync = linux_file_sync,
    .file_stat = linux_file_stat,
    .file_rename = linux_file_rename,
    .file_set_mode = linux_file_set_mode,
    .file_real = linux_file_real,
    .file_delete = linux_file_delete,
    .dir_make = linux_dir_make,
    .dir_delete = linux_dir_delete,
    .dir_list = linux_dir_list,
    .dir_sync = linux_dir_sync,
    .file_standard = linux_file_standard,
    .file_close = linux_file_close,
    .address_find = linux_address_find,
    .socket_begin = linux_socket_begin,
    .socket_finish = linux_socket_finish,
    .socket_listen = linux_socket_listen,
    .socket_accept = linux_socket_accept,
    .socket_pair = linux_socket_pair,
    .file_read_some = linux_file_read_some,
    .file_write_some = linux_file_write_some,
    .poll_create = linux_poll_create,
    .poll_free = linux_poll_free,
    .poll_set = linux_poll_set,
    .poll_remove = linux_poll_remove,
    .poll_wait = linux_poll_wait,
    .poll_wake = linux_poll_wake,
    .is_terminal = linux_is_terminal,
    .terminal_columns = linux_terminal_columns,
    .terminal_rows = linux_terminal_rows,
    .keys_open = linux_keys_open,
    .keys_close = linux_keys_close,
    .keys_read = linux_keys_read,
    .screen_open = linux_screen_open,
    .screen_close = linux_screen_close,
    .signal_take = linux_signal_take,
    .signal_forget = linux_signal_forget,
    .resident_bytes = linux_resident_bytes,
    .memory_bytes = linux_memory_bytes,
    .kv_open = kv_linux_open,
};

struct sys *sys_linux_create_quiet(void)
{
    struct mem mem;
    mem_init(&mem, "sys", 0);
    struct sys_linux *l = mem_zalloc(&mem, sizeof *l);

    mem_init(&l->mem, "sys", 0);
    mem_move(&mem, &l->mem);
    l->sys.ops = &linux_ops;
    if (sys_linux_crashes != NULL) l->sys.ops = sys_linux_crashes(&linux_ops);
    l->sys.mem = &l->mem;
    int failed = pthread_mutex_init(&l->mem_lock, NULL) | pthread_mutex_init(&l->standard_lock, NULL);
    ASSERT(failed == 0);
    return &l->sys;
}

struct sys *sys_linux_create(void)
{
    struct sigaction action;

    sys_linux_cpu_check();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    return sys_linux_create_quiet();
}

void sys_linux_free(struct sys *sys)
{
    struct mem mem;

    if (sys == NULL) return;
    struct sys_linux *l = (struct sys_linux *)sys;
    pthread_mutex_destroy(&l->mem_lock);
    pthread_mutex_destroy(&l->standard_lock);
    mem_init(&mem, "sys", 0);
    mem_move(&l->mem, &mem);
    mem_release(&mem);
}
