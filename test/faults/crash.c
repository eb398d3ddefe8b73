/* crash.c - makes of the program one that kills itself at a crash point (ground/sys/sys_crash.h), once.
 *
 * THALWEG_CRASH=C7:3 says where, and how often it is come by before; THALWEG_CRASH_MARK is a file that says it has happened: while it is there,
 * nothing more does. So a process that is started again with the same environment lives. THALWEG_CRASH=list shows the points. */
#include "ground/sys/sys_crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    struct sys_ops ops;
    uint32_t at;
    const char *mark;
    atomic_int left;
} crash;

static void die_here(struct sys *s, uint32_t at)
{
    (void)s;
    if (at != crash.at || atomic_fetch_sub(&crash.left, 1) != 1) return;
    int fd = open(crash.mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return;
    kill(getpid(), SIGKILL);
}

static void list(void)
{
    for (uint32_t i = 1; i < CRASH_POINT_COUNT; i++) {
        enum sys_crash_point p = (enum sys_crash_point)i;
        printf("%s\t%s\t%s\n", sys_crash_name(p), sys_crash_side(p), sys_crash_doc(p));
    }
    exit(0);
}

static void refuse(const char *wanted)
{
    fprintf(stderr, "THALWEG_CRASH: there is no crash point '%s', or THALWEG_CRASH_MARK does not say where to note it\n", wanted);
    exit(2);
}

const struct sys_ops *sys_linux_crashes(const struct sys_ops *world)
{
    const char *wanted = getenv("THALWEG_CRASH"), *passes = wanted != NULL ? strchr(wanted, ':') : NULL;
    size_t size = passes != NULL ? (size_t)(passes - wanted) : wanted != NULL ? strlen(wanted) : 0;

    if (wanted == NULL || crash.at != CRASH_NONE) return crash.at != CRASH_NONE ? &crash.ops : world;
    if (strcmp(wanted, "list") == 0) list();
    for (uint32_t i = 1; i < CRASH_POINT_COUNT; i++) {
        const char *name = sys_crash_name((enum sys_crash_point)i);
        if (strlen(name) == size && strncmp(name, wanted, size) == 0) crash.at = i;
    }
    crash.mark = getenv("THALWEG_CRASH_MARK");
    if (crash.at == CRASH_NONE || crash.mark == NULL) refuse(wanted);
    crash.left = passes != NULL ? atoi(passes + 1) : 1;
    crash.ops = *world;
    crash.ops.crash_point = die_here;
    return &crash.ops;
}
