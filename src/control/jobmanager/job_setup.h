/* job_setup.h - what a job's settings say to its task manager and to its tasks: the same in the job master's process and in workers. */
#pragma once
#include "control/graph/graph.h"
#include "control/taskmanager/taskmanager.h"

/* Checks all of the graph's settings first. */
enum status job_setup_settings(const struct graph *g, struct taskmanager_settings *out, struct err *e) CHECKED;
/* job_id: 32 hexadecimal digits; NULL: made from name and number. */
enum status job_setup_shared(struct sys *sys, const struct graph *g, int64_t job_number, const char *job_id,
                             struct job_shared **out, struct err *e) CHECKED;
