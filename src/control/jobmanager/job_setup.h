/* job_setup.h - what a job's settings say to its task manager and to its tasks: the same in the job master's process and in workers. */
#pragma once
#include "control/graph/graph.h"
#include "control/taskmanager/taskmanager.h"

/* Checks all of the graph's settings first. */
/* Of a backend that uses one: memory and folder, which is made empty. job_id as of state_folder_name; graph is prepared. */
void job_setup_disk(struct sys *sys, const struct graph *g, const char *job_id, struct taskmanager_settings *s);
enum status job_setup_settings(const struct graph *g, struct taskmanager_settings *out, struct err *e) CHECKED;
/* job_id: 32 hexadecimal digits; NULL: made from name and number. */
enum status job_setup_shared(struct sys *sys, const struct graph *g, int64_t job_number, const char *job_id,
                             struct job_shared **out, struct err *e) CHECKED;
