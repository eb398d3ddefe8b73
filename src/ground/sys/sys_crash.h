/* sys_crash.h - the moments of checkpoints, restores and clean-up at which a process may die, by name.
 *
 * Whoever comes by one says so: sys_crash_point(sys, CRASH_C7). It costs a look at a pointer. In the simulated world the process may die
 * there (sim/sim_faults.c); in the Linux world nothing happens but in the program for `make faults` (test/faults/crash.c), which is told by
 * its environment where to kill itself. Numbers are kept for good: what has no place in the code has no name. */
#pragma once
#include "ground/sys/sys.h"

/* name, where it is: J the JobManager, T who runs tasks (embedded one process is both); what has happened by then */
#define CRASH_POINTS(X)                                                                              \
    X(C1, "J", "a checkpoint has begun; no task was told")                                           \
    X(C2, "T", "some tasks were told that a checkpoint begins")                                      \
    X(C3, "T", "the barrier is on its way to some of those behind")                                  \
    X(C4, "T", "the barrier has come by some inputs")                                                \
    X(C6, "T", "what a task's operators hold at the barrier is noted; nothing of it is written")     \
    X(C7, "JT", "a chunk of state is stored, others are not")                                        \
    X(C8, "T", "all state of a task is stored; it has not said so")                                  \
    X(C9, "J", "a task has said so; nobody has heard it")                                            \
    X(C10, "JT", "a task or the store has refused a checkpoint")                                     \
    X(C11, "J", "the time of a checkpoint is up")                                                    \
    X(C12, "JT", "an object's temporary file is written")                                            \
    X(C13, "JT", "it is synced")                                                                     \
    X(C14, "JT", "it has its name")                                                                  \
    X(C15, "JT", "the folder with its name is synced")                                               \
    X(C16, "J", "the job's record was swapped; whether, nobody has heard")                           \
    X(C17, "J", "a part of an old checkpoint is deleted")                                            \
    X(C18, "J", "a checkpoint exists; which files it shares is not noted")                           \
    X(C19, "T", "some tasks know that a checkpoint is complete")                                     \
    X(C20, "J", "a savepoint begins while a checkpoint is under way")                                \
    X(C21, "J", "a job that failed waits until it is started anew")                                  \
    X(C23, "JT", "some of the files of a checkpoint are read")                                       \
    X(C24, "J", "all state is read again; no task has begun")                                        \
    X(C25, "J", "the job has ended; what it leaves is about to be cleaned up")

enum sys_crash_point {
    CRASH_NONE,
#define CRASH_POINT(name, side, doc) CRASH_##name,
    CRASH_POINTS(CRASH_POINT)
#undef CRASH_POINT
    CRASH_POINT_COUNT
};

static inline void sys_crash_point(struct sys *s, enum sys_crash_point at)
{
    if (s->ops->crash_point != NULL) s->ops->crash_point(s, (uint32_t)at);
}

/* The world in which processes kill themselves where they are told to; NULL but in the program for `make faults` (test/faults/crash.c). */
const struct sys_ops *sys_linux_crashes(const struct sys_ops *world) __attribute__((weak));

/* "C7"; where it is, see above; what has happened by then. */
const char *sys_crash_name(enum sys_crash_point at);
const char *sys_crash_side(enum sys_crash_point at);
const char *sys_crash_doc(enum sys_crash_point at);
