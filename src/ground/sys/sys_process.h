/* sys_process.h - other processes, of which this one is the parent: started, looked at, killed. Linux only: the simulation has no
 * processes, its nodes are started by its world. */
#pragma once
#include "ground/sys/sys.h"

struct sys_process;
/* argv[0] is the program's file, NULL ends the list. What it writes to its standard streams is appended to `output`; it reads nothing.
 * It is killed when the thread that started it ends. */
enum status sys_process_start(struct sys *s, const char *const *argv, const char *output, struct sys_process **out,
                              struct err *e) CHECKED;
int64_t sys_process_id(const struct sys_process *p);
/* Has it ended? Then how: "killed by signal 9 (Killed)", "ended with status 1". Never waits. */
bool sys_process_is_over(struct sys_process *p, char *how, size_t size);
void sys_process_kill(struct sys_process *p); /* at once, if it runs */
void sys_process_free(struct sys *s, struct sys_process *p); /* one that is over; NULL is a no-op */
int64_t sys_process_own_id(void);
