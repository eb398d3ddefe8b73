/* worker.h - a worker runs tasks in turn, cooperatively; with nothing to do it spins for tens of microseconds and then
 * parks. On Linux a worker is a thread; in the simulation the world calls worker_round itself. */
#pragma once
#include "flow/task/task.h"

struct worker;
/* Called on the worker's thread when a task has got to its next state: TASK_INITIALIZING, TASK_RUNNING (st is S_OK), and the
 * last one when it has ended: S_END, E_CANCELED, or its error. */
typedef void (*task_moved_fn)(void *arg, struct task *t, enum task_state state, enum status st);
struct worker *worker_create(struct sys *sys, const char *name, task_moved_fn moved, void *arg);
void worker_free(struct worker *w);
void worker_add(struct worker *w, struct task *t); /* before start */
struct sys_parker *worker_parker(struct worker *w);
/* One turn over all tasks. *progress says whether anything moved; *deadline_ms (wall) when to come back at the latest.
 * S_END when no task is left. pick: NULL = all in turn, else one task chosen by it (simulation). */
enum status worker_round(struct worker *w, struct prng *pick, bool *progress, int64_t *deadline_ms) CHECKED;
enum status worker_start(struct worker *w, struct err *e) CHECKED; /* makes the thread */
void worker_join(struct worker *w);
