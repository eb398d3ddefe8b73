/* file_wait.h - a source's file that has nothing now: the job's event loop watches it and wakes the task when there is
 * something. One loop, with one thread, serves all sources of a job in this process; it is made by the first who waits.
 *
 * Everything here is called by the task. The file belongs to its file_wait, which closes it. */
#pragma once
#include "flow/operator/op.h"
#include "ground/sys/sys_net.h"

enum { FILE_WAITS_MAX = 4096 }; /* of one job in one process */

struct file_wait;
struct file_wait *file_wait_create(struct op_cx *op, struct sys_file *f);
void file_wait_close(struct file_wait *w); /* the file too; NULL is a no-op */
struct sys_file *file_wait_file(const struct file_wait *w);

/* From now on file_wait_is_ready answers false, until the file is ready for what `events` (enum sys_ready) asks; then the
 * task's worker is woken. Driven by hand, without a job, nobody is: it is ready at once. */
enum status file_wait_arm(struct file_wait *w, uint32_t events, struct err *e) CHECKED;
bool file_wait_is_ready(struct file_wait *w);

/* Reads what is there. A record_fill_fn: S_OK with *got > 0, S_END, or S_IDLE: the task is woken when more has come. */
enum status file_wait_read(void *file_wait, void *bytes, size_t size, size_t *got, struct err *e) CHECKED;
