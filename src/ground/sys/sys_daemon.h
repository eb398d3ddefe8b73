/* sys_daemon.h - processes that go on when the one that started them is gone, known by their number. Linux only. */
#pragma once
#include "ground/sys/sys.h"

/* argv[0] is the program's file, NULL ends the list. In a session of its own; reads nothing, and what it writes is appended to `output`.
 * *id: its number. */
enum status sys_daemon_start(struct sys *s, const char *const *argv, const char *output, int64_t *id,
                             struct err *e) CHECKED;
/* Runs a program to its end and answers its exit status; what it writes to standard output and error goes into those files. The wait is
 * bounded: E_CANCELED, and it is killed. */
enum status sys_child_run(struct sys *s, const char *const *argv, const char *output, const char *errors,
                          int64_t timeout_ms, int *exit_status, struct err *e) CHECKED;
bool sys_process_runs(int64_t id);
bool sys_process_is(int64_t id, const char *program); /* it runs, and its file is that */
void sys_process_terminate(int64_t id);               /* asks it to end: SIGTERM */
int64_t sys_user_id(void);
