/* task_in_flight.h - checkpoints that do not wait for what lies in front of a task: when they hurry, and how in-flight data are saved
 * and come back. Internal to flow/task. */
#pragma once
#include "flow/task/task_internal.h"

/* At each step: does the checkpoint that was ordered hurry now? Looks into the channels where one has. */
void in_flight_look(struct task *t);
/* The barrier has gone off. */
void in_flight_forwarded(struct task *t);
/* Wall ms at which an aligned checkpoint begins to hurry; INT64_MAX: none will. */
int64_t in_flight_deadline_ms(const struct task *t);
/* Of the barrier that is saved: begins to save what was in flight, where there was any: *out, NULL else. S_IDLE: not all of it is known. */
enum status in_flight_save_create(struct task *t, struct state_save **out, struct err *e) CHECKED;
bool in_flight_is_known(const struct task *t); /* nothing but that is left to save, and it can be */
void in_flight_save_free(struct task *t); /* behind state_save_free, or without anything saved */
/* Of a restored task, before its first input. */
enum status in_flight_restore(struct task *t) CHECKED;
